//! Models that several modules use, and their rows.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Airport {
    #[model(primary_key)]
    pub(crate) code: String,
    pub(crate) city: String,
    #[model(belongs_to(Airport, name = hub))]
    pub(crate) hub_code: Option<String>,
}

/// A flight, with two keys to one table; some destinations have no row.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) carrier: String,
    pub(crate) delay: Option<i32>,
    pub(crate) seats: i32,
    pub(crate) share: Option<f64>,
    #[model(belongs_to(Airport, name = origin))]
    pub(crate) origin_code: String,
    #[model(belongs_to(Airport, name = dest, optional))]
    pub(crate) dest_code: String,
}

/// A row whose key has two columns.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(carrier, number))]
pub(crate) struct Leg {
    pub(crate) carrier: String,
    pub(crate) number: i32,
    pub(crate) miles: i64,
}

pub(crate) fn airport(code: &str, city: &str, hub: Option<&str>) -> Airport {
    Airport { code: code.into(), city: city.into(), hub_code: hub.map(Into::into) }
}

pub(crate) fn airports() -> Vec<Airport> {
    vec![
        airport("JFK", "New York", None),
        airport("LGA", "New York", Some("JFK")),
        airport("ORD", "Chicago", None),
        airport("ZRH", "Zürich's 100%_\\", None),
    ]
}

/// Ten flights: `SJU` is no airport, and the carrier `B6` has no delays at all.
pub(crate) fn flights() -> Vec<Flight> {
    let flight = |id, carrier: &str, delay: Option<i32>, origin: &str, dest: &str| Flight {
        id,
        carrier: carrier.into(),
        delay,
        seats: 100 + i32::try_from(id).unwrap_or(0),
        share: delay.map(|delay| f64::from(delay) / 8.0),
        origin_code: origin.into(),
        dest_code: dest.into(),
    };
    vec![
        flight(1, "UA", Some(20), "JFK", "ORD"),
        flight(2, "UA", Some(-3), "LGA", "ORD"),
        flight(3, "AA", None, "JFK", "LGA"),
        flight(4, "AA", Some(120), "ORD", "JFK"),
        flight(5, "UA", None, "LGA", "SJU"),
        flight(6, "B6", None, "ZRH", "JFK"),
        flight(7, "B6", None, "JFK", "ORD"),
        flight(8, "UA", Some(20), "JFK", "ZRH"),
        flight(9, "DL", Some(0), "ORD", "SJU"),
        flight(10, "AA", Some(7), "LGA", "ZRH"),
    ]
}

/// Their tables, with all of them.
pub(crate) fn schedule(db: &Database) -> orm_core::Result<Vec<Flight>> {
    db.create_tables::<(Airport, Flight)>()?;
    Airport::bulk_create(db, airports())?;
    Flight::bulk_create(db, flights())?;
    Ok(flights())
}

/// The ids of a queryset's rows, in their order.
pub(crate) fn ids(query: &QuerySet<'_, Flight>) -> orm_core::Result<Vec<i64>> {
    Ok(query.load()?.into_iter().map(|flight| flight.id).collect())
}
