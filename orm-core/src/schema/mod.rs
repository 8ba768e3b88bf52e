//! `check_schema`: whether the tables are what the models say.
//!
//! Each backend's `catalog.rs` reads the tables as they are into the one form of `live.rs`; `stored.rs` says which types of
//! servers hold what, `uuids.rs` in which forms UUIDs are kept, and `compare.rs` holds both against the models and tells every difference.

mod compare;
mod limits;
pub(crate) mod live;
// Each server has types that the other has not.
#[cfg_attr(not(all(feature = "mysql", feature = "postgres")), allow(dead_code))]
pub(crate) mod stored;
pub(crate) mod uuids;

use self::{
    compare::{Audience, Difference, compare},
    live::Name,
};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    backend::{Backend, Driver, Handle, PartsOf, Task},
    database::{Database, Executor},
    error::{Error, ErrorKind as Kind, Result},
    model::Table,
    session::Session,
    transaction::Transaction,
    write::Models,
};

impl<B: Backend> Database<B> {
    /// Compares models with the tables that are there, for programs that read and write: a job calls it before it
    /// begins, so that it does not end half-way because of a table that is not as it was when the program was written.
    ///
    /// Nothing is changed, and no row is read. Every difference is told, in one error of a line for each. A model may
    /// stand on a view; what a view's columns are is checked as far as reading goes.
    ///
    /// ```
    /// # use orm_core::{ErrorKind, prelude::*};
    /// #[derive(Model)]
    /// struct Airport {
    ///     #[model(primary_key)]
    ///     code: String,
    ///     city: String,
    /// }
    ///
    /// let db = orm_core::connect("sqlite::memory:")?;
    /// db.batch_execute("CREATE TABLE airports (code TEXT PRIMARY KEY, city INTEGER NOT NULL)")?;
    /// let error = db.check_schema::<(Airport,)>().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    /// assert!(error.to_string().contains("`Airport::city` (column `city` of `airports`) has the type `INTEGER`"));
    ///
    /// db.batch_execute("DROP TABLE airports; CREATE TABLE airports (code TEXT PRIMARY KEY, city TEXT NOT NULL)")?;
    /// db.check_schema::<(Airport,)>()?;
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # What is a difference
    ///
    /// What makes a program fail, or read something else than was written, is one. Those that are marked with *w* matter
    /// to programs alone that write, and [`check_schema_for_reading`](Self::check_schema_for_reading) passes over them.
    ///
    /// - A table or column that is not there.
    /// - A type that does not hold what the field does; see below.
    /// - A column that may be NULL, and a field that is no `Option`. (SQLite lets a primary key be NULL in old tables, and
    ///   MariaDB cannot say of a computed column that it is not NULL; both are passed over.)
    /// - *w* An `Option` whose column is NOT NULL.
    /// - A primary key that is not that of the table, and not unique there either.
    /// - *w* A declared `unique` without a unique constraint or index of exactly these columns, in this order and for all rows.
    ///   (It matters to readers as well if a relation leads back to one row by it.)
    /// - A declared `index` without an index that begins with these columns, in this order, and covers all rows.
    /// - A relation to a column that is not unique, so that joins repeat rows; to a table that is not there.
    /// - A relation without a foreign key in the database, unless it is `optional`: rows that refer to nothing would be
    ///   missing from joins. A constraint that was not validated (`NOT VALID`) is none.
    /// - *w* A table of MySQL's or MariaDB's whose engine has no transactions, such as MyISAM and Aria: nothing is rolled back
    ///   there, and "all or none" is not true of it.
    /// - *w* A field that is `generated`, and a column that the database has nothing to fill with.
    /// - *w* A field with a `default`, and a column that has none; which one it has is not compared.
    /// - *w* A field that is not `generated`, and a column that only the database may fill.
    /// - *w* A column that no field has, and that no INSERT may leave out: it is NOT NULL, or a key, and has no default.
    ///
    /// More columns than fields are none otherwise, nor are indexes and defaults that are not declared, CHECK constraints, collations and triggers.
    ///
    /// # Types
    ///
    /// | field | PostgreSQL | MySQL, MariaDB | SQLite |
    /// | --- | --- | --- | --- |
    /// | `bool` | `boolean` | `TINYINT`, `BIT(1)` | affinity NUMERIC or INTEGER (`BOOLEAN`) |
    /// | integers | as wide as the field; *w* if narrower | as wide, with the same sign; *w* if narrower. `BIT(n)` is an unsigned integer of `n` bits. `u64` also on `BIGINT`, where the server rejects what is above `i64::MAX`. `DECIMAL(n, 0)` is an integer of `n` digits. `YEAR` for integers of 16 bits and more (the server takes 1 to 99 for 2001 to 1999) | affinity INTEGER or NUMERIC |
    /// | `f32`, `f64` | `real`, `double precision`; `f64` on `real` is *w* | `FLOAT`, `DOUBLE`; `f64` on `FLOAT`, and a column with a number of digits, is *w*; `f32` is not for `DOUBLE` | affinity REAL |
    /// | `BigDecimal` | any `numeric`; *w* if it has fewer digits before or after the point than the field, which has any number without `decimal(…)` | any `DECIMAL`; the same, a field without `decimal(…)` has those of `DECIMAL(65,30)`. An integer type, `BIT(n)` or `YEAR` is *w* | affinity TEXT with the collation `orm_decimal`; without it, or with affinity NUMERIC or INTEGER, *w* |
    /// | `String`, enums | `text`, `varchar`, `citext`; no `char(n)`, which reads spaces that nobody wrote; no `enum`, which nothing of type text is compared with | any but the binary ones, MariaDB's `UUID`, `INET4` and `INET6` as well; `CHAR`, which removes spaces at the end, is *w* | affinity TEXT |
    /// | `Vec<u8>` | `bytea` | `VARBINARY`, any `BLOB`, geometries in the server's own form; `BINARY(n)` is *w* | affinity BLOB, or NUMERIC (`VARBINARY`, `UUID`) |
    /// | dates and times | of the same kind, to the microsecond; *w* if less | the same; `DATETIME` is `DATETIME(0)`. `TIMESTAMP(6)` will do, up to 2038 | affinity TEXT, or NUMERIC (`DATE`, `DATETIME`, `TIMESTAMP`) |
    /// | `Uuid` | `uuid` | `BINARY(16)`, `VARBINARY`, any `BLOB` | as `Vec<u8>` |
    /// | `Uuid` with `sql_type` [`UuidText`](crate::sql_types::UuidText) | `char(36)`, `varchar`, `text` | the same, and MariaDB's `UUID` | affinity TEXT, unless it is declared for another length |
    /// | `Uuid` with `sql_type` [`UuidSimple`](crate::sql_types::UuidSimple) | `char(32)`, `varchar`, `text` | the same | affinity TEXT, unless it is declared for another length |
    /// | `serde_json::Value` | `jsonb`, `json` | `JSON`, any text | affinity TEXT |
    /// | another `sql_type` | the type of that name | the type of that name | the same affinity |
    ///
    /// Domains count as what they are made of, and a SQLite column without a type holds whatever is written. What is too
    /// long for a `varchar(n)` is an error when it is written, so it is not a difference, unless the field has a greater
    /// `max_length` (*w*). `fractional_seconds` of a field is what its column must keep.
    ///
    /// # Where tables are looked for
    ///
    /// Where a query finds them: on PostgreSQL by the `search_path`, on MySQL and MariaDB in the connection's database, on
    /// SQLite in the temporary database, the main one and the attached ones; or in the model's `schema`. Names are compared
    /// as the database does, on PostgreSQL to the letter.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SchemaMismatch`], which names each difference, and what to do; whatever the database says when it is
    /// asked. SQLite has to be 3.37 or newer.
    pub fn check_schema<T: Models>(&self) -> Result<()> {
        B::run(Handle::Database(&self.inner), Check { tables: T::tables(), audience: Audience::Writers })
    }

