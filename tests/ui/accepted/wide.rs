//! A model of 40 columns: more than Diesel's tuples have, here and in most programs. Streams have no such limit.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Wide {
    #[model(primary_key)]
    id: i64,
    f01: i32,
    f02: String,
    f03: Option<f64>,
    f04: bool,
    f05: i32,
    f06: String,
    f07: Option<f64>,
    f08: bool,
    f09: i32,
    f10: String,
    f11: Option<f64>,
    f12: bool,
    f13: i32,
    f14: String,
    f15: Option<f64>,
    f16: bool,
    f17: i32,
    f18: String,
    f19: Option<f64>,
    f20: bool,
    f21: i32,
    f22: String,
    f23: Option<f64>,
    f24: bool,
    f25: i32,
    f26: String,
    f27: Option<f64>,
    f28: bool,
    f29: i32,
    f30: String,
    f31: Option<f64>,
    f32: bool,
    f33: i32,
    f34: String,
    f35: Option<f64>,
    f36: bool,
    f37: i32,
    f38: String,
    f39: Option<f64>,
}

#[test]
fn forty_columns_are_written_and_streamed() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Wide,)>()?;
    let rows: Vec<Wide> = (0..5)
        .map(|id| Wide { id, f02: format!("second of {id}"), f39: Some(0.5), f38: "last".into(), ..Wide::default() })
        .collect();
    assert_eq!(Wide::TABLE.columns.len(), 40);
    Wide::bulk_create(&db, rows.clone())?;
    let streamed: Vec<Wide> = Wide::objects(&db).order_by(|w| w.id.asc()).iterator(2)?.collect();
    assert_eq!(streamed, rows);
    Ok(())
}
