//! `only`: structs of some of a model's fields.

use std::{fmt, marker::PhantomData};

use diesel::{
    QueryResult,
    backend::Backend as DieselBackend,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::Row,
};

use super::{QuerySet, Selected, Shape, Use, Whole, shape::ShapeOn};
use crate::{
    backend::{Backend, Driver, IntoPart},
    field::{Field, Readable, Selection},
    model::{Model, ModelColumn},
    path::{Path, Root, Scope},
    statement::push_column,
    stream::row::{ColumnError, ColumnName, RowReader},
    types::Codec,
};

/// A struct of some fields of a model, and of models that it is related to; implemented by `#[derive(PartialModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a partial model",
    note = "add `#[derive(PartialModel)]` and `#[model(of = Model)]` to it"
)]
pub trait PartialModel: Sized + 'static {
    /// The model.
    type Of: Model;
    #[doc(hidden)]
    fn columns(fields: &<Self::Of as Model>::Fields<Root<Self::Of>>) -> Vec<PartialColumn>;
}

/// A partial model that can be read from the backend `DB`; implemented by `#[derive(PartialModel)]`.
#[doc(hidden)]
pub trait ReadPartial<DB: DieselBackend>: PartialModel {
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError>;
}

/// Calls `item` once for each enabled driver, which it knows as `__DB`.
#[doc(hidden)]
#[macro_export]
macro_rules! __on_each_driver {
    ($($item:tt)*) => {
        $crate::__on_postgres! { $($item)* }
        $crate::__on_mysql! { $($item)* }
        $crate::__on_sqlite! { $($item)* }
    };
}

macro_rules! on_driver {
    ($($feature:literal $name:ident $driver:ident $d:tt;)*) => { $(
        #[cfg(feature = $feature)]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $name {
            ($d($d item:tt)*) => {
                const _: () = {
                    type __DB = $crate::$driver;
                    $d($d item)*
                };
            };
        }
        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $name {
            ($d($d item:tt)*) => {};
        }
    )* };
}
on_driver! {
    "postgres" __on_postgres Pg $;
    "mysql" __on_mysql Mysql $;
    "sqlite" __on_sqlite Sqlite $;
}

/// A column of a partial model.
#[derive(Debug)]
pub struct PartialColumn {
    alias: String,
    column: &'static str,
    name: ColumnName,
}

impl PartialColumn {
    /// The column of a field.
    pub fn of<P: Path, C: ModelColumn>(_: Field<P, C>) -> Self
    where
        Field<P, C>: Selection,
    {
        let mut names = Vec::new();
        Field::<P, C>::names(&mut names);
        PartialColumn { alias: P::alias(), column: C::NAME, name: names.pop().unwrap_or_default() }
    }
}

/// Reads the field that `_` would give. It is never called: it says the type.
#[inline]
pub fn read_partial<'r, M, T, E, DB, R>(
    _: fn(&M::Fields<Root<M>>) -> E,
    row: &mut RowReader<'_, R>,
) -> Result<T, ColumnError>
where
    M: Model,
    T: Holds<E::Rust>,
    E: Readable<Codec: Codec<E::Rust, DB>>,
    DB: DieselBackend,
    R: Row<'r, DB>,
{
    row.read::<E::Codec, E::Rust, DB>().map(T::hold)
}

/// That a field of a partial model has the type of the model's.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the field is a `{T}`, and here it is a `{Self}`",
    label = "another type than the model's field has",
    note = "it is an `Option` where the field is, or where a relation on the way may find no row"
)]
pub trait Holds<T> {
    fn hold(value: T) -> Self;
}
impl<T> Holds<T> for T {
    #[inline]
    fn hold(value: T) -> T {
        value
    }
}

/// The columns of a partial model, to be selected.
#[doc(hidden)]
#[derive(Debug)]
pub struct PartialColumns(Vec<PartialColumn>);

impl QueryId for PartialColumns {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver> QueryFragment<DB> for PartialColumns {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (i, column) in self.0.iter().enumerate() {
            if i > 0 {
                out.push_sql(", ");
            }
            push_column(&mut out, &column.alias, column.column)?;
        }
        Ok(())
    }
}

/// Some fields of a model; made by `only`.
pub struct Partial<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for Partial<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Partial")
    }
}

impl<P: PartialModel> Shape for Partial<P> {
    type Row = P;
    fn names(out: &mut Vec<ColumnName>) {
        let columns = P::columns(&P::Of::fields::<Root<P::Of>>(&Scope::default()));
        out.extend(columns.into_iter().map(|column| column.name));
    }
}

impl<P: ReadPartial<DB>, DB: DieselBackend> ShapeOn<DB> for Partial<P> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<P, ColumnError> {
        P::read(row)
    }
}

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B, Whole<M>> {
    /// Reads some fields, as a struct, in place of whole models.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, seats: i32,
    /// # #[model(belongs_to(Airport, name = origin))] origin_code: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport, Flight)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into() }])?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, seats: 100, origin_code: "JFK".into() }])?;
    /// #[derive(PartialModel)]
    /// #[model(of = Flight)]
    /// struct Departure {
    ///     id: i64,
    ///     #[model(path = origin.city)]
    ///     city: String,
    /// }
    ///
    /// for departure in Flight::objects(&db).only::<Departure>().iterator(2000)? {
    ///     assert_eq!((departure.id, departure.city.as_str()), (1, "New York"));
    /// }
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn only<P: PartialModel<Of = M>>(mut self) -> QuerySet<'a, M, B, Partial<P>>
    where
        PartialColumns: IntoPart<'a, B>,
    {
        let columns = self.scoped(Use::Relation, |fields| P::columns(&fields));
        self.selecting(Selected::Fields(PartialColumns(columns).into_part()))
    }
}
