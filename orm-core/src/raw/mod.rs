//! Raw queries: SQL of the program's own, with typed values, whose rows are read like a queryset's.
//!
//! `value.rs` is what may be bound, `shape.rs` what rows read as; how the text is read is in `statement/scan.rs`.

mod shape;
mod value;

use std::{fmt, marker::PhantomData, num::NonZeroUsize, sync::Arc};

pub use self::{
    shape::{ByName, ByPosition, RawRow},
    value::BindValue,
};
#[cfg(doc)]
use crate::model::Model;
use crate::{
    backend::{Any, Backend, Driver, Handle, IntoPart, PartsOf, Task},
    database::{Database, Executor, Kind},
    error::{Error, ErrorKind, Result},
    queryset::{
        Explain, FETCH_BYTES, ReadableOn, Shape, explain,
        shape::{ReadTask, ShapeOn},
    },
    session::Session,
    statement::template::{Filled, Template},
    stream::{self, Rows, TryRows, load, row::ColumnName},
    transaction::Transaction,
    types::{FieldType, PortableValue},
};

/// SQL of the program's own that reads rows; made by [`Model::raw`], [`Database::raw_values`] and
/// [`Transaction::raw_values`].
///
/// `T` is what a row reads as. Like a queryset it is lazy, cloneable, and sent by its terminals.
///
/// ```
/// use orm_core::prelude::*;
/// # #[derive(Model, Debug, PartialEq)] struct Flight { #[model(primary_key)] id: i64, carrier: String, delay: Option<f64> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Flight,)>()?;
/// # let flight = |id, delay| Flight { id, carrier: "UA".into(), delay };
/// # Flight::bulk_create(&db, [flight(1, Some(70.0)), flight(2, None)])?;
///
/// let late = Flight::raw(&db, "SELECT delay, carrier, id FROM flights WHERE delay > ? AND carrier = ?").bind(60.0).bind("UA");
/// for flight in late.iterator(2000)? {
///     println!("{}", flight.id);
/// }
///
/// let sql = "SELECT carrier, COUNT(*) FROM flights GROUP BY carrier";
/// let counts: Vec<(String, i64)> = db.raw_values(sql).load()?;
/// assert_eq!(counts, [("UA".to_owned(), 2)]);
/// # Ok::<(), orm_core::Error>(())
/// ```
///
/// # Values
///
/// Never put a value into the text: write `?`, on every backend, and [`bind`](Self::bind) a value to it. In quotes and
/// comments, as the backend has them, `?` is a character like any other. On PostgreSQL, `$1` and so on is sent in its place,
/// and where an operator has a question mark it is written twice: `doc ?? 'key'`, `doc ??| keys`. (There, text in `'…'` is read
/// as with `standard_conforming_strings`, which is on unless someone has turned it off.) As many values are bound as there
/// are places.
///
/// # Rows
///
/// A model's columns are found by their names (`column = …` of a field where that was given), in any order; what else the
/// statement gives is not looked at. Names are compared as the backend does it: case counts on PostgreSQL alone. Each column
/// has to be there, once. Values of [`raw_values`](Database::raw_values) are read by their positions, and are as many as the
/// columns. Whether the columns fit is seen at the first row, so a statement that gives no rows is not checked.
///
/// Values are read as strictly as a queryset's: what is computed has to have the field's type, so `CAST` it where it does not.
///
/// # What may be sent
///
/// One statement that reads, and begins with `SELECT`, `WITH`, `VALUES`, `TABLE` or `SHOW`. What is seen to write, such as `INSERT … RETURNING`, is an error
/// before anything is sent. A function that writes when it is called is not seen: PostgreSQL refuses it in a stream, whose
/// transaction is read-only ([`ErrorKind::ReadOnly`]), unless the stream is in a [`Transaction`]; elsewhere it does what it does,
/// perhaps for more rows than are taken.
///
/// What a function sets or locks for a session, such as `set_config(…, false)`, `pg_advisory_lock` and `GET_LOCK`, is gone when the
/// statement is done, because the connection is made as new before the pool's next user has it. Where such a lock is to last, take it in a
/// [`Transaction`]: it lasts until that has ended. (In a pool of the program's own nothing is [set
/// back](Database#a-pool-of-your-own).)
#[must_use = "a raw query is lazy: nothing is sent before `iterator`, `load` or another terminal is called"]
pub struct RawQuery<'a, T, B: Backend = Any, S = ByName<T>> {
    on: Handle<'a, B>,
    sql: Arc<str>,
    values: Vec<Arc<B::Part<'a>>>,
    /// The first value that the backend cannot take as it is: its number, and why.
    misfit: Option<(usize, Arc<str>)>,
    fetch_bytes: NonZeroUsize,
    shape: PhantomData<fn() -> (T, S)>,
}

