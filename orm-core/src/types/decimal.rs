//! Exact decimals: `NUMERIC` on PostgreSQL, `DECIMAL(65,30)` on MySQL; on SQLite text, compared as numbers by a collation.

use bigdecimal::BigDecimal;
use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};

use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError, sql_types};

impl FieldType for BigDecimal {
    type SqlType = sql_types::Decimal;

    fn width(&self) -> usize {
        usize::try_from(self.digits() / 2).unwrap_or(usize::MAX)
    }
    #[cfg(feature = "sqlite")]
    fn is_convertible(&self) -> bool {
        !sqlite::is_a_float(self)
    }
    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        match backend {
            BackendKind::Mysql => fits_mysql(self),
            BackendKind::Postgres | BackendKind::Sqlite => fits_numeric(self),
        }
    }
}

/// MySQL's widest decimals, `DECIMAL(65,30)`: it rounds what has more digits after the point.
fn fits_mysql(number: &BigDecimal) -> Result<(), BoxError> {
    let (integer_digits, fraction_digits) = digits(number);
    if integer_digits > 35 || fraction_digits > 30 {
        return Err(format!(
            "MySQL's decimals have up to 35 digits before the point and 30 after it, and this has {integer_digits} and \
             {fraction_digits}; round it first, with `BigDecimal::round`"
        )
        .into());
    }
    Ok(())
}

/// The digits that a `NUMERIC` of PostgreSQL has at most before the point and after it. SQLite's decimals, which are text,
/// have the same bounds: an exponent of a few characters would otherwise be a number of a gigabyte.
const NUMERIC: (i64, i64) = (131_072, 16_383);

fn fits_numeric(number: &BigDecimal) -> Result<(), BoxError> {
    let scale = number.fractional_digit_count();
    // The digits are counted only where the exponent alone does not say enough: counting takes longer than a comparison.
    let bits = i64::try_from(number.as_bigint_and_scale().0.bits()).unwrap_or(i64::MAX);
    let at_most = (bits / 3 + 1).saturating_sub(scale);
    if scale <= NUMERIC.1 && at_most <= NUMERIC.0 {
        return Ok(());
    }
    let (integer_digits, fraction_digits) = digits(number);
    if integer_digits > NUMERIC.0 || fraction_digits > NUMERIC.1 {
        return Err(format!(
            "decimals have up to {} digits before the point and {} after it here, and this has {integer_digits} and \
             {fraction_digits}; round it first, with `BigDecimal::round`",
            NUMERIC.0, NUMERIC.1
        )
        .into());
    }
    Ok(())
}

/// The digits before the point and after it that the number needs.
pub(super) fn digits(number: &BigDecimal) -> (i64, i64) {
    let number = number.normalized();
    let scale = number.fractional_digit_count();
    if bigdecimal::Zero::is_zero(&number) {
        return (0, 0);
    }
    let digits = i64::try_from(number.digits()).unwrap_or(i64::MAX);
    (digits.saturating_sub(scale).max(0), scale.max(0))
}

super::diesel_reads!(BigDecimal: sql_types::Decimal);

#[cfg(feature = "mysql")]
mod mysql {
    use std::io::Write;

    use diesel::mysql::{Mysql, MysqlType, MysqlValue};

    use super::*;
    use crate::backend::mysql::value;

    /// The digits after the point of the columns that `create_tables` makes, which the server fills up with zeros.
    const SCALE: i64 = 30;

