//! Assignments: `f.delay.set(f.delay + 5)`, for `update`.

use std::{marker::PhantomData, sync::Arc};

use diesel::{
    QueryResult,
    backend::Backend as DieselBackend,
    expression::{AppearsOnTable, Expression, ValidGrouping},
    query_builder::{AstPass, QueryFragment},
    sql_types::{Nullable, SqlType},
};

use super::{Field, RootedAt, facts};
use crate::{
    backend::{Backend, BackendKind, IntoPart},
    error::BoxError,
    model::{Model, ModelColumn, WriteColumn},
    path::{Join, Root},
    queryset::condition::NoAggregate,
    types::Rules,
};

/// The value `V` for the column `C` at the end of the path `P`; made by [`Field::set`].
#[derive(Clone, Copy, Debug)]
#[must_use = "an assignment does nothing until it is given to `update`"]
pub struct Assignment<P, C, V> {
    value: V,
    field: PhantomData<fn() -> (P, C)>,
}

impl<P, C: ModelColumn> Field<P, C> {
    /// Assigns a value, or what an expression gives, to the field; for [`update`](crate::QuerySet::update).
    ///
    /// A value is of the field's type, or a reference to one; `&str` is a `String`'s, and a field that is an `Option` takes
    /// `None`, a whole `Option`, and what may stand in it. It is checked as `bulk_create` checks it, before anything is sent.
    /// An expression, such as `f.delay + 5`, sees the row as it was before the update.
    pub fn set<V, Kind>(self, value: V) -> Assignment<P, C, V::Value>
    where
        V: Assignable<C, Kind>,
    {
        Assignment { value: value.into_value(), field: PhantomData }
    }
}

/// What can be assigned to the column `C`: a value of its type, or an expression. `Kind` says which of them it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be assigned to this field",
    label = "neither a value of the field's type nor an expression of its SQL type",
    note = "a value is of the field's type, or a reference to one; only an `Option` takes `None`, or an expression that may be \
            NULL"
)]
pub trait Assignable<C: ModelColumn, Kind> {
    /// What is kept until the statement is written.
    type Value;
    #[doc(hidden)]
    fn into_value(self) -> Self::Value;
}

/// Kinds of what can be assigned: they keep the implementations of [`Assignable`] apart.
pub(crate) mod kind {
    #[derive(Debug)]
    pub struct Own;
    #[derive(Debug)]
    pub struct Reference;
    #[derive(Debug)]
    pub struct Borrowed;
    #[derive(Debug)]
    pub struct Computed;
    /// The same, for a column that may be NULL, of what may not.
    #[derive(Debug)]
    pub struct Inside<K>(std::marker::PhantomData<K>);
}

/// A value of a column's Rust type.
pub struct Value<C: ModelColumn>(C::Rust);

/// An expression.
#[derive(Clone, Copy, Debug)]
pub struct Computed<E>(E);

impl<C: ModelColumn> std::fmt::Debug for Value<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({})", C::NAME)
    }
}

