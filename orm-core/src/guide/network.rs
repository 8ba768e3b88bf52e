//! A database on another machine: what each operation costs, and how to need less of it.
//!
//! A statement that takes the server a tenth of a millisecond takes a program in another building one, and in another region
//! twenty. What counts there is how often the program waits for an answer: its round trips.
//!
//! # Round trips of an operation
//!
//! For an operation that has been done before, on a connection of the pool that was in use within the last half second. (To
//! test another one is one round trip more; see [`Builder::test_on_checkout`](crate::Builder::test_on_checkout).)
//!
//! | operation | PostgreSQL | MariaDB |
//! | --- | --: | --: |
//! | [`get`](crate::QuerySet::get), [`count`](crate::QuerySet::count), [`load`](crate::QuerySet::load) | 1 | 1 |
//! | [`update`](crate::QuerySet::update), [`delete`](crate::QuerySet::delete), [`save`](crate::Model::save), [`create`](crate::Model::create) | 1 | 1 |
//! | [`get_or_create`](crate::QuerySet::get_or_create) of a new row | 2 | 2 |
//! | a transaction: the statements in it, and COMMIT | 1 for each, and 1 | 1 for each, and 1 |
//! | [`bulk_create`](crate::Model::bulk_create) of 100 rows | 1 | 1 |
//! | [`bulk_create`](crate::Model::bulk_create) of 10,000 rows | 3 | 5 |
//! | [`bulk_update`](crate::Model::bulk_update) of 2,000 rows | 3 | 3 |
//! | [`iterator`](crate::QuerySet::iterator), to its end, however many rows | 1 | 1 |
//! | [`iterator`](crate::QuerySet::iterator), dropped after some of many rows | 3 | 3 |
//! | to connect by a password, without TLS, after TCP's own round trip | 4 | 2 |
//!
//! A stream on a [`Transaction`](crate::Transaction) on PostgreSQL is read in pieces; see
//! [what a stream costs](crate::stream#what-a-stream-costs-on-postgresql). MySQL takes one round trip more where a statement
//! is new to the connection, because it prepares a statement and executes it in two.
//!
//! # To need fewer
//!
//! - **Write many rows at once**: [`bulk_create`](crate::Model::bulk_create), [`bulk_update`](crate::Model::bulk_update) and
//!   [`update`](crate::QuerySet::update) of all rows that a condition finds, instead of `save` in a loop. A thousand rows that
//!   are saved one by one over 20 milliseconds take 20 seconds; `bulk_update` takes less than a tenth of one.
//! - **Ask for related rows with the rows**: [`select_related`](crate::QuerySet::select_related), and conditions and
//!   aggregates over relations, instead of a query for each row.
//! - **Look up many keys at once**: [`in_bulk`](crate::QuerySet::in_bulk) instead of `get` in a loop.
//! - **Keep connections.** A [`Database`](crate::Database) is a pool, and connecting costs several round trips, and more with
//!   TLS: make one for the program, not one for each task.
//!
//! ```
//! use orm_core::prelude::*;
//!
//! #[derive(Model)]
//! struct Order {
//!     #[model(primary_key)]
//!     id: i64,
//!     total: f64,
//! }
//!
//! let db = orm_core::connect("sqlite::memory:")?;
//! db.create_tables::<(Order,)>()?;
//! Order::bulk_create(&db, (1..=5000).map(|id| Order { id, total: 1.0 }))?; // not `create` in a loop
//!
//! let mut orders = Order::objects(&db).filter(|o| o.id.le(1000)).load()?; // one statement
//! for order in &mut orders {
//!     order.total *= 1.2;
//! }
//! Order::bulk_update(&db, &orders, |o| o.total)?; // some statements, sent without waiting for each answer
//! # assert_eq!(Order::objects(&db).filter(|o| o.total.gt(1.1)).count()?, 1000);
//! # Ok::<(), orm_core::Error>(())
//! ```
