//! `get_or_create` and `update_or_create`: a row that is there, or else a new one, whoever else makes it meanwhile.

use std::{thread, time::Duration};

use diesel::{
    QueryResult,
    connection::Connection as _,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{
    QuerySet, ReadableOn, Shape, Whole,
    shape::{ReadTask, ShapeOn},
    writing::assigned,
};
use crate::{
    backend::{Backend, BackendKind, Driver, Handle, PartsOf, Task},
    database::Kind,
    error::{Error, ErrorKind, Result},
    field::assignment::{GivesAssignments, Set},
    model::{Insertable, Model, Stored, Table},
    path::Root,
    session::Session,
    statement::{
        one_row::{Action, OneRow, SetOneRow},
        push_table,
        select::Select,
    },
    stream::load::{self, in_statement},
    transaction::nested,
    write::{Create, StorableOn, StoreTask, in_one_transaction},
};

/// How often others may make the row and delete it, or win, while we look.
const ATTEMPTS: u32 = 5;

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// The only row; where there is none, a new one, of what the closure gives. The `bool` is whether it is new.
    ///
    /// A unique key of what the conditions name makes it safe while others do the same: the row that one of them stored
    /// first is what all get. Without such a key, two may store a row each. What the closure gives should be a row that the
    /// conditions find.
    ///
    /// It never changes a row. Inside of a transaction, a row that is there already costs nothing but the look; on SQLite,
    /// where others write meanwhile, begin that transaction with
    /// [`immediate`](crate::TransactionBuilder::immediate).
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let jfk = Airport::objects(&db).filter(|a| a.code.eq("JFK"));
    /// let new = || Airport { code: "JFK".into(), city: "New York".into() };
    /// let (airport, is_new) = jfk.get_or_create(new)?;
    /// assert!(is_new);
    /// let (again, is_new) = jfk.get_or_create(new)?;
    /// assert!(!is_new && again.city == airport.city);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MultipleRows`] where there are several; [`ErrorKind::UniqueViolation`] where the new row has a key of one
    /// that the conditions do not find; [`ErrorKind::InvalidQuery`] with [`nowait`](Self::nowait) and
    /// [`skip_locked`](Self::skip_locked), and, in a transaction on PostgreSQL, of a union, of
    /// [`distinct_on`](Self::distinct_on) and of windows, whose rows it cannot lock; otherwise as [`get`](Self::get) and [`Model::create`].
    pub fn get_or_create(&self, new: impl FnOnce() -> M::New) -> Result<(M, bool)>
    where
        Whole<M>: ReadableOn<B> + Shape<Row = M>,
        M::New: StorableOn<B>,
    {
        self.without_lock_options("get_or_create")?;
        if matches!(self.on, Handle::Transaction(_)) {
            self.check_lockable("get_or_create")?;
        }
        if let Some(row) = one(self.get())? {
            return Ok((row, false));
        }
        if B::run(self.on, ComparesByCollation(M::TABLE)) {
            // A unique index of another program's may compare otherwise than the conditions do, and would let both rows in.
            return in_one_transaction(self.on, |tx| {
                B::run(tx, WillWrite(M::TABLE))?;
                match self.get_on(tx, Lock::No)? {
                    Some(row) => Ok((row, false)),
                    None => self.create_on(tx, &new()).map(|row| (row, true)),
                }
            });
        }
        match self.create_on(self.on, &new()) {
            Ok(row) => Ok((row, true)),
            Err(violation) if violation.kind() == ErrorKind::UniqueViolation => {
                // Somebody was faster. A transaction of MySQL's would not see it, unless it looks at what is there now.
                let found = match self.on {
                    Handle::Database(_) => one(self.get())?,
                    Handle::Transaction(_) => self.get_locked(self.on)?,
                };
                found.map(|row| (row, false)).ok_or(violation)
            }
            Err(error) => Err(error),
        }
    }

    /// Updates the only row, as [`update`](Self::update) does; where there is none, stores a new one, of what the second
    /// closure gives, as it is. Returns the row as it is stored then; the `bool` is whether it is new.
    ///
    /// It is one transaction, in which the row is locked before it is changed, and as safe while others do the same as
    /// [`get_or_create`](Self::get_or_create), and under the same condition. Where it is a transaction of its own, it is run
    /// again after a deadlock, up to five times.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Counter { #[model(primary_key)] name: String, hits: i64 }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Counter,)>()?;
    /// let visits = Counter::objects(&db).filter(|c| c.name.eq("visits"));
    /// for _ in 0..3 {
    ///     visits.update_or_create(|c| c.hits.set(c.hits + 1), || Counter { name: "visits".into(), hits: 1 })?;
    /// }
    /// assert_eq!(visits.get()?.hits, 3);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_or_create`](Self::get_or_create) and [`update`](Self::update); [`ErrorKind::InvalidQuery`] where a field of
    /// the primary key is assigned, and with [`for_update`](Self::for_update), its relatives and their options.
    pub fn update_or_create<A>(
        &self,
        assignments: impl FnOnce(M::Fields<Root<M>>) -> A + GivesAssignments<'a, M, B, A>,
        new: impl FnOnce() -> M::New,
    ) -> Result<(M, bool)>
    where
        Whole<M>: ReadableOn<B> + Shape<Row = M>,
        M: StorableOn<B> + Insertable<Model = M>,
        M::New: StorableOn<B>,
    {
        self.without_second_lock("update_or_create")?;
        self.check_lockable("update_or_create")?;
        let sets = self.assignments(assignments)?;
        if let Some(key) = sets.iter().find(|set| M::PRIMARY_KEY.contains(&set.column)) {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "the primary key tells which row was updated, so it cannot be assigned; use `update`",
            )
            .on_backend(B::run(self.on, Kind))
            .on_model(M::TABLE.model)
            .on_field(M::COLUMNS[key.column].field));
        }
        let mut new = New { ask: Some(new), row: None };
        let mut pause = Duration::from_millis(5);
        for _ in 1..ATTEMPTS {
            match in_one_transaction(self.on, |tx| self.update_or_create_on(tx, &sets, &mut new)) {
                Err(error) if error.is_lost_to_another() && matches!(self.on, Handle::Database(_)) => {
                    thread::sleep(pause);
                    pause *= 2;
                }
                answer => return answer,
            }
        }
        in_one_transaction(self.on, |tx| self.update_or_create_on(tx, &sets, &mut new))
    }

    fn update_or_create_on<F>(
        &self,
        tx: Handle<'_, B>,
        sets: &[Set<'a, B>],
        new: &mut New<F, M::New>,
    ) -> Result<(M, bool)>
    where
        F: FnOnce() -> M::New,
        Whole<M>: ReadableOn<B> + Shape<Row = M>,
        M: StorableOn<B> + Insertable<Model = M>,
        M::New: StorableOn<B>,
    {
        B::run(tx, WillWrite(M::TABLE))?;
        let update = |row: &M| M::store(tx, Update { row, sets }).map(|row| (row, false));
        // A locked look at a row that is not there would lock its place, and two that then insert wait for each other.
        let may_be_there = B::run(tx, Kind) != BackendKind::Mysql || self.get_on(tx, Lock::No)?.is_some();
        if may_be_there && let Some(row) = self.get_locked(tx)? {
            return update(&row);
        }
        let Some(new) = new.get() else {
            return Err(Error::new(ErrorKind::InvalidQuery, "the new row was not given").on_model(M::TABLE.model));
        };
        match self.create_on(tx, new) {
            Ok(row) => Ok((row, true)),
            Err(violation) if violation.kind() == ErrorKind::UniqueViolation => match self.get_locked(tx)? {
                Some(row) => update(&row),
                None => Err(violation),
            },
            Err(error) => Err(error),
        }
    }

    /// Stores a new row; a transaction goes on where that fails.
    fn create_on(&self, on: Handle<'_, B>, new: &M::New) -> Result<M>
    where
        M::New: StorableOn<B>,
    {
        match on {
            Handle::Database(_) => <M::New as StorableOn<B>>::store(on, Create(new)),
            Handle::Transaction(_) => nested(on, |tx| <M::New as StorableOn<B>>::store(tx, Create(new))),
        }
    }

    /// The only row as it is now, whatever the transaction has seen before; nobody else changes it until the transaction ends.
    fn get_locked(&self, on: Handle<'_, B>) -> Result<Option<M>>
    where
        Whole<M>: ReadableOn<B> + Shape<Row = M>,
    {
        self.get_on(on, Lock::Yes)
    }

    fn get_on(&self, on: Handle<'_, B>, lock: Lock) -> Result<Option<M>>
    where
        Whole<M>: ReadableOn<B> + Shape<Row = M>,
    {
        struct Get<'q, 'a, M, B: Backend>(&'q QuerySet<'a, M, B>, Lock);
        impl<M: Model, B: Backend> ReadTask<B, M> for Get<'_, '_, M, B> {
            type Output = Result<Vec<M>>;
            fn on<DB: Driver, S: ShapeOn<DB, Row = M>>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                let mut select = self.0.select()?;
                // A whole row is distinct by its key, and DISTINCT cannot be locked.
                select.distinct = false;
                select.limit = Some(select.limit.map_or(2, |limit| limit.min(2)));
                load::rows::<DB, S, _>(&mut session.lease()?, Locked(select, self.1)).map_err(Error::of_read)
            }
        }
        let mut rows = <Whole<M> as ReadableOn<B>>::run(on, Get(self, lock))?;
        let row = rows.pop();
        if rows.is_empty() {
            return Ok(row);
        }
        Err(Error::new(ErrorKind::MultipleRows, "one row is expected, and several were found")
            .on_backend(B::run(on, Kind))
            .on_model(M::TABLE.model))
    }
}

/// None where there is none.
fn one<M>(found: Result<M>) -> Result<Option<M>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// The new row, which is asked for once, if at all.
struct New<F, N> {
    ask: Option<F>,
    row: Option<N>,
}

impl<F: FnOnce() -> N, N> New<F, N> {
    fn get(&mut self) -> Option<&N> {
        if let Some(ask) = self.ask.take() {
            self.row = Some(ask());
        }
        self.row.as_ref()
    }
}

#[derive(Clone, Copy)]
enum Lock {
    Yes,
    No,
}

/// Rows that nobody else changes until the transaction ends; SQLite, which has one writer, needs nothing for that.
struct Locked<'q, DB: Driver>(Select<'q, DB>, Lock);

impl<DB: Driver> Query for Locked<'_, DB> {
    type SqlType = Untyped;
}
impl<DB: Driver> QueryId for Locked<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Locked<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        match (self.1, DB::KIND) {
            (Lock::No, _) | (_, BackendKind::Sqlite) => Ok(()),
            (Lock::Yes, BackendKind::Mysql) => {
                out.push_sql(" FOR UPDATE");
                Ok(())
            }
            (Lock::Yes, BackendKind::Postgres) => {
                // Rows of joined tables are not changed, and those of an outer join cannot be locked.
                out.push_sql(" FOR UPDATE OF ");
                out.push_identifier(self.0.alias)
            }
        }
    }
}

