//! Casts: an expression of one SQL type as one of another.
//!
//! A cast of SQL's own may change a value without a word: of the text `abc` MySQL and SQLite make 0, of a float PostgreSQL
//! makes the nearest integer and SQLite the one below. Only those are offered here that give one result on every backend.

use diesel::{
    expression::Expression,
    sql_types::{BigInt, Bool, Double, Float, Integer, IntoNotNullable, SmallInt, SqlType, Text, is_nullable},
};

use super::{
    Expr, NativeRust,
    expr::on_expressions,
    function::{Call, Function, Nullness, Plain, Words},
};
use crate::{
    sql_types::{I8, U8, U16, U32, U64},
    types::{FieldType, Native},
};

/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;

on_expressions! {
    /// The expression as another type: that of a Rust type, `f.text.cast::<i64>()`.
    ///
    /// | from | to | |
    /// | --- | --- | --- |
    /// | integers | integers | what does not fit is an error, of the server's or when it is read |
    /// | integers, `f32` | `f64` | beyond 2⁵³ the nearest one |
    /// | `f32`, `f64` | `i32`, `i64` | what stands before the point; NULL where the integer cannot hold it |
    /// | integers | `String` | their digits |
    /// | integers | `BigDecimal` | |
    /// | `BigDecimal` | `f64` | the nearest one |
    /// | `bool` | integers | 0 or 1 |
    /// | `String` | integers, `f64`, `BigDecimal` | NULL where the text is no such number |
    /// | `NaiveDate` | `String` | `2013-01-31`; a year before 1, on PostgreSQL, ends with ` BC` |
    ///
    /// There are no others: backends write floats and decimals as different text, and take different text for a date.
    ///
    /// A number in a text may have a sign and, of those with a fraction, a point, 18 digits at most (for `f64` and
    /// `BigDecimal`, before and after the point), and no spaces. What it gives is an `Option` where the field is one, and
    /// of text and of floats always.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Note { #[model(primary_key)] id: i32, text: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Note,)>()?;
    /// # Note::bulk_create(&db, [Note { id: 1, text: "42".into() }, Note { id: 2, text: "4x".into() }])?;
    /// let query = Note::objects(&db).order_by(|n| n.id.asc());
    /// let numbers: Vec<(f64, Option<i64>)> = query.values(|n| (n.id.cast::<f64>(), n.text.cast::<i64>())).load()?;
    /// assert_eq!(numbers, [(1.0, Some(42)), (2.0, None)]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn cast<T>(self) -> Expr<Function<Cast<T::SqlType>, (Self,)>>
    where
        T: FieldType<SqlType: Plain>,
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: CastsTo<T::SqlType>,
    {
        Function::expression(Cast(std::marker::PhantomData), (self,))
    }
}

/// SQL types whose values can be cast to the SQL type `To`.
#[diagnostic::on_unimplemented(
    message = "the SQL type `{Self}` cannot be cast to `{To}`",
    label = "there is no cast that gives the same on every backend"
)]
pub trait CastsTo<To> {
    /// Whether what it gives may be NULL by itself.
    type Null: Nullness;
    #[doc(hidden)]
    fn words() -> Words;
}

/// `cast`
#[derive(Debug)]
pub struct Cast<To>(std::marker::PhantomData<fn() -> To>);

impl<To> Clone for Cast<To> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<To> Copy for Cast<To> {}

impl<E, To> Call<(E,)> for Cast<To>
where
    E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: CastsTo<To>>>,
    To: Plain,
{
    type SqlType =
        <<<E::SqlType as SqlType>::IsNull as Nullness>::Or<<Base<E> as CastsTo<To>>::Null> as Nullness>::Of<To>;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn words(&self) -> Words {
        <Base<E> as CastsTo<To>>::words()
    }
}

macro_rules! casts {
    ($([$($from:ty),*] => [$($to:ty),*], $null:ident, $words:expr;)*) => { $( casts!(@from [$($from),*] [$($to),*] $null $words); )* };
    (@from [$($from:ty),*] $to:tt $null:ident $words:expr) => { $( casts!(@to $from, $to $null $words); )* };
    (@to $from:ty, [$($to:ty),*] $null:ident $words:expr) => { $(
        impl CastsTo<$to> for $from {
            type Null = is_nullable::$null;
            fn words() -> Words {
                $words
            }
        }
    )* };
}

const TO_SMALL: Words = Words::each("CAST({0} AS SMALLINT)", "CAST({0} AS SIGNED)", "CAST({0} AS INTEGER)");
const TO_INTEGER: Words = Words::each("CAST({0} AS INTEGER)", "CAST({0} AS SIGNED)", "CAST({0} AS INTEGER)");
const TO_BIG: Words = Words::each("CAST({0} AS BIGINT)", "CAST({0} AS SIGNED)", "CAST({0} AS INTEGER)");
const TO_FLOAT: Words = Words::each("CAST({0} AS DOUBLE PRECISION)", "CAST({0} AS DOUBLE)", "CAST({0} AS REAL)");
const TO_TEXT: Words = Words::each("CAST({0} AS TEXT)", "CAST({0} AS CHAR)", "CAST({0} AS TEXT)");

/// MySQL's SIGNED would make a negative number of a `u64` above `i64::MAX`, and an UNSIGNED minus a larger number is an error
/// there; a decimal is neither.
const fn of_u64(words: Words) -> Words {
    Words { mysql: "CAST({0} AS DECIMAL(20))", ..words }
}

