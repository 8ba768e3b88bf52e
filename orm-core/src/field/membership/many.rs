//! Lists of values that are too long for bind parameters.
//!
//! Each backend has its own form: one array on PostgreSQL; on MySQL and SQLite literals, made of what would have been
//! bound. Text and bytes are written in hexadecimal digits, so that nothing in them is taken for SQL.

#[cfg(any(feature = "mysql", feature = "sqlite"))]
use std::cell::Cell;
use std::{fmt::Debug, sync::OnceLock};

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment},
    result::Error,
};

use crate::backend::Driver;

/// The values of a list.
#[derive(Clone, Debug)]
pub struct Elements<E> {
    pub(super) values: Vec<E>,
    /// As they are written, once they have been.
    #[cfg_attr(not(any(feature = "mysql", feature = "sqlite")), allow(dead_code))]
    literals: OnceLock<String>,
}

impl<E> Elements<E> {
    pub(super) fn new(values: Vec<E>) -> Self {
        Elements { values, literals: OnceLock::new() }
    }

    #[cfg(any(feature = "mysql", feature = "sqlite"))]
    fn literals(&self, write: impl FnOnce(&[E]) -> QueryResult<String>) -> QueryResult<&str> {
        match self.literals.get() {
            Some(known) => Ok(known),
            None => write(&self.values).map(|written| &**self.literals.get_or_init(|| written)),
        }
    }
}

/// A backend that can write many values `E`.
#[doc(hidden)]
pub trait WriteMany<E>: Driver {
    /// Writes what follows the field.
    fn write_many<'b>(elements: &'b Elements<E>, negated: bool, out: AstPass<'_, 'b, Self>) -> QueryResult<()>;
}

/// Fails unless a value is a bind parameter and nothing else.
fn check_form<DB: Driver, E: QueryFragment<DB>>(values: &[E], parameter: &str) -> QueryResult<()> {
    match values.first() {
        Some(value) if DB::sql(value)? != parameter => Err(refused(NOT_ONLY_VALUES)),
        _ => Ok(()),
    }
}

const NOT_ONLY_VALUES: &str = "a list of so many can only be one of values: fields cannot be in it, nor JSON documents";

fn refused(reason: impl Into<String>) -> Error {
    Error::QueryBuilderError(reason.into().into())
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use diesel::{
        expression::Expression,
        pg::Pg,
        query_builder::bind_collector::RawBytesBindCollector,
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Array, HasSqlType, IntoNotNullable, SqlType},
    };

    use super::*;
    use crate::backend::postgres::inferred::{self, InferredType};

    impl<E, ST> WriteMany<E> for Pg
    where
        E: QueryFragment<Pg> + Expression<SqlType: IntoNotNullable<NotNullable = ST>> + Debug,
        ST: SqlType,
        Pg: HasSqlType<ST>,
    {
        fn write_many<'b>(elements: &'b Elements<E>, negated: bool, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            out.push_sql(if negated { " <> ALL(" } else { " = ANY(" });
            if inferred::is_text::<ST>() && inferred::are_literals() {
                inferred::push_literal(Some(&elements.texts()?), &mut out)?;
            } else {
                check_form(&elements.values, "$1")?;
                out.push_bind_param::<InferredType<Array<ST>>, _>(elements)?;
            }
            out.push_sql(")");
            Ok(())
        }
    }

    impl<E: QueryFragment<Pg>> Elements<E> {
        /// Texts as the input function of an array reads them.
        fn texts(&self) -> QueryResult<Vec<u8>> {
            let text = |value| inferred::text_parameter(value)?.ok_or_else(|| refused(NOT_ONLY_VALUES));
            let texts: Vec<Option<Vec<u8>>> = self.values.iter().map(text).collect::<QueryResult<_>>()?;
            Ok(inferred::array_of_texts(&texts))
        }
    }

    impl<E, ST> ToSql<InferredType<Array<ST>>, Pg> for Elements<E>
    where
        E: QueryFragment<Pg> + Debug,
        Pg: HasSqlType<ST>,
    {
        /// An array as PostgreSQL's `array_recv` reads it, or, of texts whose type is inferred, its `array_in`.
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            if inferred::is_text::<ST>() && inferred::sends_text_format(out.metadata_lookup()) {
                out.write_all(&self.texts()?)?;
                return Ok(IsNull::No);
            }
            let mut collector = RawBytesBindCollector::<Pg>::new();
            for value in &self.values {
                value.collect_binds(&mut collector, out.metadata_lookup(), &Pg)?;
            }
            let oid = <Pg as HasSqlType<ST>>::metadata(out.metadata_lookup()).oid()?;
            let has_nulls = collector.binds.iter().any(Option::is_none);
            out.write_all(&1_i32.to_be_bytes())?; // dimensions
            out.write_all(&i32::from(has_nulls).to_be_bytes())?;
            out.write_all(&oid.to_be_bytes())?;
            out.write_all(&i32::try_from(collector.binds.len())?.to_be_bytes())?;
            out.write_all(&1_i32.to_be_bytes())?; // the index of the first
            for value in &collector.binds {
                match value {
                    Some(bytes) => {
                        out.write_all(&i32::try_from(bytes.len())?.to_be_bytes())?;
                        out.write_all(bytes)?;
                    }
                    None => out.write_all(&(-1_i32).to_be_bytes())?,
                }
            }
            Ok(IsNull::No)
        }
    }
}

