//! What `#[derive(Model)]` implements: a model's table, its columns, its relations, and how a row is read and written.

use std::borrow::{Borrow, Cow};

use diesel::{
    QueryResult, backend::Backend as DieselBackend, query_builder::AstPass, row::Row, serialize::ToSql,
    sql_types::HasSqlType,
};

use crate::{
    backend::{Backend, BackendKind, Driver},
    database::Executor,
    error::{BoxError, Result},
    field::list::GivesFieldsOf,
    path::{Nullability, Path, Root, Scope},
    queryset::QuerySet,
    raw::RawQuery,
    sql_types::{ColumnSql, ColumnType},
    statement::insert::Conflict,
    stream::row::{ColumnError, RowReader},
    types::{Codec, Rules, default::ColumnDefault, limit::Limit},
    write::{Create, Delete, Insertion, Refresh, Save, SaveFields, StorableOn, WritableOn},
};

/// A struct whose values are the rows of a table; implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", note = "add `#[derive(Model)]` to it")]
pub trait Model: Sized + 'static {
    /// The typed accessors that closures are given, at a path that ends at this model.
    type Fields<P: Path<Target = Self>>: Accessors<Path = P>;

    /// The type of the primary key; a tuple where it has several columns.
    type Key: 'static;

    /// What [`create`](Self::create) takes: the model itself, or where a field is `generated`, the struct of the others.
    type New: Insertable<Model = Self>;

    /// The columns, in the order of the struct's fields.
    const COLUMNS: &'static [Column];

    /// The positions of the primary key's columns.
    const PRIMARY_KEY: &'static [usize];

    /// The table, its columns and its relations.
    const TABLE: &'static Table;

    /// The accessors at the path `P`, whose joins they add to `scope`.
    fn fields<P: Path<Target = Self>>(scope: &Scope) -> Self::Fields<P>;

    /// All rows of the table, as a queryset on a [`Database`](crate::Database) or in a
    /// [`Transaction`](crate::Transaction).
    // `B` is a parameter of its own, so that what is no database gives one error and not two.
    fn objects<X: Executor<Backend = B> + ?Sized, B: Backend>(on: &X) -> QuerySet<'_, Self, B> {
        QuerySet::new(on)
    }

    /// SQL of your own whose rows are read as this model: `Flight::raw(&db, "SELECT * FROM flights WHERE delay > ?").bind(60.0)`.
    ///
    /// Columns are found by their names, in any order. [`RawQuery`] says what may be written, and how.
    fn raw<'a, X: Executor<Backend = B> + ?Sized, B: Backend>(on: &'a X, sql: &str) -> RawQuery<'a, Self, B> {
        RawQuery::new(on.handle(), sql)
    }

    /// Stores rows, all or none, and returns their number.
    ///
    /// The iterator is consumed as rows are sent, so it may be longer than memory. Columns that are `generated` are
    /// left to the database. In a transaction it is one part of it; on a database it is a transaction of its own, or a single
    /// statement if the rows are few.
    ///
    /// On PostgreSQL rows are sent without waiting for the answers to those before them, so that a bulk operation takes two to
    /// four round trips, however many rows there are up to some ten thousand. Many rows go by `COPY … FROM STDIN`, which is faster, wherever that means what `INSERT` means: the
    /// table is a plain one without rules and row-level security, each column has the type that its values are written as,
    /// and the transaction's isolation is `READ COMMITTED`. Otherwise they are inserted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue), before it is sent, for a value that the backend
    /// cannot store as it is; a constraint's violation; whatever else the database says. Nothing is stored then.
    fn bulk_create<X, B>(on: &X, rows: impl IntoIterator<Item = Self>) -> Result<u64>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self: WritableOn<B>,
    {
        crate::write::bulk_create(on.handle(), &mut rows.into_iter(), &Conflict::Fail)
    }

    /// Stores rows as [`bulk_create`](Self::bulk_create) does, where more is to be said: what happens to rows that are there
    /// already, or that the rows are wanted back. It also takes the structs for new rows, such as `NewFlight`.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let airports = ["JFK", "LGA"].map(|code| Airport { code: code.into(), city: "New York".into() });
    /// let stored = Airport::insert_into(&db).update_conflicts(|a| a.code, |a| a.city).bulk_create(airports)?;
    /// assert_eq!(stored, 2);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    fn insert_into<X, B>(on: &X) -> Insertion<'_, Self, B>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
    {
        Insertion::new(on.handle())
    }

    /// Stores a new row, and returns it as the database has stored it: with the key that it made, and whatever else it filled.
    ///
    /// Where no field is `generated`, it takes the model itself; otherwise the struct that the derive makes of the other
    /// fields, `NewFlight` for a `Flight`. A default of the database's for a column that the program gives at times and
    /// leaves out at others has no place in a model: let the program say it, by `Default` and
    /// `#[model(new_derive(Default))]` for one.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// #[derive(Model)]
    /// struct Flight {
    ///     #[model(primary_key, generated)]
    ///     id: i64,
    ///     carrier: String,
    /// }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    ///
    /// let flight = Flight::create(&db, NewFlight { carrier: "UA".into() })?;
    /// assert_eq!(flight.id, 1);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// It is one statement where the database returns the row (PostgreSQL, SQLite, MariaDB from 10.5 on). MySQL does not:
    /// there the row is read by its key, which is one integer, `AUTO_INCREMENT`, if MySQL makes it.
    ///
    /// On a database nothing is stored if it is an error, for it is a transaction of its own. On PostgreSQL that costs a second
    /// round trip, so it is done until a row of the model has been created and read on the connection. After that the statement
    /// commits by itself: if the database then fills a field with what does not fit it, such as NULL where the field is no
    /// `Option`, the row is stored, and the error says so.
    ///
    /// # Errors
    ///
    /// As [`bulk_create`](Self::bulk_create); [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery) on MySQL for a
    /// generated key that is not one integer or not `AUTO_INCREMENT`; [`ErrorKind::Decode`](crate::ErrorKind::Decode) where
    /// what the database has filled does not fit its field. After these a [`Transaction`](crate::Transaction) can only be
    /// rolled back, as after any failure.
    fn create<X, B>(on: &X, new: Self::New) -> Result<Self>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self::New: StorableOn<B>,
    {
        <Self::New as StorableOn<B>>::store(on.handle(), Create(&new))
    }

    /// Stores this row: the row with its key is updated, all columns but the key and those that are `generated`; where there
    /// is none, it is inserted, the key as it is here.
    ///
    /// It is safe while others save the same row: it is updated, and only where that finds no row inserted, unless another
    /// has been faster, and then updated once more. The last one stays. (To write only what has changed, so that two do not
    /// undo each other's work, use [`save_fields`](Self::save_fields) or [`update`](QuerySet::update).) On PostgreSQL a
    /// counter does not learn of keys that the program made.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let mut airport = Airport { code: "JFK".into(), city: "Queens".into() };
    /// airport.save(&db)?; // it is new
    /// airport.city = "New York".into();
    /// airport.save(&db)?;
    /// assert_eq!(Airport::objects(&db).values(|a| a.city).load()?, ["New York"]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue), before it is sent, for a value that the backend cannot
    /// store as it is; a constraint's violation; whatever else the database says.
    fn save<X, B>(&self, on: &X) -> Result<()>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self: WritableOn<B>,
    {
        Self::write(on.handle(), Save(self))
    }

    /// Writes these fields of the row that has this one's key, and no others: `flight.save_fields(&db, |f| (f.delay, f.remark))`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where the row is not there;
    /// [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery) for a field of the primary key; otherwise as
    /// [`save`](Self::save).
    fn save_fields<X, B, L>(
        &self,
        on: &X,
        fields: impl FnOnce(Self::Fields<Root<Self>>) -> L + GivesFieldsOf<Self, L>,
    ) -> Result<()>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self: WritableOn<B>,
    {
        Self::write(on.handle(), SaveFields(self, columns_of(fields)))
    }

    /// Writes these fields of many rows, each with its own values, to the rows that have their keys; all or none. Returns how
    /// many it found: where that is less than the rows given, some were not there.
    ///
    /// The rows are models or references to them, of a `Vec` or a page, or of an iterator that is longer than memory: it is
    /// consumed as rows are sent, and there is one statement for each batch. Where a row comes twice, the last one stays, and it
    /// is counted twice; so it does where the database takes two keys for one, such as the decimals 9.5 and 9.50, or `a` and `A`
    /// in some collations, at the price of more statements. In a transaction it is one part of it; on a database it is a transaction of its own.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, delay: Option<i32>, remark: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, (1..=3).map(|id| Flight { id, delay: Some(90), remark: String::new() }))?;
    /// let mut flights = Flight::objects(&db).order_by(|f| f.id.asc()).load()?;
    /// for flight in &mut flights {
    ///     flight.delay = flight.delay.map(|delay| delay - 5);
    ///     flight.remark = format!("{:?} minutes", flight.delay);
    /// }
    /// assert_eq!(Flight::bulk_update(&db, &flights, |f| (f.delay, f.remark))?, 3);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue), before it is sent, for a value that the backend cannot
    /// store as it is; [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery) for a field of the primary key; a
    /// constraint's violation; whatever else the database says. Nothing is changed then.
    fn bulk_update<X, B, T, L>(
        on: &X,
        rows: impl IntoIterator<Item = T>,
        fields: impl FnOnce(Self::Fields<Root<Self>>) -> L + GivesFieldsOf<Self, L>,
    ) -> Result<u64>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        T: Borrow<Self>,
        Self: WritableOn<B>,
    {
        crate::write::bulk_update::<B, Self, T>(on.handle(), &mut rows.into_iter(), &columns_of(fields))
    }

    /// Reads the row with this one's key, and puts it in this one's place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where the row is not there, and then this one stays as it is;
    /// whatever the database says.
    fn refresh<X, B>(&mut self, on: &X) -> Result<()>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self: StorableOn<B> + Insertable<Model = Self>,
    {
        *self = Self::store(on.handle(), Refresh(self))?;
        Ok(())
    }

    /// Deletes the row with this one's key, and returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ForeignKeyViolation`](crate::ErrorKind::ForeignKeyViolation) where the row is still referred to; whatever
    /// else the database says.
    fn delete<X, B>(&self, on: &X) -> Result<bool>
    where
        X: Executor<Backend = B> + ?Sized,
        B: Backend,
        Self: WritableOn<B>,
    {
        Self::write(on.handle(), Delete(self))
    }
}

