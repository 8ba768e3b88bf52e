//! The tables: a month of flights, and what they refer to. Columns are named as in the data's files.

use chrono::{DateTime, Utc};
use orm_core::prelude::*;

#[derive(Model, Clone, Debug)]
pub(crate) struct Airline {
    #[model(primary_key, column = "carrier")]
    pub(crate) code: String,
    pub(crate) name: String,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Airport {
    #[model(primary_key, column = "faa")]
    pub(crate) code: String,
    pub(crate) name: String,
    #[model(column = "lat")]
    pub(crate) latitude: f64,
    #[model(column = "lon")]
    pub(crate) longitude: f64,
    /// In feet.
    #[model(column = "alt")]
    pub(crate) altitude: i32,
    /// In hours, in winter.
    #[model(column = "tz")]
    pub(crate) utc_offset: i32,
    /// Which rules for daylight saving time there are: `A`merican, `N`one, `U`nknown.
    pub(crate) dst: String,
    #[model(column = "tzone")]
    pub(crate) time_zone: Option<String>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Plane {
    #[model(primary_key, column = "tailnum")]
    pub(crate) tail_number: String,
    #[model(column = "year")]
    pub(crate) built_in: Option<i32>,
    #[model(column = "type")]
    pub(crate) kind: String,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) engines: i32,
    pub(crate) seats: i32,
    pub(crate) speed: Option<i32>,
    pub(crate) engine: String,
}

/// Times of day are local and read as numbers, 5:17 as 517; delays and durations are in minutes.
#[derive(Model, Clone, Debug)]
pub(crate) struct Flight {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) year: i32,
    pub(crate) month: i32,
    pub(crate) day: i32,
    /// A flight that never departed was cancelled.
    pub(crate) dep_time: Option<i32>,
    pub(crate) sched_dep_time: i32,
    pub(crate) dep_delay: Option<i32>,
    pub(crate) arr_time: Option<i32>,
    pub(crate) sched_arr_time: i32,
    pub(crate) arr_delay: Option<i32>,
    #[model(belongs_to(Airline, name = airline, reverse = flights))]
    pub(crate) carrier: String,
    #[model(column = "flight")]
    pub(crate) number: i32,
    // Not every plane is in the table of planes.
    #[model(column = "tailnum", belongs_to(Plane, name = plane, reverse = flights, optional))]
    pub(crate) tail_number: Option<String>,
    #[model(column = "origin", belongs_to(Airport, name = origin, reverse = departures))]
    pub(crate) origin_code: String,
    // Four airports are not in the table of airports.
    #[model(column = "dest", belongs_to(Airport, name = dest, reverse = arrivals, optional))]
    pub(crate) dest_code: String,
    pub(crate) air_time: Option<i32>,
    /// In miles.
    pub(crate) distance: i32,
    pub(crate) hour: i32,
    pub(crate) minute: i32,
    /// The hour that it was scheduled for.
    #[model(column = "time_hour")]
    pub(crate) scheduled_at: DateTime<Utc>,
}
