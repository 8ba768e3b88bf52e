//! Functions of numbers.

use diesel::{
    expression::Expression,
    sql_types::{Double, Float, Integer, IntoNotNullable, SqlType},
};

use super::{
    Expr, NativeRust,
    arithmetic::{Number, is_decimal},
    expr::on_expressions,
    function::{Call, Function, Nullness, Plain, Words},
};
use crate::types::{Native, PortableValue, Term};

/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;
/// Whether an expression may be NULL.
type NullOf<E> = <<E as Expression>::SqlType as SqlType>::IsNull;

/// SQL types of numbers with a fraction.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` have no fraction",
    label = "not a field of floats or decimals"
)]
pub trait Fractional: Number {}
impl Fractional for Float {}
impl Fractional for Double {}
#[cfg(feature = "numeric")]
impl Fractional for crate::sql_types::Decimal {}

/// SQL types of floats.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` are no floats",
    label = "not a field of floats",
    note = "of another number make one first: `f.x.cast::<f64>()`"
)]
pub trait Floating: Plain {}
impl Floating for Float {}
impl Floating for Double {}

/// SQL types of exact decimals.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` are no decimals",
    label = "not a field of decimals"
)]
pub trait Exact: Plain {}
#[cfg(feature = "numeric")]
impl Exact for crate::sql_types::Decimal {}