/// The columns that a closure names.
pub(crate) fn columns_of<M: Model, L, F>(fields: F) -> Vec<usize>
where
    F: FnOnce(M::Fields<Root<M>>) -> L + GivesFieldsOf<M, L>,
{
    drop(fields(M::fields::<Root<M>>(&Scope::default())));
    F::columns()
}

/// The typed accessors of a model at a path; `select_related` learns from them what to select.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation",
    note = "`select_related` takes a relation such as `f.airline()`, or a tuple of up to 12"
)]
pub trait Accessors {
    /// The path from the root of the query.
    type Path: Path;

    /// Where the joins of what is reached from here are collected.
    #[doc(hidden)]
    fn __scope(&self) -> &Scope;
}

/// A column of a model, as a type.
pub trait ModelColumn: 'static {
    /// The model that it belongs to.
    type Model: Model;
    /// The type of the model's field.
    type Rust: 'static;
    /// The SQL type of the column.
    type SqlType: ColumnSql;
    /// How its values are read: [`Native`](crate::types::Native), or through Diesel where `sql_type` was given.
    type Codec;
    /// The column's name in the table.
    const NAME: &'static str;

    /// Checks a value against the limit of the field; see [`limit`](crate::types::limit).
    ///
    /// # Errors
    ///
    /// If the value exceeds it.
    fn check(value: &Self::Rust) -> Result<(), BoxError> {
        let _ = value;
        Ok(())
    }
}

