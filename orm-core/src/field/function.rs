//! Functions: an expression that is written around others, in each backend's own words.
//!
//! What a function is called, and what it computes, differs from backend to backend. A [`Call`] says for each backend
//! what is written, with `{0}`, `{1}` … where the arguments stand, so that the differences can be read side by side.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Nullable, SqlType, is_nullable},
};

use super::{Expr, NativeRust, Place, Readable, facts};
use crate::{
    backend::{BackendKind, Driver},
    sql_types::ColumnSql,
    types::Native,
};

/// What a function of the arguments `A` gives, and how it is written.
#[doc(hidden)]
pub trait Call<A> {
    /// The SQL type.
    type SqlType: ColumnSql + TypedExpressionType;
    /// What it is read as.
    type Rust: 'static;
    /// How it is read.
    type Codec;
    /// Whether the arguments are compared with each other in the order of their type.
    const COMPARES: bool = false;
    /// What is written, with `{0}` where the first argument stands.
    fn words(&self) -> Words;
    /// Says why it cannot be written for this backend.
    fn check(&self, backend: BackendKind) -> std::result::Result<(), String> {
        let _ = backend;
        Ok(())
    }
}

/// What is written on each backend.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub(crate) postgres: &'static str,
    pub(crate) mysql: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Words {
    /// The same on every backend.
    pub(crate) const fn alike(words: &'static str) -> Self {
        Words { postgres: words, mysql: words, sqlite: words }
    }

    /// On PostgreSQL, on MySQL, on SQLite.
    pub(crate) const fn each(postgres: &'static str, mysql: &'static str, sqlite: &'static str) -> Self {
        Words { postgres, mysql, sqlite }
    }

    /// What stands before the only argument, and behind it.
    pub(crate) fn around(self, backend: BackendKind) -> (&'static str, &'static str) {
        self.on(backend).split_once("{0}").unwrap_or_default()
    }

    fn on(self, backend: BackendKind) -> &'static str {
        match backend {
            BackendKind::Postgres => self.postgres,
            BackendKind::Mysql => self.mysql,
            BackendKind::Sqlite => self.sqlite,
        }
    }
}

/// A function, which `K` says the name of, of a tuple of arguments.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Function<K, A> {
    kind: K,
    arguments: A,
}

/// A function as an expression with a field's methods.
pub(crate) type Of<K, A> = Expr<Function<K, A>>;

impl<K, A> Function<K, A> {
    pub(crate) fn expression(kind: K, arguments: A) -> Expr<Self> {
        Expr(Function { kind, arguments })
    }
}

impl<K: Call<A>, A> Expression for Function<K, A> {
    type SqlType = K::SqlType;
}
impl<K: Call<A>, A> Readable for Function<K, A> {
    type Rust = K::Rust;
    type Codec = K::Codec;
}
impl<QS, K: Call<A>, A: AppearsOnTable<QS>> AppearsOnTable<QS> for Function<K, A> {}
impl<QS, K: Call<A>, A: AppearsOnTable<QS>> SelectableExpression<QS> for Function<K, A> {}
impl<G, K, A: ValidGrouping<G>> ValidGrouping<G> for Function<K, A> {
    type IsAggregate = A::IsAggregate;
}
impl<K, A> QueryId for Function<K, A> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, K: Call<A>, A: Arguments<DB>> QueryFragment<DB> for Function<K, A> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        self.kind.check(DB::KIND).map_err(|reason| diesel::result::Error::QueryBuilderError(reason.into()))?;
        let place = if K::COMPARES { Place::Compared } else { Place::Elsewhere };
        let mut words = self.kind.words().on(DB::KIND);
        while let Some((before, argument, rest)) = next_argument(words) {
            out.push_sql(before);
            place.of(|| self.arguments.write(argument, out.reborrow()))?;
            words = rest;
        }
        out.push_sql(words);
        Ok(())
    }
}

/// What stands before the next `{0}`, its number, and what stands behind it. Other braces are those of SQL.
fn next_argument(words: &str) -> Option<(&str, usize, &str)> {
    words.match_indices('{').find_map(|(at, _)| match words.as_bytes().get(at + 1..at + 3) {
        Some([digit @ b'0'..=b'9', b'}']) => Some((&words[..at], usize::from(digit - b'0'), &words[at + 3..])),
        _ => None,
    })
}

