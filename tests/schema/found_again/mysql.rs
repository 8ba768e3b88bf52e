//! The column types of MySQL and MariaDB alone.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_mysql};

use super::{
    chain, fields,
    floats::{of_f32, of_f64},
    found, refused,
    uuids::{uuid, uuid_simple, uuid_text},
};

fields! {
    of_bool: bool;
    of_i8: i8;
    of_i16: i16;
    of_i32: i32;
    of_i64: i64;
    of_u8: u8;
    of_u16: u16;
    of_u32: u32;
    of_u64: u64;
    decimal: BigDecimal;
    text: String;
    of_bytes: Vec<u8>;
    of_date: NaiveDate;
    of_time: NaiveTime;
    of_date_time: NaiveDateTime;
    of_instant: DateTime<Utc>;
}

on_mysql! {
    unsigned_integers, bits, integers_of_every_width, decimals, floats, texts, bytes, times, zero_dates,
    types_of_mariadb, subtraction,
}

const GREATEST: &str = "18446744073709551615";

fn unsigned_integers(bed: &Bed) -> TestResult {
    found! { bed,
        of_u64 "BIGINT UNSIGNED" => GREATEST, "9223372036854775808", "0", "5";
        of_u64 "BIGINT UNSIGNED ZEROFILL" => GREATEST, "7";
        of_u64 "BIGINT" => "9223372036854775807", "0";
        decimal "BIGINT UNSIGNED", but "rounds fractions" => GREATEST, "0";
        of_i64 "BIGINT UNSIGNED", but "cannot hold all of them" => "9223372036854775807";
        of_u32 "INT UNSIGNED" => "4294967295";
        of_u16 "SMALLINT UNSIGNED ZEROFILL" => "65535", "7";
        of_u8 "TINYINT UNSIGNED" => "255";
        of_u32 "MEDIUMINT UNSIGNED", but "widen the column" => "16777215";
    }
    refused! { bed,
        of_i64 "BIGINT UNSIGNED" => GREATEST, "use `u64` or `BigDecimal`";
        of_u64 "BIGINT", by value => "-1", "holds -1, which does not fit `u64`";
    }
    // What a signed column cannot hold, the server rejects.
    #[derive(Model, Clone, Debug)]
    #[model(table = "kept")]
    struct Kept {
        #[model(primary_key)]
        k: u64,
        v: i32,
    }
    bed.execute("DROP TABLE kept; CREATE TABLE kept (k BIGINT PRIMARY KEY, v INTEGER NOT NULL)");
    let db = bed.db()?;
    let error = Kept::create(&db, Kept { k: u64::MAX, v: 1 }).expect_err("it is too large");
    assert!(chain(&error).contains("Out of range value for column 'k'"), "{error}");
    assert_eq!(Kept::objects(&db).filter(|k| k.k.lt(u64::MAX)).count()?, 0);
    bed.execute("INSERT INTO kept VALUES (1, 1)");
    assert_eq!(Kept::objects(&db).filter(|k| k.k.lt(u64::MAX)).count()?, 1);
    // The tables that are made here hold all of them.
    bed.execute("DROP TABLE kept");
    db.create_tables::<(Kept,)>()?;
    Kept::bulk_create(&db, [Kept { k: u64::MAX, v: 1 }, Kept { k: 0, v: 2 }])?;
    assert_eq!(bed.texts("SELECT k FROM kept ORDER BY k DESC LIMIT 1"), [Some(GREATEST.to_owned())]);
    assert_eq!(Kept::objects(&db).aggregate(|k| orm_core::dsl::max(k.k))?, Some(u64::MAX));
    // As another type it is the number that it is, or an error.
    let cast = Kept::objects(&db).filter(|k| k.k.gt(5)).values(|k| k.k.cast::<i64>()).load();
    assert_eq!(cast.expect_err("it is no i64").kind(), ErrorKind::Decode);
    assert_eq!(Kept::objects(&db).filter(|k| k.k.cast::<i64>().lt(0)).count()?, 0);
    assert_eq!(Kept::objects(&db).filter(|k| k.k.cast::<BigDecimal>().gt(BigDecimal::from(5))).count()?, 1);
    Ok(())
}

