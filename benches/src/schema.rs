//! The tables as Diesel's own code names them.
#![allow(missing_docs, unreachable_pub)] // what the macros make

diesel::table! {
    flights (id) {
        id -> BigInt,
        aircraft_id -> BigInt,
        title -> Text,
        remark -> Nullable<Text>,
        distance -> Double,
        departs_at -> Timestamp,
    }
}
diesel::table! {
    aircraft (id) {
        id -> BigInt,
        airline_id -> Nullable<BigInt>,
        kind -> Text,
    }
}
diesel::table! {
    airlines (id) {
        id -> BigInt,
        name -> Text,
    }
}
#[cfg(feature = "sqlite")]
diesel::table! {
    records (id) {
        id -> BigInt,
        aircraft_id -> BigInt,
        title -> Text,
        remark -> Nullable<Text>,
        distance -> Double,
        departs_at -> Timestamp,
    }
}
diesel::joinable!(flights -> aircraft (aircraft_id));
diesel::joinable!(aircraft -> airlines (airline_id));
diesel::allow_tables_to_appear_in_same_query!(flights, aircraft, airlines);
#[cfg(feature = "sqlite")]
diesel::allow_tables_to_appear_in_same_query!(records, aircraft);

/// The join that `select_related` makes, by hand; a macro because its type is long.
macro_rules! joined {
    () => {{
        use diesel::prelude::*;

        use $crate::schema::{aircraft, airlines, flights};
        flights::table.inner_join(aircraft::table.left_join(airlines::table)).select((
            flights::all_columns,
            aircraft::all_columns,
            airlines::all_columns.nullable(),
        ))
    }};
}
pub(crate) use joined;

/// The number of airlines; a macro, because bounds for any connection would be longer than what they bound.
macro_rules! count_airlines {
    ($connection:expr) => {{
        use diesel::prelude::*;
        let count: i64 = $crate::schema::airlines::table.count().get_result($connection)?;
        Ok(count.try_into()?)
    }};
}
pub(crate) use count_airlines;