/// Whether conditions compare any column of the table by a collation.
struct ComparesByCollation(&'static Table);

impl<B: Backend> Task<B> for ComparesByCollation {
    type Output = bool;
    fn on<DB: Driver>(self, _: Session<'_, DB>) -> bool
    where
        B: PartsOf<DB>,
    {
        self.0.columns.iter().any(|column| DB::collation(column.sql).is_some())
    }
}

/// Makes the transaction SQLite's writer before it reads: one that has read cannot always become it.
struct WillWrite(&'static Table);

impl<B: Backend> Task<B> for WillWrite {
    type Output = Result<()>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        if DB::KIND != BackendKind::Sqlite {
            return Ok(());
        }
        let written = session.lease()?.run(|connection| connection.execute_returning_count(&self));
        written.map(drop).map_err(|error| in_statement(error.on_model(self.0.model), DB::sql(&self)))
    }
}

impl QueryId for WillWrite {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for WillWrite {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("DELETE FROM ");
        push_table(&mut out, self.0)?;
        out.push_sql(" WHERE 1 = 0");
        Ok(())
    }
}

/// Writes the assignments to the row with this one's key, and reads it.
struct Update<'r, 'a, R, B: Backend> {
    row: &'r R,
    sets: &'r [Set<'a, B>],
}

impl<B: Backend, R: Insertable> StoreTask<B, R> for Update<'_, '_, R, B> {
    type Output = Result<R::Model>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<R::Model>
    where
        B: PartsOf<DB>,
        R: Stored<DB>,
    {
        let table = R::Model::TABLE;
        let assignments = assigned::<DB, B, R::Model>(self.sets)?;
        let mut lease = session.lease()?;
        let update = SetOneRow { row: self.row, assignments };
        let of_row = |error: Error| error.on_model(table.model).with_key(self.row.key());
        lease
            .run(|connection| connection.execute_returning_count(&update))
            .map_err(|error| in_statement(of_row(error), DB::sql(&update)))?;
        let select = OneRow { row: self.row, action: Action::SelectCurrent };
        let row = load::rows::<DB, Whole<R::Model>, _>(&mut lease, select).map_err(of_row)?.pop();
        row.ok_or_else(|| of_row(Error::new(ErrorKind::NotFound, "the row is not there any more").on_backend(DB::KIND)))
    }
}
