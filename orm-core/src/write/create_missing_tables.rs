//! `create_tables_if_missing`: those tables of a list of models that do not exist.

use super::create_tables::{CanUndo, Models, create};
use crate::{
    backend::{Backend, Driver, Handle, PartsOf, Task},
    database::{Database, Executor},
    error::{ErrorKind, Result},
    model::Table,
    schema::live::Name,
    session::{Lease, Session},
    statement::schema::definitions,
    transaction::{Options, Transaction, atomically, nested},
};

/// Attempts at creating tables while programs create the same ones by other means.
const MAX_ATTEMPTS: u32 = 3;

impl<B: Backend> Database<B> {
    /// Creates those of these models' tables that do not exist, as [`create_tables`](Self::create_tables) does, with their
    /// keys and indexes. All of them are created or none, except on MySQL and MariaDB.
    ///
    /// A table or view of the same name is left as it is, whatever its columns, keys and indexes are;
    /// [`check_schema`](Self::check_schema) compares it with the model. If all of them exist, nothing but the catalog is
    /// read (on MySQL and MariaDB under the lock), so this suits the start of a program, and databases that are read-only.
    ///
    /// It may be called concurrently, from threads and from processes: one caller creates a table, and the others wait for
    /// it. That is an advisory lock on PostgreSQL (until the transaction ends), `GET_LOCK` on MySQL and MariaDB, and
    /// `BEGIN IMMEDIATE` on SQLite.
    ///
    /// # Errors
    ///
    /// Errors of the database, such as [`ErrorKind::UndefinedTable`] if a foreign key refers to a table that does not
    /// exist and is not among the models; [`ErrorKind::LockTimeout`] if another caller takes too long.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # #[derive(Model)] struct Airline { #[model(primary_key)] code: String }
    /// let db = orm_core::connect("sqlite::memory:")?;
    /// db.create_tables::<(Airport,)>()?;
    /// db.create_tables_if_missing::<(Airline, Airport)>()?; // creates the airlines' table
    /// db.check_schema::<(Airline, Airport)>()?;
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn create_tables_if_missing<T: Models>(&self) -> Result<()> {
        let tables = T::tables();
        let database = Handle::Database(&self.inner);
        let mut attempt = 1;
        loop {
            // Where a table is seen before its keys are made, the lock has to be taken first.
            if !B::run(database, CanUndo) || B::run(database, AreMissing(&tables))? {
                match self.create_missing(&tables) {
                    // A program that does not take the lock was faster.
                    Err(error)
                        if matches!(error.kind(), ErrorKind::DuplicateTable | ErrorKind::UniqueViolation)
                            && attempt < MAX_ATTEMPTS =>
                    {
                        attempt += 1;
                        continue;
                    }
                    other => return other,
                }
            }
            return Ok(());
        }
    }

    fn create_missing(&self, tables: &[&'static Table]) -> Result<()> {
        let database = Handle::Database(&self.inner);
        if !B::run(database, CanUndo) {
            return B::run(database, CreateMissing(tables));
        }
        let options = Options { immediate: true, ..Options::default() };
        let transaction = B::begin_with(&self.inner, &options)?;
        atomically::<B, _, _>(Handle::Transaction(&transaction), |tx| B::run(tx, CreateMissing(tables)))
    }
}

impl<B: Backend> Transaction<B> {
    /// As [`Database::create_tables_if_missing`], in this transaction.
    ///
    /// Other callers wait until this transaction ends. On SQLite it should have begun as
    /// [`immediate`](crate::TransactionBuilder::immediate).
    ///
    /// # Errors
    ///
    /// As [`Database::create_tables_if_missing`]; also [`ErrorKind::InvalidQuery`] on MySQL and MariaDB, where creating a
    /// table would commit the transaction. Nothing is sent then.
    pub fn create_tables_if_missing<T: Models>(&self) -> Result<()> {
        self.can_create_tables()?;
        nested::<B, _, _>(self.handle(), |tx| B::run(tx, CreateMissing(&T::tables())))
    }
}

/// Whether any of the tables does not exist.
struct AreMissing<'t>(&'t [&'static Table]);

impl<B: Backend> Task<B> for AreMissing<'_> {
    type Output = Result<bool>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<bool>
    where
        B: PartsOf<DB>,
    {
        Ok(!missing(&mut session.lease()?, self.0)?.is_empty())
    }
}

struct CreateMissing<'t>(&'t [&'static Table]);

impl<B: Backend> Task<B> for CreateMissing<'_> {
    type Output = Result<()>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        let mut lease = session.lease()?;
        DB::lock_schema(&mut lease).map_err(|error| lease.spoiled(error))?;
        let created = create_missing(&mut lease, self.0);
        // The error of creating is of more interest; and a connection that is lost has no lock.
        created.and(DB::unlock_schema(&mut lease))
    }
}

fn create_missing<DB: Driver>(lease: &mut Lease<DB>, tables: &[&'static Table]) -> Result<()> {
    let missing = missing(lease, tables)?;
    let mut wanted = definitions::<DB>(tables);
    wanted.retain(|definition| missing.iter().any(|table| definition.table().is(table)));
    create(lease, wanted)
}

fn missing<DB: Driver>(lease: &mut Lease<DB>, tables: &[&'static Table]) -> Result<Vec<&'static Table>> {
    let wanted: Vec<_> = tables.iter().map(|table| Name { schema: table.schema, name: table.name }).collect();
    let live = lease.run(|link| DB::live_tables(link, &wanted))?;
    Ok(tables.iter().zip(live).filter(|(_, live)| live.is_none()).map(|(table, _)| *table).collect())
}
