//! Every program reads what was stored, on every case; and those that write leave the same rows.

use chrono::{NaiveDate, TimeDelta};
use orm_bench::{
    Error,
    cases::Case,
    measure::Checksum,
    models::{Aircraft, Airline, Flight},
    programs, run, tables,
    writing::{self, Write},
};

/// More than two chunks, and not a whole number of them.
const ROWS: i64 = 4500;

fn flight(id: i64) -> Result<Flight, Error> {
    let start = NaiveDate::from_ymd_opt(2013, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).ok_or("a date")?;
    Ok(Flight {
        id,
        aircraft_id: 1 + id % 5000,
        title: format!("flight number {id}"),
        remark: (id % 3 == 0).then(|| format!("late by {} minutes", id % 100)),
        distance: f64::from(i32::try_from(id)?) / 7.0,
        departs_at: start + TimeDelta::seconds(id * 61) + TimeDelta::microseconds(id * 37 % 1_000_000),
    })
}

fn aircraft(id: i64) -> Aircraft {
    Aircraft { id, airline_id: Some(id % 41).filter(|id| *id != 0), kind: format!("aircraft of type {}", id % 17) }
}

fn expected(case: Case) -> Result<Checksum, Error> {
    let mut sum = Checksum::default();
    match case {
        Case::First => sum.add(&flight(1)?),
        Case::Take10 => {
            for id in 1..=10 {
                sum.add(&flight(id)?);
            }
            sum.add(&tables::AIRLINES);
        }
        Case::Scan => {
            for id in 1..=ROWS {
                sum.add(&flight(id)?);
            }
        }
        Case::Join => {
            for id in 1..=ROWS {
                let flight = flight(id)?;
                let aircraft = aircraft(flight.aircraft_id);
                let airline = aircraft.airline_id.map(|id| Airline { id, name: format!("airline {id}") });
                sum.add(&(&flight, &aircraft, &airline));
            }
        }
    }
    Ok(sum)
}

fn check(url: &str) -> Result<(), Error> {
    tables::prepare(url, u64::try_from(ROWS)?)?;
    for (name, case) in Case::ALL {
        let expected = expected(case)?;
        for program in programs(orm_bench::backend(url)?) {
            let measured = run(program, case, url)?;
            // Not asserted, so that the database is dropped in any case.
            if measured.checksum != expected {
                return Err(format!("{program} on {name} read {:?}, not {expected:?}", measured.checksum).into());
            }
        }
    }
    for (name, write) in Write::ALL {
        let stored = |program| writing::run(program, write, url).map(|measured| measured.checksum);
        let (ours, by_hand) = (stored("ours")?, stored("by-hand")?);
        if ours != by_hand || ours.rows() < 2 {
            return Err(format!("ours on {name} stored {ours:?}, and by-hand {by_hand:?}").into());
        }
    }
    Ok(())
}

#[cfg(feature = "sqlite")]
#[test]
fn programs_agree_on_sqlite() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    check(&format!("sqlite://{}", folder.path().join("bench.db").display()))
}

/// In a database of its own on the server that the variable names.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn check_on_server(variable: &str, drop: &str) -> Result<(), Error> {
    let url =
        std::env::var(variable).map_err(|_| format!("{variable} names no server; `cargo xtask test` starts one"))?;
    let server = orm_core::connect(&url)?;
    let name = format!("orm_bench_{}", std::process::id());
    server.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let (base, options) = url.split_once('?').map_or((url.as_str(), String::new()), |(b, o)| (b, format!("?{o}")));
    let (base, _) = base.rsplit_once('/').ok_or("the server's URL names a database")?;
    let checked = check(&format!("{base}/{name}{options}"));
    server.batch_execute(&format!("DROP DATABASE {name} {drop}"))?;
    checked
}

#[cfg(feature = "postgres")]
#[test]
fn programs_agree_on_postgres() -> Result<(), Error> {
    check_on_server("ORM_TEST_POSTGRES_URL", "WITH (FORCE)")
}

#[cfg(feature = "mysql")]
#[test]
fn programs_agree_on_mysql() -> Result<(), Error> {
    check_on_server("ORM_TEST_MYSQL_URL", "")
}