macro_rules! values {
    ($([$($generics:tt)*] $kind:ty, $rust:ty: $given:ty, $value:ident => $own:expr;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Assignable<C, $kind> for $given
        where
            C: ModelColumn<Rust = $rust>,
        {
            type Value = Value<C>;
            fn into_value(self) -> Value<C> {
                let $value = self;
                Value($own)
            }
        }
    )* };
}
values! {
    [C, T: 'static] kind::Own, T: T, value => value;
    [C, T: 'static] kind::Inside<kind::Own>, Option<T>: T, value => Some(value);
    ['v, C, T: Clone + 'static] kind::Reference, T: &'v T, value => value.clone();
    ['v, C, T: Clone + 'static] kind::Inside<kind::Reference>, Option<T>: &'v T, value => Some(value.clone());
    ['v, C] kind::Borrowed, String: &'v str, value => value.to_owned();
    ['v, C] kind::Inside<kind::Borrowed>, Option<String>: &'v str, value => Some(value.to_owned());
    ['v, C] kind::Borrowed, Vec<u8>: &'v [u8], value => value.to_vec();
    ['v, C] kind::Inside<kind::Borrowed>, Option<Vec<u8>>: &'v [u8], value => Some(value.to_vec());
}

#[diagnostic::do_not_recommend]
impl<C: ModelColumn, E: Expression<SqlType = C::SqlType>> Assignable<C, kind::Computed> for E {
    type Value = Computed<E>;
    fn into_value(self) -> Computed<E> {
        Computed(self)
    }
}

#[diagnostic::do_not_recommend]
impl<C, E, ST> Assignable<C, kind::Inside<kind::Computed>> for E
where
    C: ModelColumn<SqlType = Nullable<ST>>,
    E: Expression<SqlType = ST>,
    ST: SqlType,
{
    type Value = Computed<E>;
    fn into_value(self) -> Computed<E> {
        Computed(self)
    }
}

impl<C: ModelColumn + WriteColumn<C::Rust, DB>, DB: DieselBackend> QueryFragment<DB> for Value<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        <C as WriteColumn<C::Rust, DB>>::bind(&self.0, &mut out)
    }
}

impl<E: QueryFragment<DB>, DB: DieselBackend> QueryFragment<DB> for Computed<E> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::expect::<E>();
        self.0.walk_ast(out)
    }
}

#[cfg(all(test, feature = "mysql"))]
pub(crate) fn computed<E>(expression: E) -> Computed<E> {
    Computed(expression)
}

/// An assignment as a statement keeps it.
pub struct Set<'a, B: Backend> {
    /// The position of the column.
    pub(crate) column: usize,
    pub(crate) part: Arc<B::Part<'a>>,
    /// The joins that any of the assignments needs, where this one is an expression.
    pub(crate) computed: Option<Arc<[Join]>>,
}

impl<B: Backend> std::fmt::Debug for Set<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("column", &self.column).finish_non_exhaustive()
    }
}

/// Why a value cannot be stored, and the position of its column.
pub(crate) type Unfit = (usize, BoxError);

/// What `update` takes: assignments to fields of `M`, as a tuple of up to 16, or one.
pub trait Assignments<'a, M, B: Backend> {
    #[doc(hidden)]
    fn keep(self, backend: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit>;
}

/// A closure that gives assignments; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give assignments to fields of `{M}`",
    label = "gives neither an assignment nor a tuple of up to 16",
    note = "an assignment is `f.name.set(value)`, of a field of the model itself: related rows are updated by a queryset of \
            their own model"
)]
pub trait GivesAssignments<'a, M, B: Backend, A> {
    fn keep(assignments: A, backend: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, A: Assignments<'a, M, B>, F> GivesAssignments<'a, M, B, A> for F {
    fn keep(assignments: A, backend: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit> {
        assignments.keep(backend, out)
    }
}

/// The position of a column in its model.
pub(crate) fn position<C: ModelColumn>() -> usize {
    C::Model::TABLE.position(C::NAME).unwrap_or_else(|| unreachable!("the derive lists every column"))
}

impl<'a, M, B, C> Assignments<'a, M, B> for Assignment<Root<M>, C, Value<C>>
where
    B: Backend,
    C: ModelColumn<Model = M, Codec: Rules<C::Rust>>,
    Value<C>: IntoPart<'a, B>,
{
    fn keep(self, backend: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit> {
        let column = position::<C>();
        let value = &self.value.0;
        C::Codec::validate(value, backend).and_then(|()| C::check(value)).map_err(|why| (column, why))?;
        out.push(Set { column, part: self.value.into_part(), computed: None });
        Ok(())
    }
}

impl<'a, M, B, C, E> Assignments<'a, M, B> for Assignment<Root<M>, C, Computed<E>>
where
    B: Backend,
    C: ModelColumn<Model = M>,
    E: AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: NoAggregate>,
    Computed<E>: IntoPart<'a, B>,
{
    fn keep(self, _: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit> {
        out.push(Set { column: position::<C>(), part: self.value.into_part(), computed: Some(Arc::default()) });
        Ok(())
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<'a, M, B: Backend, $($T: Assignments<'a, M, B>),+> Assignments<'a, M, B> for ($($T,)+) {
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn keep(self, backend: BackendKind, out: &mut Vec<Set<'a, B>>) -> Result<(), Unfit> {
                let ($($T,)+) = self;
                $( $T.keep(backend, out)?; )+
                Ok(())
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);
