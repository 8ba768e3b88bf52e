//! `create_tables`: the tables of a list of models.

use diesel::connection::Connection as _;

use crate::{
    backend::{Backend, Driver, Handle, PartsOf, Task},
    database::{Database, Executor, Kind},
    error::{Error, ErrorKind, Result},
    model::{Model, Table},
    session::{Lease, Session},
    statement::schema::{Definition, definitions},
    stream::load::in_statement,
    transaction::{Transaction, atomically, nested},
};

/// A tuple of up to 16 models: `(Airline, Airport, Flight)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of models",
    label = "no tuple of up to 16 models",
    note = "name the models in a tuple, one alone as `(Flight,)`; each of them has `#[derive(Model)]`"
)]
pub trait Models {
    #[doc(hidden)]
    fn tables() -> Vec<&'static Table>;
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        #[diagnostic::do_not_recommend]
        impl<$($T: Model),+> Models for ($($T,)+) {
            fn tables() -> Vec<&'static Table> {
                vec![$($T::TABLE),+]
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);

impl<B: Backend> Database<B> {
    /// Creates the tables of these models: columns with their limits and defaults, primary keys, unique constraints, foreign
    /// keys, the declared indexes, and an index on each column that refers to another table. All are created or none.
    ///
    /// Unique constraints and indexes are named after the table and its columns: `users__email__unique`, `users__city`. A
    /// name of more than 63 bytes keeps its end, after a hash of the whole.
    ///
    /// MySQL and MariaDB cannot undo CREATE TABLE. There, what was created before a failure stays, and the error names
    /// it.
    ///
    /// A relation declared `optional` gets an index and no foreign key, because its key may refer to nothing. The
    /// models may be named in any order and refer to each other. For changing tables that exist there are migrations;
    /// [`create_tables_if_missing`](Self::create_tables_if_missing) leaves them as they are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DuplicateTable`] if a table exists already; [`ErrorKind::UndefinedTable`] if a foreign key refers to a
    /// table that does not exist (SQLite reports that when rows are written); other errors of the database.
    /// [`ErrorKind::InvalidQuery`], before anything is created, for a key that is too long for MySQL and MariaDB (3072 bytes),
    /// and for a default that is not of its column's type.
    pub fn create_tables<T: Models>(&self) -> Result<()> {
        if !B::run(Handle::Database(&self.inner), CanUndo) {
            return B::run(Handle::Database(&self.inner), Create(T::tables()));
        }
        let transaction = B::begin(&self.inner)?;
        atomically::<B, _, _>(Handle::Transaction(&transaction), |tx| B::run(tx, Create(T::tables())))
    }
}

impl<B: Backend> Transaction<B> {
    /// As [`Database::create_tables`], in this transaction.
    ///
    /// # Errors
    ///
    /// As [`Database::create_tables`]; also [`ErrorKind::InvalidQuery`] on MySQL and MariaDB, where creating a table
    /// would commit the transaction. Nothing is sent then.
    pub fn create_tables<T: Models>(&self) -> Result<()> {
        self.can_create_tables()?;
        nested::<B, _, _>(Handle::Transaction(&self.inner), |tx| B::run(tx, Create(T::tables())))
    }

    /// Fails where creating a table would commit the transaction.
    pub(super) fn can_create_tables(&self) -> Result<()> {
        if B::run(self.handle(), CanUndo) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidQuery,
            "creating a table would commit this transaction; create tables from the database, before it",
        )
        .on_backend(B::run(self.handle(), Kind)))
    }
}

/// Whether a transaction undoes CREATE TABLE.
pub(super) struct CanUndo;

impl<B: Backend> Task<B> for CanUndo {
    type Output = bool;
    fn on<DB: Driver>(self, _: Session<'_, DB>) -> bool
    where
        B: PartsOf<DB>,
    {
        DB::TRANSACTIONAL_SCHEMAS
    }
}

struct Create(Vec<&'static Table>);

impl<B: Backend> Task<B> for Create {
    type Output = Result<()>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        create(&mut session.lease()?, definitions::<DB>(&self.0))
    }
}

/// Runs the statements of a schema, in their order.
pub(super) fn create<DB: Driver>(lease: &mut Lease<DB>, definitions: Vec<Definition>) -> Result<()> {
    check::<DB>(&definitions)?;
    let mut created = Vec::new();
    for definition in definitions {
        lease.run(|connection| connection.execute_returning_count(&definition)).map_err(|error| {
            let error = in_statement(error.on_model(definition.table().model), DB::sql(&definition));
            if DB::TRANSACTIONAL_SCHEMAS { error } else { that_stays(error, &created) }
        })?;
        if let Definition::Table { table, .. } = definition {
            created.push(table.name);
        }
    }
    Ok(())
}

/// Refuses what the backend would refuse less clearly, or take as something else, before anything is created.
fn check<DB: Driver>(definitions: &[Definition]) -> Result<()> {
    let invalid = |table: &Table, text: String| {
        Error::new(ErrorKind::InvalidQuery, text).on_backend(DB::KIND).on_model(table.model)
    };
    for definition in definitions {
        let table = definition.table();
        let long = DB::LONGEST_KEY.and_then(|most| Some((most, definition.key_longer_than(most)?)));
        if let Some((most, key)) = long {
            let fields: Vec<&str> = key.columns.iter().map(|at| table.columns[*at].field).collect();
            let (fields, bytes) = (fields.join(", "), key.bytes);
            return Err(invalid(
                table,
                format!(
                    "a key or index of ({fields}) has up to {bytes} bytes, and this backend's have up to {most}: a character \
                     counts four, and text without a `max_length` 255 characters; limit it, by `#[model(max_length = …)]`"
                ),
            ));
        }
        let Definition::Table { .. } = definition else { continue };
        for column in table.columns {
            if column.sql.postgres == "NUMERIC" && column.default.is_some_and(|default| !default.is_number()) {
                let text = "the field's default is not a decimal, such as \"0.00\"; correct it".to_owned();
                return Err(invalid(table, text).on_field(column.field));
            }
        }
    }
    Ok(())
}

/// The error, as the cause of one that says which tables are there in spite of it.
fn that_stays(error: Error, created: &[&str]) -> Error {
    if created.is_empty() {
        return error;
    }
    let tables: Vec<String> = created.iter().map(|name| format!("`{name}`")).collect();
    let text = format!("creating the tables failed after these were created, which stay: {}", tables.join(", "));
    let outer = Error::new(error.kind(), text);
    let outer = error.backend().into_iter().fold(outer, Error::on_backend);
    error.model().into_iter().fold(outer, Error::on_model).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_tables_that_stay() {
        let error = || Error::new(ErrorKind::Database, "no").on_model("Flight");
        assert_eq!(that_stays(error(), &[]).to_string(), error().to_string());
        let told = that_stays(error(), &["airlines", "airports"]);
        assert_eq!((told.kind(), told.model()), (ErrorKind::Database, Some("Flight")));
        assert!(told.to_string().contains("which stay: `airlines`, `airports`"), "{told}");
        assert_eq!(std::error::Error::source(&told).map(ToString::to_string), Some(error().to_string()));
    }
}
