//! The generated tables, for plain Diesel: `diesel::insert_into(flights::table)`, `flights::id.eq(1)`.
//!
//! The module is named after the table, and also after the struct: `flight_table`. See "Names" at
//! [`Model`](derive@crate::Model).
//!
//! They do what Diesel's `table!` does for queries of one table. For its joins and aliases declare a `table!` of your
//! own, and name it with `#[model(table_module = path)]`. Diesel's own macro is not used because what it writes needs
//! `diesel` among the user's dependencies, and because one generic implementation compiles faster than one per column.

use std::{fmt, marker::PhantomData};

use diesel::{
    QueryResult, QuerySource,
    associations::HasTable,
    backend::Backend,
    expression::{
        AppearsOnTable, Expression, IsContainedInGroupBy, SelectableExpression, TypedExpressionType, ValidGrouping,
        is_aggregate, is_contained_in_group_by,
    },
    internal::table_macro::{FromClause, SelectStatement},
    query_builder::{AsQuery, AstPass, IntoUpdateTarget, QueryFragment, QueryId, UpdateTarget},
    query_source::{AppearsInFromClause, Once},
    sql_types::SqlType,
};

use crate::{
    model::{Model, ModelColumn},
    statement::push_table,
};

/// What the derive says of a table.
#[doc(hidden)]
pub trait TableMarker: 'static {
    type Model: Model;
    type AllColumns;
    type PrimaryKey;
    const ALL_COLUMNS: Self::AllColumns;
    const PRIMARY_KEY: Self::PrimaryKey;
}

/// A column of a generated table.
#[doc(hidden)]
pub trait InTable: ModelColumn {
    type Table: TableMarker;
}

/// A generated table.
pub struct Table<T>(PhantomData<fn() -> T>);

/// A column of a generated table.
pub struct TableColumn<C>(PhantomData<fn() -> C>);

macro_rules! zero_sized {
    ($($name:ident)*) => { $(
        impl<T> $name<T> {
            #[doc(hidden)]
            pub const fn new() -> Self {
                $name(PhantomData)
            }
        }
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self::new()
            }
        }
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $name<T> {}
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::any::type_name::<T>())
            }
        }
        impl<T: 'static> QueryId for $name<T> {
            type QueryId = $name<T>;
        }
    )* };
}
zero_sized! { Table TableColumn }

impl<T: TableMarker, DB: Backend> QueryFragment<DB> for Table<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_table(&mut out, T::Model::TABLE)
    }
}

impl<T: TableMarker> QuerySource for Table<T>
where
    T::AllColumns: SelectableExpression<Self>,
{
    type FromClause = Self;
    type DefaultSelection = T::AllColumns;

    fn from_clause(&self) -> Self {
        *self
    }
    fn default_selection(&self) -> T::AllColumns {
        T::ALL_COLUMNS
    }
}

impl<T: TableMarker> AsQuery for Table<T>
where
    Self: QuerySource,
    SelectStatement<FromClause<Self>>: diesel::query_builder::Query,
{
    type SqlType = <SelectStatement<FromClause<Self>> as diesel::query_builder::Query>::SqlType;
    type Query = SelectStatement<FromClause<Self>>;

    fn as_query(self) -> Self::Query {
        SelectStatement::simple(self)
    }
}

impl<T: TableMarker> diesel::Table for Table<T>
where
    Self: QuerySource + AsQuery,
    T::AllColumns: SelectableExpression<Self> + ValidGrouping<()>,
    T::PrimaryKey: SelectableExpression<Self> + ValidGrouping<()>,
{
    type PrimaryKey = T::PrimaryKey;
    type AllColumns = T::AllColumns;

    fn primary_key(&self) -> T::PrimaryKey {
        T::PRIMARY_KEY
    }
    fn all_columns() -> T::AllColumns {
        T::ALL_COLUMNS
    }
}

impl<T: TableMarker> HasTable for Table<T>
where
    Self: diesel::Table,
{
    type Table = Self;
    fn table() -> Self {
        Self::new()
    }
}

impl<T: TableMarker> IntoUpdateTarget for Table<T>
where
    Self: HasTable<Table = Self> + AsQuery<Query: IntoUpdateTarget<Table = Self>> + QuerySource,
{
    type WhereClause = <<Self as AsQuery>::Query as IntoUpdateTarget>::WhereClause;

    fn into_update_target(self) -> UpdateTarget<Self, Self::WhereClause> {
        self.as_query().into_update_target()
    }
}

impl<T> AppearsInFromClause<Table<T>> for Table<T> {
    type Count = Once;
}

impl<C: InTable> Expression for TableColumn<C>
where
    C::SqlType: TypedExpressionType,
{
    type SqlType = C::SqlType;
}

impl<C: InTable, DB: Backend> QueryFragment<DB> for TableColumn<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !out.should_skip_from() {
            push_table(&mut out, <C::Model as Model>::TABLE)?;
            out.push_sql(".");
        }
        out.push_identifier(C::NAME)
    }
}

impl<C: InTable, QS> AppearsOnTable<QS> for TableColumn<C>
where
    Self: Expression,
    QS: AppearsInFromClause<Table<C::Table>, Count = Once>,
{
}
impl<C: InTable> SelectableExpression<Table<C::Table>> for TableColumn<C> where Self: AppearsOnTable<Table<C::Table>> {}
impl<C: InTable, From> SelectableExpression<SelectStatement<FromClause<From>>> for TableColumn<C>
where
    From: QuerySource,
    Self: SelectableExpression<From> + AppearsOnTable<SelectStatement<FromClause<From>>>,
{
}

impl<C> ValidGrouping<()> for TableColumn<C> {
    type IsAggregate = is_aggregate::No;
}
impl<C> IsContainedInGroupBy<TableColumn<C>> for TableColumn<C> {
    type Output = is_contained_in_group_by::Yes;
}

impl<C: InTable> diesel::Column for TableColumn<C>
where
    Self: Expression,
    Table<C::Table>: diesel::Table,
    C::SqlType: SqlType,
{
    type Table = Table<C::Table>;
    const NAME: &'static str = C::NAME;
}

impl<C: InTable, Rhs> diesel::EqAll<Rhs> for TableColumn<C>
where
    Self: diesel::ExpressionMethods + Expression<SqlType: SqlType>,
    Rhs: diesel::expression::AsExpression<<Self as Expression>::SqlType>,
    diesel::dsl::Eq<Self, Rhs>: Expression<SqlType = diesel::sql_types::Bool>,
{
    type Output = diesel::dsl::Eq<Self, Rhs>;

    fn eq_all(self, rhs: Rhs) -> Self::Output {
        diesel::ExpressionMethods::eq(self, rhs)
    }
}
