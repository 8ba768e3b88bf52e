//! Shapes: what a row of a queryset reads as.

use std::marker::PhantomData;

use diesel::{backend::Backend as DieselBackend, row::Row};

use super::IntoRelated;
use crate::{
    backend::{Any, Backend, Driver, Handle, PartsOf, ShapeOnEach, on_backend},
    database::pool::Pool,
    error::Result,
    field::{ReadAs, Selection, SelectionOn},
    model::{Accessors, FromRow, Model, Table},
    path::{Nullability, Optional, Path, Required},
    session::{Inner, Session},
    stream::row::{ColumnError, ColumnName, RowReader},
};

/// What a row of a queryset reads as.
pub trait Shape: 'static {
    /// The Rust type of a row.
    type Row: 'static;
    #[doc(hidden)]
    fn names(out: &mut Vec<ColumnName>);

    /// Whether the columns of a row have to be found first, because the statement is not ours.
    #[doc(hidden)]
    const ARRANGED: bool = false;
}

/// A [`Shape`] that can be read from the driver `DB`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "rows of `{Self}` cannot be read from `{DB}`")]
pub trait ShapeOn<DB: DieselBackend>: Shape {
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError>;

    /// Where this shape's columns are in a row of a statement that is not ours.
    ///
    /// # Errors
    ///
    /// If they are not there.
    fn arrange<'r, R: Row<'r, DB>>(row: &R) -> Result<Vec<usize>>
    where
        DB: Driver,
    {
        Ok((0..row.field_count()).collect())
    }

    /// The primary key of the row, for an error message.
    fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
        let _ = row;
        None
    }
}

/// The model itself.
#[derive(Debug)]
pub struct Whole<M>(PhantomData<fn() -> M>);

/// The model and related ones; made by `select_related`.
#[derive(Debug)]
pub struct Joined<M, R>(PhantomData<fn() -> (M, R)>);

/// Values of fields; made by `values`.
#[derive(Debug)]
pub struct Values<E>(PhantomData<fn() -> E>);

/// Values of any expressions, as the types that were named; made by `values_as`.
#[derive(Debug)]
pub struct Expressions<T, ST>(PhantomData<fn() -> (T, ST)>);

/// A row of the shape `S`, and values that were computed for it; made by `annotate`.
#[derive(Debug)]
pub struct Annotated<S, E>(PhantomData<fn() -> (S, E)>);

/// The keys of a group, and what was computed of it; made by `group_by`.
#[derive(Debug)]
pub struct Grouped<K, A>(PhantomData<fn() -> (K, A)>);

fn names_of(table: &'static Table, out: &mut Vec<ColumnName>) {
    out.extend(table.columns.iter().map(|c| ColumnName { model: Some(table.model), field: Some(c.field) }));
}

impl<M: Model> Shape for Whole<M> {
    type Row = M;
    fn names(out: &mut Vec<ColumnName>) {
        names_of(M::TABLE, out);
    }
}

impl<M: FromRow<DB>, DB: DieselBackend> ShapeOn<DB> for Whole<M> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<M, ColumnError> {
        M::from_row(row)
    }
    fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
        M::describe_key(row, 0)
    }
}

impl<E: Selection + 'static> Shape for Values<E> {
    type Row = E::Row;
    fn names(out: &mut Vec<ColumnName>) {
        E::names(out);
    }
}

impl<E: SelectionOn<DB> + 'static, DB: DieselBackend> ShapeOn<DB> for Values<E> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<E::Row, ColumnError> {
        E::read(row)
    }
}

impl<S: Shape, E: Selection + 'static> Shape for Annotated<S, E> {
    type Row = (S::Row, E::Row);
    fn names(out: &mut Vec<ColumnName>) {
        S::names(out);
        E::names(out);
    }
}

impl<S: ShapeOn<DB>, E: SelectionOn<DB> + 'static, DB: DieselBackend> ShapeOn<DB> for Annotated<S, E> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        Ok((S::read(row)?, E::read(row)?))
    }
    fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
        S::key(row)
    }
}

impl<K: Selection + 'static, A: Selection + 'static> Shape for Grouped<K, A> {
    type Row = (K::Row, A::Row);
    fn names(out: &mut Vec<ColumnName>) {
        K::names(out);
        A::names(out);
    }
}

impl<K, A, DB> ShapeOn<DB> for Grouped<K, A>
where
    K: SelectionOn<DB> + 'static,
    A: SelectionOn<DB> + 'static,
    DB: DieselBackend,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        Ok((K::read(row)?, A::read(row)?))
    }
}

impl<T: 'static, ST: 'static> Shape for Expressions<T, ST> {
    type Row = T;
    fn names(_: &mut Vec<ColumnName>) {}
}

impl<T: ReadAs<ST, DB> + 'static, ST: 'static, DB: DieselBackend> ShapeOn<DB> for Expressions<T, ST> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<T, ColumnError> {
        T::read(row)
    }
}

