//! Models that several modules use. Those that only one module uses stand there.

use chrono::NaiveDateTime;
use orm_core::prelude::*;

/// An airport, with a reference to its own kind.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Airport {
    #[model(primary_key)]
    pub(crate) code: String,
    pub(crate) city: String,
    #[model(belongs_to(Airport, name = hub))]
    pub(crate) hub_code: Option<String>,
}

/// A flight, with two keys to one table.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) scheduled_at: NaiveDateTime,
    pub(crate) dep_delay: Option<f64>,
    #[model(belongs_to(Airport, name = origin))]
    pub(crate) origin_code: String,
    /// Some codes have no airport row.
    #[model(belongs_to(Airport, name = dest, optional))]
    pub(crate) dest_code: String,
    pub(crate) seats: u32,
}

/// A row of the least kind.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Number {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: Option<String>,
}

/// A row for statements by hand.
pub(crate) fn number(id: i64) -> Number {
    Number { id, name: Some(format!("number {id}")) }
}

/// The numbers from 1 to `last`, in a table of their own.
pub(crate) fn numbers(db: &Database, last: i64) -> orm_core::Result<()> {
    db.create_tables::<(Number,)>()?;
    assert_eq!(Number::bulk_create(db, (1..=last).map(number))?, last.unsigned_abs());
    Ok(())
}

/// 2013-01-01, and so many minutes.
pub(crate) fn minute(minutes: i64) -> NaiveDateTime {
    chrono::NaiveDate::from_ymd_opt(2013, 1, 1).expect("it is a date").and_hms_opt(0, 0, 0).expect("it is a time")
        + chrono::TimeDelta::minutes(minutes)
}

pub(crate) fn airport(code: &str, city: &str, hub: Option<&str>) -> Airport {
    Airport { code: code.into(), city: city.into(), hub_code: hub.map(Into::into) }
}

pub(crate) fn flight(id: i64, origin: &str, dest: &str, dep_delay: Option<f64>) -> Flight {
    Flight {
        id,
        scheduled_at: minute(id),
        dep_delay,
        origin_code: origin.into(),
        dest_code: dest.into(),
        seats: 100 + u32::try_from(id).unwrap_or(0),
    }
}

/// Four airports and six flights; flight 6 goes where no airport row is.
pub(crate) fn schedule(db: &Database) -> orm_core::Result<(Vec<Airport>, Vec<Flight>)> {
    let airports = vec![
        airport("JFK", "New York", None),
        airport("LGA", "New York", Some("JFK")),
        airport("ORD", "Chicago", None),
        airport("MDW", "Chicago", Some("ORD")),
    ];
    let flights = vec![
        flight(1, "JFK", "ORD", Some(20.5)),
        flight(2, "LGA", "ORD", Some(-3.0)),
        flight(3, "JFK", "LGA", None),
        flight(4, "ORD", "JFK", Some(120.0)),
        flight(5, "MDW", "LGA", None),
        flight(6, "LGA", "SJU", Some(0.0)),
    ];
    db.create_tables::<(Flight, Airport)>()?;
    Airport::bulk_create(db, airports.clone())?;
    Flight::bulk_create(db, flights.clone())?;
    Ok((airports, flights))
}

/// Rows with ids 1 to 6, whose names are NULL, `a` or `b`.
pub(crate) fn named(db: &Database) -> orm_core::Result<Vec<Number>> {
    let rows = [Some("b"), None, Some("a"), Some("b"), None, Some("a")]
        .into_iter()
        .zip(1..)
        .map(|(name, id)| Number { id, name: name.map(Into::into) })
        .collect::<Vec<_>>();
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(db, rows.clone())?;
    Ok(rows)
}

/// The ids of a queryset's rows.
pub(crate) fn ids(query: QuerySet<'_, Number>) -> orm_core::Result<Vec<i64>> {
    Ok(query.load()?.into_iter().map(|row| row.id).collect())
}
