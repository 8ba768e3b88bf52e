//! Which databases a queryset may be sent to: one that is fixed at compile time ([`Pg`], [`Mysql`], [`Sqlite`]), or any
//! of them ([`Any`]), chosen at run time by URL.
//!
//! There is a folder for each backend with these files in it: `mod.rs` says how it differs from the others,
//! `connect.rs` opens connections, `stream.rs` streams, `value.rs` reads values, `catalog.rs` looks at tables as they are.
//! The list of all backends is in `any.rs`.

mod any;
mod kind;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) mod number;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::{fmt, sync::Arc};

use diesel::{
    QueryResult,
    connection::{AnsiTransactionManager, Connection, DefaultLoadingMode, LoadConnection, TransactionManager},
    deserialize,
    expression::QueryMetadata,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    r2d2::R2D2Connection,
    row::{Field as _, Row as _},
    serialize::ToSql,
    sql_types::{HasSqlType, Untyped},
};

#[cfg(feature = "mysql")]
pub use diesel::mysql::Mysql;
#[cfg(feature = "postgres")]
pub use diesel::pg::Pg;
#[cfg(feature = "sqlite")]
pub use diesel::sqlite::Sqlite;

pub(crate) use self::any::{RowOnEach, ShapeOnEach, StoredOnEach, for_each_backend, on_backend};
pub use self::{
    any::{Any, AnyDatabase, AnyTransaction},
    kind::BackendKind,
};
use crate::{
    database::{Settings, pool::Target, url::DatabaseUrl},
    error::{Error, Result},
    model::{Column, Table, ToRow},
    queryset::shape::ShapeOn,
    schema::{
        live::{LiveColumn, LiveTable, Name},
        stored::Misfit,
    },
    session::Session,
    sql_types::ColumnType,
    statement::{
        Statement,
        begin::begin,
        explain::Texts,
        insert::{self, Answers, Batch, Unstored},
        text_keys::TextKey,
    },
    stream::source::Opened,
    transaction,
    types::{Decode, inferred},
};

/// A target of querysets: [`Any`], [`Pg`], [`Mysql`] or [`Sqlite`].
pub trait Backend: Sized + 'static {
    /// How a piece of a query is kept until the statement is written.
    type Part<'a>: ?Sized + Send + Sync;
    /// What a [`Database`](crate::Database) holds.
    type Database: Clone + Send + Sync + fmt::Debug;
    /// What a [`Transaction`](crate::Transaction) holds.
    type Transaction: Send + Sync + fmt::Debug;

    #[doc(hidden)]
    fn open(url: &DatabaseUrl, settings: &Settings) -> Result<Self::Database>;
    #[doc(hidden)]
    fn begin(database: &Self::Database) -> Result<Self::Transaction> {
        Self::begin_with(database, &transaction::Options::default())
    }
    #[doc(hidden)]
    fn begin_with(database: &Self::Database, options: &transaction::Options) -> Result<Self::Transaction>;
    /// Does `task` on the backend that is really there.
    #[doc(hidden)]
    fn run<T: Task<Self>>(on: Handle<'_, Self>, task: T) -> T::Output;
}

/// What a queryset was made on: a database, whose pool it takes connections from, or a transaction.
#[doc(hidden)]
pub enum Handle<'a, B: Backend> {
    Database(&'a B::Database),
    Transaction(&'a B::Transaction),
}

impl<B: Backend> Clone for Handle<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for Handle<'_, B> {}

impl<B: Backend> fmt::Debug for Handle<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Handle::Database(database) => database.fmt(f),
            Handle::Transaction(transaction) => transaction.fmt(f),
        }
    }
}

/// Work that is the same on every backend, written once.
#[doc(hidden)]
pub trait Task<B: Backend> {
    type Output;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Self::Output
    where
        B: PartsOf<DB>;
}

/// An expression that can be kept for the backend `B`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written for the backend `{B}`",
    note = "operators and types that only one backend has need a database of that backend, such as `Database<Pg>`"
)]
pub trait IntoPart<'a, B: Backend>: Send + Sync + 'a {
    /// Keeps it.
    fn into_part(self) -> Arc<B::Part<'a>>;
}

