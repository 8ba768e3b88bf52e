//! Tables that other tools have made, with the types that are usual there.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! { types, what_was_checked_is_read_and_written }

fn told<T: orm_core::Models>(db: &Database) -> Vec<String> {
    let Err(error) = db.check_schema::<T>() else { return Vec::new() };
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error:?}");
    error.to_string().lines().filter_map(|line| line.strip_prefix("- ").map(str::to_owned)).collect()
}

/// For each type of a field: types of columns that will do, and, after a `|`, those that will not.
macro_rules! types {
    ($($type:ty: $postgres:literal, $mysql:literal, $sqlite:literal;)*) => {
        fn types(bed: &Bed) -> TestResult {
            let db = bed.db()?;
            $( {
                #[derive(Model)]
                #[model(table = "one_value")]
                struct Value {
                    #[model(primary_key)]
                    id: i32,
                    value: $type,
                }
                let (fit, unfit) = bed
                    .pick(Pick { postgres: $postgres, mysql: $mysql, sqlite: $sqlite })
                    .split_once('|')
                    .unwrap_or_default();
                for (types, is_fit) in [(fit, true), (unfit, false)] {
                    for of in types.split(';').map(str::trim).filter(|of| !of.is_empty()) {
                        bed.execute("DROP TABLE IF EXISTS one_value");
                        let (of, strict) = of.strip_suffix(" STRICT").map_or((of, ""), |of| (of, "STRICT"));
                        let of = if of == "nothing" { "" } else { of };
                        bed.execute(&format!(
                            "CREATE TABLE one_value (id INTEGER NOT NULL PRIMARY KEY, value {of} NOT NULL) {strict}"
                        ));
                        let told = told::<(Value,)>(&db);
                        let as_expected = match &told[..] {
                            [] => is_fit,
                            [one] => !is_fit && one.contains("`Value::value` (column `value` of `one_value`) has "),
                            _ => false,
                        };
                        assert!(as_expected, "a field of type {} on {of} {strict}: {told:#?}", stringify!($type));
                    }
                }
            } )*
            Ok(())
        }
    };
}

