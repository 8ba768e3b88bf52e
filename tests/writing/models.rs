//! The models of these tests, and rows of them.

use orm_core::prelude::*;
use orm_tests::Bed;

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
    pub(crate) delay: Option<i32>,
    pub(crate) planned: i32,
    pub(crate) remark: String,
    pub(crate) note: Option<String>,
    pub(crate) share: f64,
    pub(crate) seats: u64,
    #[model(belongs_to(Airport, name = origin))]
    pub(crate) origin_code: String,
    /// Some codes have no airport row.
    #[model(belongs_to(Airport, name = dest, optional))]
    pub(crate) dest_code: String,
}

/// A key of two columns.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(carrier, number))]
pub(crate) struct Leg {
    pub(crate) carrier: String,
    pub(crate) number: i32,
    pub(crate) miles: i32,
    #[model(belongs_to(Airport, name = origin))]
    pub(crate) origin_code: Option<String>,
}

pub(crate) fn airport(code: &str, city: &str, hub: Option<&str>) -> Airport {
    Airport { code: code.into(), city: city.into(), hub_code: hub.map(Into::into) }
}

pub(crate) fn flight(id: i64, delay: Option<i32>, origin: &str, dest: &str) -> Flight {
    Flight {
        id,
        delay,
        planned: i32::try_from(id).unwrap_or(0) * 10,
        remark: format!("flight {id}"),
        note: None,
        share: 0.5,
        seats: 100,
        origin_code: origin.into(),
        dest_code: dest.into(),
    }
}

pub(crate) fn leg(carrier: &str, number: i32, miles: i32, origin: Option<&str>) -> Leg {
    Leg { carrier: carrier.into(), number, miles, origin_code: origin.map(Into::into) }
}

/// Four airports, six flights and five legs. Flight 6 goes where no airport row is.
pub(crate) fn tables(bed: &Bed) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Flight, Airport, Leg)>()?;
    Airport::bulk_create(
        &db,
        [
            airport("JFK", "New York", None),
            airport("ORD", "Chicago", None),
            airport("LGA", "New York", Some("JFK")),
            airport("MDW", "Chicago", Some("ORD")),
        ],
    )?;
    Flight::bulk_create(
        &db,
        [
            flight(1, Some(20), "JFK", "ORD"),
            flight(2, Some(-3), "LGA", "ORD"),
            flight(3, None, "JFK", "LGA"),
            flight(4, Some(120), "ORD", "JFK"),
            flight(5, None, "MDW", "LGA"),
            flight(6, Some(0), "LGA", "SJU"),
        ],
    )?;
    Leg::bulk_create(
        &db,
        [
            leg("AA", 1, 100, Some("JFK")),
            leg("AA", 2, 200, Some("ORD")),
            leg("UA", 1, 300, Some("JFK")),
            leg("UA", 2, 400, None),
            leg("UA", 3, 500, Some("LGA")),
        ],
    )?;
    Ok(db)
}

/// The rows of a query of two columns, `key=value`, with `NULL` where there is none.
pub(crate) fn pairs(bed: &Bed, key: &str, value: &str, table: &str) -> Vec<String> {
    let rows = bed.texts(&format!("SELECT {key} FROM {table} ORDER BY {key}"));
    let values = bed.texts(&format!("SELECT {value} FROM {table} ORDER BY {key}"));
    let shown = |text: Option<String>| text.unwrap_or_else(|| "NULL".to_owned());
    rows.into_iter().zip(values).map(|(key, value)| format!("{}={}", shown(key), shown(value))).collect()
}
