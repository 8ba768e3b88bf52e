//! The statements of the programs that write SQL themselves, in the words that all servers know.

/// The columns of a flight, in its struct's order.
pub(crate) const SCAN: &str = "SELECT id, aircraft_id, title, remark, distance, departs_at FROM flights";

/// The same, then the columns of its aircraft and those of the airline, in their structs' order.
pub(crate) const JOIN: &str = "SELECT f.id, f.aircraft_id, f.title, f.remark, f.distance, f.departs_at, a.id, a.airline_id, a.kind, l.id, l.name \
     FROM flights f JOIN aircraft a ON a.id = f.aircraft_id LEFT JOIN airlines l ON l.id = a.airline_id";

/// The number of airlines.
pub(crate) const COUNT_AIRLINES: &str = "SELECT COUNT(*) FROM airlines";
