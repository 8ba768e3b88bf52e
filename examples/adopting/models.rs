//! What is new: models of the tables that are moved. The compiler checks their fields against `schema.rs`, and
//! `check_schema` checks the database.

use orm_core::prelude::*;

#[derive(Model, Debug)]
#[model(table_module = crate::schema::adopting_customers)]
pub(crate) struct Customer {
    #[model(primary_key)]
    pub(crate) id: i32,
    pub(crate) name: String,
}

#[derive(Model, Debug)]
#[model(table_module = crate::schema::adopting_orders)]
pub(crate) struct Order {
    #[model(primary_key)]
    pub(crate) id: i32,
    #[model(belongs_to(Customer))]
    pub(crate) customer_id: i32,
    pub(crate) cents: i64,
    pub(crate) note: Option<String>,
}

/// The second one to be moved: a refund is of one order.
#[derive(Model, Debug)]
#[model(table_module = crate::schema::adopting_refunds)]
pub(crate) struct Refund {
    #[model(primary_key, belongs_to(Order))]
    pub(crate) order_id: i32,
    pub(crate) cents: i64,
}
