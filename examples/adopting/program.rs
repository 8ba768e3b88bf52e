//! The program, for the connection and the backend that `super` names.

use std::error::Error;

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
};
use diesel_migrations::MigrationHarness;
use orm_core::prelude::*;

use super::{Backend, Connection};
use crate::{
    MIGRATIONS,
    models::{Customer, Order, Refund},
    schema::{adopting_customers, adopting_orders},
};

type BoxError = Box<dyn Error + Send + Sync>;

/// What the application has had all along: a pool of Diesel's, migrations, and queries.
mod application {
    use super::*;

    pub(super) type DieselPool = Pool<ConnectionManager<Connection>>;

    pub(super) fn add_customer(connection: &mut Connection, id: i32, name: &str) -> QueryResult<usize> {
        diesel::insert_into(adopting_customers::table)
            .values((adopting_customers::id.eq(id), adopting_customers::name.eq(name)))
            .execute(connection)
    }

    pub(super) fn add_order(connection: &mut Connection, id: i32, customer: i32, cents: i64) -> QueryResult<usize> {
        diesel::insert_into(adopting_orders::table)
            .values((
                adopting_orders::id.eq(id),
                adopting_orders::customer_id.eq(customer),
                adopting_orders::cents.eq(cents),
            ))
            .execute(connection)
    }

    pub(super) fn orders_of(connection: &mut Connection, customer: &str) -> QueryResult<Vec<i32>> {
        adopting_orders::table
            .inner_join(adopting_customers::table)
            .filter(adopting_customers::name.eq(customer))
            .order_by(adopting_orders::id)
            .select(adopting_orders::id)
            .load(connection)
    }
}

pub(crate) fn run(address: &str) -> Result<(), BoxError> {
    let pool: application::DieselPool = Pool::builder().max_size(4).build(ConnectionManager::new(address))?;

    // The same pool, as a database: nothing of the application changes.
    let db = Database::<Backend>::from(pool.clone());

    // Diesel's migrations run on a connection of that pool. The second one has been forgotten at first.
    let connection = &mut pool.get()?;
    connection.run_next_migration(MIGRATIONS)?;
    if let Err(error) = db.check_schema::<(Customer, Order, Refund)>() {
        let text = error.to_string();
        println!("not yet: {}", text.lines().nth(1).unwrap_or_default().trim_start_matches("- "));
    }
    connection.run_pending_migrations(MIGRATIONS)?;
    db.check_schema::<(Customer, Order, Refund)>()?;

    // Old code beside new code: rows by plain Diesel …
    application::add_customer(connection, 1, "Ada")?;
    application::add_customer(connection, 2, "Grace")?;
    for (id, customer, cents) in [(1, 1, 1250), (2, 2, 9900), (3, 1, 399)] {
        application::add_order(connection, id, customer, cents)?;
    }
    println!("plain Diesel: orders {:?}", application::orders_of(connection, "Ada")?);

    // … and streams over them.
    let orders = Order::objects(&db).order_by(|o| o.cents.desc()).select_related(|o| o.customer());
    for (order, customer) in orders.iterator(2000)? {
        println!("a stream: order {} of {}, {} cents", order.id, customer.name, order.cents);
    }

    // Both in one transaction: what either has written is committed with the other, or not at all.
    db.build_transaction().immediate().retries(3).run(|tx| {
        tx.on_commit(|| println!("committed"));
        tx.with_connection(|connection| application::add_order(connection, 4, 2, 100))?;
        Refund::bulk_create(tx, [Refund { order_id: 4, cents: 100 }])
    })?;
    for (refund, order, customer) in
        Refund::objects(&db).select_related(|r| (r.order(), r.order().customer())).iterator(2000)?
    {
        println!("refunded: {} of {} cents to {}", refund.cents, order.cents, customer.name);
    }
    let notes = Order::objects(&db).filter(|o| o.note.is_not_null()).count()?;
    println!("orders with a note: {notes}");

    connection.revert_all_migrations(MIGRATIONS)?;
    connection.batch_execute("DROP TABLE __diesel_schema_migrations")?;
    Ok(())
}
