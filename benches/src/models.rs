//! What rows become. The programs written by hand build the same structs, by Diesel's `Queryable`, which the derive
//! implements as Diesel's own does.

use chrono::NaiveDateTime;
use orm_core::prelude::*;

/// A row of the table that is read: six columns.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "flights")]
pub struct Flight {
    /// Its key.
    #[model(primary_key)]
    pub id: i64,
    /// The aircraft that flew.
    #[model(belongs_to(Aircraft, name = aircraft))]
    pub aircraft_id: i64,
    /// Its name.
    pub title: String,
    /// NULL in most rows.
    pub remark: Option<String>,
    /// In kilometres.
    pub distance: f64,
    /// To the microsecond.
    pub departs_at: NaiveDateTime,
}

/// What a flight belongs to.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "aircraft")]
pub struct Aircraft {
    /// Its key.
    #[model(primary_key)]
    pub id: i64,
    /// The airline that it is of, if any.
    #[model(belongs_to(Airline, name = airline))]
    pub airline_id: Option<i64>,
    /// Its type.
    pub kind: String,
}

/// What an aircraft may belong to.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "airlines")]
pub struct Airline {
    /// Its key.
    #[model(primary_key)]
    pub id: i64,
    /// Its name.
    pub name: String,
}
