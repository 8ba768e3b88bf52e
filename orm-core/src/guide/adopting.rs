//! An application on plain Diesel moves to models one by one.
//!
//! It has a `schema.rs` that the Diesel CLI writes, migrations, an r2d2 pool of Diesel's connections, and queries. All of
//! that stays. What is moved first is what hurts most: the export that does not fit into memory, the report that runs for an
//! hour. The rest may follow, or never.
//!
//! # 1. A model of a table that is there
//!
//! [`table_module`](derive@crate::Model) names what `table!` has made. The compiler checks each field against it: another
//! type, or an `Option` too many, does not compile. Columns that the program does not need can be left out.
//!
//! ```
//! use orm_core::{diesel, prelude::*};
//!
//! mod schema {
//!     orm_core::diesel::table! {
//!         authors (id) { id -> Integer, name -> Text, }
//!     }
//!     orm_core::diesel::table! {
//!         books (id) { id -> Integer, title -> Text, pages -> Nullable<Integer>, author_id -> Integer, }
//!     }
//! }
//!
//! #[derive(Model)]
//! #[model(table_module = schema::authors)]
//! struct Author {
//!     #[model(primary_key)]
//!     id: i32,
//!     name: String,
//! }
//!
//! #[derive(Model)]
//! #[model(table_module = schema::books)]
//! struct Book {
//!     #[model(primary_key)]
//!     id: i32,
//!     title: String,
//!     pages: Option<i32>,
//!     #[model(belongs_to(Author))]
//!     author_id: i32,
//! }
//! # fn main() {}
//! ```
//!
//! A field of a type of the application's own, which Diesel reads by `FromSql`, names its SQL type:
//! `#[model(sql_type = schema::sql_types::Mood)]`. A type of the database's own says by
//! [`ColumnSql`](crate::sql_types::ColumnSql) what it is called there. An enum type of PostgreSQL's needs none of that: a
//! field over it may be a `String`, or an enum with `#[derive(FieldType)]`.
//!
//! # 2. The pool as a database
//!
//! [`Database::from(pool)`](crate::Database#a-pool-of-your-own) takes the application's pool as it is: connections come from
//! it and go back to it, with the settings that the application has made.
//!
//! | backend | connections of the pool | what changes in the application |
//! | --- | --- | --- |
//! | SQLite | `diesel::SqliteConnection` | nothing |
//! | PostgreSQL | `diesel::PgConnection`, by orm-core's feature `libpq` | nothing |
//! | PostgreSQL | [`orm_core::PgConnection`](crate::PgConnection), without libpq | the type in the pool's manager |
//! | MySQL, MariaDB | [`orm_core::MysqlConnection`](crate::MysqlConnection) | the type in the pool's manager |
//!
//! On Diesel's own `PgConnection`, text in conditions and rows is written into the statement as a quoted literal, because that
//! connection cannot send a parameter whose type is inferred from [the column's](crate::sql_types#text-on-postgresql). Such
//! statements are not kept prepared, and Diesel's instrumentation shows the text.
//!
//! **On MySQL and MariaDB it has to be our connection.** Diesel's own reads a result into memory as a whole before it gives
//! the first row, so nothing can be streamed on it. Ours is a full Diesel connection of the same backend: queries,
//! `diesel_migrations`, `MultiConnection` and code that is generic over connections work with it in the other's place. Its
//! documentation lists what differs: sessions are strict and in UTC, and `localhost` is reached by TCP.
//!
//! ```
//! # use orm_core::{diesel, prelude::*};
//! use orm_core::diesel::r2d2::{ConnectionManager, Pool};
//!
//! // On MySQL: ConnectionManager::<orm_core::MysqlConnection>::new(url)
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("books.db").display().to_string();
//! let pool = Pool::builder().max_size(4).build(ConnectionManager::<diesel::SqliteConnection>::new(path))?;
//! let db = Database::<Sqlite>::from(pool.clone());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A stream holds a connection for as long as it is open, so the pool should have room for those that are open at one time.
//!
//! On SQLite, what [`connect`](crate::connect) sets is for the application to set (by r2d2's `connection_customizer`):
//! `busy_timeout`, `foreign_keys`, and `journal_mode = WAL`, without which a stream keeps writers waiting.
//!
//! # 3. A check at the start
//!
//! The compiler knows `schema.rs`, and nothing makes sure that the database is what that file says: a migration was not
//! run, or was run by hand on one server only. [`check_schema`](crate::Database::check_schema) compares the models with the
//! tables that are there, and tells every difference at once, before the job has written half of what it should.
//!
//! ```
//! # use orm_core::{diesel, prelude::*};
//! # mod schema {
//! #     orm_core::diesel::table! { authors (id) { id -> Integer, name -> Text, } }
//! # }
//! # #[derive(Model)]
//! # #[model(table_module = schema::authors)]
//! # struct Author {
//! #     #[model(primary_key)]
//! #     id: i32,
//! #     name: String,
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use orm_core::diesel::{connection::SimpleConnection, r2d2::{ConnectionManager, Pool}};
//! # let pool = Pool::builder().max_size(1).build(ConnectionManager::<diesel::SqliteConnection>::new(":memory:"))?;
//! # let db = Database::<Sqlite>::from(pool.clone());
//! pool.get()?.batch_execute("CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT)")?;
//! let error = db.check_schema::<(Author,)>().unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
//! assert!(error.to_string().contains("`Author::name` (column `name` of `authors`) may be NULL"));
//! # Ok(())
//! # }
//! ```
//!
//! A model that leaves columns out is fine for programs that read:
//! [`check_schema_for_reading`](crate::Database::check_schema_for_reading). Tables of other tools may have types that lose
//! something, such as MySQL's `DATETIME` without fractions of seconds; the table in
//! [`check_schema`](crate::Database::check_schema)'s documentation says which, and the error what to do.
//!
//! # 4. Migrations
//!
//! They stay Diesel's. [`create_tables`](crate::Database::create_tables) is for tests and for tables that a program makes
//! for itself; it changes no table that exists. `diesel_migrations` runs on the pool's connections, ours included:
//!
//! ```ignore
//! const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
//!
//! pool.get()?.run_pending_migrations(MIGRATIONS)?;
//! db.check_schema::<(Author, Book)>()?;
//! ```
//!
//! After a new migration, `diesel print-schema` writes `schema.rs` anew, the compiler says which models do not fit it any
//! more, and `check_schema` says so of databases.
//!
//! # 5. Old code and new code in one transaction
//!
//! A transaction is opened by [`Database::transaction`](crate::Database::transaction), or
//! [`build_transaction`](crate::Database::build_transaction), and lends its connection to the application's queries:
//! [`with_connection`](crate::Transaction::with_connection), or `with_diesel_connection` where it is Diesel's
//! `PgConnection`. What either has written is committed with the other, or not at all. This needs a database whose backend
//! is fixed, such as `Database<Sqlite>`.
//!
//! ```
//! # use orm_core::{diesel, prelude::*};
//! # mod schema {
//! #     orm_core::diesel::table! { authors (id) { id -> Integer, name -> Text, } }
//! # }
//! # #[derive(Model)]
//! # #[model(table_module = schema::authors)]
//! # struct Author {
//! #     #[model(primary_key)]
//! #     id: i32,
//! #     name: String,
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use orm_core::diesel::{connection::SimpleConnection, r2d2::{ConnectionManager, Pool}};
//! # let pool = Pool::builder().max_size(1).build(ConnectionManager::<diesel::SqliteConnection>::new(":memory:"))?;
//! # let db = Database::<Sqlite>::from(pool.clone());
//! # pool.get()?.batch_execute("CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")?;
//! use orm_core::diesel::{ExpressionMethods, RunQueryDsl};
//! use schema::authors;
//!
//! db.transaction(|tx| {
//!     tx.with_connection(|connection| {
//!         diesel::insert_into(authors::table).values((authors::id.eq(1), authors::name.eq("Eliot"))).execute(connection)
//!     })?;
//!     Author::bulk_create(tx, [Author { id: 2, name: "Tolstoy".into() }])
//! })?;
//! assert_eq!(Author::objects(&db).count()?, 2);
//! # Ok(())
//! # }
//! ```
//!
//! The other way round does not go: code that has a transaction of Diesel's open can lend its connection to nobody, so such a
//! transaction is moved before what runs in it. Diesel's test transactions are the exception; in them everything works, and
//! is undone in the end.
//!
//! # 6. One by one
//!
//! Each query is moved when it is worth it; both ways see the same rows at any time. What Diesel does and models do not, such
//! as queries that insert from a SELECT, stays Diesel's: the generated tables work in its queries
//! ([`diesel_table`](crate::diesel_table)), and a model derives Diesel's `Queryable`, so that old queries can load it.
//!
//! The example `adopting` is such an application as a whole, on every backend.
