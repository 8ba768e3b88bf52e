//! Arithmetic of fields: `f.arr_delay - f.dep_delay`, and with what that gives.
//!
//! These are not Diesel's operators, because Diesel writes `/` for every backend, and on MySQL a `/` of integers has a
//! fraction. There it has to be `DIV`, so that a condition finds the same rows everywhere. Nor does Diesel let what may be
//! NULL meet what may not. On SQLite, where decimals are text, they are computed by functions of ours, exactly.
//!
//! What an operator gives has the type of its operands, as in Rust: a difference of `u32`s that is below 0 cannot be
//! read as a `u32`, which is an error. Nothing wraps: a result that the type cannot hold is an error of the server's, or one
//! when it is read; only where SQLite compares integers beyond 64 bits it compares them as floats. On MySQL and MariaDB a
//! difference of `u64`s that is below 0 is an error of the server's, in a condition as well; `cast::<i64>()` first where it may
//! be. MySQL and MariaDB keep at
//! most 65 digits of a product of decimals, 30 or 38 of them behind the point, and round it to that.

use std::ops;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{self, IntoNotNullable, SqlType},
};

use super::{
    Expr, Field, NativeRust, Readable,
    expr::on_expressions,
    facts,
    function::{Call, Function, Nullness, Plain, Words},
};
use crate::{
    backend::{BackendKind, Driver},
    sql_types::{ColumnSql, Decimal, I8, U8, U16, U32, U64},
    types::{Native, Term},
};

/// The SQL type of an expression.
type SqlTypeOf<E> = <E as Expression>::SqlType;
/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;
/// Whether an expression may be NULL.
type NullOf<E> = <<E as Expression>::SqlType as SqlType>::IsNull;

/// The operators of Diesel's number types are Diesel's to say; these are those of ours.
macro_rules! operators_of {
    ($($name:ident: $($operator:ident)*;)*) => { $( $(
        impl sql_types::ops::$operator for $name {
            type Rhs = $name;
            type Output = $name;
        }
    )* )* };
}
operators_of! {
    I8: Add Sub Mul Div;
    U8: Add Sub Mul Div;
    U16: Add Sub Mul Div;
    U32: Add Sub Mul Div;
    U64: Add Sub Mul Div;
    // No quotient of decimals is exact, and each backend rounds it at another digit.
    Decimal: Add Sub Mul;
}

/// SQL types of integers.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` are no integers",
    label = "not a field of integers"
)]
pub trait Integral: Plain {}
/// SQL types of numbers.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` are no numbers",
    label = "not a field of numbers"
)]
pub trait Number: Plain {}

macro_rules! numbers {
    (integers: $($integer:ty),*; others: $($other:ty),*) => {
        $( impl Integral for $integer {} impl Number for $integer {} )*
        $( impl Number for $other {} )*
    };
}
numbers! {
    integers: sql_types::SmallInt, sql_types::Integer, sql_types::BigInt, I8, U8, U16, U32, U64;
    others: sql_types::Float, sql_types::Double
}
#[cfg(feature = "numeric")]
impl Number for Decimal {}

/// Whether values are kept as text on SQLite, and computed by functions of ours.
pub(super) fn is_decimal<ST: ColumnSql>() -> bool {
    ST::COLUMN == Decimal::COLUMN
}

/// How an operator of integers is written.
#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
}

impl Sign {
    fn on(self, backend: BackendKind, of_integers: bool) -> &'static str {
        match self {
            Sign::Plus => " + ",
            Sign::Minus => " - ",
            Sign::Times => " * ",
            Sign::Over if of_integers && backend == BackendKind::Mysql => " DIV ",
            Sign::Over => " / ",
        }
    }
}