macro_rules! of_its_own_type {
    ($($(#[$attribute:meta])* $method:ident $name:ident $bound:ident, $words:expr, $decimal:literal;)*) => {
        on_expressions! { $(
            $(#[$attribute])*
            pub fn $method(self) -> Expr<Function<$name, (Self,)>>
            where
                Self: Expression<SqlType: IntoNotNullable>,
                Base<Self>: $bound,
            {
                Function::expression($name, (self,))
            }
        )* }
        $(
            #[doc = concat!("`", stringify!($method), "`")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl<E> Call<(E,)> for $name
            where
                E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: $bound>>,
            {
                type SqlType = <NullOf<E> as Nullness>::Of<Base<E>>;
                type Rust = <Self::SqlType as NativeRust>::Rust;
                type Codec = Native;
                fn words(&self) -> Words {
                    let words: Words = $words;
                    if is_decimal::<Base<E>>() { words.on_sqlite($decimal) } else { words }
                }
            }
        )*
    };
}
of_its_own_type! {
    /// The number without its sign.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, planned: i32, flown: i32, share: f64 }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, planned: 90, flown: 75, share: 2.5 }])?;
    /// let numbers = Flight::objects(&db).values(|f| ((f.flown - f.planned).abs(), f.share.round(), f.share.floor()));
    /// assert_eq!(numbers.get()?, (15, 3.0, 2.0));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    abs Absolute Number, Words::alike("ABS({0})"), "orm_decimal_abs({0})";
    /// The greatest whole number that is not above it.
    floor Floor Fractional,
        Words::each("FLOOR({0})", "FLOOR({0})", "orm_math('floor', {0})"), "orm_decimal_round('floor', {0}, 0)";
    /// The least whole number that is not below it.
    ceil Ceil Fractional,
        Words::each("CEIL({0})", "CEIL({0})", "orm_math('ceil', {0})"), "orm_decimal_round('ceil', {0}, 0)";
    /// The nearest whole number; of halves that which is farther from 0, as in Rust.
    // PostgreSQL takes the even one of floats, and MySQL's is the C library's choice.
    round Round Fractional,
        Words::each(
            "(TRUNC({0}) + CASE WHEN ABS({0} - TRUNC({0})) >= 0.5 THEN SIGN({0}) ELSE 0 END)",
            "(TRUNCATE({0}, 0) + CASE WHEN ABS({0} - TRUNCATE({0}, 0)) >= 0.5 THEN SIGN({0}) ELSE 0 END)",
            "orm_math('round', {0})"
        ), "orm_decimal_round('half', {0}, 0)";
}

impl Words {
    fn on_sqlite(self, words: &'static str) -> Self {
        Words { sqlite: words, ..self }
    }
}

macro_rules! floats {
    ($($(#[$attribute:meta])* $method:ident $name:ident, $words:literal, $sqlite:literal;)*) => {
        on_expressions! { $(
            $(#[$attribute])*
            pub fn $method(self) -> Expr<Function<$name, (Self,)>>
            where
                Self: Expression<SqlType: IntoNotNullable>,
                Base<Self>: Floating,
            {
                Function::expression($name, (self,))
            }
        )* }
        super::function::calls! { $(
            #[doc = concat!("`", stringify!($method), "`")]
            $name: Double, Words::each(
                concat!($words, "(CAST({0} AS DOUBLE PRECISION))"),
                concat!($words, "({0})"),
                concat!("orm_math('", $sqlite, "', {0})")
            );
        )* }
    };
}
floats! {
    /// The square root, as an `f64`. Of a negative number there is none: an error, but NULL on MySQL and MariaDB.
    ///
    /// The last digit of this and of the functions that follow may differ from backend to backend, and from Rust's.
    sqrt SquareRoot, "SQRT", "sqrt";
    /// The exponential function.
    exp Exponential, "EXP", "exp";
    /// The natural logarithm. Of 0 and of negative numbers there is none: an error, but NULL on MySQL and MariaDB.
    ln Logarithm, "LN", "ln";
    /// The sine of radians.
    sin Sine, "SIN", "sin";
    /// The cosine of radians.
    cos Cosine, "COS", "cos";
    /// The tangent of radians.
    tan Tangent, "TAN", "tan";
    /// The arcsine, in radians. Beyond 1 there is none: an error, but NULL on MySQL and MariaDB.
    asin Arcsine, "ASIN", "asin";
    /// The arccosine, in radians. Beyond 1 there is none: an error, but NULL on MySQL and MariaDB.
    acos Arccosine, "ACOS", "acos";
    /// The arctangent, in radians.
    atan Arctangent, "ATAN", "atan";
    /// Radians as degrees.
    degrees Degrees, "DEGREES", "degrees";
    /// Degrees as radians.
    radians Radians, "RADIANS", "radians";
}

on_expressions! {
    /// To the power of `exponent`, as an `f64`. Where that is no number, it is an error, but may be NULL on MySQL and
    /// MariaDB.
    pub fn power<T>(self, exponent: T) -> Expr<Function<Power, (Self, T::Expression)>>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: Floating,
        T: Term<Base<Self>>,
    {
        Function::expression(Power, (self, exponent.into_term()))
    }

    /// The decimal with so many digits after the point; halves are rounded away from 0.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use bigdecimal::BigDecimal;
    /// # #[derive(Model)] struct Ticket { #[model(primary_key)] id: i64, price: BigDecimal }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Ticket,)>()?;
    /// # Ticket::bulk_create(&db, [Ticket { id: 1, price: "19.995".parse().unwrap() }])?;
    /// let price: BigDecimal = Ticket::objects(&db).values(|t| t.price.round_to(2)).get()?;
    /// assert_eq!(price.to_string(), "20.00");
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn round_to(self, digits: u8) -> Expr<Function<RoundTo, (Self, Digits)>>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: Exact,
    {
        Function::expression(RoundTo, (self, PortableValue::new(digits.into())))
    }
}

/// A number of digits.
type Digits = PortableValue<Integer, i32>;

super::function::calls! {
    /// `power`
    Power: Double, Words::each(
        "POWER(CAST({0} AS DOUBLE PRECISION), CAST({1} AS DOUBLE PRECISION))", "POWER({0}, {1})", "orm_power({0}, {1})"
    );
}

/// `round_to`
#[derive(Clone, Copy, Debug)]
pub struct RoundTo;

impl<E> Call<(E, Digits)> for RoundTo
where
    E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Exact>>,
{
    type SqlType = <NullOf<E> as Nullness>::Of<Base<E>>;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn words(&self) -> Words {
        Words::each("ROUND({0}, {1})", "ROUND({0}, {1})", "orm_decimal_round('half', {0}, {1})")
    }
}
