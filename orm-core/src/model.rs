//! What `#[derive(Model)]` implements: a model's table, its columns, its relations, and how a row is read and written.

use diesel::{
    QueryResult,
    backend::Backend as DieselBackend,
    query_builder::AstPass,
    row::Row,
    serialize::ToSql,
    sql_types::{HasSqlType, SqlType},
};

use crate::{
    backend::{Backend, BackendKind},
    database::Executor,
    error::{BoxError, Result},
    path::{Nullability, Path, Scope},
    queryset::QuerySet,
    raw::RawQuery,
    sql_types::ColumnType,
    stream::row::{ColumnError, RowReader},
    types::{Codec, Rules},
    write::WritableOn,
};

/// A struct whose values are the rows of a table; implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", note = "add `#[derive(Model)]` to it")]
pub trait Model: Sized + 'static {
    /// The typed accessors that closures are given, at a path that ends at this model.
    type Fields<P: Path<Target = Self>>: Accessors<Path = P>;

    /// The type of the primary key; a tuple where it has several columns.
    type Key: 'static;

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
    /// left to the database. In a transaction it is one part of it; on a database it is a transaction of its own.
    ///
    /// On PostgreSQL many rows go by `COPY … FROM STDIN`, which is faster, wherever that means what `INSERT` means: the
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
        crate::write::bulk_create(on.handle(), &mut rows.into_iter())
    }
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
    type SqlType: SqlType + 'static;
    /// How its values are read: [`Native`](crate::types::Native), or through Diesel where `sql_type` was given.
    type Codec;
    /// The column's name in the table.
    const NAME: &'static str;
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
    DB: DieselBackend + HasSqlType<C::SqlType>,
{
    #[inline]
    fn bind<'b>(value: &'b T, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_bind_param::<C::SqlType, T>(value)
    }
    fn validate(value: &T, backend: BackendKind) -> Result<(), BoxError> {
        C::Codec::validate(value, backend)
    }
    fn width(value: &T) -> usize {
        C::Codec::width(value)
    }
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

/// A model whose rows can be written to the backend `DB`; implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to `{DB}`",
    note = "one of its fields has a type that this backend cannot write"
)]
pub trait ToRow<DB: DieselBackend>: Model {
    /// Writes the value of the column at `column` as a bind parameter.
    fn bind<'b>(&'b self, column: usize, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// Says of the first value that this backend cannot store exactly where it is and why.
    fn validate(&self, backend: BackendKind) -> Result<(), (usize, BoxError)>;

    /// The primary key, for an error message.
    fn key(&self) -> String;

    /// The bytes that the row holds.
    fn width(&self) -> usize;
}

impl Column {
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