/// A column whose values, of the type `T`, can be read from the backend `DB`.
// `T` is the column's `Rust`; as a parameter it needs no look at `ModelColumn`, so that an unfit type of one field does
// not spoil the whole row.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of type `{T}` cannot be read from `{DB}`",
    note = "its SQL type, or how it is read, is unknown to this backend"
)]
pub trait ReadColumn<T, DB: DieselBackend> {
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<T, ColumnError>;
    /// The value at a position, for an error message.
    fn peek<'r, R: Row<'r, DB>>(row: &R, at: usize) -> Option<T>;
}

#[diagnostic::do_not_recommend]
impl<C, T, DB> ReadColumn<T, DB> for C
where
    C: ModelColumn<Rust = T, Codec: Codec<T, DB>>,
    DB: DieselBackend,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<T, ColumnError> {
        row.read::<C::Codec, T, DB>()
    }
    fn peek<'r, R: Row<'r, DB>>(row: &R, at: usize) -> Option<T> {
        crate::stream::row::peek::<C::Codec, T, DB, R>(row, at)
    }
}

/// A column whose values, of the type `T`, can be written to the backend `DB`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of type `{T}` cannot be written to `{DB}`",
    note = "its SQL type, or how it is written, is unknown to this backend"
)]
pub trait WriteColumn<T, DB: DieselBackend> {
    fn bind<'b>(value: &'b T, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
    fn validate(value: &T, backend: BackendKind) -> Result<(), BoxError>;
    fn width(value: &T) -> usize;
}

