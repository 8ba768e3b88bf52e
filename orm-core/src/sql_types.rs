//! SQL types: how columns are declared on each backend, and the portable types that Diesel lacks.
//!
//! Diesel's own types (`BigInt`, `Text`, `Timestamp` …) are used wherever every backend has them. For the rest there
//! is a type here that each backend stores in its best form, so that one model reads and writes the same everywhere:
//!
//! | Rust | SQL type here | PostgreSQL | MySQL, MariaDB | SQLite |
//! | --- | --- | --- | --- | --- |
//! | `i8`, `u8` | [`I8`], [`U8`] | `SMALLINT` | `SMALLINT` | `INTEGER` |
//! | `u16` | [`U16`] | `INTEGER` | `INT` | `INTEGER` |
//! | `u32` | [`U32`] | `BIGINT` | `BIGINT` | `INTEGER` |
//! | `u64` | [`U64`] | `BIGINT`, up to `i64::MAX` | `BIGINT UNSIGNED` | `INTEGER`, up to `i64::MAX` |
//! | `uuid::Uuid` | [`Uuid`] | `UUID` | `BINARY(16)` | `BLOB` of 16 bytes |
//! | the same, by `sql_type` | [`UuidText`] | `VARCHAR(36)` | `CHAR(36)` | `TEXT` |
//! | the same, by `sql_type` | [`UuidSimple`] | `VARCHAR(32)` | `CHAR(32)` | `TEXT` |
//! | `serde_json::Value`, [`JsonText`](crate::types::JsonText) | [`Json`] | `JSONB` | `JSON` | `TEXT` |
//! | `chrono::DateTime<Utc>` | [`UtcTimestamp`] | `TIMESTAMPTZ` | `DATETIME(6)`, in UTC | `TEXT`, `2013-01-01 10:00:00+00:00` |
//! | `bigdecimal::BigDecimal` | [`Decimal`] | `NUMERIC` | `DECIMAL(65,30)` | `TEXT COLLATE orm_decimal` |
//!
//! MySQL cannot index text and bytes of any length: where they are a key, or refer to one, the columns `LONGTEXT` and
//! `LONGBLOB` become `VARCHAR(255)` and `VARBINARY(255)`. Its decimals have up to 35 digits before the point and 30
//! after it; what has more is refused before anything is sent.
//!
//! # Comparisons on SQLite
//!
//! SQLite has no types for decimals, dates, times and JSON: they are text. Every expression of such a type is compared by a
//! collation, wherever it stands: in conditions, orders, groups, DISTINCT, set operations, aggregates, windows, joins, and
//! when a row is found by its key.
//!
//! | field | is compared | spellings that are read, and equal |
//! | --- | --- | --- |
//! | `DateTime<Utc>` | as an instant, by `orm_instant` | `2013-01-31 10:00:00+00:00`, with `T`, without seconds, with a fraction of up to nine digits, with `Z`, any offset, or none, which is UTC |
//! | `NaiveDateTime`, `NaiveTime` | by `orm_instant` | the same without an offset; `10:00`, `10:00:00`, `10:00:00.000` |
//! | `NaiveDate` | as text | `2013-01-31` alone is read |
//! | `BigDecimal` | as a number, by `orm_decimal` | `1.5`, `1.50`, `15e-1`; also INTEGER and REAL values |
//! | `serde_json::Value`, `JsonText` | as a document, by `orm_json` | the keys of an object in any order, with any spaces; `1`, `1.0` and `1e0` |
//!
//! Years have four digits; a text that is none of these is an error when it is read, and sorts last.
//!
//! An index serves these comparisons and orders if it has the same collation. Tables that
//! [`create_tables`](crate::Database::create_tables) makes declare `orm_decimal` for decimals, and `orm_instant` and
//! `orm_json` for times and documents that are a key or indexed. Elsewhere create the index so: `CREATE INDEX … ON visits
//! (at COLLATE orm_instant)`. Columns of other programs' tables are compared in the same way, but without an index: a
//! condition on one of them reads the whole table, and an order sorts it.
//!
//! A unique index without the collation compares the text, so it lets in `2013-01-31T10:00Z` beside `2013-01-31 10:00:00+00:00`.
//! What looks for a conflict compares by the collation nevertheless: `update_conflicts`, `ignore_conflicts`, `save`,
//! `get_or_create` and `update_or_create` find the row whatever its spelling is, and the stored spelling of its key stays. Where
//! a table already has several rows of one key, the conflicting row is the one with the same text, if there is one. With such an
//! index `update_conflicts` and `ignore_conflicts` look for rows of equal keys once for each batch of up to 500 rows. For times
//! they read those from a day before the first one to a day after the last one, for decimals and documents the whole table.
//! `create`, and `bulk_create` without a rule for conflicts, leave it to the index.
//!
//! SQLite 3.38 to 3.40 loses rows of joins by such a collation if it makes an index for the join by itself. Where it does,
//! connections are opened with `PRAGMA automatic_index = OFF`. The SQLite that the feature `bundled` builds does not.
//!
//! Aggregates and functions of Diesel's own, such as `diesel::dsl::max`, have no collation: what is compared with their result,
//! or ordered by it, is compared as text. Those of [`orm_core::dsl`](crate::dsl) have it.
//!
//! The collations are known to connections of this crate only: other programs can read columns that are declared with one,
//! but compare and sort them only by `COLLATE BINARY`, and not write to a table that has such an index. With a connection of
//! [a pool of your own](crate::Database#a-pool-of-your-own), Diesel ends the process if it compares text that is not UTF-8.
//!
//! A column that is declared as one of numbers (`NUMERIC`, `DECIMAL(10, 2)`, `INTEGER`, `REAL`) makes numbers of text. A
//! decimal is then a float: it is read as the shortest decimal that is nearest to the float, which is the one that was
//! stored if that had up to 15 digits, and a decimal that would be read as another one is refused when it is written
//! ([`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue)). So is text that looks like a number in such a column.
//! What an UPDATE computes is not checked. A condition compares the floats: a decimal of more digits than a float has is
//! compared as the float that is nearest to it.
//!
//! A column without a type, or of the type `BLOB`, keeps numbers and texts as they are, and SQLite takes every number for less
//! than every text. A number that another program has stored there is read as a decimal, but no condition finds it;
//! [`check_schema`](crate::Database::check_schema) reports such a column.
//!
//! Decimals have up to 131072 digits before the point and 16383 after it, as on PostgreSQL; what has more is refused when
//! it is written, compared with, or read.
//!
//! # Text on PostgreSQL
//!
//! A `String`, and whatever else is kept as text, may be a field over a column of any type of text. A value in a condition, an
//! assignment or a row to be stored is sent without a type, so that PostgreSQL infers the column's, as it does for a literal
//! in SQL: the column's own rules of comparison and its indices apply, and what its input function rejects is an error.
//!
//! | column | as a field of text |
//! | --- | --- |
//! | `text`, `varchar(n)`, and domains of them | as it is |
//! | `citext` | case counts neither in comparisons nor in `contains` and its relatives |
//! | `char(n)` | is read with the spaces that fill it up, and found with and without them |
//! | an enum | is in the order of its declaration; other text than its labels is an error, in conditions as well; there is no search in it |
//! | a domain of an enum | is read and stored; PostgreSQL cannot compare it, so conditions are an `InvalidQuery` error |
//! | `name` | PostgreSQL cuts what is stored to 63 bytes |
//! | any other type (`ltree`, `xml`, `inet`, arrays, composites) | is refused when it is read; raw SQL can cast it to `text` |
//!
//! `coalesce`, `nullif`, `greatest`, `least` and `case_when` infer the type of their values in the same way. Arguments of
//! functions, and values that are selected, are of the type `text`.
//!
//! What depends on the collation, which is the column's or else the database's (`SELECT datcollate, daticulocale FROM
//! pg_database`):
//!
//! | | `C` | a language, by ICU or the C library | a collation that is not deterministic |
//! | --- | --- | --- | --- |
//! | orders, `lt`, `gt`, `min`, `max` | by code points | by the language | by the collation |
//! | `eq`, `is_in`, keys, groups | the same text | the same text | what the collation takes for equal |
//! | `lower`, `upper`, `iexact`, `icontains` | the letters of ASCII | all letters | `lower` and `upper` as by its language |
//! | `contains`, `starts_with`, `ends_with` and the forms without case | yes | yes | an `InvalidQuery` error before PostgreSQL 18 |
//! | an index that serves `starts_with` | any B-tree | one with `text_pattern_ops` | none |
//!
//! The C library's `C.UTF-8` orders as `C` does, knows all letters, and wants `text_pattern_ops`.

