//! Field types with rules of their own: JSON, enums, newtypes, decimals.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};
use serde_json::json;

on_each_backend! {
    json_documents, json_is_equal_by_value, enums, an_unknown_variant_is_an_error, decimals_are_ordered_by_value, decimals_are_equal_by_value,
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Cents(i64);

#[derive(FieldType, Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Seats(u16);

type Alias = Option<i32>;

#[derive(Model, Clone, Debug, PartialEq)]
struct Document {
    #[model(primary_key)]
    id: i64,
    body: serde_json::Value,
    maybe: Option<serde_json::Value>,
}

fn json_documents(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Document,)>()?;
    let bodies = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1e300),
        json!(""),
        json!("a \"quoted\" 'text' \\ \u{1} é 🛫"),
        json!([]),
        json!({}),
        json!([1, [2, [3]]]),
        json!({"b": [1, null, {"c": "d"}], "a": {"": false}}),
    ];
    let rows = bodies.into_iter().zip(0..).map(|(body, id)| Document {
        id,
        maybe: Some(body.clone()).filter(|_| id % 2 == 0),
        body,
    });
    let rows = rows.collect_vec();
    Document::bulk_create(&db, rows.clone())?;
    // A JSON null is a document, and no NULL.
    assert_eq!(Document::objects(&db).order_by(|d| d.id.asc()).iterator(4)?.collect_vec(), rows);
    assert_eq!(Document::objects(&db).filter(|d| d.maybe.is_null()).count()?, 6);
    Ok(())
}

fn json_is_equal_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Document,)>()?;
    let document = |id, body| Document { id, body, maybe: None };
    Document::bulk_create(&db, [document(1, json!({"a": 1, "b": [true]})), document(2, json!({"a": 2}))])?;
    let found = Document::objects(&db).filter(|d| d.body.eq(json!({"b": [true], "a": 1}))).values(|d| d.id).load()?;
    assert_eq!(found, [1]);
    assert_eq!(Document::objects(&db).filter(|d| d.body.ne(json!({"a": 2}))).values(|d| d.id).load()?, [1]);
    Ok(())
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum Status {
    Scheduled,
    #[field_type(rename = "in the air")]
    Flying,
    CancelledByWeather,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Trip {
    #[model(primary_key)]
    id: i64,
    status: Status,
    before: Option<Status>,
    price: Cents,
    seats: Option<Seats>,
    alias: Alias,
}

fn trips(db: &Database) -> orm_core::Result<Vec<Trip>> {
    let trip = |id, status, before| Trip {
        id,
        status,
        before,
        price: Cents(i64::MAX),
        seats: Some(Seats(u16::MAX)).filter(|_| id > 1),
        alias: Some(-1).filter(|_| id > 2),
    };
    let trips = vec![
        trip(1, Status::Scheduled, None),
        trip(2, Status::Flying, Some(Status::Scheduled)),
        trip(3, Status::CancelledByWeather, Some(Status::Flying)),
    ];
    db.create_tables::<(Trip,)>()?;
    Trip::bulk_create(db, trips.clone())?;
    Ok(trips)
}

fn enums(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = trips(&db)?;
    assert_eq!(Trip::objects(&db).order_by(|t| t.id.asc()).load()?, rows);
    assert_eq!(Trip::objects(&db).filter(|t| t.status.eq(Status::Flying)).get()?, rows[1]);
    assert_eq!(Trip::objects(&db).filter(|t| t.before.eq(Status::Flying)).get()?, rows[2]);
    assert_eq!(Trip::objects(&db).filter(|t| t.price.eq(Cents(i64::MAX)).and(t.seats.is_null())).get()?, rows[0]);
    assert_eq!(Trip::objects(&db).filter(|t| t.alias.eq(-1)).values(|t| t.alias).get()?, Some(-1));
    assert_eq!(
        bed.texts("SELECT status FROM trips ORDER BY id").into_iter().flatten().collect_vec(),
        ["scheduled", "in the air", "cancelled_by_weather"]
    );
    Ok(())
}

fn an_unknown_variant_is_an_error(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    trips(&db)?;
    bed.execute("UPDATE trips SET status = 'Scheduled' WHERE id = 2");
    let error = Trip::objects(&db).order_by(|t| t.id.asc()).load().expect_err("a name is kept in snake case");
    assert_eq!(
        (error.kind(), error.field(), error.row(), error.key()),
        (ErrorKind::Decode, Some("status"), Some(2), Some("2"))
    );
    assert!(format!("{error:?}").contains("none of the variants of `Status`"), "{error:?}");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Amount {
    #[model(primary_key)]
    id: i64,
    amount: BigDecimal,
}

fn decimals_are_ordered_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Amount,)>()?;
    let texts = ["100", "9", "-9", "-100", "1e3", "0.5", "10.0", "-0.5", "1e-30", "99999999999999999999999"];
    Amount::bulk_create(&db, texts.iter().zip(0..).map(|(text, id)| Amount { id, amount: decimal(text) }))?;
    let sorted = texts.map(decimal).into_iter().sorted().collect_vec();
    assert_eq!(Amount::objects(&db).order_by(|a| a.amount.asc()).values(|a| a.amount).load()?, sorted);
    assert_eq!(Amount::objects(&db).filter(|a| a.amount.gt(decimal("9.99"))).count()?, 4);
    let largest = Amount::objects(&db).order_by(|a| a.amount.desc()).first()?.map(|a| a.amount);
    assert_eq!(largest, Some(decimal("99999999999999999999999")));
    Ok(())
}

fn decimals_are_equal_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Amount,)>()?;
    let amount = |id, text| Amount { id, amount: decimal(text) };
    Amount::bulk_create(
        &db,
        [amount(1, "1.0"), amount(2, "1.00"), amount(3, "1"), amount(4, "1.001"), amount(5, "0.1e1")],
    )?;
    assert_eq!(Amount::objects(&db).filter(|a| a.amount.eq(decimal("1.000"))).count()?, 4);
    assert_eq!(Amount::objects(&db).values(|a| a.amount).distinct().count()?, 2);
    Ok(())
}
