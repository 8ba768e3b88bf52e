//! Terminals that change what is there.

use std::sync::Arc;

use diesel::{QueryResult, connection::Connection as _};

use super::QuerySet;
use crate::{
    backend::{Backend, Driver, PartsOf, Task},
    database::Kind,
    diesel_error,
    error::{Error, ErrorKind, Result},
    field::assignment::{GivesAssignments, Set},
    model::Model,
    path::{Join, Root, Scope},
    session::Session,
    statement::{
        assigned::{Assigned, Assignments},
        change::{Action, Change, KeyColumns},
        select::Columns,
    },
    stream::load::in_statement,
};

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// Changes the rows by one statement, and returns how many it found.
    ///
    /// The closure gives an assignment, [`f.name.set(…)`](crate::Field::set), or a tuple of up to 16, to fields of the model
    /// itself. Expressions in them see each row as it was before, on every backend, raw SQL included: fields can be swapped. They
    /// may read related models, `b.publisher_name.set(b.publisher().name)`, by a subquery; where a relation finds no row they
    /// are NULL, and only a field that is an `Option` takes them. The conditions may use related models, too.
    ///
    /// Where MySQL and MariaDB would read the new value of a field that was assigned before, whatever the order, and where
    /// SQLite would read rows that were changed before, a subquery computes all values first. So it is with two or more
    /// assignments of raw SQL, or of functions of the program's own, on MySQL and MariaDB, and with any on SQLite.
    ///
    /// With a [`limit`](Self::limit) or an [`offset`](Self::offset) it changes those rows and no others, in the order that was
    /// given. Without them the order means nothing. Rows that have these values already are counted like any other.
    ///
    /// A row that another transaction is changing is waited for, and then looked at again: where the conditions are not true of
    /// it any more it is left out, and with a limit the next one takes its place, so that each of several workers gets rows of
    /// its own. (In a stricter isolation than READ COMMITTED, PostgreSQL fails there instead, with
    /// [`ErrorKind::SerializationFailure`].) Rows of a union or of `distinct_on` are chosen once, and on PostgreSQL those of a
    /// limit in the order of a window: one that changed meanwhile is changed all the same.
    ///
    /// For the sake of this, rows are locked before they are changed where there is a limit, an offset or, on PostgreSQL, a
    /// related model: a [`delete`](Self::delete) needs the privilege `UPDATE` there as well, and with a limit MariaDB locks the
    /// related rows, too.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, delay: Option<i32>, remark: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, (1..=3).map(|id| Flight { id, delay: Some(90), remark: String::new() }))?;
    /// let late = Flight::objects(&db).filter(|f| f.delay.gt(60));
    /// let rows = late.update(|f| (f.delay.set(f.delay + 5), f.remark.set("very late")))?;
    /// assert_eq!(rows, 3);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`ErrorKind::InvalidValue`] for a value that the backend cannot store as it is, and
    /// [`ErrorKind::InvalidQuery`] where a field is assigned twice. Then whatever the database reports.
    pub fn update<A>(
        &self,
        assignments: impl FnOnce(M::Fields<Root<M>>) -> A + GivesAssignments<'a, M, B, A>,
    ) -> Result<u64> {
        self.change(Some(self.assignments(assignments)?))
    }

    /// Deletes the rows by one statement, and returns how many there were.
    ///
    /// Conditions, order and limits mean what they mean in [`update`](Self::update). What refers to a deleted row is the
    /// database's to look after, by its foreign keys: tables that `create_tables` made refuse to lose such a row.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, cancelled: bool }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, (1..=3).map(|id| Flight { id, cancelled: id > 1 }))?;
    /// assert_eq!(Flight::objects(&db).filter(|f| f.cancelled.eq(true)).delete()?, 2);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ForeignKeyViolation`] where a row is still referred to; whatever else the database says.
    pub fn delete(&self) -> Result<u64> {
        self.change(None)
    }

    /// What the closure assigns.
    pub(crate) fn assignments<A, F>(&self, f: F) -> Result<Vec<Set<'a, B>>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> A + GivesAssignments<'a, M, B, A>,
    {
        let backend = B::run(self.on, Kind);
        let scope = Scope::default();
        let assignments = f(M::fields::<Root<M>>(&scope));
        let invalid = |kind, why: &str| Error::new(kind, why).on_backend(backend).on_model(M::TABLE.model);
        // A row whose related row is missing is updated all the same.
        let joins: Arc<[Join]> = scope.take().into_iter().map(|join| Join { outer: true, ..join }).collect();
        let mut sets = Vec::new();
        F::keep(assignments, backend, &mut sets).map_err(|(column, why)| {
            invalid(ErrorKind::InvalidValue, "a value cannot be stored as it is; nothing was changed")
                .on_field(M::COLUMNS[column].field)
                .with_source(why)
        })?;
        for set in &mut sets {
            set.computed = set.computed.take().map(|_| joins.clone());
        }
        for (at, set) in sets.iter().enumerate() {
            if sets[..at].iter().any(|other| other.column == set.column) {
                return Err(invalid(ErrorKind::InvalidQuery, "the field is assigned twice")
                    .on_field(M::COLUMNS[set.column].field));
            }
        }
        Ok(sets)
    }

    /// Updates the rows, or deletes them where there is no list of what to assign.
    pub(crate) fn change(&self, sets: Option<Vec<Set<'a, B>>>) -> Result<u64> {
        struct ChangeRows<'q, 'a, M, B: Backend>(&'q QuerySet<'a, M, B>, Option<Vec<Set<'a, B>>>);
        impl<M: Model, B: Backend> Task<B> for ChangeRows<'_, '_, M, B> {
            type Output = Result<u64>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<u64>
            where
                B: PartsOf<DB>,
            {
                self.0.without_lock::<DB>(if self.1.is_some() { "update" } else { "delete" })?;
                let keys = KeyColumns(M::TABLE);
                let mut rows = self.0.select_presence::<DB>()?;
                rows.columns = Columns::Expression(&keys);
                let action = match &self.1 {
                    None => Action::Delete,
                    Some(sets) => Action::Update(assigned::<DB, B, M>(sets)?),
                };
                let change = Change { action, rows };
                let changed = session.lease()?.run(|connection| connection.execute_returning_count(&change));
                changed
                    .map(|rows| rows as u64)
                    .map_err(|error| in_statement(error.on_model(M::TABLE.model), DB::sql(&change)))
            }
        }
        if self.has_no_rows() {
            return Ok(0);
        }
        // A whole row is distinct by its key.
        let rows = QuerySet { distinct: false, ..self.clone() };
        B::run(self.on, ChangeRows(&rows, sets))
    }
}

/// Assignments as a statement writes them.
pub(super) fn assigned<'q, DB: Driver, B: PartsOf<DB>, M: Model>(
    sets: &'q [Set<'_, B>],
) -> Result<Assignments<'q, DB>> {
    let assigned = |set: &'q Set<'_, B>| {
        let value = B::part(&set.part);
        match &set.computed {
            None => Ok(Assigned::value(set.column, value)),
            Some(joins) => Assigned::computed(set.column, value, joins),
        }
    };
    let sets = sets.iter().map(assigned).collect::<QueryResult<Vec<_>>>();
    let sets = sets.map_err(|error| diesel_error::ours(error, DB::KIND).on_model(M::TABLE.model))?;
    Ok(Assignments::new(M::TABLE, sets))
}