use diesel::{
    expression::Expression,
    sql_types::{self, SingleValue, SqlType},
};

use crate::{backend::BackendKind, field::SameDocument, types::limit::Limit};

/// The most bytes that text or bytes with a limit take up in a row of MySQL's or MariaDB's, whose rows have up to 65,535
/// bytes; longer ones are kept outside of it.
const MOST_IN_ROW: u32 = 4096;

/// How a column is declared on each backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnType {
    /// On PostgreSQL.
    pub postgres: &'static str,
    /// On MySQL and MariaDB. A column that is a key or indexed is `VARCHAR(255)` where this is `LONGTEXT`, and
    /// `VARBINARY(255)` where it is `LONGBLOB`: what has no greatest length cannot be indexed there.
    pub mysql: &'static str,
    /// On SQLite. Where this is `TEXT`, a time that is a key or indexed is `TEXT COLLATE orm_instant`, and a JSON document
    /// `TEXT COLLATE orm_json`.
    pub sqlite: &'static str,
}

impl ColumnType {
    /// Whether its values are integers.
    pub(crate) fn is_integer(self) -> bool {
        self.sqlite == "INTEGER"
    }

    /// Whether its values are exact decimals.
    pub(crate) fn is_decimal(self) -> bool {
        self.mysql.starts_with("DECIMAL")
    }