fn bits(bed: &Bed) -> TestResult {
    found! { bed,
        of_bool "BIT(1)" => "b'1'", "b'0'";
        of_u8 "BIT(1)", but "room for values from 0 to 1" => "b'1'";
        of_u8 "BIT(8)" => "b'101'", "255";
        of_i8 "BIT(8)", but "values from 0 to 255" => "127";
        of_u16 "BIT(9)", but "values from 0 to 511" => "b'100000001'";
        of_i32 "BIT(17)", but "values from 0 to 131071" => "65536";
        of_i64 "BIT(63)", but "values from 0 to 9223372036854775807" => "9223372036854775807";
        of_u64 "BIT(64)" => GREATEST, "0";
        decimal "BIT(64)", but "rounds fractions" => GREATEST;
    }
    refused! { bed,
        of_bool "BIT(9)" => "b'1'", "only BIT(1) is a boolean";
        of_i8 "BIT(8)" => "128", "holds 128, which does not fit `i8`";
        of_i64 "BIT(64)" => GREATEST, "use `u64` or `BigDecimal`";
        of_bytes "BIT(8)" => "b'1'", "is of type BIT";
        text "BIT(8)" => "b'1'", "is of type BIT";
        of_f64 "BIT(8)" => "b'1'", "is of type BIT";
    }
    Ok(())
}

fn integers_of_every_width(bed: &Bed) -> TestResult {
    found! { bed,
        of_bool "TINYINT(1)" => "0", "1";
        of_i8 "TINYINT(1)" => "-128", "127";
        of_i32 "MEDIUMINT", but "widen the column" => "-8388608";
        of_i16 "YEAR" => "2155", "1901", "0";
        of_u16 "YEAR" => "1999";
        of_i64 "DECIMAL(10)", but "widen the column" => "-7";
        of_u64 "DECIMAL(20)", but "cannot hold all of them" => GREATEST;
        of_u64 "DECIMAL(20,0) UNSIGNED", but "cannot hold all of them" => GREATEST;
    }
    refused! { bed,
        of_bool "TINYINT(1)", by value => "2", "holds 2, and only 0 and 1 are booleans";
        of_i8 "YEAR" => "1999", "holds 1999, which does not fit `i8`";
        of_i64 "DECIMAL(10,1)" => "0.5", "which is no whole number";
        of_u64 "DECIMAL(20)" => "99999999999999999999", "does not fit `u64`";
    }
    Ok(())
}

fn decimals(bed: &Bed) -> TestResult {
    found! { bed,
        decimal "DECIMAL(10,2)", but "more than 2 digits" => "1.50", "-0.01", "0";
        decimal "DECIMAL(65)", but "more than 0 digits" => "99999999999999999999999999999999999", "-1";
        decimal "DECIMAL(65,30)" => "0.000000000000000000000000000001";
        decimal "INT", but "rounds fractions" => "-5";
    }
    Ok(())
}

/// A FLOAT is compared as the double that it is.
fn floats(bed: &Bed) -> TestResult {
    found! { bed,
        of_f32 "FLOAT" => "0.1", "3.4028234e38", "-1e-30";
        of_f64 "FLOAT", but "rounds to about 7 digits" => "0.1", "1e30";
        of_f32 "FLOAT(7,3)", but "rounds to so many digits" => "1.2345", "0.001";
        of_f64 "FLOAT(7,3)", but "rounds to so many digits" => "1.2345";
        of_f64 "DOUBLE(9,2)", but "rounds to so many digits" => "3.14159";
        of_f32 "DOUBLE", but "cannot hold exactly" => "0.5";
    }
    refused! { bed,
        of_f32 "DOUBLE" => "0.1", "`f32` cannot hold exactly; use `f64`";
        of_f64 "DECIMAL(9,2)" => "0.1", "DECIMAL, not a float";
    }
    Ok(())
}

fn texts(bed: &Bed) -> TestResult {
    found! { bed,
        text "CHAR(5)", but "removes spaces at the end" => "'ab  '", "''", "' a'";
        text "CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", but "removes spaces at the end" => "'ab  '";
        text "VARCHAR(5)" => "'ab  '", "'AB'";
        text "VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" => "'ab  '", "'É'";
        text "VARCHAR(5) CHARACTER SET latin1" => "'é'", "'€'";
        text "VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" => "'É'", "'a'";
        text "TEXT" => "'é  '";
        text "ENUM('', 'a', 'é b')" => "'é b'", "''";
        text "SET('a', 'b', 'c')" => "'c,a'", "''";
        text "JSON" => "'{\"a\": 1}'";
    }
    refused! { bed, text "VARBINARY(5)" => "'a'", "not text"; }
    // Keys that are equal to the collation are one row, whose own spelling is read.
    found! { bed, text "VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" => "'Ab'"; }
    #[derive(Model, Clone, Debug)]
    #[model(table = "kept")]
    struct Kept {
        #[model(primary_key)]
        k: String,
        v: i32,
    }
    let db = bed.db()?;
    bed.execute("DELETE FROM kept; INSERT INTO kept VALUES ('Ab', 1)");
    Kept { k: "aB".into(), v: 7 }.save(&db)?;
    assert_eq!(bed.texts("SELECT CONCAT(k, v) FROM kept"), [Some("Ab7".to_owned())]);
    let found = Kept::objects(&db).in_bulk(["AB".to_owned()])?;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["Ab"]);
    assert_eq!(found["Ab"].v, 7);
    Ok(())
}