/// Arguments that can be written one by one.
#[doc(hidden)]
pub trait Arguments<DB: Driver> {
    /// How many they are.
    const NUMBER: usize;
    fn write<'b>(&'b self, at: usize, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// Whether any of the arguments may be NULL.
#[doc(hidden)]
pub trait Nulls {
    type Null: Nullness;
}

/// Whether something may be NULL.
#[doc(hidden)]
pub trait Nullness {
    /// `ST`, which may be NULL if this may.
    type Of<ST: Plain>: ColumnSql + TypedExpressionType + NativeRust;
    /// Whether this or the other may be NULL.
    type Or<N: Nullness>: Nullness;
    /// Whether both may be NULL.
    type And<N: Nullness>: Nullness;
}

/// An SQL type that is read as a Rust type of its own, and is not nullable.
#[doc(hidden)]
pub trait Plain: ColumnSql + SqlType<IsNull = is_nullable::NotNull> + TypedExpressionType + NativeRust {}
impl<ST> Plain for ST where ST: ColumnSql + SqlType<IsNull = is_nullable::NotNull> + TypedExpressionType + NativeRust {}

impl Nullness for is_nullable::NotNull {
    type Of<ST: Plain> = ST;
    type Or<N: Nullness> = N;
    type And<N: Nullness> = is_nullable::NotNull;
}
impl Nullness for is_nullable::IsNullable {
    type Of<ST: Plain> = Nullable<ST>;
    type Or<N: Nullness> = is_nullable::IsNullable;
    type And<N: Nullness> = N;
}

/// What a value that is read as `T` is read as, once it may be NULL or cannot be: from the first of a pair of
/// [`Nullness`]es to the second.
#[doc(hidden)]
pub trait Refit<T, K> {
    type Rust: 'static;
    type Codec;
}
impl<T: 'static, K> Refit<T, K> for (is_nullable::NotNull, is_nullable::NotNull) {
    type Rust = T;
    type Codec = K;
}
impl<T: 'static, K> Refit<T, K> for (is_nullable::IsNullable, is_nullable::IsNullable) {
    type Rust = T;
    type Codec = K;
}
impl<T: 'static> Refit<T, Native> for (is_nullable::NotNull, is_nullable::IsNullable) {
    type Rust = Option<T>;
    type Codec = Native;
}
impl<T: 'static> Refit<Option<T>, Native> for (is_nullable::IsNullable, is_nullable::NotNull) {
    type Rust = T;
    type Codec = Native;
}

/// Whether an expression may be NULL.
type NullOf<E> = <<E as Expression>::SqlType as SqlType>::IsNull;

macro_rules! arguments {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<DB: Driver, $($T: QueryFragment<DB>),+> Arguments<DB> for ($($T,)+) {
            const NUMBER: usize = [$($at),+].len();
            fn write<'b>(&'b self, at: usize, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                match at {
                    $( $at => {
                        facts::expect::<$T>();
                        self.$at.walk_ast(out)
                    } )+
                    _ => Ok(()),
                }
            }
        }
    };
}
crate::tuples::for_each_tuple!(8 arguments);

impl<A> Nulls for (A,)
where
    A: Expression<SqlType: SqlType<IsNull: Nullness>>,
{
    type Null = NullOf<A>;
}
impl<A, B> Nulls for (A, B)
where
    A: Expression<SqlType: SqlType<IsNull: Nullness>>,
    B: Expression<SqlType: SqlType<IsNull: Nullness>>,
{
    type Null = <NullOf<A> as Nullness>::Or<NullOf<B>>;
}
impl<A, B, C> Nulls for (A, B, C)
where
    A: Expression<SqlType: SqlType<IsNull: Nullness>>,
    B: Expression<SqlType: SqlType<IsNull: Nullness>>,
    C: Expression<SqlType: SqlType<IsNull: Nullness>>,
{
    type Null = <<NullOf<A> as Nullness>::Or<NullOf<B>> as Nullness>::Or<NullOf<C>>;
}

/// The result of a [`Call`]: `ST`, which is NULL where an argument is.
pub(crate) type Result<A, ST> = <<A as Nulls>::Null as Nullness>::Of<ST>;

/// Names functions: `Name: SqlType, words;`. Each is NULL where an argument is.
macro_rules! calls {
    ($($(#[$attribute:meta])* $name:ident: $sql:ty, $words:expr $(, compares = $compares:literal)?;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        $crate::field::function::call!($name: $sql {
            $( const COMPARES: bool = $compares; )?
            fn words(&self) -> $crate::field::function::Words { $words }
        });
    )* };
}

/// Implements [`Call`] for what is NULL where an argument is, and else of an SQL type.
macro_rules! call {
    ($name:ty: $sql:ty { $($methods:tt)* }) => {
        impl<A: $crate::field::function::Nulls> $crate::field::function::Call<A> for $name {
            type SqlType = $crate::field::function::Result<A, $sql>;
            type Rust = <Self::SqlType as $crate::field::NativeRust>::Rust;
            type Codec = $crate::types::Native;
            $($methods)*
        }
    };
}
pub(crate) use call;
pub(crate) use calls;