impl<'a, T, B: Backend, S> RawQuery<'a, T, B, S> {
    pub(crate) fn new(on: Handle<'a, B>, sql: &str) -> Self {
        RawQuery { on, sql: sql.into(), values: Vec::new(), misfit: None, fetch_bytes: FETCH_BYTES, shape: PhantomData }
    }

    /// Gives the next `?` its value: of any type that a field may have, or `&str` or `&[u8]`.
    ///
    /// It is sent as the SQL type of such a field. On PostgreSQL, which does not compare everything with everything, bind what
    /// the column has: an `i32` fits any integer, but text does not fit a number there. Text is of the type `text`; beside a column of
    /// `citext`, `char(n)` or an enum, write `CAST(? AS citext)`.
    pub fn bind<V>(mut self, value: V) -> Self
    where
        V: BindValue,
        PortableValue<<V::Value as FieldType>::SqlType, V::Value>: IntoPart<'a, B>,
    {
        let value = value.into_value();
        if let Err(why) = value.validate(B::run(self.on, Kind))
            && self.misfit.is_none()
        {
            self.misfit = Some((self.values.len() + 1, why.to_string().into()));
        }
        self.values.push(PortableValue::new(value).into_part());
        self
    }

    /// Bounds how many bytes of rows one fetch of a stream brings, as
    /// [`QuerySet::fetch_bytes`](crate::QuerySet::fetch_bytes) does.
    pub fn fetch_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.fetch_bytes = bytes;
        self
    }

    /// The statement for the driver `DB`.
    fn filled<DB: Driver>(&self) -> Result<Filled<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        let refused = |kind, why: String| Error::new(kind, why).on_backend(DB::KIND).in_statement(&*self.sql);
        let template = Template::new(&self.sql, DB::KIND)
            .map_err(|why| refused(ErrorKind::InvalidQuery, format!("this statement cannot be sent: {why}")))?;
        let (places, values) = (template.places(), self.values.len());
        if places != values {
            let (is, was) = (if places == 1 { "is" } else { "are" }, if values == 1 { "was" } else { "were" });
            let why = format!("there {is} {places} `?` in the statement for values, and {values} {was} bound");
            return Err(refused(ErrorKind::InvalidQuery, why));
        }
        if let Some((number, why)) = &self.misfit {
            let misfit = refused(ErrorKind::InvalidValue, format!("value {number} cannot be sent as it is"));
            return Err(misfit.with_source(why.to_string()));
        }
        Ok(Filled { template, values: self.values.iter().map(|value| B::part(value)).collect() })
    }
}

impl<'a, T, B: Backend, S: Shape<Row = T>> RawQuery<'a, T, B, S> {
    /// Streams the rows, in constant memory, as [`QuerySet::iterator`](crate::QuerySet::iterator) does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidQuery`], before anything is sent, for a `chunk_size` of 0, a statement that does not read, and
    /// where there are more values than places, or fewer; [`ErrorKind::InvalidValue`] for a value that the backend cannot take
    /// as it is; whatever opening meets.
    ///
    /// # Panics
    ///
    /// Not this method, but `next` on what it returns: if the stream breaks midway, or the columns do not fit.
    pub fn iterator(self, chunk_size: usize) -> Result<Rows<'a, T>>
    where
        S: ReadableOn<B>,
    {
        self.try_iterator(chunk_size).map(Rows::new)
    }

