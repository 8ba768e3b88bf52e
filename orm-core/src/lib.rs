//! Typed querysets on Diesel that stream big tables in constant memory.
//!
//! `#[derive(Model)]` makes a struct the rows of a table and gives it querysets, as Django has them. Their
//! [`iterator`](QuerySet::iterator) returns an ordinary `Iterator<Item = Model>`, joins included, that holds a chunk of
//! rows at a time: as PostgreSQL, MySQL or MariaDB sends them, or by stepping through a SQLite statement.
//!
//! ```
//! use orm_core::prelude::*;
//!
//! #[derive(Model)]
//! struct Airline {
//!     #[model(primary_key)]
//!     code: String,
//!     name: String,
//! }
//!
//! #[derive(Model)]
//! struct Flight {
//!     #[model(primary_key)]
//!     id: i64,
//!     dep_delay: Option<f64>,
//!     #[model(belongs_to(Airline, name = airline))]
//!     carrier: String,
//! }
//!
//! let db = orm_core::connect("sqlite::memory:")?; // or postgres:// or mysql://user:password@host/name
//! db.create_tables::<(Airline, Flight)>()?;
//! Airline::bulk_create(&db, [Airline { code: "UA".into(), name: "United".into() }])?;
//! Flight::bulk_create(&db, (1..=10_000).map(|id| Flight { id, dep_delay: Some(2.0), carrier: "UA".into() }))?;
//!
//! let late = Flight::objects(&db).filter(|f| f.dep_delay.gt(1.0).and(f.airline().name.starts_with("U")));
//! let mut minutes = 0.0;
//! for (flight, airline) in late.order_by(|f| f.id.asc()).select_related(|f| f.airline()).iterator(2000)? {
//!     assert_eq!(airline.code, flight.carrier);
//!     minutes += flight.dep_delay.unwrap_or_default();
//! }
//! assert_eq!(minutes, 20_000.0);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Where to find things
//!
//! - [`Model`](derive@Model) and [`FieldType`](derive@FieldType): what may be written on structs and fields.
//! - [`QuerySet`]: building queries ([`filter`](QuerySet::filter), [`order_by`](QuerySet::order_by),
//!   [`select_related`](QuerySet::select_related), [`values`](QuerySet::values), [`annotate`](QuerySet::annotate),
//!   [`group_by`](QuerySet::group_by), [`union`](QuerySet::union) …) and running them
//!   ([`iterator`](QuerySet::iterator), [`load`](QuerySet::load), [`get`](QuerySet::get),
//!   [`count`](QuerySet::count), [`aggregate`](QuerySet::aggregate), [`update`](QuerySet::update),
//!   [`delete`](QuerySet::delete) …).
//! - [`Model`]: rows one by one ([`create`](Model::create), [`save`](Model::save) …) and many at once
//!   ([`bulk_create`](Model::bulk_create), [`bulk_update`](Model::bulk_update), [`insert_into`](Model::insert_into)).
//! - [`reverse`]: the rows that refer to a row, in conditions, orders and values; one to one; many to many.
//! - [`RawQuery`]: SQL of the program's own, read as models ([`Model::raw`]) or as values ([`Database::raw_values`]).
//! - [`Field`] and [`dsl`]: what may be said of a field in a closure, and SQL's functions, beyond Diesel's own operators,
//!   which all work.
//! - [`Rows`] and [`TryRows`]: the streams.
//! - [`Database`], [`connect`], [`Transaction`]: connecting, pools, also [the program's own](Database#a-pool-of-your-own),
//!   transactions, [with more to say](Database::build_transaction); whether the models fit
//!   ([`check_schema`](Database::check_schema)).
//! - [`Error`] and [`ErrorKind`].
//! - [`types`] and [`sql_types`]: which Rust types a field may have, how each backend stores them, and your own.
//! - [`guide`]: what is done how, for people who know Django, for applications on plain Diesel, and where the
//!   database is far away.
//! - [`diesel_table`]: the generated tables, for plain Diesel; [`diesel`] itself is re-exported.
//!
//! Data flows one way through the modules: model → path → field → queryset → statement → backend → stream.
//!
//! # What a stream promises
//!
//! - One SQL statement, and one snapshot, of when the stream is opened, however many chunks: what other connections
//!   commit meanwhile is not seen.
//! - Memory for one chunk of rows, bounded by rows and by bytes; the first row after one small fetch.
//! - Dropping it early does not read the rest: the statement is ended on the server, and its connection goes back healthy.
//! - It never looks complete when it is not: if it breaks, `next` panics ([`Rows`]) or gives an `Err` ([`TryRows`]).
//! - It never falls back to holding the whole result.
//! - Reading is strict: a value that does not fit its field is an error that names model, field, row and, where whole
//!   models are read, the primary key.
//!
//! | | PostgreSQL | MySQL, MariaDB | SQLite |
//! | --- | --- | --- | --- |
//! | what it is | one statement in a read-only transaction, whose rows are read as the server sends them; in a transaction, a portal that is asked for piece by piece ([what it costs](stream#what-a-stream-costs-on-postgresql)) | one statement, whose rows are read as the server sends them | `sqlite3_step` |
//! | connection of the pool | one, until it ends or is dropped | one, until it ends or is dropped | one, until it ends or is dropped |
//! | in a transaction | other statements may run between rows | a second statement is an error before it is sent | a second statement is an error before it is sent |
//! | a chunk that fails on the server | gives the rows before the failure | gives the rows before the failure | gives the rows before the failure |
//! | the snapshot in a transaction | of when the stream is opened | of the transaction's first read (REPEATABLE READ is the default there) | of the transaction's first read |
//! | while it is open | vacuum keeps what it may still read | `ALTER TABLE` waits for it, and others for that; the server keeps what it may still read | a file's log grows ([how much](stream#writing-while-a-stream-is-open-on-sqlite)) |
//! | an unindexed ORDER BY | sorts first, on the server | sorts first, on the server | sorts first, in SQLite's sorter |
//!
//! # Where backends differ
//!
//! | | PostgreSQL | MySQL, MariaDB | SQLite |
//! | --- | --- | --- | --- |
//! | NULLs in ascending order, unless said | last | first | first |
//! | text is compared | by the column's type and [collation](sql_types#text-on-postgresql), or else the database's | by its code points in tables that `create_tables` made, or else by the column's collation; in an order, by its first 1024 bytes (`max_sort_length`) | by its bytes |
//! | `contains`, `starts_with`, `ends_with` | case counts, unless the column is `citext` | case counts, and so do accents | case counts |
//! | text and bytes in keys | any | up to 255 characters or bytes, unless a `max_length` says otherwise | any |
//! | JSON documents are equal | where they say the same | where they say the same; on MariaDB as [`sql_types::Json`] says, before 10.7 where their text is the same | where they say the same |
//! | `distinct` and set operations of `values` with JSON documents, and documents as keys | yes | refused before anything is sent | yes |
//! | JSON documents are written, and compared, that are nested | up to 127 deep | up to 31 deep, which is MariaDB's limit | up to 127 deep |
//! | `u64` | up to `i64::MAX` | all, in a column `BIGINT UNSIGNED` | up to `i64::MAX` |
//! | decimals | up to 131072 digits before the point and 16383 after it | up to 35 and 30 | as on PostgreSQL |
//! | dates | from 4713 BC to 5874897 | of the years 1 to 9999 | of the years 0 to 9999 |
//! | time zones | instants are kept in UTC | instants are kept as `DATETIME(6)` in UTC | instants are kept as text in UTC, and [compared](sql_types#comparisons-on-sqlite) however they are spelled |
//! | NaN | is stored | is refused, as infinities are | is refused |
//! | the character NUL in text | is refused | is stored, and found | is stored, but not searched for |
//! | integers divided by zero | are an error | are NULL | are NULL |
//! | `create_tables` | all or none | what was created before a failure stays; not in a transaction | all or none |
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `sqlite`, `postgres`, `mysql` | the backends; at least one is needed. `mysql` is for MariaDB as well |
//! | `libpq` | takes Diesel's own `PgConnection`, too, from [a pool of the program's](Database#a-pool-of-your-own); it needs PostgreSQL's C library, which `postgres` does not. It includes `postgres` |
//! | `bundled` | builds the C libraries from source, SQLite and, with `libpq`, libpq; nothing but a C compiler is needed. libpq is built without TLS: use the system's for servers that want it |
//! | `chrono`, `uuid`, `serde_json`, `numeric` | fields of these crates' types (`numeric` is `bigdecimal`). `serde_json` enables that crate's `float_roundtrip` |
//!
//! Nothing is on by default.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives name this crate by `::orm_core`, here as well.
extern crate self as orm_core;

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("orm-core needs a backend: enable one or more of its features `sqlite`, `postgres` and `mysql`");