types! {
    bool:
        "boolean | smallint; text; bit(1)",
        "BOOLEAN; TINYINT(1); BIT(1); TINYINT UNSIGNED | INT; BIT(8); CHAR(1)",
        "BOOLEAN; BOOL; TINYINT(1); INTEGER; nothing; INTEGER STRICT; ANY STRICT | TEXT; REAL; BLOB; TEXT STRICT";
    i16:
        "smallint | integer; bigint; numeric; text",
        "SMALLINT; SMALLINT(3); YEAR | INT; TINYINT; SMALLINT UNSIGNED; BIT(8); DECIMAL(4)",
        "SMALLINT; INT2; NUMERIC | REAL; TEXT; BLOB";
    i64:
        "bigint; int8 | integer; numeric(19); text; oid",
        "BIGINT; BIGINT(5) | BIGINT UNSIGNED; INT; MEDIUMINT; DOUBLE",
        "BIGINT; INT; UNSIGNED BIG INT; nothing | FLOAT; VARCHAR(9); BLOB";
    u8:
        "smallint | integer",
        "TINYINT UNSIGNED; SMALLINT | TINYINT; INT UNSIGNED; SMALLINT UNSIGNED",
        "INTEGER | TEXT";
    u32:
        "bigint | integer",
        "INT UNSIGNED; BIGINT; INT(8) UNSIGNED ZEROFILL | INT; BIGINT UNSIGNED; MEDIUMINT UNSIGNED",
        "INTEGER | TEXT";
    u64:
        "bigint | integer; numeric(20)",
        "BIGINT UNSIGNED; BIGINT; BIT(64); YEAR | INT UNSIGNED; BIT(32)",
        "INTEGER | TEXT";
    f32:
        "real; float4; float(20) | double precision; numeric",
        "FLOAT | DOUBLE; FLOAT(7,3); DECIMAL(9,3)",
        "REAL; FLOAT; nothing | INTEGER; DECIMAL(9,2); TEXT";
    f64:
        "double precision; float(53) | real; numeric; integer",
        "DOUBLE; REAL; DOUBLE PRECISION | FLOAT; DOUBLE(9,2); DECIMAL(9,2); BIGINT",
        "DOUBLE; REAL STRICT | NUMERIC; INTEGER STRICT";
    String:
        "text; varchar; varchar(20) | char(20); name; \"char\"; integer; bytea; uuid; jsonb; inet",
        "VARCHAR(20); TEXT; LONGTEXT; TINYTEXT; ENUM('a', 'b'); VARCHAR(9) CHARACTER SET latin1; UUID; INET6 | CHAR(3); VARBINARY(20); BLOB; INT; GEOMETRY",
        "TEXT; VARCHAR(20); CLOB; CHARACTER(20); nothing; TEXT STRICT; ANY STRICT | STRING; JSON; DATE; BLOB; INTEGER; ANY";
    Vec<u8>:
        "bytea | text; bit(8)",
        "BLOB; LONGBLOB; VARBINARY(20); GEOMETRY; POINT | BINARY(20); TEXT; VARCHAR(9); BIT(8)",
        "BLOB; VARBINARY(20); BINARY(16); nothing; BLOB STRICT | TEXT; INTEGER";
    NaiveDate:
        "date | timestamp; text; timestamptz",
        "DATE | DATETIME(6); VARCHAR(20); TIMESTAMP(6)",
        "DATE; TEXT; VARCHAR(20) | INTEGER; REAL; BLOB";
    NaiveTime:
        "time; time(6) | time(0); timetz; interval",
        "TIME(6) | TIME; TIME(3); DATETIME(6)",
        "TIME; TEXT | REAL; INT";
    NaiveDateTime:
        "timestamp; timestamp(6) | timestamp(3); timestamptz; date",
        "DATETIME(6); TIMESTAMP(6) | DATETIME; DATETIME(3); TIMESTAMP; DATE",
        "TIMESTAMP; DATETIME; TEXT | REAL; BIGINT";
    DateTime<Utc>:
        "timestamptz; timestamptz(6) | timestamptz(0); timestamp; text",
        "DATETIME(6); TIMESTAMP(6) | DATETIME; TIMESTAMP(0)",
        "TIMESTAMP; DATETIME; TEXT | REAL; INTEGER";
    bigdecimal::BigDecimal:
        "numeric; decimal | numeric(10,2); double precision; money; bigint",
        "DECIMAL(65,30) | DECIMAL(10,2); NUMERIC; DOUBLE; FLOAT; VARCHAR(20); BIGINT",
        " | TEXT; NUMERIC; DECIMAL(10,2); REAL; nothing";
    uuid::Uuid:
        "uuid | text; bytea; char(36)",
        "BINARY(16); VARBINARY(16) | CHAR(36); BINARY(32); VARCHAR(36); UUID",
        "BLOB; UUID; BINARY(16) | TEXT; CHAR(36)";
    serde_json::Value:
        "jsonb; json | text",
        "JSON; LONGTEXT; TEXT | BLOB; INT",
        "TEXT | JSON; JSONB; BLOB";
}