    /// The same stream as [`iterator`](Self::iterator) for code that handles a failure: `Item = Result<T, Error>`.
    ///
    /// # Errors
    ///
    /// As [`iterator`](Self::iterator).
    pub fn try_iterator(self, chunk_size: usize) -> Result<TryRows<'a, T>>
    where
        S: ReadableOn<B>,
    {
        self.open(chunk_size).map_err(Self::on_model)
    }

    fn open(&self, chunk_size: usize) -> Result<TryRows<'a, T>>
    where
        S: ReadableOn<B>,
    {
        struct Open<'q, 'a, T, B: Backend, S>(&'q RawQuery<'a, T, B, S>, usize);
        impl<'a, T, B: Backend, S: ReadableOn<B>> ReadTask<B, S::Row> for Open<'_, 'a, T, B, S> {
            type Output = Result<TryRows<'a, S::Row>>;
            fn on<DB: Driver, S2: ShapeOn<DB, Row = S::Row>>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                let source = DB::stream::<S2, _>(session.for_raw_sql(), &self.0.filled()?, self.1)?;
                Ok(TryRows::new(source, self.1, self.0.fetch_bytes))
            }
        }
        stream::check_chunk_size(chunk_size)?;
        S::run(self.on, Open(self, chunk_size))
    }

    /// All rows, in a `Vec`. For results that are small; [`iterator`](Self::iterator) is for the others.
    ///
    /// # Errors
    ///
    /// As [`iterator`](Self::iterator); [`ErrorKind::Decode`] where a value does not fit its field, and where a column is
    /// missing or there twice.
    pub fn load(&self) -> Result<Vec<T>>
    where
        S: ReadableOn<B>,
    {
        struct Load<'q, 'a, T, B: Backend, S>(&'q RawQuery<'a, T, B, S>);
        impl<T, B: Backend, S: ReadableOn<B>> ReadTask<B, S::Row> for Load<'_, '_, T, B, S> {
            type Output = Result<Vec<S::Row>>;
            fn on<DB: Driver, S2: ShapeOn<DB, Row = S::Row>>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                load::all::<DB, S2, _>(session.for_raw_sql(), self.0.filled()?)
            }
        }
        S::run(self.on, Load(self)).map_err(Self::on_model)
    }

    /// The first row that the statement gives, if there is one. The others are not asked for, but a `LIMIT` of the
    /// statement's own lets the database stop sooner.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn first(&self) -> Result<Option<T>>
    where
        S: ReadableOn<B>,
    {
        Ok(self.up_to(1)?.pop())
    }

    /// The only row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::MultipleRows`] where there are several; as
    /// [`load`](Self::load).
    pub fn get(&self) -> Result<T>
    where
        S: ReadableOn<B>,
    {
        self.get_or_none()?.ok_or_else(|| self.wrong(ErrorKind::NotFound, "none"))
    }

    /// The only row, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MultipleRows`] where there are several; as [`load`](Self::load).
    ///
    /// ```
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// let larger = db.raw_values::<i64>("SELECT 7 WHERE 7 > ?").bind(8);
    /// assert_eq!(larger.get_or_none()?, None);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn get_or_none(&self) -> Result<Option<T>>
    where
        S: ReadableOn<B>,
    {
        let mut rows = self.up_to(2)?;
        match (rows.pop(), rows.is_empty()) {
            (Some(_), false) => Err(self.wrong(ErrorKind::MultipleRows, "several")),
            (row, _) => Ok(row),
        }
    }

    fn up_to(&self, rows: usize) -> Result<Vec<T>>
    where
        S: ReadableOn<B>,
    {
        self.open(rows).and_then(|stream| stream.take(rows).collect()).map_err(Self::on_model)
    }

    fn wrong(&self, kind: ErrorKind, found: &str) -> Error {
        Self::on_model(Error::new(kind, format!("one row was expected, and the statement gave {found}")))
            .in_statement(&*self.sql)
    }

    fn on_model(error: Error) -> Error {
        let mut names = Vec::new();
        S::names(&mut names);
        match names.first() {
            Some(ColumnName { model: Some(model), .. }) => error.on_model(model),
            _ => error,
        }
    }

    /// The statement as the backend in use will see it, with placeholders in place of values.
    ///
    /// # Errors
    ///
    /// As [`iterator`](Self::iterator), before anything is sent.
    pub fn sql(&self) -> Result<String> {
        struct Write<'q, 'a, T, B: Backend, S>(&'q RawQuery<'a, T, B, S>);
        impl<T, B: Backend, S> Task<B> for Write<'_, '_, T, B, S> {
            type Output = Result<String>;
            fn on<DB: Driver>(self, _: Session<'_, DB>) -> Result<String>
            where
                B: PartsOf<DB>,
            {
                DB::sql(&self.0.filled::<DB>()?).map_err(|error| crate::diesel_error::ours(error, DB::KIND))
            }
        }
        B::run(self.on, Write(self)).map_err(Self::on_model)
    }
}

