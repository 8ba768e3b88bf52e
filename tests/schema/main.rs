//! `check_schema`: what `create_tables` makes passes, each deviation is told, and tables that others have made.

#[cfg(feature = "sqlite")]
mod affinities;
mod constraints;
mod defaults;
mod deviations;
#[cfg(feature = "mysql")]
mod engines;
mod found_again;
mod keys;
mod models;
mod names;
mod others_tables;
#[cfg(feature = "postgres")]
mod postgres;
mod round_trip;
mod views;