/// What passes is read and written: values at the limits come back as they were.
fn what_was_checked_is_read_and_written(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "legacy")]
    struct Legacy {
        #[model(primary_key)]
        id: i32,
        flag: bool,
        small: u8,
        big: u64,
        ratio: f64,
        name: String,
        bytes: Vec<u8>,
        day: NaiveDate,
        at: NaiveDateTime,
        instant: DateTime<Utc>,
        json: serde_json::Value,
    }
    bed.execute(bed.pick(Pick {
        postgres: "CREATE DOMAIN label AS varchar(20); CREATE DOMAIN short_label AS label NOT NULL; \
                   CREATE TABLE legacy (id SERIAL PRIMARY KEY, flag BOOL NOT NULL, small SMALLINT NOT NULL, \
                   big BIGINT NOT NULL, ratio FLOAT NOT NULL, name short_label, bytes BYTEA NOT NULL, day DATE NOT NULL, \
                   at TIMESTAMP NOT NULL, instant TIMESTAMPTZ NOT NULL, json JSON NOT NULL)",
        mysql: "CREATE TABLE legacy (id INT AUTO_INCREMENT PRIMARY KEY, flag BIT(1) NOT NULL, small TINYINT UNSIGNED NOT NULL, \
                big BIGINT UNSIGNED NOT NULL, ratio DOUBLE NOT NULL, name VARCHAR(20) CHARACTER SET utf8mb4 NOT NULL, \
                bytes VARBINARY(20) NOT NULL, day DATE NOT NULL, at DATETIME(6) NOT NULL, instant TIMESTAMP(6) NOT NULL, \
                json TEXT NOT NULL)",
        sqlite: "CREATE TABLE legacy (id INTEGER PRIMARY KEY, flag TINYINT(1) NOT NULL, small UNSIGNED INT NOT NULL, \
                 big BIGINT NOT NULL, ratio DOUBLE NOT NULL, name VARCHAR(20) NOT NULL, bytes VARBINARY(20) NOT NULL, \
                 day DATE NOT NULL, at DATETIME NOT NULL, instant TIMESTAMP NOT NULL, json TEXT NOT NULL)",
    }));
    let db = bed.db()?;
    assert_eq!(told::<(Legacy,)>(&db), [""; 0]);
    let at: NaiveDateTime = "2013-01-31T23:59:59.999999".parse()?;
    let rows: Vec<Legacy> = [(1, true, u8::MAX, "1"), (2, false, 0, "2013-01-01"), (3, true, 7, "naïve 🛫")]
        .into_iter()
        .map(|(id, flag, small, name)| Legacy {
            id,
            flag,
            small,
            big: i64::MAX.unsigned_abs() - u64::from(small),
            ratio: f64::from(id) / 2.0,
            name: name.into(),
            bytes: vec![small; 3],
            day: at.date(),
            at,
            instant: at.and_utc(),
            json: serde_json::json!({"n": 1, "s": name}),
        })
        .collect();
    Legacy::bulk_create(&db, rows.clone())?;
    assert_eq!(Legacy::objects(&db).order_by(|l| l.id.asc()).load()?, rows);
    for row in &rows {
        let found = Legacy::objects(&db)
            .filter(|l| l.flag.eq(row.flag).and(l.small.eq(row.small)).and(l.big.eq(row.big)).and(l.name.eq(&row.name)))
            .filter(|l| {
                l.day.eq(row.day).and(l.at.eq(row.at)).and(l.instant.eq(row.instant)).and(l.bytes.eq(&row.bytes))
            })
            .get()?;
        assert_eq!(&found, row);
    }
    Ok(())
}

/// A domain that cannot be NULL is a column that cannot.
#[cfg(feature = "postgres")]
#[test]
fn domains() -> TestResult {
    #[derive(Model)]
    #[model(table = "of_domains")]
    struct Domains {
        #[model(primary_key)]
        id: i64,
        name: String,
    }
    let bed = Bed::postgres();
    let db = bed.db()?;
    bed.execute(
        "CREATE DOMAIN number AS int8; CREATE DOMAIN padded AS char(3) NOT NULL; CREATE DOMAIN known AS text NOT NULL; \
         CREATE TABLE of_domains (id number PRIMARY KEY, name known)",
    );
    assert_eq!(told::<(Domains,)>(&db), [""; 0]);
    bed.execute("ALTER TABLE of_domains ALTER name TYPE padded");
    let found = told::<(Domains,)>(&db);
    assert!(
        matches!(&found[..], [one] if one.contains("`character(3)`") && one.contains("pads shorter text")),
        "{found:#?}"
    );
    Ok(())
}