casts! {
    [SmallInt, Integer, BigInt, I8, U8, U16, U32] => [SmallInt, I8, U8], NotNull, TO_SMALL;
    [SmallInt, Integer, BigInt, I8, U8, U16, U32] => [Integer, U16], NotNull, TO_INTEGER;
    [SmallInt, Integer, BigInt, I8, U8, U16, U32] => [BigInt, U32, U64], NotNull, TO_BIG;
    [U64] => [SmallInt, I8, U8], NotNull, of_u64(TO_SMALL);
    [U64] => [Integer, U16], NotNull, of_u64(TO_INTEGER);
    [U64] => [BigInt, U32, U64], NotNull, of_u64(TO_BIG);
    [SmallInt, Integer, BigInt, I8, U8, U16, U32, U64, Float, Double] => [Double], NotNull, TO_FLOAT;
    [SmallInt, Integer, BigInt, I8, U8, U16, U32, U64, Text] => [Text], NotNull, TO_TEXT;
    [Bool] => [Integer], NotNull, TO_INTEGER;
    [Bool] => [BigInt], NotNull, Words::each(
        "CAST(CAST({0} AS INTEGER) AS BIGINT)", "CAST({0} AS SIGNED)", "CAST({0} AS INTEGER)"
    );
    // `$` also stands before a last line feed for some, and what follows AND may be computed first.
    [Text] => [Integer], IsNullable, Words::each(
        "CASE WHEN {0} ~ '^[+-]?[0-9]{1,18}$' \
         THEN CASE WHEN CAST({0} AS BIGINT) BETWEEN -2147483648 AND 2147483647 THEN CAST({0} AS INTEGER) END END",
        "CASE WHEN {0} REGEXP '^[+-]?[0-9]{1,18}$' AND {0} NOT REGEXP '[^0-9+-]' \
         THEN CASE WHEN CAST({0} AS SIGNED) BETWEEN -2147483648 AND 2147483647 THEN CAST({0} AS SIGNED) END END",
        "CASE WHEN orm_regex({0}, '^[+-]?[0-9]{1,18}$', 0) \
         THEN CASE WHEN CAST({0} AS INTEGER) BETWEEN -2147483648 AND 2147483647 THEN CAST({0} AS INTEGER) END END"
    );
    [Text] => [BigInt], IsNullable, Words::each(
        "CASE WHEN {0} ~ '^[+-]?[0-9]{1,18}$' THEN CAST({0} AS BIGINT) END",
        "CASE WHEN {0} REGEXP '^[+-]?[0-9]{1,18}$' AND {0} NOT REGEXP '[^0-9.+-]' THEN CAST({0} AS SIGNED) END",
        "CASE WHEN orm_regex({0}, '^[+-]?[0-9]{1,18}$', 0) THEN CAST({0} AS INTEGER) END"
    );
    [Text] => [Double], IsNullable, Words::each(
        "CASE WHEN {0} ~ '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$' THEN CAST({0} AS DOUBLE PRECISION) END",
        "CASE WHEN {0} REGEXP '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$' AND {0} NOT REGEXP '[^0-9.+-]' THEN CAST({0} AS DOUBLE) END",
        "CASE WHEN orm_regex({0}, '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$', 0) THEN CAST({0} AS REAL) END"
    );
}

// A cast by itself rounds on two backends, and on two of them clamps what does not fit. NaN is beyond every number on
// PostgreSQL, and NULL elsewhere. The bounds are the nearest floats.
casts! {
    [Float, Double] => [Integer], IsNullable, Words::each(
        "CASE WHEN {0} > -2147483649.0 AND {0} < 2147483648.0 THEN CAST(TRUNC(CAST({0} AS DOUBLE PRECISION)) AS INTEGER) END",
        "CASE WHEN {0} > -2147483649.0 AND {0} < 2147483648.0 THEN CAST(TRUNCATE({0}, 0) AS SIGNED) END",
        "CASE WHEN {0} > -2147483649.0 AND {0} < 2147483648.0 THEN CAST({0} AS INTEGER) END"
    );
    [Float, Double] => [BigInt], IsNullable, Words::each(
        "CASE WHEN ABS({0}) < 9223372036854775808.0 THEN CAST(TRUNC(CAST({0} AS DOUBLE PRECISION)) AS BIGINT) END",
        "CASE WHEN ABS({0}) < 9.223372036854775808e18 THEN CAST(TRUNCATE({0}, 0) AS SIGNED) END",
        "CASE WHEN ABS({0}) < 9223372036854775808.0 THEN CAST({0} AS INTEGER) END"
    );
}

#[cfg(feature = "chrono")]
casts! {
    [diesel::sql_types::Date] => [Text], NotNull, Words::each(
        "(TO_CHAR({0}, 'YYYY-MM-DD') || CASE WHEN {0} < DATE '0001-01-01' THEN ' BC' ELSE '' END)",
        "CAST({0} AS CHAR)",
        "{0}"
    );
}

#[cfg(feature = "numeric")]
casts! {
    [SmallInt, Integer, BigInt, I8, U8, U16, U32, U64] => [crate::sql_types::Decimal], NotNull, Words::each(
        "CAST({0} AS NUMERIC)", "CAST({0} AS DECIMAL(65,30))", "CAST({0} AS TEXT)"
    );
    [crate::sql_types::Decimal] => [Double], NotNull, TO_FLOAT;
    [Text] => [crate::sql_types::Decimal], IsNullable, Words::each(
        "CASE WHEN {0} ~ '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$' THEN CAST({0} AS NUMERIC) END",
        "CASE WHEN {0} REGEXP '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$' AND {0} NOT REGEXP '[^0-9.+-]' THEN CAST({0} AS DECIMAL(65,30)) END",
        "CASE WHEN orm_regex({0}, '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$', 0) THEN {0} END"
    );
}