/// A backend whose kept pieces can be written for the driver `DB`.
#[doc(hidden)]
pub trait PartsOf<DB: Driver>: Backend {
    fn part<'p>(part: &'p Self::Part<'_>) -> &'p dyn QueryFragment<DB>;
}

/// What the rest needs to know of one backend.
#[doc(hidden)]
pub trait Driver: Backend + diesel::backend::Backend + QueryMetadata<Untyped> {
    /// What the program is lent.
    type Connection: Connection<Backend = Self> + Send + 'static;

    /// What statements run on: a [`Connection`](Self::Connection), or another one that the program has brought along.
    type Link: Connection<Backend = Self, TransactionManager = AnsiTransactionManager>
        + LoadConnection<DefaultLoadingMode>
        + R2D2Connection
        + Send
        + 'static;

    /// A statement that was sent without waiting for its answer.
    type Ticket: Send;

    /// What is known from one batch of a bulk operation to the next.
    type Bulk: Default;

    /// What is kept beside each connection of a pool of ours.
    type Companion: Send + 'static;

    const KIND: BackendKind;
    /// The most bind parameters of one statement.
    const PARAMETERS: usize;

    /// The most rows of one statement: more make it longer, and no faster.
    const MOST_ROWS: usize = 500;

    /// The SQL of a fragment, without its values.
    fn sql<F: QueryFragment<Self> + ?Sized>(fragment: &F) -> QueryResult<String>;

    /// Binds a value that is assigned to a column of the SQL type `ST`, or compared with one.
    fn push_value<'b, ST, T>(value: &'b T, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>
    where
        Self: HasSqlType<ST>,
        T: ToSql<ST, Self>,
    {
        out.push_bind_param::<ST, T>(value)
    }