fn bytes(bed: &Bed) -> TestResult {
    found! { bed,
        of_bytes "BINARY(4)", but "fills fewer bytes up with zeros" => "x'01'", "x'01020304'";
        of_bytes "VARBINARY(4)" => "x'0100'", "x''";
        of_bytes "BLOB" => "x'ff00'";
        of_bytes "GEOMETRY" => "POINT(1, 2)";
        of_bytes "POINT" => "POINT(1, 2)";
        uuid "VARBINARY(20)" => "x'6f9619ff8b86d011b42d00c04fc964ff'";
    }
    refused! { bed, uuid "BINARY(17)" => "x'01'", "expected 16 bytes, found 17"; }
    Ok(())
}

/// Times of whichever precision, in the session's zone, which is UTC.
fn times(bed: &Bed) -> TestResult {
    let at = "'2024-02-29 12:34:56.789012'";
    for column in ["DATETIME(6)", "TIMESTAMP(6)"] {
        found! { bed, of_date_time column => at; of_instant column => at; }
    }
    for column in ["DATETIME", "DATETIME(3)", "TIMESTAMP", "TIMESTAMP(5)"] {
        found! { bed,
            of_date_time column, but "rounds without a word" => at;
            of_instant column, but "rounds without a word" => at;
        }
    }
    for column in ["TIME", "TIME(2)"] {
        found! { bed, of_time column, but "rounds without a word" => "'23:59:59.123456'"; }
    }
    found! { bed, of_time "TIME(6)" => "'23:59:59.123456'"; }
    found! { bed, of_date "DATE" => "'0001-01-01'", "'9999-12-31'"; }
    refused! { bed,
        of_time "TIME(6)", by value => "'-00:00:01'", "negative time";
        of_time "TIME(6)", by value => "'24:00:00'", "no time of a day";
    }
    Ok(())
}

fn zero_dates(bed: &Bed) -> TestResult {
    for value in ["'0000-00-00'", "'2024-00-10'"] {
        refused! { bed,
            of_date "DATE", by value => value, "which is no date";
            of_date_time "DATETIME(6)", by value => value, "which is no date";
        }
    }
    refused! { bed, of_instant "TIMESTAMP(6) NULL", by value => "'0000-00-00'", "which is no date"; }
    Ok(())
}

fn types_of_mariadb(bed: &Bed) -> TestResult {
    let value = "'6f9619ff-8b86-d011-b42d-00c04fc964ff'";
    found! { bed,
        uuid_text "UUID" => value, "'6F9619FF8B86D011B42D00C04FC964FF'";
        text "UUID" => value;
        text "INET6" => "'0:0::1'", "'::ffff:1.2.3.4'";
        text "INET4" => "'10.0.0.1'";
    }
    refused! { bed,
        uuid "UUID" => value, "and for MariaDB's `UUID`";
        uuid_simple "UUID" => value, "name the other type, `UuidText`";
    }
    Ok(())
}

/// An unsigned difference is below 0 nowhere.
fn subtraction(bed: &Bed) -> TestResult {
    #[derive(Model)]
    struct Stock {
        #[model(primary_key)]
        id: i32,
        pieces: u64,
    }
    let db = bed.db()?;
    db.create_tables::<(Stock,)>()?;
    Stock::bulk_create(&db, [Stock { id: 1, pieces: 5 }])?;
    let error = Stock::objects(&db).update(|s| s.pieces.set(s.pieces - 7)).expect_err("there are 5");
    assert!(chain(&error).contains("BIGINT UNSIGNED value is out of range"), "{error}");
    assert_eq!(Stock::objects(&db).filter(|s| (s.pieces.cast::<i64>() - 7).lt(0)).count()?, 1);
    assert_eq!(Stock::objects(&db).values(|s| s.pieces.cast::<i64>() - 7).load()?, [-2]);
    Ok(())
}