    /// Whether its values are true and false.
    pub(crate) fn is_boolean(self) -> bool {
        self.mysql == "BOOLEAN"
    }

    /// Whether its values are JSON documents.
    pub(crate) fn is_document(self) -> bool {
        (self.postgres, self.sqlite) == ("JSONB", "TEXT")
    }

    /// The collation by which SQLite compares its values: that of the declaration, or that of times or documents.
    pub(crate) fn sqlite_collation(self) -> Option<&'static str> {
        match self.sqlite.split_once(" COLLATE ") {
            Some((_, collation)) => Some(collation),
            None if matches!(self.postgres, "TIME" | "TIMESTAMP" | "TIMESTAMPTZ") => Some("orm_instant"),
            // The collation is registered with the types that need it.
            None if cfg!(feature = "serde_json") && self.is_document() => Some("orm_json"),
            None => None,
        }
    }

    /// The type as it is declared with a limit; `None` where the type has no such limit.
    pub(crate) fn limited(self, backend: BackendKind, limit: Limit, indexed: bool) -> Option<String> {
        let plain = self.on(backend, false);
        match (backend, limit, plain) {
            (BackendKind::Sqlite, ..) => None,
            (BackendKind::Postgres, Limit::Length(most), "TEXT") => Some(format!("VARCHAR({most})")),
            (BackendKind::Mysql, Limit::Length(most), "LONGTEXT") if indexed || most <= MOST_IN_ROW / 4 => {
                Some(format!("VARCHAR({most})"))
            }
            (BackendKind::Mysql, Limit::Length(most), "LONGBLOB") if indexed || most <= MOST_IN_ROW => {
                Some(format!("VARBINARY({most})"))
            }
            (BackendKind::Postgres, Limit::Decimal { precision, scale }, "NUMERIC") => {
                Some(format!("NUMERIC({precision},{scale})"))
            }
            (BackendKind::Mysql, Limit::Decimal { precision, scale }, "DECIMAL(65,30)") => {
                Some(format!("DECIMAL({precision},{scale})"))
            }
            (BackendKind::Postgres, Limit::FractionalSeconds(digits), "TIME" | "TIMESTAMP" | "TIMESTAMPTZ") => {
                Some(format!("{plain}({digits})"))
            }
            (BackendKind::Mysql, Limit::FractionalSeconds(digits), "TIME(6)" | "DATETIME(6)") => {
                Some(plain.replace("(6)", &format!("({digits})")))
            }
            _ => None,
        }
    }

    /// Whether its values are text on PostgreSQL.
    pub(crate) fn is_text(self) -> bool {
        self.postgres == "TEXT" || self.postgres.starts_with("VARCHAR")
    }

    /// The type as it is declared, of a column that has an index or has none.
    pub(crate) fn on(self, backend: BackendKind, indexed: bool) -> &'static str {
        match (backend, self.mysql) {
            (BackendKind::Postgres, _) => self.postgres,
            (BackendKind::Mysql, "LONGTEXT") if indexed => "VARCHAR(255)",
            (BackendKind::Mysql, "LONGBLOB") if indexed => "VARBINARY(255)",
            (BackendKind::Mysql, any) => any,
            // An index serves comparisons by its own collation alone.
            (BackendKind::Sqlite, _) if indexed => match self.sqlite_collation() {
                Some("orm_instant") => "TEXT COLLATE orm_instant",
                Some("orm_json") => "TEXT COLLATE orm_json",
                _ => self.sqlite,
            },
            (BackendKind::Sqlite, _) => self.sqlite,
        }
    }
}

