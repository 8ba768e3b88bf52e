//! What is generated raises no lint that a user may have turned on.
#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations, missing_copy_implementations)]
#![deny(unused, nonstandard_style, rust_2018_idioms, unused_qualifications)]
#![deny(
    unsafe_code,
    unused_results,
    trivial_casts,
    trivial_numeric_casts,
    single_use_lifetimes,
    elided_lifetimes_in_paths
)]
#![deny(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::panic, clippy::missing_docs_in_private_items)]

use orm_core::prelude::*;

/// A code of three letters.
#[derive(FieldType, Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

/// What an airport is.
#[derive(FieldType, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With long runways.
    Large,
    /// With short ones.
    Small,
}

/// An airport.
#[derive(Model, Clone, Debug)]
#[model(table = "airports")]
pub struct Airport {
    /// Its code.
    #[model(primary_key)]
    pub code: Code,
    /// Its kind.
    pub kind: Kind,
    /// Its hub's code.
    #[model(belongs_to(Airport, name = hub, reverse = spokes))]
    pub hub_code: Option<Code>,
}

/// Two columns that are one key.
#[derive(Model, Clone, Debug)]
#[model(primary_key(code, number))]
pub struct Gate {
    /// The airport's code.
    #[model(belongs_to(Airport, name = airport, reverse = gates, optional))]
    #[model(belongs_to(Airport, name = main_of, reverse = main_gate, unique, optional))]
    pub code: Code,
    /// Its number.
    pub number: i32,
    /// A JSON list that Diesel reads.
    #[model(sql_type = orm_core::diesel::sql_types::Nullable<orm_core::diesel::sql_types::Text>)]
    pub note: Option<String>,
}

/// A passage from one airport to another.
#[derive(Model, Clone, Debug)]
#[model(primary_key(from, to), many_to_many(source = sources, sink = sinks))]
pub struct Passage {
    /// Where it begins.
    #[model(belongs_to(Airport, name = source))]
    pub from: Code,
    /// Where it ends.
    #[model(belongs_to(Airport, name = sink))]
    pub to: Code,
}

/// Airports with a gate that leads on.
pub fn connected(db: &Database) -> QuerySet<'_, Airport> {
    Airport::objects(db).filter(|a| a.gates().exists().and(a.sinks().any(|s| s.kind.eq(Kind::Large))))
}

/// The large airports.
pub fn large(db: &Database) -> QuerySet<'_, Airport> {
    Airport::objects(db).filter(|a| a.kind.eq(Kind::Large).and(a.hub().kind.ne(Kind::Small)))
}

#[test]
fn the_query_is_written() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    assert!(connected(&db).sql()?.contains("EXISTS"));
    assert!(large(&db).sql()?.contains("LEFT JOIN"));
    assert!(Gate::objects(&db).filter(|g| g.number.gt(3)).sql()?.contains("`gates`"));
    Ok(())
}