impl<T, B: Backend, S: Shape<Row = T>> RawQuery<'_, T, B, S> {
    /// How the database would execute the statement, as [`QuerySet::explain`](crate::QuerySet::explain) has it.
    ///
    /// # Errors
    ///
    /// As [`iterator`](Self::iterator), before anything is sent; whatever the database says.
    pub fn explain(&self) -> Result<String> {
        self.explain_with(Explain::new())
    }

    /// How the database executes the statement, with options: times, and JSON.
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain); [`ErrorKind::InvalidQuery`], before anything is sent, for what the backend does not have.
    pub fn explain_with(&self, options: Explain) -> Result<String> {
        struct Ask<'q, 'a, T, B: Backend, S>(&'q RawQuery<'a, T, B, S>, Explain);
        impl<T, B: Backend, S> Task<B> for Ask<'_, '_, T, B, S> {
            type Output = Result<String>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<String>
            where
                B: PartsOf<DB>,
            {
                explain::answer::<DB, _>(session.for_raw_sql(), self.0.filled()?, self.1)
            }
        }
        explain::ask(self.on, options, Ask(self, options)).map_err(Self::on_model)
    }
}

impl<B: Backend> Database<B> {
    /// SQL of your own whose rows are values, read by their positions: of a type that a field may have, or a tuple of up to 16.
    ///
    /// [`RawQuery`] says what may be written, and how.
    ///
    /// ```
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// let row = db.raw_values::<(i64, Option<String>)>("SELECT ? + 1, NULL").bind(41).get()?;
    /// assert_eq!(row, (42, None));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn raw_values<T: RawRow>(&self, sql: &str) -> RawQuery<'_, T, B, ByPosition<T>> {
        RawQuery::new(self.handle(), sql)
    }
}

impl<B: Backend> Transaction<B> {
    /// SQL of your own whose rows are values, in this transaction; as [`Database::raw_values`].
    pub fn raw_values<T: RawRow>(&self, sql: &str) -> RawQuery<'_, T, B, ByPosition<T>> {
        RawQuery::new(self.handle(), sql)
    }
}

impl<T, B: Backend, S> Clone for RawQuery<'_, T, B, S> {
    fn clone(&self) -> Self {
        RawQuery {
            on: self.on,
            sql: self.sql.clone(),
            values: self.values.clone(),
            misfit: self.misfit.clone(),
            fetch_bytes: self.fetch_bytes,
            shape: PhantomData,
        }
    }
}

/// The statement, without its values.
impl<T, B: Backend, S> fmt::Debug for RawQuery<'_, T, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawQuery({})", self.sql)
    }
}
