//! Models that several modules use, their rows, and what is read off those by hand.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Airport {
    #[model(primary_key)]
    pub(crate) code: String,
    pub(crate) city: String,
    pub(crate) gates: i32,
    #[model(belongs_to(Airport, name = hub, reverse = spokes))]
    pub(crate) hub_code: Option<String>,
}

/// Two keys to one table; the second may refer to no row.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    #[model(primary_key)]
    pub(crate) id: i64,
    #[model(belongs_to(Airport, name = origin, reverse = departures))]
    pub(crate) origin_code: String,
    #[model(belongs_to(Airport, name = dest, reverse = arrivals, optional))]
    pub(crate) dest_code: Option<String>,
    pub(crate) delay: Option<i32>,
    pub(crate) seats: i32,
    pub(crate) remark: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Leg {
    #[model(primary_key)]
    pub(crate) id: i64,
    #[model(belongs_to(Flight, reverse = legs))]
    pub(crate) flight_id: i64,
    pub(crate) minutes: i32,
}

/// All rows of a test, as they were stored.
pub(crate) struct Rows {
    pub(crate) airports: Vec<Airport>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) legs: Vec<Leg>,
}

impl Rows {
    pub(crate) fn departures(&self, airport: &Airport) -> Vec<&Flight> {
        self.flights.iter().filter(|f| f.origin_code == airport.code).collect()
    }
    pub(crate) fn arrivals(&self, airport: &Airport) -> Vec<&Flight> {
        self.flights.iter().filter(|f| f.dest_code.as_ref() == Some(&airport.code)).collect()
    }
    pub(crate) fn legs(&self, flight: &Flight) -> Vec<&Leg> {
        self.legs.iter().filter(|l| l.flight_id == flight.id).collect()
    }
    /// The codes of the airports for which something holds, in order.
    pub(crate) fn codes(&self, holds: impl Fn(&Airport) -> bool) -> Vec<String> {
        self.airports.iter().filter(|a| holds(a)).map(|a| a.code.clone()).collect()
    }
}

/// Six airports, ordered by code; one without departures, one without arrivals, one whose departures have only NULL
/// delays, and flights to where no airport is, or to nowhere.
pub(crate) fn schedule(db: &Database) -> orm_core::Result<Rows> {
    let airport = |code: &str, city: &str, gates, hub: Option<&str>| Airport {
        code: code.into(),
        city: city.into(),
        gates,
        hub_code: hub.map(Into::into),
    };
    let airports = vec![
        airport("DEN", "Denver", 90, None),
        airport("JFK", "New York", 128, None),
        airport("LGA", "New York", 72, Some("JFK")),
        airport("MDW", "Chicago", 43, Some("ORD")),
        airport("ORD", "Chicago", 191, None),
        airport("ZRH", "Zürich", 100, None),
    ];
    let flight = |id, from: &str, to: Option<&str>, delay, seats, remark: Option<&str>| Flight {
        id,
        origin_code: from.into(),
        dest_code: to.map(Into::into),
        delay,
        seats,
        remark: remark.map(Into::into),
    };
    let flights = vec![
        flight(1, "JFK", Some("ORD"), Some(90), 150, Some("100% full")),
        flight(2, "JFK", Some("LGA"), Some(-5), 100, None),
        flight(3, "JFK", Some("XXX"), None, 200, Some("o'clock")),
        flight(4, "LGA", Some("ORD"), Some(0), 150, Some("a_b")),
        flight(5, "LGA", None, Some(15), 150, Some("back\\slash")),
        flight(6, "ORD", Some("JFK"), Some(30), 180, Some("Zürich später")),
        flight(7, "MDW", Some("JFK"), None, 120, None),
        flight(8, "MDW", Some("DEN"), None, 120, Some("")),
        flight(9, "ZRH", Some("JFK"), Some(30), 220, None),
    ];
    let leg = |id, flight_id, minutes| Leg { id, flight_id, minutes };
    let legs =
        vec![leg(1, 1, 60), leg(2, 1, 45), leg(3, 1, 30), leg(4, 4, 130), leg(5, 6, 70), leg(6, 6, 80), leg(7, 9, 500)];
    db.create_tables::<(Airport, Flight, Leg)>()?;
    let hubs_first =
        airports.iter().filter(|a| a.hub_code.is_none()).chain(airports.iter().filter(|a| a.hub_code.is_some()));
    Airport::bulk_create(db, hubs_first.cloned())?;
    Flight::bulk_create(db, flights.clone())?;
    Leg::bulk_create(db, legs.clone())?;
    Ok(Rows { airports, flights, legs })
}

/// A statement without quotation marks, and with `?` for every placeholder, so that it is the same on all backends.
pub(crate) fn plain(sql: &str) -> String {
    let mut text = sql.replace(['"', '`'], "");
    for number in (1..=20).rev() {
        text = text.replace(&format!("${number}"), "?");
    }
    text
}