#[diagnostic::do_not_recommend]
impl<C, T, DB> WriteColumn<T, DB> for C
where
    C: ModelColumn<Rust = T, Codec: Rules<T>>,
    T: ToSql<C::SqlType, DB>,
    DB: Driver + HasSqlType<C::SqlType>,
{
    #[inline]
    fn bind<'b>(value: &'b T, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if DB::CONVERTS_TEXT && C::Codec::is_convertible(value) {
            return bind_kept::<C, T, DB>(value, out);
        }
        DB::push_value::<C::SqlType, T>(value, out)
    }
    fn validate(value: &T, backend: BackendKind) -> Result<(), BoxError> {
        C::Codec::validate(value, backend)?;
        C::check(value)
    }
    fn width(value: &T) -> usize {
        C::Codec::width(value)
    }
}

/// A value that some columns would change, which is an error then.
#[cold]
fn bind_kept<'b, C, T, DB>(value: &'b T, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    C: ModelColumn<Rust = T>,
    T: ToSql<C::SqlType, DB>,
    DB: Driver + HasSqlType<C::SqlType>,
{
    let table = C::Model::TABLE;
    let column = table.columns.iter().find(|column| column.name == C::NAME);
    let Some((before, behind)) = column.and_then(|column| DB::kept(table, column)) else {
        return out.push_bind_param::<C::SqlType, T>(value);
    };
    // The statement depends on its values.
    out.unsafe_to_cache_prepared();
    out.push_sql(before);
    out.push_bind_param::<C::SqlType, T>(value)?;
    out.push_sql(&behind);
    Ok(())
}

/// A relation to one row of another model, as a type; made by `belongs_to`.
pub trait ForeignKey: 'static {
    /// The model that has the key.
    type From: Model;
    /// The model that the key refers to.
    // No bound, so that what is no model is said once, where it is used.
    type To: 'static;
    /// Whether a step along it may find no row.
    type Null: Nullability;
    /// The relation's name, which is also its accessor's.
    const NAME: &'static str;
    /// The name of the way back, where it has one.
    const REVERSE: Option<&'static str>;
    /// The column that holds the key.
    const COLUMN: &'static str;
    /// The position of that column.
    const FROM: usize;
    /// The position, in the other model, of the column that the key is equal to.
    const TO: usize;
}

/// A key that can refer to a column of type `K`: the same type, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "a key of type `{Self}` cannot refer to a column of type `{K}`",
    label = "this key has another type than the column that it refers to",
    note = "a key refers to the primary key, unless another field is named: `belongs_to(Target, key = field)`"
)]
pub trait RefersTo<K> {}
#[diagnostic::do_not_recommend]
impl<K> RefersTo<K> for K {}
#[diagnostic::do_not_recommend]
impl<K> RefersTo<K> for Option<K> {}

/// That an SQL type is not nullable.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a primary key cannot be an `Option`",
    label = "may be NULL",
    note = "every row has a key; remove the `Option`"
)]
pub trait NeverNull {}
impl NeverNull for diesel::sql_types::is_nullable::NotNull {}

/// That an SQL type is nullable.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the field is an `Option`, and its `sql_type` cannot be NULL",
    label = "not nullable",
    note = "write `sql_type = Nullable<…>`, or remove the `Option`"
)]
pub trait MayBeNull {}
impl MayBeNull for diesel::sql_types::is_nullable::IsNullable {}