    impl Decode<Mysql> for BigDecimal {
        /// A `DECIMAL`, an integer or a `BIT`. Zeros that fill a number up to the column's digits are left out.
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            match value.value_type() {
                MysqlType::Numeric => {}
                MysqlType::UnsignedLongLong | MysqlType::Bit => return Ok(value::unsigned(&value)?.into()),
                _ => return Ok(value::integer(&value)?.into()),
            }
            let number: BigDecimal = std::str::from_utf8(value.as_bytes())?.parse()?;
            Ok(if number.fractional_digit_count() == SCALE { without_filling(&number) } else { number })
        }
    }
    impl ToSql<sql_types::Decimal, Mysql> for BigDecimal {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            fits_mysql(self)?;
            out.write_all(self.to_plain_string().as_bytes())?;
            Ok(serialize::IsNull::No)
        }
    }

    fn without_filling(number: &BigDecimal) -> BigDecimal {
        let number = number.normalized();
        // Normalized, 100 is 1E+2.
        if number.fractional_digit_count() < 0 { number.with_scale(0) } else { number }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn read(text: &str) -> String {
            let read = <BigDecimal as Decode<Mysql>>::decode(MysqlValue::new(text.as_bytes(), MysqlType::Numeric));
            read.map_or_else(|error| error.to_string(), |number| format!("{number:?}"))
        }

        #[test]
        fn zeros_that_only_fill_the_column_up_are_left_out() {
            let shown = |text: &str| format!("{:?}", text.parse::<BigDecimal>().expect("it is a number"));
            assert_eq!(read("1.500000000000000000000000000000"), shown("1.5"));
            assert_eq!(read("-200.000000000000000000000000000000"), shown("-200"));
            assert_eq!(read("0.000000000000000000000000000000"), shown("0"));
            assert_eq!(read("0.000000000000000000000000000001"), shown("0.000000000000000000000000000001"));
            assert_eq!(read("1.50"), shown("1.50"));
        }

        #[test]
        fn what_mysql_would_round_is_refused() {
            let fits = |text: &str| fits_mysql(&text.parse().expect("it is a number")).is_ok();
            let (integer, fraction) = ("9".repeat(35), "9".repeat(30));
            assert!(fits(&format!("{integer}.{fraction}")) && fits(&format!("-{integer}.{fraction}")));
            assert!(!fits(&format!("1{integer}")) && !fits(&format!("0.{fraction}1")));
            assert!(fits("1E+34") && !fits("1E+35") && fits("1E-30") && !fits("1E-31"));
            assert!(fits(&format!("0.{}", "0".repeat(40))) && fits("0E-50"));
            assert!(fits(&format!("1.5{}", "0".repeat(40))), "zeros at the end are no digits");
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{
        deserialize::FromSql,
        pg::{Pg, PgValue},
        sql_types::Numeric,
    };

    use super::*;
    use crate::backend::postgres::value;

    impl Decode<Pg> for BigDecimal {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::NUMERIC], "a NUMERIC")?;
            // The sign, in the third word, says what is not a number of digits.
            match value.as_bytes().get(4..6) {
                Some([0xC0, 0x00]) => Err("the column holds `NaN`, which a decimal cannot be".into()),
                Some([0xD0, 0x00]) => Err("the column holds `Infinity`, which a decimal cannot be".into()),
                Some([0xF0, 0x00]) => Err("the column holds `-Infinity`, which a decimal cannot be".into()),
                _ => FromSql::<Numeric, Pg>::from_sql(value),
            }
        }
    }
    impl ToSql<sql_types::Decimal, Pg> for BigDecimal {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            fits_numeric(self)?;
            if self.fractional_digit_count() > NUMERIC.1 {
                // Zeros at the end, which a NUMERIC has no room for.
                return ToSql::<Numeric, Pg>::to_sql(&self.normalized(), &mut out.reborrow());
            }
            ToSql::<Numeric, Pg>::to_sql(self, out)
        }
    }
}

#[cfg(feature = "sqlite")]
pub(crate) mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};

    use super::*;
    use crate::{backend::sqlite::value, types::numeral::Numeral};

    impl Decode<Sqlite> for BigDecimal {
        /// Text, as it is written here; also the numbers of a column with numeric affinity, which other programs have.
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            match value.value_type() {
                Some(SqliteType::Long) => Ok(value::integer(value)?.into()),
                Some(SqliteType::Double) => from_real(value.read_double()),
                _ => {
                    value::expect(&value, SqliteType::Text, "a decimal")?;
                    from_text(value.read_text())
                }
            }
        }
    }
    impl ToSql<sql_types::Decimal, Sqlite> for BigDecimal {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            fits_numeric(self)?;
            // `Display` writes very large and very small exponents in scientific form, which reads back.
            out.set_value(self.to_string());
            Ok(serialize::IsNull::No)
        }
    }

    /// Whether the nearest float is read as this number again.
    pub(super) fn is_a_float(number: &BigDecimal) -> bool {
        // Most have so few digits that there is nothing to compute.
        let (digits, scale) = number.as_bigint_and_scale();
        if digits.bits() <= 49 && (0..=15).contains(&scale) {
            return true;
        }
        fits_numeric(number).is_ok()
            && number.to_string().parse().is_ok_and(|real| from_real(real).is_ok_and(|read| read == *number))
    }

    /// The number that a text spells, if it is one that could be written.
    pub(crate) fn from_text(text: &str) -> deserialize::Result<BigDecimal> {
        if Numeral::parse(text.as_bytes()).is_none() {
            return Err("this text is not a decimal; one is `-12.50`".into());
        }
        let number: BigDecimal = text.parse()?;
        fits_numeric(&number)?;
        Ok(number)
    }

    /// The shortest decimal that is nearest to this float, which is the one that was stored if it had up to 15 digits.
    pub(crate) fn from_real(real: f64) -> deserialize::Result<BigDecimal> {
        if !real.is_finite() {
            return Err("the column holds an infinity, which a decimal cannot be".into());
        }
        Ok(format!("{real:e}").parse()?)
    }
}