    /// Writes an operand whose type the server may infer.
    fn push_inferred<'b, E: QueryFragment<Self>>(
        operand: &'b inferred::Value<E>,
        out: AstPass<'_, 'b, Self>,
    ) -> QueryResult<()> {
        operand.0.walk_ast(out)
    }

    /// Checks a URL, and makes of it what `establish` takes.
    fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target>;

    /// Opens a connection.
    fn establish(target: &Target, settings: &Settings) -> Result<Self::Link>;

    /// What is kept beside a connection that was just opened.
    fn companion(link: &mut Self::Link, target: &Target) -> Result<Self::Companion>;

    /// Fails if the database is no longer the one that the pool was opened on. It is called before each checkout.
    fn check_target(_: &Target) -> Result<()> {
        Ok(())
    }

    /// A stream or a transaction begins on the connection, until it is released.
    fn begin_reading(_: &mut Self::Companion) {}

    /// Nothing is open on the connection, which goes back to the pool.
    fn release(_: &mut Self::Link, _: &mut Self::Companion) {}

    /// Makes a connection of ours ready for statements of the program's own; [`reset`](Self::reset) undoes that.
    fn lend(_: &mut Self::Link) -> QueryResult<()> {
        Ok(())
    }

    /// The connection that the program is lent, where it is one of that type.
    fn connection(link: &Self::Link) -> Option<&Self::Connection>;
    /// As [`connection`](Self::connection).
    fn connection_mut(link: &mut Self::Link) -> Option<&mut Self::Connection>;

    /// Begins a transaction, possibly together with its first statement, and returns the SQL that undoes what was set for it, to be run when it has ended.
    fn begin_transaction(link: &mut Self::Link, options: &transaction::Options) -> QueryResult<Option<&'static str>> {
        AnsiTransactionManager::begin_transaction_sql(link, &begin(Self::KIND, options)).map(|()| None)
    }

    /// Begins a savepoint in the transaction that is open.
    fn begin_savepoint(link: &mut Self::Link) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction(link)
    }

    /// Commits what was begun last: the transaction, or a savepoint.
    fn commit(link: &mut Self::Link) -> QueryResult<()> {
        AnsiTransactionManager::commit_transaction(link)
    }

    /// Rolls back what was begun last: the transaction, or a savepoint.
    fn roll_back(link: &mut Self::Link) -> QueryResult<()> {
        AnsiTransactionManager::rollback_transaction(link)
    }

    /// Ends a transaction that was begun by SQL of the user's own, which Diesel knows nothing of.
    fn reset(link: &mut Self::Link) -> QueryResult<()>;

    /// Whether the transaction that was begun is still there, as far as the connection knows without asking.
    fn in_transaction(_: &mut Self::Link) -> bool {
        true
    }

    /// Whether a transaction is open, where Diesel knows of none; asks the database if need be, and may fail what is open.
    fn has_unknown_transaction(link: &mut Self::Link) -> QueryResult<bool>;

    /// Makes a connection of the program's own pool fit for our statements; nothing of what the program has set up is
    /// changed unless it gives wrong answers.
    fn prepare(_: &mut Self::Link) -> Result<()> {
        Ok(())
    }

    /// The tables of these names as the database has them; `None` for each that is not there.
    fn live_tables(link: &mut Self::Link, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>>;

    /// Why values of a model's column cannot be kept in a column of the database, or not read from it.
    fn misfit(column: &Column, live: &LiveColumn) -> Option<Misfit>;

    /// Says more of an error in reading a row, by asking the server.
    fn explain(_: &mut Self::Link, error: Error) -> Error {
        error
    }

    /// Whether two names of columns are one.
    fn is_same_name(a: &str, b: &str) -> bool {
        a.to_lowercase() == b.to_lowercase()
    }

    /// Why the connection is lost, if it is, and knows.
    fn loss(_: &Self::Link) -> Option<diesel::result::Error> {
        None
    }

    /// Whether the server has closed the connection, as far as that is known without a round trip.
    fn is_closed(_: &mut Self::Link) -> bool {
        false
    }

    /// Fails if the transaction can only be rolled back.
    fn check_transaction(link: &mut Self::Link) -> QueryResult<()>;

    /// Whether it takes `NULLS FIRST` and `NULLS LAST`. One that does not takes NULL for less than every value.
    const NULLS_FIRST_AND_LAST: bool = true;

    /// Whether the columns of a subquery in FROM may be called alike.
    const ALIKE_COLUMNS: bool = true;

    /// How `LIMIT` is written where there is none, for those that need one before `OFFSET`.
    const NO_LIMIT: Option<&'static str>;

    /// The collation by which expressions of this type are compared, where it has to be written.
    fn collation(column: ColumnType) -> Option<&'static str> {
        let _ = column;
        None
    }

    /// The function that makes what is computed of columns of this type what is bound as a value of it.
    fn exact_function(column: ColumnType) -> Option<&'static str> {
        let _ = column;
        None
    }

    /// Whether a column may convert text that looks like a number.
    const CONVERTS_TEXT: bool = false;

    /// What stands before and behind a value that is not to be stored as another one, where the database might do so
    /// without an error.
    fn kept(table: &Table, column: &Column) -> Option<(&'static str, String)> {
        let _ = (table, column);
        None
    }

    /// What follows the type of an integer key that the database fills.
    const GENERATED_KEY: &'static str;

    /// The most bytes of a key or index whose columns have types of limited length.
    const LONGEST_KEY: Option<u32> = None;

    /// Whether foreign keys can only be declared with the table.
    const INLINE_FOREIGN_KEYS: bool;

    /// What follows the columns of a table.
    const TABLE_OPTIONS: &'static str = "";

    /// Whether a transaction undoes CREATE TABLE. Where it does not, each such statement commits it.
    const TRANSACTIONAL_SCHEMAS: bool = true;

    /// Waits until no other connection creates tables by [`create_tables_if_missing`], where this transaction has not locked
    /// the whole database.
    ///
    /// [`create_tables_if_missing`]: crate::Database::create_tables_if_missing
    fn lock_schema(_: &mut Self::Link) -> Result<()> {
        Ok(())
    }

    /// Ends what [`lock_schema`](Self::lock_schema) began, where the end of the transaction does not.
    fn unlock_schema(_: &mut Self::Link) -> Result<()> {
        Ok(())
    }

    /// Reads the single integer that a statement gives.
    fn read_integer<F: QueryFragment<Self>>(link: &mut Self::Link, statement: F) -> QueryResult<i64>;

    /// Reads what a statement answers, as text, whatever its columns are; of few rows.
    fn read_texts<F: QueryFragment<Self>>(link: &mut Self::Link, statement: F) -> QueryResult<Vec<Texts>>;

    /// How many rows of so many columns are worth sending at once, after so many have been.
    fn batch_rows(columns: usize, _sent: u64) -> usize {
        insert::most_rows::<Self>(columns)
    }

    /// Stores a batch in a transaction, or sends it without waiting for the answers.
    fn store<M: ToRow<Self>>(
        link: &mut Self::Link,
        bulk: &mut Self::Bulk,
        batch: &Batch<'_, M>,
        answers: &mut Answers<Self>,
    ) -> std::result::Result<(), Unstored> {
        let _ = bulk;
        insert::insert::<Self, M>(link, batch, answers)
    }

    /// Whether a batch is stored by one statement, which needs no transaction.
    fn is_one_statement<M: ToRow<Self>>(link: &mut Self::Link, batch: &Batch<'_, M>) -> QueryResult<bool> {
        insert::is_one_statement::<Self, M>(link, batch)
    }

    /// Sends a statement that gives no rows without waiting for its answer; `None` where it has to be executed and waited for.
    fn send_ahead<F: QueryFragment<Self> + QueryId>(_: &mut Self::Link, _: &F) -> QueryResult<Option<Self::Ticket>> {
        Ok(None)
    }

    /// Whether the answer to a statement that was sent ahead is there.
    fn has_answer(_: &mut Self::Link, _: &Self::Ticket) -> QueryResult<bool> {
        Ok(true)
    }

    /// Waits for the answer to a statement that was sent ahead: how many rows it has changed, or why it failed, and at which of
    /// its rows if the server says so.
    fn answer(
        _: &mut Self::Link,
        ticket: Self::Ticket,
    ) -> std::result::Result<usize, (diesel::result::Error, Option<usize>)>;

    /// The bytes of these values, where a statement that has met a row by them cannot change it a second time; `None` where one
    /// of them is NULL, which meets no row.
    fn once_in_a_statement<F: QueryFragment<Self>>(_: &mut Self::Link, _: &F) -> QueryResult<Option<Vec<u8>>> {
        Ok(None)
    }

    /// The columns of each unique key of a table, where an INSERT cannot name the one that it means; `None` where it can, and
    /// the database refuses what is none.
    fn unique_keys(_: &mut Self::Link, _: &Table) -> QueryResult<Option<Vec<Vec<String>>>> {
        Ok(None)
    }

    /// The unique keys of a table that compare the text of columns for which there is a [`collation`](Self::collation).
    fn text_keys(_: &mut Self::Link, _: &Table) -> QueryResult<Vec<TextKey>> {
        Ok(Vec::new())
    }

    /// What is written before and behind a column of values of this type, to give the least text that one of them can be
    /// spelled as, and a text that is greater than all of their spellings.
    fn text_bounds(_: ColumnType) -> Option<[(&'static str, &'static str); 2]> {
        None
    }

    /// The key that the last INSERT has made, or was given; 0 where there is none. Only where it does not return rows.
    fn made_key(_: &mut Self::Link) -> u64 {
        0
    }

    /// Runs SQL without values and without rows: before the next statement, and together with it if the backend can.
    fn execute_with_next(link: &mut Self::Link, sql: &'static str) -> QueryResult<()> {
        link.execute_returning_count(&crate::statement::insert::Sql(sql)).map(drop)
    }

    /// Whether VALUES may be a part of a union.
    fn unites_values(_: &mut Self::Link) -> bool {
        false
    }

    /// Whether `INSERT … RETURNING` gives the rows as they are stored.
    fn returns_rows(_: &mut Self::Link) -> bool {
        true
    }

    /// Whether a row that a statement gives was read on the connection before, and the database would refuse the statement if
    /// the types of its result had changed since.
    fn was_read(_: &mut Self::Link, _: &str) -> bool {
        false
    }

    /// Takes note that a row of this statement was read.
    fn note_read(_: &mut Self::Link, _: &str) {}

    /// Opens a stream, of which no more than a chunk is asked for at a time, where rows are asked for.
    fn stream<S: ShapeOn<Self>, Q: Statement<Self>>(
        session: Session<'_, Self>,
        select: &Q,
        chunk_size: usize,
    ) -> Result<Opened<S::Row>>;
}