    /// As [`check_schema`](Self::check_schema), for programs that only read: what matters to writers alone is passed over,
    /// such as a column that is narrower than its field, or one that is NOT NULL and that no field has.
    ///
    /// # Errors
    ///
    /// As [`check_schema`](Self::check_schema).
    pub fn check_schema_for_reading<T: Models>(&self) -> Result<()> {
        B::run(Handle::Database(&self.inner), Check { tables: T::tables(), audience: Audience::Readers })
    }
}

impl<B: Backend> Transaction<B> {
    /// As [`Database::check_schema`], in this transaction.
    ///
    /// # Errors
    ///
    /// As [`Database::check_schema`].
    pub fn check_schema<T: Models>(&self) -> Result<()> {
        B::run(self.handle(), Check { tables: T::tables(), audience: Audience::Writers })
    }

    /// As [`Database::check_schema_for_reading`], in this transaction.
    ///
    /// # Errors
    ///
    /// As [`Database::check_schema`].
    pub fn check_schema_for_reading<T: Models>(&self) -> Result<()> {
        B::run(self.handle(), Check { tables: T::tables(), audience: Audience::Readers })
    }
}

struct Check {
    tables: Vec<&'static Table>,
    audience: Audience,
}

impl<B: Backend> Task<B> for Check {
    type Output = Result<()>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        let Check { tables, audience } = self;
        let wanted = wanted(&tables);
        let mut lease = session.lease()?;
        let live = lease.run(|link| DB::live_tables(link, &wanted)).map_err(Error::of_read)?;
        drop(lease);
        let differences = compare::<DB>(&tables, audience, |table| {
            let at = wanted.iter().position(|name| *name == name_of(table))?;
            live.get(at)?.as_ref()
        });
        if differences.is_empty() { Ok(()) } else { Err(mismatch(&differences, audience).on_backend(DB::KIND)) }
    }
}

fn name_of(table: &Table) -> Name {
    Name { schema: table.schema, name: table.name }
}

/// The tables that are to be looked at: those of the models, and those that they refer to.
fn wanted(tables: &[&'static Table]) -> Vec<Name> {
    let mut wanted: Vec<Name> = Vec::new();
    let others = tables.iter().flat_map(|table| table.relations).map(|relation| (relation.to)());
    for name in tables.iter().copied().chain(others).map(name_of) {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    wanted
}

fn mismatch(differences: &[Difference], audience: Audience) -> Error {
    let mut text = String::from("the tables are not what the models say:\n");
    for difference in differences {
        text.push_str(&format!("- {difference}\n"));
    }
    if audience == Audience::Writers && differences.iter().all(|difference| difference.to_writers) {
        text.push_str(
            "(All of it matters to writers alone; a program that only reads calls `check_schema_for_reading`.)\n",
        );
    }
    let number = differences.len();
    text.push_str(&format!("{number} {}", if number == 1 { "difference" } else { "differences" }));
    Error::new(Kind::SchemaMismatch, text)
}
