//! The models of the programs in `queryset/`.
#![allow(dead_code, unused_imports)]

pub use orm_core::{diesel, prelude::*};

#[derive(Model)]
pub struct Airport {
    #[model(primary_key)]
    pub code: String,
    pub city: String,
    #[model(belongs_to(Airport, name = hub))]
    pub hub_code: Option<String>,
}

#[derive(Model)]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub number: i32,
    pub dep_delay: Option<f64>,
    pub seats: u32,
    #[model(belongs_to(Airport, name = origin))]
    pub origin_code: String,
    #[model(belongs_to(Airport, name = dest, optional))]
    pub dest_code: String,
}
