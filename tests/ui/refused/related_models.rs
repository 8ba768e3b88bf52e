//! The models of the programs in `related/`.
#![allow(dead_code, unused_imports)]

pub use orm_core::{diesel, prelude::*};

#[derive(Model)]
pub struct Airport {
    #[model(primary_key)]
    pub code: String,
    pub city: String,
}

#[derive(Model)]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub seats: i32,
    #[model(belongs_to(Airport, name = origin, reverse = departures))]
    pub origin_code: String,
}
