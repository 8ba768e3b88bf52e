//! The models of these tests.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Airline {
    #[model(primary_key)]
    pub(crate) code: String,
    pub(crate) name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    #[model(primary_key, generated)]
    pub(crate) id: i64,
    pub(crate) day: NaiveDate,
    pub(crate) seats: i32,
    pub(crate) delay: Option<f64>,
    #[model(belongs_to(Airline, name = airline))]
    pub(crate) carrier: String,
    /// Some have no row.
    #[model(belongs_to(Airline, name = partner, optional))]
    pub(crate) partner_code: Option<String>,
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Status {
    Scheduled,
    Flying,
}

#[derive(FieldType, Clone, Debug, PartialEq)]
pub(crate) struct Seats(u16);

/// A field of every type that all backends have, each of them once more as an `Option`.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Everything {
    #[model(primary_key, generated)]
    id: i64,
    a_i8: i8,
    a_i16: i16,
    a_i32: i32,
    a_i64: i64,
    a_u8: u8,
    a_u16: u16,
    a_u32: u32,
    a_u64: u64,
    an_f32: f32,
    an_f64: f64,
    a_bool: bool,
    text: String,
    bytes: Vec<u8>,
}

/// The same of other crates' types, and of one's own.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EverythingElse {
    #[model(primary_key)]
    id: uuid::Uuid,
    date: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: DateTime<Utc>,
    amount: bigdecimal::BigDecimal,
    json: serde_json::Value,
    status: Status,
    seats: Seats,
}

/// The same, where each may be NULL.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Maybe {
    #[model(primary_key)]
    id: String,
    a_i8: Option<i8>,
    a_i16: Option<i16>,
    a_i32: Option<i32>,
    a_i64: Option<i64>,
    a_u8: Option<u8>,
    a_u16: Option<u16>,
    a_u32: Option<u32>,
    a_u64: Option<u64>,
    an_f32: Option<f32>,
    an_f64: Option<f64>,
    a_bool: Option<bool>,
    text: Option<String>,
    bytes: Option<Vec<u8>>,
    date: Option<NaiveDate>,
    time: Option<NaiveTime>,
    at: Option<NaiveDateTime>,
    instant: Option<DateTime<Utc>>,
    amount: Option<bigdecimal::BigDecimal>,
    uuid: Option<uuid::Uuid>,
    json: Option<serde_json::Value>,
    status: Option<Status>,
    seats: Option<Seats>,
}
