//! Terminals that change what is there.

use diesel::connection::Connection as _;

use super::QuerySet;
use crate::{
    backend::{Backend, Driver, PartsOf, Task},
    database::Kind,
    diesel_error,
    error::{Error, ErrorKind, Result},
    field::assignment::{GivesAssignments, Set},
    model::Model,
    path::{Root, Scope},
    session::Session,
    statement::{
        change::{Action, Assigned, Change, KeyColumns, Unordered, reading_old_values},
        select::Columns,
    },
    stream::load::in_statement,
};

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// Changes the rows by one statement, and returns how many it found.
    ///
    /// The closure gives an assignment, [`f.name.set(…)`](crate::Field::set), or a tuple of up to 16, to fields of the model
    /// itself. Expressions in them see each row as it was before, on every backend, and read fields of this row alone. The
    /// conditions may use related models.
    ///
    /// With a [`limit`](Self::limit) or an [`offset`](Self::offset) it changes those rows and no others, in the order that was
    /// given. Without them the order means nothing. Rows that have these values already are counted like any other.
    ///
    /// A row that another transaction is changing is waited for, and then looked at again: where the conditions are not true of
    /// it any more it is left out, and with a limit the next one takes its place, so that each of several workers gets rows of
    /// its own. (A transaction whose isolation does not show it what others commit fails instead, or keeps to what it saw, as
    /// the database has it.) Only rows of a union or of `distinct_on`, and a limit in the order of a
    /// window, are chosen once: a row that changed meanwhile is changed all the same. For the sake of this, rows are locked
    /// before they are changed where there is a limit, an offset or, on PostgreSQL, a related model: a [`delete`](Self::delete)
    /// needs the privilege `UPDATE` there as well, and on MariaDB the related rows are locked, too.
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
    /// [`ErrorKind::InvalidQuery`] where a field is assigned twice, where an expression uses a related model, and, on MySQL and
    /// MariaDB, where fields are assigned what they read of each other in a circle. Then whatever the database says.
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
        if let Some(join) = scope.take().first() {
            return Err(invalid(
                ErrorKind::InvalidQuery,
                &format!(
                    "an update assigns what it computes from the row itself, and this one uses the related model `{}`",
                    join.table.model
                ),
            ));
        }
        let mut sets = Vec::new();
        F::keep(assignments, backend, &mut sets).map_err(|(column, why)| {
            invalid(ErrorKind::InvalidValue, "a value cannot be stored as it is; nothing was changed")
                .on_field(M::COLUMNS[column].field)
                .with_source(why)
        })?;
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

/// Assignments, in the order in which they have to be written.
pub(super) fn assigned<'q, DB: Driver, B: PartsOf<DB>, M: Model>(
    sets: &'q [Set<'_, B>],
) -> Result<Vec<Assigned<'q, DB>>> {
    let sets =
        sets.iter().map(|set| Assigned { column: set.column, value: B::part(&set.part), computed: set.computed });
    reading_old_values(M::TABLE, sets.collect()).map_err(|unordered| match unordered {
        Unordered::InACircle(columns) => in_a_circle::<DB, M>(&columns),
        Unordered::Unwritable(error) => diesel_error::ours(error, DB::KIND).on_model(M::TABLE.model),
    })
}

fn in_a_circle<DB: Driver, M: Model>(circle: &[usize]) -> Error {
    let fields: Vec<String> = circle.iter().map(|column| format!("`{}`", M::COLUMNS[*column].field)).collect();
    Error::new(
        ErrorKind::InvalidQuery,
        format!(
            "these fields are assigned what they read of each other, and MySQL and MariaDB assign one after the other, so that \
             the second would read the first one's new value: {}; assign them by rows with `bulk_update`",
            fields.join(", ")
        ),
    )
    .on_backend(DB::KIND)
    .on_model(M::TABLE.model)
}
