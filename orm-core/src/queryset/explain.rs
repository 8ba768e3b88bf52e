//! How the database would execute a query: `explain`.

use super::{QuerySet, Shape};
use crate::{
    backend::{Backend, BackendKind, Driver, Handle, PartsOf, Task},
    database::Kind,
    diesel_error,
    error::{Error, ErrorKind, Result},
    model::Model,
    session::Session,
    statement::{
        Statement,
        explain::{Explained, text},
        lock::Locked,
    },
    stream::load::in_statement,
    transaction::{self, Options, Transaction},
};

/// What [`explain_with`](QuerySet::explain_with) asks for; by default, the plan as text.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing until it is given to `explain_with`"]
pub struct Explain {
    pub(crate) analyze: bool,
    pub(crate) json: bool,
}

impl Explain {
    /// The plan, as text.
    pub fn new() -> Self {
        Explain::default()
    }

    /// Executes the statement, too, and says how long each part of it took, and how many rows there were.
    ///
    /// On a database it is executed in a read-only transaction, so that nothing is changed by a function that it calls; in a
    /// [`Transaction`](crate::Transaction) it is one more statement. MySQL has it since 8.0.18. SQLite does not have it.
    pub fn analyze(mut self) -> Self {
        self.analyze = true;
        self
    }

    /// Gives the plan as JSON, for programs. With [`analyze`](Self::analyze), MySQL has it since 8.3. SQLite does not have it.
    pub fn json(mut self) -> Self {
        self.json = true;
        self
    }

    fn check(self, backend: BackendKind) -> Result<()> {
        if backend == BackendKind::Sqlite && (self.analyze || self.json) {
            let what = if self.analyze { "executes nothing to explain it" } else { "has no plans in JSON" };
            return Err(Error::new(ErrorKind::InvalidQuery, format!("SQLite {what}; ask for the plan by `explain()`"))
                .on_backend(backend));
        }
        Ok(())
    }
}

impl<M: Model, B: Backend, S: Shape> QuerySet<'_, M, B, S> {
    /// How the database would execute the statement of [`load`](Self::load), as the database itself says it.
    ///
    /// It is for people, and for tests that an index is used: every backend and version has its own words. PostgreSQL's are the
    /// lines of `EXPLAIN`, MySQL's and MariaDB's a table with `|` between its columns, SQLite's the steps of `EXPLAIN QUERY
    /// PLAN`, indented. A plan depends on what is in the tables, and on what the database knows of that (`ANALYZE`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidQuery`] where the queryset cannot be written; whatever the database says.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let plan = Airport::objects(&db).filter(|a| a.code.eq("JFK")).explain()?;
    /// assert!(plan.contains("SEARCH airports USING INDEX"), "{plan}");
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn explain(&self) -> Result<String> {
        self.explain_with(Explain::new())
    }

    /// How the database executes the statement, with options: times, and JSON.
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain); [`ErrorKind::InvalidQuery`], before anything is sent, for what the backend does not have.
    ///
    /// ```no_run
    /// # use orm_core::{prelude::*, queryset::Explain};
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("postgres://localhost/flights")?;
    /// println!("{}", Airport::objects(&db).explain_with(Explain::new().analyze())?);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn explain_with(&self, options: Explain) -> Result<String> {
        struct Ask<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>, Explain);
        impl<M: Model, B: Backend, S: Shape> Task<B> for Ask<'_, '_, M, B, S> {
            type Output = Result<String>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<String>
            where
                B: PartsOf<DB>,
            {
                let lock = self.0.lock(self.1.analyze.then_some(session))?;
                answer::<DB, _>(session, Locked { select: self.0.select()?, lock }, self.1)
            }
        }
        ask(self.on, options, Ask(self, options)).map_err(|error| error.on_model(M::TABLE.model))
    }
}

/// Runs the task where it changes nothing.
pub(crate) fn ask<B, T>(on: Handle<'_, B>, options: Explain, task: T) -> Result<String>
where
    B: Backend,
    T: Task<B, Output = Result<String>>,
{
    options.check(B::run(on, Kind))?;
    match on {
        Handle::Database(database) if options.analyze => {
            let read_only = Options { read_only: true, ..Options::default() };
            transaction::once(database, &read_only, |tx: &Transaction<B>| B::run(Handle::Transaction(&tx.inner), task))
                .map_err(|failed| failed.error)
        }
        on => B::run(on, task),
    }
}

/// What the database answers.
pub(crate) fn answer<DB: Driver, Q: Statement<DB>>(
    session: Session<'_, DB>,
    statement: Q,
    options: Explain,
) -> Result<String> {
    let explained = Explained { statement, options };
    let sql = DB::sql(&explained);
    if let Err(error) = sql {
        return Err(diesel_error::ours(error, DB::KIND));
    }
    let rows = session.lease()?.run(|link| DB::read_texts(link, explained));
    rows.map(|rows| text(rows, DB::KIND)).map_err(|error| in_statement(error.of_read(), sql))
}