/// An SQL type that a column can be declared with; implement it for your own SQL types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known as the type of a column",
    note = "implement `orm_core::sql_types::ColumnSql` for your own SQL types"
)]
pub trait ColumnSql: SqlType + SingleValue + 'static {
    /// How the column is declared.
    const COLUMN: ColumnType;
    /// Whether it may be NULL.
    const NULLABLE: bool = false;
    /// The least and the greatest of its integers, where a column of it could hold others as well.
    const INTEGERS: Option<(i64, i64)> = None;
}

impl<T> ColumnSql for sql_types::Nullable<T>
where
    T: ColumnSql + SqlType<IsNull = sql_types::is_nullable::NotNull>,
    Self: SqlType + SingleValue,
{
    const COLUMN: ColumnType = T::COLUMN;
    const NULLABLE: bool = true;
    const INTEGERS: Option<(i64, i64)> = T::INTEGERS;
}

/// Says whose rules decide what an SQL type may be compared with, and how: [`Standard`], [`Textual`], [`Portable`] or [`Document`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no comparisons here",
    note = "implement `orm_core::sql_types::SqlKind` for your own SQL types, or call `diesel::ExpressionMethods` by name"
)]
pub trait SqlKind {
    /// [`Standard`], [`Textual`], [`Portable`] or [`Document`].
    type Kind: Comparison;
}

/// Diesel's `AsExpression` decides what a value of this SQL type may be compared with.
#[derive(Debug)]
pub struct Standard;

/// As [`Standard`], of text: PostgreSQL infers the type of a value from the column that it is compared with, which may be
/// `citext`, `char(n)` or an enum.
#[derive(Debug)]
pub struct Textual;

/// The SQL types of this module, and those whose values are checked before they are sent: dates and times. Diesel's traits
/// cannot be implemented between another crate's value type and another crate's trait, so what they may be compared with
/// is said here.
#[derive(Debug)]
pub struct Portable;

/// As [`Portable`]; JSON documents are equal where they say the same, however their text is written.
#[derive(Debug)]
pub struct Document;

/// How expressions are written on either side of `=` and in `IN`.
pub trait Comparison {
    /// The expression as it is compared.
    type Compared<E: Expression>: Expression<SqlType = E::SqlType>;
    #[doc(hidden)]
    fn compared<E: Expression>(expression: E) -> Self::Compared<E>;
}

macro_rules! compared_as_they_are {
    ($($kind:ty)*) => { $(
        impl Comparison for $kind {
            type Compared<E: Expression> = E;
            fn compared<E: Expression>(expression: E) -> E {
                expression
            }
        }
    )* };
}
compared_as_they_are! { Standard Textual Portable }