/// The relations that `select_related` is given: one, or a tuple of up to 12.
#[diagnostic::on_unimplemented(
    message = "`select_related` takes relations of `{M}`, and this is none",
    label = "not a relation of `{M}`, nor a tuple of up to 12",
    note = "a relation is what `belongs_to` made, such as `f.airline()` or `f.origin().hub()`"
)]
pub trait Related<M: Model>: 'static {
    #[doc(hidden)]
    fn tables(out: &mut Vec<(String, &'static Table)>);
}

/// Reads a model at the end of a path of such a nullability.
#[doc(hidden)]
pub trait ReadModel<DB: DieselBackend>: Nullability {
    fn read<'r, P, R>(row: &mut RowReader<'_, R>) -> Result<Self::Row<P::Target>, ColumnError>
    where
        P: Path<Target: FromRow<DB>>,
        R: Row<'r, DB>;
}

impl<DB: DieselBackend> ReadModel<DB> for Required {
    #[inline]
    fn read<'r, P, R>(row: &mut RowReader<'_, R>) -> Result<P::Target, ColumnError>
    where
        P: Path<Target: FromRow<DB>>,
        R: Row<'r, DB>,
    {
        P::Target::from_row(row)
    }
}

impl<DB: DieselBackend> ReadModel<DB> for Optional {
    #[inline]
    fn read<'r, P, R>(row: &mut RowReader<'_, R>) -> Result<Option<P::Target>, ColumnError>
    where
        P: Path<Target: FromRow<DB>>,
        R: Row<'r, DB>,
    {
        // The column that the key is equal to is NULL only where no row was found; all others may be NULL in a row.
        if row.is_null(P::presence()) {
            row.skip(P::Target::TABLE.columns.len());
            return Ok(None);
        }
        P::Target::from_row(row).map(Some)
    }
}

/// The row that an accessor adds.
type RowOf<T> = <<<T as Accessors>::Path as Path>::Null as Nullability>::Row<<<T as Accessors>::Path as Path>::Target>;

macro_rules! related {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<M: Model, $($T),+> Related<M> for ($($T,)+)
        where
            $($T: Accessors<Path: Path<Root = M>> + 'static, RowOf<$T>: 'static,)+
        {
            fn tables(out: &mut Vec<(String, &'static Table)>) {
                $( out.push((<$T::Path as Path>::alias(), <<$T::Path as Path>::Target as Model>::TABLE)); )+
            }
        }

        #[diagnostic::do_not_recommend]
        impl<M: Model, $($T),+> IntoRelated<M> for ($($T,)+)
        where
            Self: Related<M>,
        {
            type Related = Self;
        }

        impl<M: Model, $($T),+> Shape for Joined<M, ($($T,)+)>
        where
            ($($T,)+): Related<M>,
            $($T: Accessors + 'static, RowOf<$T>: 'static,)+
        {
            type Row = (M, $(RowOf<$T>,)+);
            fn names(out: &mut Vec<ColumnName>) {
                names_of(M::TABLE, out);
                $( names_of(<<$T::Path as Path>::Target as Model>::TABLE, out); )+
            }
        }

        impl<M: FromRow<DB>, DB: DieselBackend, $($T),+> ShapeOn<DB> for Joined<M, ($($T,)+)>
        where
            Self: Shape<Row = (M, $(RowOf<$T>,)+)>,
            $(
                $T: Accessors<Path: Path<Target: FromRow<DB>, Null: ReadModel<DB>>>,
            )+
        {
            #[inline]
            fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
                Ok((
                    M::from_row(row)?,
                    $( <<$T::Path as Path>::Null as ReadModel<DB>>::read::<$T::Path, R>(row)?, )+
                ))
            }
            fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
                M::describe_key(row, 0)
            }
        }
    };
}
crate::tuples::for_each_tuple!(12 related);

/// A shape whose rows can be read from the backend `B`.
#[diagnostic::on_unimplemented(
    message = "these rows cannot be read from a database of the backend `{B}`",
    label = "a field has a type that this backend cannot read",
    note = "a field's type must be one that this backend can read; `Any` needs every enabled backend to read it"
)]
pub trait ReadableOn<B: Backend>: Shape {
    /// Does `task` on the backend that is really there.
    #[doc(hidden)]
    fn run<T: ReadTask<B, Self::Row>>(on: Handle<'_, B>, task: T) -> T::Output;
}

/// Work on a shape's rows that is the same on every backend, written once.
#[doc(hidden)]
pub trait ReadTask<B: Backend, Row> {
    type Output;
    fn on<DB: Driver, S: ShapeOn<DB, Row = Row>>(self, session: Session<'_, DB>) -> Self::Output
    where
        B: PartsOf<DB>;
}

#[diagnostic::do_not_recommend]
impl<DB, S> ReadableOn<DB> for S
where
    DB: Driver<Database = Pool<DB>, Transaction = Inner<DB>> + PartsOf<DB>,
    S: ShapeOn<DB>,
{
    fn run<T: ReadTask<DB, S::Row>>(on: Handle<'_, DB>, task: T) -> T::Output {
        task.on::<DB, S>(on.into())
    }
}

#[diagnostic::do_not_recommend]
impl<S: ShapeOnEach> ReadableOn<Any> for S {
    fn run<T: ReadTask<Any, S::Row>>(on: Handle<'_, Any>, task: T) -> T::Output {
        on_backend!(on, DB, session => task.on::<DB, S>(session))
    }
}
