//! The models of these tests, and rows of them.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Airport {
    #[model(primary_key)]
    pub(crate) code: String,
    pub(crate) city: String,
    #[model(belongs_to(Airport, name = hub))]
    pub(crate) hub_code: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) delay: Option<f64>,
    #[model(column = "remark_text")]
    pub(crate) remark: String,
    #[model(belongs_to(Airport, name = origin))]
    pub(crate) origin_code: String,
}

/// A key of two columns.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(carrier, number))]
pub(crate) struct Leg {
    pub(crate) carrier: String,
    pub(crate) number: i32,
    pub(crate) miles: i32,
}

pub(crate) fn airport(code: &str, city: &str, hub: Option<&str>) -> Airport {
    Airport { code: code.into(), city: city.into(), hub_code: hub.map(Into::into) }
}

pub(crate) fn flight(id: i64, delay: Option<f64>, remark: &str, origin: &str) -> Flight {
    Flight { id, delay, remark: remark.into(), origin_code: origin.into() }
}

/// The airports and flights that most tests read: NULLs, quotes, wildcards and letters beyond ASCII among them.
pub(crate) fn schedule(db: &Database) -> orm_core::Result<(Vec<Airport>, Vec<Flight>)> {
    let airports =
        vec![airport("JFK", "New York", None), airport("LGA", "New York", Some("JFK")), airport("ZRH", "Zürich", None)];
    let flights = vec![
        flight(1, Some(61.5), "", "JFK"),
        flight(2, None, "100% 'sure'?", "LGA"),
        flight(3, Some(-3.0), r"back\slash _ \' ??", "ZRH"),
        flight(4, Some(120.0), "Grüezi", "JFK"),
        flight(5, None, "NULL", "ZRH"),
    ];
    db.create_tables::<(Airport, Flight, Leg)>()?;
    Airport::bulk_create(db, airports.iter().cloned())?;
    Flight::bulk_create(db, flights.iter().cloned())?;
    Ok((airports, flights))
}