/// The single integer that a statement gives.
fn integer_of<DB, F>(link: &mut DB::Link, statement: F) -> QueryResult<i64>
where
    DB: Driver,
    F: QueryFragment<DB>,
    i64: Decode<DB>,
{
    let mut rows = LoadConnection::<DefaultLoadingMode>::load(link, Asked(statement))?;
    let row = rows.next().ok_or(diesel::NotFound)??;
    let field = row.get(0).ok_or(diesel::NotFound)?;
    i64::decode_nullable(field.value()).map_err(diesel::result::Error::DeserializationError)
}

/// The rows that a statement gives, as text.
fn texts_of<DB, F>(
    link: &mut DB::Link,
    statement: F,
    text: impl Fn(DB::RawValue<'_>) -> deserialize::Result<String>,
) -> QueryResult<Vec<Texts>>
where
    DB: Driver,
    F: QueryFragment<DB>,
{
    let mut texts = Vec::new();
    for row in LoadConnection::<DefaultLoadingMode>::load(link, Asked(statement))? {
        let row = row?;
        let mut cells = Texts::new();
        for at in 0..row.field_count() {
            let field = row.get(at).ok_or(diesel::NotFound)?;
            let name = field.field_name().unwrap_or_default().to_owned();
            let value = field.value().map(&text).transpose();
            cells.push((name, value.map_err(diesel::result::Error::DeserializationError)?));
        }
        texts.push(cells);
    }
    Ok(texts)
}

/// A fragment as a query whose rows are read here.
struct Asked<F>(F);

impl<F> Query for Asked<F> {
    type SqlType = Untyped;
}
impl<F> QueryId for Asked<F> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: diesel::backend::Backend, F: QueryFragment<DB>> QueryFragment<DB> for Asked<F> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// The parts and the pool of a backend that is fixed at compile time.
macro_rules! fixed_backend {
    ($backend:ident) => {
        impl $crate::backend::Backend for $backend {
            type Part<'a> = dyn ::diesel::query_builder::QueryFragment<$backend> + Send + Sync + 'a;
            type Database = $crate::database::pool::Pool<$backend>;
            type Transaction = $crate::session::Inner<$backend>;

            fn open(
                url: &$crate::database::url::DatabaseUrl,
                settings: &$crate::database::Settings,
            ) -> $crate::Result<Self::Database> {
                $crate::database::pool::Pool::open(url, settings)
            }

            fn begin_with(
                database: &Self::Database,
                options: &$crate::transaction::Options,
            ) -> $crate::Result<Self::Transaction> {
                $crate::session::Inner::begin(database, options)
            }

            fn run<T: $crate::backend::Task<Self>>(on: $crate::backend::Handle<'_, Self>, task: T) -> T::Output {
                task.on::<$backend>(on.into())
            }
        }

        impl<'a, E> $crate::backend::IntoPart<'a, $backend> for E
        where
            E: ::diesel::query_builder::QueryFragment<$backend> + Send + Sync + 'a,
        {
            fn into_part(self) -> ::std::sync::Arc<<$backend as $crate::backend::Backend>::Part<'a>> {
                ::std::sync::Arc::new(self)
            }
        }

        impl $crate::backend::PartsOf<$backend> for $backend {
            fn part<'p>(part: &'p Self::Part<'_>) -> &'p dyn ::diesel::query_builder::QueryFragment<$backend> {
                part
            }
        }
    };
}
pub(crate) use fixed_backend;