/// A table as a model sees it.
#[derive(Debug)]
pub struct Table {
    /// The model's name in Rust.
    pub model: &'static str,
    /// The schema, where one was given.
    pub schema: Option<&'static str>,
    /// The table's name.
    pub name: &'static str,
    /// Its columns, in the order of the struct's fields.
    pub columns: &'static [Column],
    /// The positions of the primary key's columns.
    pub primary_key: &'static [usize],
    /// The relations to other tables.
    pub relations: &'static [Relation],
    /// The declared unique constraints, each by the positions of its columns; those of relations to one row included.
    pub unique: &'static [&'static [usize]],
    /// The declared indexes, each by the positions of its columns.
    pub indexes: &'static [&'static [usize]],
}

/// A column as a model sees it.
#[derive(Debug)]
pub struct Column {
    /// The field's name in Rust.
    pub field: &'static str,
    /// The column's name in the table.
    pub name: &'static str,
    /// How each backend stores it.
    pub sql: ColumnType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether the database fills it.
    pub generated: bool,
    /// The least and the greatest of its integers, where those are not all that the SQL type has.
    pub integers: Option<(i64, i64)>,
    /// The declared limit of its values.
    pub limit: Option<Limit>,
    /// The declared default.
    pub default: Option<ColumnDefault>,
}

/// A relation as a table sees it.
#[derive(Debug)]
pub struct Relation {
    /// The relation's name.
    pub name: &'static str,
    /// The position of the column that holds the key.
    pub column: usize,
    /// The table that it refers to; a function, because tables may refer to each other.
    pub to: fn() -> &'static Table,
    /// The position, in that table, of the column that the key is equal to.
    pub to_column: usize,
    /// Whether a key may have no row there, so that no constraint can be declared.
    pub may_dangle: bool,
    /// Whether no two rows have the same key.
    pub unique: bool,
}

/// A model whose rows can be read from the backend `DB`; implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from `{DB}`",
    note = "one of its fields has a type that this backend cannot read"
)]
pub trait FromRow<DB: DieselBackend>: Model {
    /// Reads the model from the next columns of a row.
    fn from_row<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError>;

    /// The primary key, for an error message; `at` is where the model's columns begin.
    fn describe_key<'r, R: Row<'r, DB>>(row: &R, at: usize) -> Option<String>;
}

/// What can be stored as a row of a model's table: the model, or its struct for new rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of a model",
    note = "a row is a value of a struct with `#[derive(Model)]`, or of the `New…` struct that this makes"
)]
pub trait Insertable: Sized + 'static {
    /// The model.
    type Model: Model;
}

#[diagnostic::do_not_recommend]
impl<M: Model> Insertable for M {
    type Model = M;
}

/// A row that can be written to the backend `DB`; implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to `{DB}`",
    note = "one of its fields has a type that this backend cannot write"
)]
pub trait ToRow<DB: DieselBackend>: Insertable {
    /// Writes the value of the column at `column` as a bind parameter.
    fn bind<'b>(&'b self, column: usize, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// Checks that this backend can store the value of the column at `column` exactly, within its field's limit.
    ///
    /// # Errors
    ///
    /// If it cannot; the message says why.
    fn validate(&self, column: usize, backend: BackendKind) -> Result<(), BoxError>;

    /// The primary key, for an error message; `None` where the database makes it.
    fn key(&self) -> Option<String>;

    /// The bytes that the row holds.
    fn width(&self) -> usize;
}

/// A row that can be written, and read again as its model.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in `{DB}`",
    note = "one of its fields has a type that this backend cannot both write and read"
)]
pub trait Stored<DB: DieselBackend>: ToRow<DB> + Insertable<Model: FromRow<DB>> {}
#[diagnostic::do_not_recommend]
impl<R: ToRow<DB> + Insertable<Model: FromRow<DB>>, DB: DieselBackend> Stored<DB> for R {}

impl Column {
    /// The type as it is declared on a backend, of a column that has an index or has none.
    pub(crate) fn declared(&self, backend: BackendKind, indexed: bool) -> Cow<'static, str> {
        let limited = self.limit.and_then(|limit| self.sql.limited(backend, limit, indexed));
        limited.map_or_else(|| self.sql.on(backend, indexed).into(), Into::into)
    }

    /// Whether the database can count it up.
    pub(crate) fn is_integer(&self) -> bool {
        self.sql.is_integer()
    }
}

impl Table {
    /// Whether it is the same table. Not by address: a constant may have several.
    pub(crate) fn is(&self, other: &Table) -> bool {
        (self.schema, self.name) == (other.schema, other.name)
    }

    /// The position of the column with this name.
    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }
}