impl Comparison for Document {
    type Compared<E: Expression> = SameDocument<E>;
    fn compared<E: Expression>(expression: E) -> SameDocument<E> {
        SameDocument::new(expression)
    }
}

impl<T: SqlKind + SqlType> SqlKind for sql_types::Nullable<T> {
    type Kind = T::Kind;
}

macro_rules! diesel_types {
    ($($sql:ty => $postgres:literal, $mysql:literal, $sqlite:literal $(, $kind:ident)?;)*) => { $(
        impl ColumnSql for $sql {
            const COLUMN: ColumnType = ColumnType { postgres: $postgres, mysql: $mysql, sqlite: $sqlite };
        }
        impl SqlKind for $sql {
            type Kind = diesel_types!(@kind $($kind)?);
        }
    )* };
    (@kind) => { Standard };
    (@kind $kind:ident) => { $kind };
}

impl ColumnSql for sql_types::Text {
    const COLUMN: ColumnType = ColumnType { postgres: "TEXT", mysql: "LONGTEXT", sqlite: "TEXT" };
}
impl SqlKind for sql_types::Text {
    type Kind = Textual;
}

diesel_types! {
    sql_types::Bool => "BOOLEAN", "BOOLEAN", "BOOLEAN";
    sql_types::SmallInt => "SMALLINT", "SMALLINT", "INTEGER";
    sql_types::Integer => "INTEGER", "INT", "INTEGER";
    sql_types::BigInt => "BIGINT", "BIGINT", "INTEGER";
    sql_types::Float => "REAL", "FLOAT", "REAL";
    sql_types::Double => "DOUBLE PRECISION", "DOUBLE", "REAL";
    sql_types::Numeric => "NUMERIC", "DECIMAL(65,30)", "NUMERIC";
    sql_types::Binary => "BYTEA", "LONGBLOB", "BLOB";
    sql_types::Date => "DATE", "DATE", "TEXT", Portable;
    sql_types::Time => "TIME", "TIME(6)", "TEXT", Portable;
    sql_types::Timestamp => "TIMESTAMP", "DATETIME(6)", "TEXT", Portable;
    sql_types::Json => "JSON", "JSON", "TEXT";
}