pub mod backend;
mod database;
mod diesel_error;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod diesel_row;
pub mod diesel_table;
pub mod dsl;
mod error;
pub mod field;
#[cfg(all(test, feature = "postgres"))]
mod fuzz;
pub mod guide;
pub mod model;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod net;
pub mod path;
#[cfg(feature = "postgres")]
mod postgres;
pub mod prelude;
pub mod queryset;
mod quoted_values;
pub mod raw;
pub mod reverse;
mod schema;
mod session;
pub mod sql_types;
mod statement;
pub mod stream;
mod transaction;
mod tuples;
pub mod types;
mod write;

#[cfg(feature = "mysql")]
pub use crate::mysql::{MysqlConnection, MysqlCursor, MysqlField, MysqlRow};
#[cfg(feature = "postgres")]
pub use crate::postgres::{PgCancelToken, PgConnection, PgCursor, PgField, PgRow};
pub use diesel;
pub use orm_derive::{FieldType, Model, PartialModel};

#[cfg(feature = "mysql")]
pub use crate::backend::Mysql;
#[cfg(feature = "postgres")]
pub use crate::backend::Pg;
#[cfg(feature = "sqlite")]
pub use crate::backend::Sqlite;
pub use crate::{
    backend::{Any, BackendKind},
    database::{Adoptable, Builder, Connection, Database, Executor, connect},
    error::{BoxError, Error, ErrorKind, Result},
    field::{Field, asc, desc},
    model::Model,
    queryset::QuerySet,
    raw::RawQuery,
    stream::{Rows, TryRows},
    transaction::{IsolationLevel, Transaction, TransactionBuilder},
    types::FieldType,
    write::{Insertion, Models, StorableOn, WritableOn},
};

#[doc(hidden)]
pub mod __private;
