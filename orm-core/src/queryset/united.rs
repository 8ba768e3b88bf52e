//! The columns of a union of values: those of the first queryset, nullable where any queryset's column is.

use std::{fmt, marker::PhantomData};

use diesel::{
    backend::Backend,
    expression::{AppearsOnTable, Expression, TypedExpressionType, ValidGrouping, is_aggregate},
    query_builder::QueryId,
    row::Row,
    sql_types::{IntoNullable, SingleValue, SqlType, is_nullable},
};

use super::group_keys::{Keys, OneKey};
use crate::{
    field::{Readable, Selection, SelectionOn},
    stream::row::{ColumnError, ColumnName, RowReader},
    types::{Codec, nullable::Optionality},
};

/// Values that can be united with the values `E2` of another queryset: as many, of the same types, `Option` or not.
#[diagnostic::on_unimplemented(
    message = "the querysets select values of different types",
    label = "selects other values than the first queryset",
    note = "select as many values, of the same types in the same order; one may be an `Option` where the other is not"
)]
pub trait Unites<E2> {
    /// The values together: an `Option` where either is.
    type United: Keys;
}

/// Whether an expression may be NULL.
type NullOf<E> = <<E as Expression>::SqlType as SqlType>::IsNull;

/// What the values of `E` are read as, by whether `E` may be NULL and whether what it is united with may.
#[doc(hidden)]
pub trait Fit<E> {
    type SqlType: SqlType + SingleValue + TypedExpressionType;
    type Rust: 'static;
    type Codec;
}

macro_rules! fits_already {
    ($($own:ident, $other:ident;)*) => { $(
        impl<E> Fit<E> for (is_nullable::$own, is_nullable::$other)
        where
            E: Readable<SqlType: SqlType + SingleValue + TypedExpressionType>,
        {
            type SqlType = E::SqlType;
            type Rust = E::Rust;
            type Codec = E::Codec;
        }
    )* };
}
fits_already! {
    NotNull, NotNull;
    IsNullable, NotNull;
    IsNullable, IsNullable;
}

impl<E> Fit<E> for (is_nullable::NotNull, is_nullable::IsNullable)
where
    E: Readable<SqlType: IntoNullable<Nullable: SqlType + SingleValue + TypedExpressionType>>,
    is_nullable::NotNull: Optionality<E::Rust, E::Codec>,
{
    type SqlType = <E::SqlType as IntoNullable>::Nullable;
    type Rust = <is_nullable::NotNull as Optionality<E::Rust, E::Codec>>::Rust;
    type Codec = <is_nullable::NotNull as Optionality<E::Rust, E::Codec>>::Codec;
}

#[diagnostic::do_not_recommend]
impl<E, E2, T> Unites<E2> for E
where
    E: OneKey + Readable<SqlType: SqlType>,
    E2: OneKey + Readable<SqlType: SqlType>,
    (NullOf<E>, NullOf<E2>): Fit<E, Rust = T>,
    (NullOf<E2>, NullOf<E>): Fit<E2, Rust = T>,
    United<E, E2>: OneKey,
{
    type United = United<E, E2>;
}

/// A column of a union: that of `E` united with that of `E2`.
pub struct United<E, E2>(PhantomData<fn() -> (E, E2)>);

impl<E, E2> Clone for United<E, E2> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E, E2> Copy for United<E, E2> {}
impl<E, E2> fmt::Debug for United<E, E2> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("United")
    }
}

impl<E, E2> Expression for United<E, E2>
where
    E: Expression<SqlType: SqlType>,
    E2: Expression<SqlType: SqlType>,
    (NullOf<E>, NullOf<E2>): Fit<E>,
{
    type SqlType = <(NullOf<E>, NullOf<E2>) as Fit<E>>::SqlType;
}
impl<E, E2> Readable for United<E, E2>
where
    E: Expression<SqlType: SqlType>,
    E2: Expression<SqlType: SqlType>,
    (NullOf<E>, NullOf<E2>): Fit<E>,
{
    type Rust = <(NullOf<E>, NullOf<E2>) as Fit<E>>::Rust;
    type Codec = <(NullOf<E>, NullOf<E2>) as Fit<E>>::Codec;
}
impl<QS, E: AppearsOnTable<QS>, E2> AppearsOnTable<QS> for United<E, E2> where Self: Expression {}
impl<G, E, E2> ValidGrouping<G> for United<E, E2> {
    type IsAggregate = is_aggregate::No;
}
impl<E, E2> QueryId for United<E, E2> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<E, E2> Selection for United<E, E2>
where
    E: Selection,
    Self: Readable,
{
    type Row = <Self as Readable>::Rust;

    fn names(out: &mut Vec<ColumnName>) {
        E::names(out);
    }
}
impl<E, E2, DB: Backend> SelectionOn<DB> for United<E, E2>
where
    E: Selection,
    Self: Readable<Codec: Codec<<Self as Readable>::Rust, DB>>,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        row.read::<<Self as Readable>::Codec, _, _>()
    }
}
impl<E: 'static, E2: 'static> OneKey for United<E, E2> where Self: Selection {}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        #[diagnostic::do_not_recommend]
        impl<$($T, $S),+> Unites<($($S,)+)> for ($($T,)+)
        where
            $( $T: Unites<$S>, )+
            ($($T::United,)+): Keys,
        {
            type United = ($($T::United,)+);
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);
