//! What one row does by itself: `save`, `save_fields`, `refresh`, `delete`.

use diesel::connection::Connection as _;

use super::{
    StoreTask, WriteTask,
    bulk_create::{check, given_columns},
};
use crate::{
    backend::{Backend, BackendKind, Driver, PartsOf},
    error::{Error, ErrorKind, Result},
    model::{Insertable, Model, Stored, ToRow},
    queryset::Whole,
    session::Session,
    statement::{
        insert::{Conflict, Insert, counted},
        one_row::{Action, OneRow},
        text_keys::TextKey,
    },
    stream::load::{self, in_statement},
    transaction::attempt,
};

/// How often a row may come and go, by others' doing, while it is saved.
const ATTEMPTS: usize = 3;

/// Updates the row, or inserts it where there is none.
pub(crate) struct Save<'r, M>(pub(crate) &'r M);

impl<B: Backend, M: Model> WriteTask<B, M> for Save<'_, M> {
    type Output = Result<()>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
        M: ToRow<DB>,
    {
        let is_key = |column: &usize| M::PRIMARY_KEY.contains(column);
        let mut updated: Vec<usize> = given_columns::<M>().into_iter().filter(|column| !is_key(column)).collect();
        if updated.is_empty() {
            // There is nothing but the key: a row that is there is found, and stays as it is.
            updated.extend(M::PRIMARY_KEY.first());
        }
        let mut inserted = given_columns::<M>();
        inserted.extend(M::PRIMARY_KEY.iter().filter(|column| M::COLUMNS[**column].generated));
        inserted.sort_unstable();
        check::<DB, M>(self.0, &inserted, None)?;
        if DB::KIND == BackendKind::Mysql && matches!(session, Session::Transaction(_)) {
            // An UPDATE that finds no row would lock the gap, and two that wait for each other's would be a deadlock.
            return upsert(session, self.0, &inserted, updated);
        }
        let mut violation = None;
        for attempt in 1..=ATTEMPTS {
            if execute(session, &OneRow { row: self.0, action: Action::Update(&updated) })? > 0 {
                return Ok(());
            }
            match insert_unless_there(session, self.0, &inserted, attempt == ATTEMPTS) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // By its own key, and then it can be updated, or by another.
                Err(error) if DB::KIND == BackendKind::Mysql && error.kind() == ErrorKind::UniqueViolation => {
                    violation = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(violation.unwrap_or_else(|| {
            Error::new(ErrorKind::SerializationFailure, "others insert and delete this row all the time; save it again")
                .on_backend(DB::KIND)
                .on_model(M::TABLE.model)
                .with_key(self.0.key())
        }))
    }
}

/// Inserts the row or updates it, by one statement.
fn upsert<DB: Driver, M: Model + ToRow<DB>>(
    session: Session<'_, DB>,
    row: &M,
    columns: &[usize],
    updated: Vec<usize>,
) -> Result<()> {
    let conflict = Conflict::Update { keys: M::PRIMARY_KEY.to_vec(), columns: updated };
    let rows = std::slice::from_ref(row);
    let insert = Insert { rows, columns, conflict: &conflict, text_keys: &[], returning: false, recurs: true };
    let stored = session.lease()?.run(|connection| counted::<DB, M>(connection, &insert));
    stored.map(drop).map_err(|error| in_statement(of_row::<DB, M>(error, row), DB::sql(&insert)))
}

/// Inserts the row; `false` where one with its key is there, or, unless it is the last attempt, one with another unique key of it.
///
/// PostgreSQL has a race here. Of two connections that insert the same row at once, ON CONFLICT by the primary key leaves one
/// out, but only after its entries have been inserted into the other unique indexes, where they are a violation.
fn insert_unless_there<DB: Driver, M: Model + ToRow<DB>>(
    session: Session<'_, DB>,
    row: &M,
    columns: &[usize],
    is_last: bool,
) -> Result<bool> {
    // MySQL cannot be told which key is meant. There a failure is undone, so that a transaction goes on after it.
    let is_mysql = DB::KIND == BackendKind::Mysql;
    let conflict = match DB::KIND {
        BackendKind::Mysql => Conflict::Fail,
        BackendKind::Postgres if !is_last => Conflict::Ignore { keys: Vec::new() },
        BackendKind::Postgres | BackendKind::Sqlite => Conflict::Ignore { keys: M::PRIMARY_KEY.to_vec() },
    };
    let rows = std::slice::from_ref(row);
    // The UPDATE before has found no row, and another connection may have stored one since, in a spelling of its own.
    let text_keys: Vec<TextKey> = TextKey::of_primary_key::<DB>(M::TABLE).into_iter().collect();
    let insert = Insert { rows, columns, conflict: &conflict, text_keys: &text_keys, returning: false, recurs: true };
    let run = || {
        let inserted = session.lease()?.run(|connection| connection.execute_returning_count(&insert));
        inserted.map_err(|error| in_statement(of_row::<DB, M>(error, row), DB::sql(&insert)))
    };
    let inserted = if is_mysql { attempt(session, run)? } else { run()? };
    Ok(inserted > 0)
}

/// Writes some columns of the row, which has to be there.
pub(crate) struct SaveFields<'r, M>(pub(crate) &'r M, pub(crate) Vec<usize>);

