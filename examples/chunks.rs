//! A stream cut into batches of a fixed size, for what is done to many rows at once.
//!
//! itertools' `chunks` takes the rows as they come, so no more than one batch has to be in memory. Its size has nothing
//! to do with the stream's own, which is how many rows are fetched from the database at a time.
//!
//! `cargo run --example chunks [-- URL]`

use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model)]
#[model(table = "example_parcels")]
struct Parcel {
    #[model(primary_key)]
    id: i64,
    grams: i32,
}

/// How many parcels a van takes.
const LOAD: usize = 4;

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Parcel,)>()?;
    let weights = [250, 4000, 1500, 900, 2750, 300, 8100, 1250, 600, 5000];
    Parcel::bulk_create(&db, (1..).zip(weights).map(|(id, grams)| Parcel { id, grams }))?;

    let heaviest_first = Parcel::objects(&db).order_by(|p| (p.grams.desc(), p.id.asc()));
    let loads = heaviest_first.iterator(2000)?.chunks(LOAD);
    for (van, parcels) in loads.into_iter().enumerate() {
        let parcels = parcels.collect_vec();
        let grams: i32 = parcels.iter().map(|parcel| parcel.grams).sum();
        println!("van {}: {} g, parcels {}", van + 1, grams, parcels.iter().map(|parcel| parcel.id).format(", "));
    }
    drop_tables(&db)
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    db.batch_execute("DROP TABLE IF EXISTS example_parcels")
}