#[cfg(any(feature = "mysql", feature = "sqlite"))]
thread_local! {
    /// Whether a statement is being written to be shown, in an error for example, and not to be executed.
    static IS_SHOWN: Cell<bool> = const { Cell::new(false) };
}

/// Writes a statement to be shown: `…` stands for the values of long lists, as placeholders do for other values.
///
/// Diesel passes no settings to the fragments of a statement, so this one is the thread's.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) fn without_values<T>(write: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_SHOWN.set(self.0);
        }
    }
    let _restore = Restore(IS_SHOWN.replace(true));
    write()
}

/// Writes the list, which `literals` gives, unless the statement is only shown.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
fn write_list<'l>(
    literals: impl FnOnce() -> QueryResult<&'l str>,
    negated: bool,
    out: &mut AstPass<'_, '_, impl Driver>,
) -> QueryResult<()> {
    let literals = if IS_SHOWN.get() { "…" } else { literals()? };
    out.push_sql(if negated { " NOT IN (" } else { " IN (" });
    out.push_sql(literals);
    out.push_sql(")");
    Ok(())
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::cell::RefCell;

    use diesel::{
        Connection, RunQueryDsl, SqliteConnection,
        query_builder::{Query, QueryId},
        sql_types::Text,
        sqlite::Sqlite,
    };

    use super::*;

    impl<E: QueryFragment<Sqlite>> WriteMany<E> for Sqlite {
        fn write_many<'b>(
            elements: &'b Elements<E>,
            negated: bool,
            mut out: AstPass<'_, 'b, Sqlite>,
        ) -> QueryResult<()> {
            check_form(&elements.values, "?")?;
            write_list(|| elements.literals(literals), negated, &mut out)
        }
    }

    /// The values as SQLite itself writes them, in a database in memory that nothing else is in.
    fn literals<E: QueryFragment<Sqlite>>(values: &[E]) -> QueryResult<String> {
        thread_local! {
            static SCRIBE: RefCell<Option<SqliteConnection>> = const { RefCell::new(None) };
        }
        SCRIBE.with_borrow_mut(|scribe| {
            let scribe = match scribe {
                Some(scribe) => scribe,
                none => {
                    none.insert(SqliteConnection::establish(":memory:").map_err(|error| refused(error.to_string()))?)
                }
            };
            let mut literals = Vec::with_capacity(values.len());
            for values in values.chunks(Sqlite::PARAMETERS) {
                literals.extend(Quoted(values).load::<String>(scribe)?);
            }
            Ok(literals.join(","))
        })
    }

    /// Selects the literals of values, in their order. Text is quoted as bytes, for `quote` ends it at the character NUL.
    struct Quoted<'v, E>(&'v [E]);
    impl<E> Query for Quoted<'_, E> {
        type SqlType = Text;
    }
    impl<E> QueryId for Quoted<'_, E> {
        type QueryId = ();
        const HAS_STATIC_QUERY_ID: bool = false;
    }
    impl<E> diesel::query_dsl::RunQueryDsl<SqliteConnection> for Quoted<'_, E> {}
    impl<E: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Quoted<'_, E> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
            out.unsafe_to_cache_prepared();
            out.push_sql(
                "SELECT CASE TYPEOF(column1) WHEN 'text' THEN 'CAST(' || QUOTE(CAST(column1 AS BLOB)) || ' AS TEXT)' \
                 ELSE QUOTE(column1) END FROM (VALUES ",
            );
            for (i, value) in self.0.iter().enumerate() {
                out.push_sql(if i == 0 { "(" } else { ", (" });
                value.walk_ast(out.reborrow())?;
                out.push_sql(")");
            }
            out.push_sql(")");
            Ok(())
        }
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::fmt::Write;

    use diesel::{
        mysql::{Mysql, MysqlType},
        query_builder::bind_collector::RawBytesBindCollector,
    };

    use super::*;

    impl<E: QueryFragment<Mysql>> WriteMany<E> for Mysql {
        fn write_many<'b>(
            elements: &'b Elements<E>,
            negated: bool,
            mut out: AstPass<'_, 'b, Mysql>,
        ) -> QueryResult<()> {
            check_form(&elements.values, "?")?;
            write_list(|| elements.literals(literals), negated, &mut out)
        }
    }

    fn literals<E: QueryFragment<Mysql>>(values: &[E]) -> QueryResult<String> {
        let mut collector = RawBytesBindCollector::<Mysql>::new();
        for value in values {
            value.collect_binds(&mut collector, &mut (), &Mysql)?;
        }
        let mut literals = String::new();
        for (kind, bytes) in collector.metadata.iter().zip(&collector.binds) {
            if !literals.is_empty() {
                literals.push(',');
            }
            match bytes {
                None => literals.push_str("NULL"),
                Some(bytes) => {
                    let written = literal(*kind, bytes, &mut literals);
                    written
                        .ok_or_else(|| refused(format!("a value of the type {kind:?} cannot be in so long a list")))?;
                }
            }
        }
        Ok(literals)
    }

    /// Writes a value from the bytes that Diesel binds, if it is one that a literal can hold exactly.
    fn literal(kind: MysqlType, bytes: &[u8], out: &mut String) -> Option<()> {
        match kind {
            // Diesel writes a boolean as an `i32`, and says that it is of one byte.
            MysqlType::Tiny if bytes.len() == 4 => write!(out, "{}", i32::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::Tiny => write!(out, "{}", i8::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::UnsignedTiny => write!(out, "{}", u8::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::Short => write!(out, "{}", i16::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::UnsignedShort => write!(out, "{}", u16::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::Long => write!(out, "{}", i32::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::UnsignedLong => write!(out, "{}", u32::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::LongLong => write!(out, "{}", i64::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            MysqlType::UnsignedLongLong => write!(out, "{}", u64::from_ne_bytes(bytes.try_into().ok()?)).ok(),
            // With an exponent it is no decimal but a float.
            MysqlType::Float => float(f64::from(f32::from_ne_bytes(bytes.try_into().ok()?)), out),
            MysqlType::Double => float(f64::from_ne_bytes(bytes.try_into().ok()?), out),
            MysqlType::Numeric => {
                let digits = std::str::from_utf8(bytes).ok()?;
                let is_plain = digits.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'-' | b'.'));
                is_plain.then(|| out.push_str(digits))
            }
            MysqlType::String | MysqlType::Enum | MysqlType::Set => {
                out.push_str("_utf8mb4 ");
                hexadecimal(bytes, out)
            }
            MysqlType::Blob | MysqlType::Bit => hexadecimal(bytes, out),
            MysqlType::Date | MysqlType::Time | MysqlType::DateTime | MysqlType::Timestamp => {
                out.push_str(&crate::mysql::literal_of_time(kind, bytes)?);
                Some(())
            }
            _ => None,
        }
    }

    fn float(value: f64, out: &mut String) -> Option<()> {
        if value.is_finite() { write!(out, "{value:e}").ok() } else { None }
    }

    fn hexadecimal(bytes: &[u8], out: &mut String) -> Option<()> {
        out.push_str("X'");
        for byte in bytes {
            write!(out, "{byte:02X}").ok()?;
        }
        out.push('\'');
        Some(())
    }
}
