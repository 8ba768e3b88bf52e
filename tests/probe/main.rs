//! Streams the table `numbers` of the database that the URL names, and prints how many rows there were and the peak of
//! this process's memory: `orm-probe URL CHUNK_SIZE [FETCH_BYTES]`. With `diesel+` before the URL, the connections are of
//! Diesel's own type, and of a pool of Diesel's.
//!
//! `orm-probe URL threads N` opens and drops the database so many times, and prints how many threads the process has then.
//! `orm-probe URL connect` prints the kind of the error of connecting.

use std::{error::Error, io::Write};

use orm_core::prelude::*;

/// The rows that are read.
#[derive(Model, Debug)]
struct Number {
    #[model(primary_key)]
    id: i64,
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the database's URL is missing")?;
    let chunk_size = arguments.next().ok_or("the chunk size is missing")?;
    match chunk_size.as_str() {
        "threads" => return threads(&url, arguments.next().ok_or("the number is missing")?.parse()?),
        "connect" => {
            let kind = orm_core::connect(&url).map_err(|error| format!("{:?}: {error}", error.kind()));
            writeln!(std::io::stdout(), "{kind:?}")?;
            return Ok(());
        }
        _ => {}
    }
    let chunk_size = chunk_size.parse()?;
    let db = database(&url)?;
    let mut query = Number::objects(&db);
    if let Some(bytes) = arguments.next() {
        query = query.fetch_bytes(bytes.parse()?);
    }
    let (mut rows, mut sum, mut bytes) = (0_u64, 0_i64, 0);
    for number in query.iterator(chunk_size)? {
        rows += 1;
        sum += number.id;
        bytes += number.name.len();
    }
    writeln!(std::io::stdout(), "{rows} {sum} {bytes} {}", peak_kib()?)?;
    Ok(())
}

fn database(url: &str) -> Result<Database, Box<dyn Error>> {
    match url.strip_prefix("diesel+") {
        None => Ok(orm_core::connect(url)?),
        #[cfg(feature = "postgres")]
        Some(url) => {
            use diesel::r2d2::{ConnectionManager, Pool};
            let manager = ConnectionManager::<diesel::PgConnection>::new(url);
            Ok(Pool::builder().max_size(1).build(manager)?.into())
        }
        #[cfg(not(feature = "postgres"))]
        Some(_) => Err("Diesel's connection is of the feature `postgres`".into()),
    }
}

fn threads(url: &str, times: u32) -> Result<(), Box<dyn Error>> {
    for _ in 0..times {
        let db = orm_core::connect(url)?;
        db.raw_values::<i64>("SELECT CAST(1 AS SIGNED)")
            .load()
            .or_else(|_| db.raw_values::<i64>("SELECT CAST(1 AS BIGINT)").load())?;
    }
    writeln!(std::io::stdout(), "{}", std::fs::read_dir("/proc/self/task")?.count())?;
    Ok(())
}

/// The most memory that the process has had, in KiB.
fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the kernel tells no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