impl<B: Backend, M: Model> WriteTask<B, M> for SaveFields<'_, M> {
    type Output = Result<()>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
        M: ToRow<DB>,
    {
        no_keys::<M>(&self.1).map_err(|error| error.on_backend(DB::KIND))?;
        check::<DB, M>(self.0, &[M::PRIMARY_KEY, &self.1].concat(), None)?;
        match execute(session, &OneRow { row: self.0, action: Action::Update(&self.1) })? {
            0 => Err(is_gone::<DB, M>(self.0)),
            _ => Ok(()),
        }
    }
}

/// The key says which row is meant, so it is none of what is written to it.
pub(super) fn no_keys<M: Model>(columns: &[usize]) -> Result<()> {
    let Some(key) = columns.iter().find(|column| M::PRIMARY_KEY.contains(column)) else { return Ok(()) };
    Err(Error::new(
        ErrorKind::InvalidQuery,
        "the primary key says which row is meant, so it cannot be written with the others; change it with `update`",
    )
    .on_model(M::TABLE.model)
    .on_field(M::COLUMNS[*key].field))
}

/// Reads the row again.
pub(crate) struct Refresh<'r, M>(pub(crate) &'r M);

impl<B: Backend, R: Insertable> StoreTask<B, R> for Refresh<'_, R> {
    type Output = Result<R::Model>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<R::Model>
    where
        B: PartsOf<DB>,
        R: Stored<DB>,
    {
        check::<DB, R>(self.0, R::Model::PRIMARY_KEY, None)?;
        let select = OneRow { row: self.0, action: Action::Select };
        let rows = load::rows::<DB, Whole<R::Model>, _>(&mut session.lease()?, select);
        let found = rows.map_err(|error| of_row::<DB, R>(error.of_read(), self.0))?.into_iter().next();
        found.ok_or_else(|| is_gone::<DB, R>(self.0))
    }
}

/// Deletes the row, and says whether it was there.
pub(crate) struct Delete<'r, M>(pub(crate) &'r M);

impl<B: Backend, M: Model> WriteTask<B, M> for Delete<'_, M> {
    type Output = Result<bool>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<bool>
    where
        B: PartsOf<DB>,
        M: ToRow<DB>,
    {
        check::<DB, M>(self.0, M::PRIMARY_KEY, None)?;
        Ok(execute(session, &OneRow { row: self.0, action: Action::Delete })? > 0)
    }
}

fn execute<DB: Driver, M: Model + ToRow<DB>>(session: Session<'_, DB>, statement: &OneRow<'_, M>) -> Result<usize> {
    let answer = session.lease()?.run(|connection| connection.execute_returning_count(statement));
    answer.map_err(|error| in_statement(of_row::<DB, M>(error, statement.row), DB::sql(statement)))
}

fn of_row<DB: Driver, R: ToRow<DB>>(error: Error, row: &R) -> Error {
    error.on_model(R::Model::TABLE.model).with_key(row.key())
}

fn is_gone<DB: Driver, R: ToRow<DB>>(row: &R) -> Error {
    of_row::<DB, R>(Error::new(ErrorKind::NotFound, "the row is not there any more").on_backend(DB::KIND), row)
}