macro_rules! results {
    ($($(#[$attribute:meta])* $name:ident $operator:ident $sign:ident;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, QueryId)]
        #[must_use = "an expression does nothing until it is used in a query"]
        pub struct $name<L, R> {
            left: L,
            right: R,
        }

        impl<L, R> Expression for $name<L, R>
        where
            L: Expression<
                SqlType: SqlType<IsNull: Nullness>
                             + IntoNotNullable<NotNullable: sql_types::ops::$operator<Output: Plain>>,
            >,
            R: Expression<SqlType: SqlType<IsNull: Nullness>>,
        {
            type SqlType = <<NullOf<L> as Nullness>::Or<NullOf<R>> as Nullness>::Of<
                <Base<L> as sql_types::ops::$operator>::Output,
            >;
        }
        impl<QS, L: AppearsOnTable<QS>, R: AppearsOnTable<QS>> AppearsOnTable<QS> for $name<L, R> where Self: Expression {}
        impl<QS, L: SelectableExpression<QS>, R: SelectableExpression<QS>> SelectableExpression<QS> for $name<L, R> where
            Self: AppearsOnTable<QS>
        {
        }
        impl<G, L, R> ValidGrouping<G> for $name<L, R>
        where
            (L, R): ValidGrouping<G>,
        {
            type IsAggregate = <(L, R) as ValidGrouping<G>>::IsAggregate;
        }

        impl<L, R> Readable for $name<L, R>
        where
            Self: Expression<SqlType: NativeRust>,
        {
            type Rust = <SqlTypeOf<Self> as NativeRust>::Rust;
            type Codec = Native;
        }

        impl<DB, L, R> QueryFragment<DB> for $name<L, R>
        where
            DB: Driver,
            L: QueryFragment<DB> + Expression<SqlType: ColumnSql>,
            R: QueryFragment<DB>,
        {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                facts::known::<Self>();
                facts::expect::<L>();
                facts::expect::<R>();
                let by_function = DB::KIND == BackendKind::Sqlite && L::SqlType::COLUMN == Decimal::COLUMN;
                let sign = Sign::$sign.on(DB::KIND, L::SqlType::COLUMN.is_integer());
                if by_function {
                    out.push_sql("orm_decimal('");
                    out.push_sql(sign.trim());
                    out.push_sql("', ");
                } else {
                    out.push_sql("(");
                }
                self.left.walk_ast(out.reborrow())?;
                out.push_sql(if by_function { ", " } else { sign });
                self.right.walk_ast(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
        }
    )* };
}
results! {
    /// `left + right`
    Sum Add Plus;
    /// `left - right`
    Difference Sub Minus;
    /// `left * right`
    Product Mul Times;
    /// `left / right`, which of integers is an integer on every backend.
    Quotient Div Over;
}

macro_rules! operators {
    ($($operator:ident $method:ident $result:ident;)*) => { $(
        operators!(@on [P, C] Field<P, C>, $operator $method $result);
        operators!(@on [X] Expr<X>, $operator $method $result);
    )* };
    (@on [$($parameter:ident),*] $on:ty, $operator:ident $method:ident $result:ident) => {
        impl<$($parameter,)* Rhs> ops::$operator<Rhs> for $on
        where
            Self: Expression<SqlType: IntoNotNullable<NotNullable: sql_types::ops::$operator>>,
            Rhs: Term<<Base<Self> as sql_types::ops::$operator>::Rhs>,
        {
            type Output = Expr<$result<Self, Rhs::Expression>>;

            fn $method(self, right: Rhs) -> Self::Output {
                Expr($result { left: self, right: right.into_term() })
            }
        }
    };
}
operators! {
    Add add Sum;
    Sub sub Difference;
    Mul mul Product;
    Div div Quotient;
}

macro_rules! unary_and_remainder {
    ($([$($parameter:ident),*] $on:ty;)*) => { $(
        /// What is left of a division of integers, with the sign of what is divided, as in Rust.
        impl<$($parameter,)* Rhs> ops::Rem<Rhs> for $on
        where
            Self: Expression<SqlType: IntoNotNullable<NotNullable: Integral>>,
            Rhs: Term<Base<Self>>,
        {
            type Output = Expr<Function<Remainder, (Self, Rhs::Expression)>>;
            fn rem(self, right: Rhs) -> Self::Output {
                Function::expression(Remainder, (self, right.into_term()))
            }
        }

        impl<$($parameter),*> ops::Neg for $on
        where
            Self: Expression<SqlType: IntoNotNullable<NotNullable: Number>>,
        {
            type Output = Expr<Function<Negative, (Self,)>>;
            fn neg(self) -> Self::Output {
                Function::expression(Negative, (self,))
            }
        }
    )* };
}
unary_and_remainder! {
    [P, C] Field<P, C>;
    [X] Expr<X>;
}

macro_rules! bits {
    ($($(#[$attribute:meta])* $method:ident $name:ident $words:expr;)*) => {
        on_expressions! { $(
            $(#[$attribute])*
            pub fn $method<T>(self, other: T) -> Expr<Function<$name, (Self, T::Expression)>>
            where
                Self: Expression<SqlType: IntoNotNullable>,
                Base<Self>: Integral,
                T: Term<Base<Self>>,
            {
                Function::expression($name, (self, other.into_term()))
            }
        )* }
        $( of_both! { #[doc = concat!("`", stringify!($method), "`")] $name $words } )*
    };
}

/// A function of two numbers of one type, which gives that type.
macro_rules! of_both {
    (#[$doc:meta] $name:ident $words:expr) => {
        #[$doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl<L, R> Call<(L, R)> for $name
        where
            L: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Plain>>,
            R: Expression<SqlType: SqlType<IsNull: Nullness>>,
        {
            type SqlType = <<NullOf<L> as Nullness>::Or<NullOf<R>> as Nullness>::Of<Base<L>>;
            type Rust = <Self::SqlType as NativeRust>::Rust;
            type Codec = Native;
            fn words(&self) -> Words {
                $words
            }
        }
    };
}
of_both! { #[doc = "`%`"] Remainder Words::alike("({0} % {1})") }

bits! {
    /// The bits that both have, of integers that are not negative: on MySQL and MariaDB other bits are those of an unsigned
    /// number, which cannot be read.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, flags: i32 }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, flags: 6 }, Flight { id: 2, flags: 1 }])?;
    /// assert_eq!(Flight::objects(&db).filter(|f| f.flags.bit_and(4).ne(0)).values(|f| f.id).load()?, [1]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    bit_and BitAnd Words::alike("({0} & {1})");
    /// The bits that either has, of integers that are not negative.
    bit_or BitOr Words::alike("({0} | {1})");
}

/// Unary `-`
#[derive(Clone, Copy, Debug)]
pub struct Negative;

impl<E> Call<(E,)> for Negative
where
    E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Number>>,
{
    type SqlType = <NullOf<E> as Nullness>::Of<Base<E>>;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn words(&self) -> Words {
        let sqlite = if is_decimal::<Base<E>>() { "orm_decimal('-', '0', {0})" } else { "(-{0})" };
        Words::each("(-{0})", "(-{0})", sqlite)
    }
}