#[cfg(feature = "postgres")]
diesel_types! {
    sql_types::Uuid => "UUID", "BINARY(16)", "BLOB";
    sql_types::Timestamptz => "TIMESTAMPTZ", "DATETIME(6)", "TEXT";
    sql_types::Jsonb => "JSONB", "JSON", "BLOB";
    sql_types::Interval => "INTERVAL", "LONGTEXT", "TEXT";
    sql_types::Inet => "INET", "LONGTEXT", "TEXT";
    sql_types::Cidr => "CIDR", "LONGTEXT", "TEXT";
    sql_types::MacAddr => "MACADDR", "LONGTEXT", "TEXT";
    sql_types::Oid => "OID", "BIGINT", "INTEGER";
    sql_types::Citext => "CITEXT", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Bool> => "BOOLEAN[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::SmallInt> => "SMALLINT[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Integer> => "INTEGER[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::BigInt> => "BIGINT[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Float> => "REAL[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Double> => "DOUBLE PRECISION[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Text> => "TEXT[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Date> => "DATE[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Timestamp> => "TIMESTAMP[]", "LONGTEXT", "TEXT";
    sql_types::Array<sql_types::Uuid> => "UUID[]", "LONGTEXT", "TEXT";
    sql_types::Range<sql_types::Integer> => "INT4RANGE", "LONGTEXT", "TEXT";
    sql_types::Range<sql_types::BigInt> => "INT8RANGE", "LONGTEXT", "TEXT";
    sql_types::Range<sql_types::Date> => "DATERANGE", "LONGTEXT", "TEXT";
    sql_types::Range<sql_types::Timestamp> => "TSRANGE", "LONGTEXT", "TEXT";
    sql_types::Range<sql_types::Timestamptz> => "TSTZRANGE", "LONGTEXT", "TEXT";
}

#[cfg(feature = "mysql")]
diesel_types! {
    sql_types::TinyInt => "SMALLINT", "TINYINT", "INTEGER";
    sql_types::Unsigned<sql_types::TinyInt> => "SMALLINT", "TINYINT UNSIGNED", "INTEGER";
    sql_types::Unsigned<sql_types::SmallInt> => "INTEGER", "SMALLINT UNSIGNED", "INTEGER";
    sql_types::Unsigned<sql_types::Integer> => "BIGINT", "INT UNSIGNED", "INTEGER";
    sql_types::Unsigned<sql_types::BigInt> => "NUMERIC(20)", "BIGINT UNSIGNED", "INTEGER";
    sql_types::Datetime => "TIMESTAMP", "DATETIME(6)", "TEXT";
}

macro_rules! portable_types {
    ($kind:ident: $($(#[$attribute:meta])* $name:ident $(from $least:literal to $greatest:expr)? =>
        $postgres:literal, $mysql:literal, $sqlite:literal;
    )*) => { $(
        #[derive(Clone, Copy, Debug, Default, diesel::query_builder::QueryId, SqlType)]
        $(#[$attribute])*
        pub struct $name;

        impl ColumnSql for $name {
            const COLUMN: ColumnType = ColumnType { postgres: $postgres, mysql: $mysql, sqlite: $sqlite };
            $( const INTEGERS: Option<(i64, i64)> = Some(($least, $greatest)); )?
        }
        impl SqlKind for $name {
            type Kind = $kind;
        }
        impl sql_types::SqlOrd for $name {}
    )* };
}

// The numbers are the types' OIDs, which PostgreSQL fixes in its `pg_type.dat`.
portable_types! { Portable:
    /// A signed integer of 8 bits.
    #[diesel(postgres_type(oid = 21, array_oid = 1005), mysql_type(name = "Short"), sqlite_type(name = "Long"))]
    I8 from -128 to 127 => "SMALLINT", "SMALLINT", "INTEGER";
    /// An unsigned integer of 8 bits.
    #[diesel(postgres_type(oid = 21, array_oid = 1005), mysql_type(name = "Short"), sqlite_type(name = "Long"))]
    U8 from 0 to 255 => "SMALLINT", "SMALLINT", "INTEGER";
    /// An unsigned integer of 16 bits.
    #[diesel(postgres_type(oid = 23, array_oid = 1007), mysql_type(name = "Long"), sqlite_type(name = "Long"))]
    U16 from 0 to 65_535 => "INTEGER", "INT", "INTEGER";
    /// An unsigned integer of 32 bits.
    #[diesel(postgres_type(oid = 20, array_oid = 1016), mysql_type(name = "LongLong"), sqlite_type(name = "Long"))]
    U32 from 0 to 4_294_967_295 => "BIGINT", "BIGINT", "INTEGER";
    /// An unsigned integer of 64 bits. PostgreSQL and SQLite have none: there a value above `i64::MAX` is refused before
    /// anything is sent (use `BigDecimal` for those). On MySQL and MariaDB a column `BIGINT UNSIGNED` holds all of them, and
    /// the server rejects those above `i64::MAX` for a column `BIGINT`.
    #[diesel(
        postgres_type(oid = 20, array_oid = 1016),
        mysql_type(name = "UnsignedLongLong"),
        sqlite_type(name = "Long")
    )]
    U64 from 0 to i64::MAX => "BIGINT", "BIGINT UNSIGNED", "INTEGER";
    /// A UUID.
    #[diesel(postgres_type(oid = 2950, array_oid = 2951), mysql_type(name = "Blob"), sqlite_type(name = "Binary"))]
    Uuid => "UUID", "BINARY(16)", "BLOB";
    /// A UUID kept as text of 36 characters, with hyphens, in lower case; for a `Uuid` field whose column is `CHAR(36)`, text,
    /// or MariaDB's own `UUID`.
    ///
    /// It is written and compared in this spelling, so an index on the column serves it. Another spelling, such as upper case,
    /// is an error when it is read: a condition would not find it.
    ///
    /// ```
    /// # use orm_core::{prelude::*, sql_types::UuidText};
    /// # use uuid::Uuid;
    /// #[derive(Model, Clone)]
    /// struct Document {
    ///     #[model(primary_key, sql_type = UuidText)]
    ///     id: Uuid,
    ///     #[model(sql_type = diesel::sql_types::Nullable<UuidText>)]
    ///     replaces: Option<Uuid>,
    /// }
    ///
    /// let db = orm_core::connect("sqlite::memory:")?;
    /// db.create_tables::<(Document,)>()?;
    /// let document = Document { id: Uuid::from_u128(7), replaces: None };
    /// Document::bulk_create(&db, [document.clone()])?;
    /// assert!(Document::objects(&db).filter(|d| d.id.eq(document.id)).exists()?);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    #[diesel(postgres_type(oid = 25, array_oid = 1009), mysql_type(name = "String"), sqlite_type(name = "Text"))]
    UuidText => "VARCHAR(36)", "CHAR(36)", "TEXT";
    /// A UUID kept as 32 hexadecimal digits in lower case, as Django keeps it in a `char(32)`; otherwise as [`UuidText`].
    #[diesel(postgres_type(oid = 25, array_oid = 1009), mysql_type(name = "String"), sqlite_type(name = "Text"))]
    UuidSimple => "VARCHAR(32)", "CHAR(32)", "TEXT";
    /// An instant, kept in UTC, to the microsecond.
    #[diesel(postgres_type(oid = 1184, array_oid = 1185), mysql_type(name = "DateTime"), sqlite_type(name = "Text"))]
    UtcTimestamp => "TIMESTAMPTZ", "DATETIME(6)", "TEXT";
    /// An exact decimal number of any size.
    // SQLite has no exact decimals. As text they are exact, and the collation compares them as numbers.
    #[diesel(postgres_type(oid = 1700, array_oid = 1231), mysql_type(name = "Numeric"), sqlite_type(name = "Text"))]
    Decimal => "NUMERIC", "DECIMAL(65,30)", "TEXT COLLATE orm_decimal";
}

portable_types! { Document:
    /// A JSON document.
    ///
    /// Two documents are equal if they say the same: spaces, the order of keys, and the way in which a number or a string is
    /// written do not count. This holds wherever documents are compared: in conditions, joins, orders, groups, `distinct`, set operations and
    /// the windows' partitions. Documents have an order, which differs between backends; equal ones stand together in it.
    ///
    /// | | how documents are compared |
    /// | --- | --- |
    /// | PostgreSQL | as `JSONB`. A column of the type `JSON` is cast to it, also where `distinct`, `group_by` and set operations read it, so that no index serves a condition on it, and [`JsonText`](crate::types::JsonText) is then read as `JSONB` writes it |
    /// | MySQL | by the type `JSON` |
    /// | MariaDB, from 10.7 | as `JSON_NORMALIZE` writes them, so that no index serves the comparison. Before 10.7 the texts are compared |
    /// | SQLite | by the [collation](crate::sql_types#comparisons-on-sqlite) `orm_json`, which reads both documents in each comparison: to sort or group many takes longer than of a column of text |
    ///
    /// MariaDB cannot select one of several equal documents, and its indexes compare the text. So on MySQL and MariaDB,
    /// `distinct`, `union`, `intersection` and `difference` of `values` with a document are refused
    /// ([`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery)), and so is a document as a key or as a reference to one. Use
    /// `group_by`, or select the primary key as well; whole rows are told apart by their keys.
    ///
    /// A document of more levels than can be read again, 127 or on MySQL and MariaDB 31, is refused before anything is sent.
    /// serde_json drops and clones a `Value` by recursion: one of thousands of levels overflows the stack of the thread that
    /// drops it, whatever is done with it here. Its parser makes none of more than 127 levels; a program that builds documents
    /// has to bound their depth.
    #[diesel(postgres_type(oid = 3802, array_oid = 3807), mysql_type(name = "String"), sqlite_type(name = "Text"))]
    Json => "JSONB", "JSON", "TEXT";
}
