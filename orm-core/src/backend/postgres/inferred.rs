//! Text parameters without a declared type.
//!
//! A parameter that is declared as `text` is compared by the rules of `text`, also with a column of `citext` or `char(n)`,
//! and cannot be compared with an enum at all. So text that is compared with a column or assigned to one is sent with the
//! OID 0 and in the text format: the server infers the type from the statement, and that type's input function reads
//! the text or rejects it. (In the binary format the four bytes of a text would be read as an `int4` without an error.)
//!
//! Diesel's own connection sends every parameter in the binary format. For it the text is written into the statement as a
//! literal, whose type the server infers in the same way.

use std::{cell::Cell, io::Write as _};

use diesel::{
    QueryResult,
    pg::{Pg, PgMetadataLookup, PgTypeMetadata},
    query_builder::{
        AstPass, QueryFragment,
        bind_collector::{BindCollector, RawBytesBindCollector},
    },
    result::Error,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{HasSqlType, Text},
};

use super::value::{TEXT, TEXT_ARRAY};
use crate::{backend::Driver, postgres::PgConnection, types::inferred::Value};

/// The SQL type `ST`, or, if that is `text` or an array of it, the type that the server infers.
#[derive(Debug)]
pub(crate) struct InferredType<ST>(std::marker::PhantomData<fn() -> ST>);

impl<ST> HasSqlType<InferredType<ST>> for Pg
where
    Pg: HasSqlType<ST>,
{
    fn metadata(lookup: &mut Self::MetadataLookup) -> PgTypeMetadata {
        let own = <Pg as HasSqlType<ST>>::metadata(lookup);
        let is_text = own.oid().is_ok_and(|oid| matches!(oid, TEXT | TEXT_ARRAY));
        if is_text && sends_text_format(lookup) { PgTypeMetadata::new(0, 0) } else { own }
    }
}

/// Whether parameters are sent by a connection of ours, which sends those without a type in the text format.
pub(crate) fn sends_text_format(lookup: &mut (dyn PgMetadataLookup + 'static)) -> bool {
    lookup.as_any().is::<PgConnection>()
}

/// Whether parameters of the SQL type `ST` are declared as `text`.
pub(crate) fn is_text<ST>() -> bool
where
    Pg: HasSqlType<ST>,
{
    <Pg as HasSqlType<ST>>::metadata(&mut NoLookup).oid().is_ok_and(|oid| oid == TEXT)
}

/// Types that are found by name are not text.
struct NoLookup;

impl PgMetadataLookup for NoLookup {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }

    fn as_any<'a>(&mut self) -> &mut (dyn std::any::Any + 'a)
    where
        Self: 'a,
    {
        self
    }
}

/// A value of a column.
impl<T: ToSql<ST, Pg>, ST> ToSql<InferredType<ST>, Pg> for [T; 1] {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self[0].to_sql(out)
    }
}

/// Binds a value that is assigned to a column of the SQL type `ST`, or compared with one.
pub(super) fn push_value<'b, ST, T>(value: &'b T, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()>
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg>,
{
    if !is_text::<ST>() {
        return out.push_bind_param::<ST, T>(value);
    }
    // An array of one element is a type for which `ToSql` can be implemented here.
    let value = std::array::from_ref(value);
    if !are_literals() {
        return out.push_bind_param::<InferredType<ST>, [T; 1]>(value);
    }
    let mut collector = RawBytesBindCollector::<Pg>::new();
    collector.push_bound_value::<ST, T>(&value[0], &mut NoLookup)?;
    push_literal(collector.binds.first().and_then(Option::as_deref), out)
}

/// Writes an operand; see [`Inferred`](crate::types::Inferred).
pub(super) fn push_operand<'b, E: QueryFragment<Pg>>(
    operand: &'b Value<E>,
    mut out: AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    let Some(text) = text_parameter(&operand.0)? else { return operand.0.walk_ast(out) };
    if are_literals() {
        return push_literal(text.as_deref(), &mut out);
    }
    out.push_bind_param::<InferredType<Text>, Value<E>>(operand)
}

impl<E: QueryFragment<Pg>> ToSql<InferredType<Text>, Pg> for Value<E> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        match text_parameter(&self.0)?.flatten() {
            Some(text) => {
                out.write_all(&text)?;
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }
}

/// The value of an expression that is one text parameter and nothing else; the inner `None` is NULL.
pub(crate) fn text_parameter<E: QueryFragment<Pg>>(expression: &E) -> QueryResult<Option<Option<Vec<u8>>>> {
    set_literals(false, || {
        if Pg::sql(expression)? != "$1" {
            return Ok(None);
        }
        let mut collector = RawBytesBindCollector::<Pg>::new();
        expression.collect_binds(&mut collector, &mut NoLookup, &Pg)?;
        let is_text = collector.metadata.first().is_some_and(|of| of.oid().is_ok_and(|oid| oid == TEXT));
        Ok(if is_text { collector.binds.pop() } else { None })
    })
}

thread_local! {
    /// Whether a statement is being written for Diesel's own connection.
    static LITERALS: Cell<bool> = const { Cell::new(false) };
}

/// Runs a statement on Diesel's own connection: text without a declared type becomes a literal.
///
/// Diesel writes a statement while it executes it, and passes no settings to its fragments; so this one is the thread's.
#[cfg(feature = "libpq")]
pub(super) fn with_literals<T>(run: impl FnOnce() -> T) -> T {
    set_literals(true, run)
}

fn set_literals<T>(on: bool, run: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            LITERALS.set(self.0);
        }
    }
    let _restore = Restore(LITERALS.replace(on));
    run()
}

/// Whether text without a declared type is to be written as a literal.
pub(crate) fn are_literals() -> bool {
    LITERALS.get()
}

/// Writes a literal whose type the server infers.
pub(crate) fn push_literal(text: Option<&[u8]>, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
    out.unsafe_to_cache_prepared();
    let Some(text) = text else {
        out.push_sql("NULL");
        return Ok(());
    };
    let text = std::str::from_utf8(text).map_err(|error| Error::SerializationError(error.into()))?;
    if text.contains('\0') {
        let error = "PostgreSQL's text cannot hold the character NUL; remove it, or use `Vec<u8>`";
        return Err(Error::SerializationError(error.into()));
    }
    // This form has one meaning, whatever `standard_conforming_strings` is.
    out.push_sql("E'");
    out.push_sql(&text.replace('\\', r"\\").replace('\'', "''"));
    out.push_sql("'");
    Ok(())
}

/// Texts as the input function of an array reads them: `{"a","b",NULL}`.
pub(crate) fn array_of_texts<T: AsRef<[u8]>>(texts: &[Option<T>]) -> Vec<u8> {
    let mut array = vec![b'{'];
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            array.push(b',');
        }
        let Some(text) = text else {
            array.extend(b"NULL");
            continue;
        };
        array.push(b'"');
        for byte in text.as_ref() {
            if matches!(byte, b'"' | b'\\') {
                array.push(b'\\');
            }
            array.push(*byte);
        }
        array.push(b'"');
    }
    array.push(b'}');
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Inferred, PortableValue};

    fn literal(text: Option<&str>) -> QueryResult<String> {
        struct Written<'t>(Option<&'t str>);
        impl QueryFragment<Pg> for Written<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                push_literal(self.0.map(str::as_bytes), &mut out)
            }
        }
        Pg::sql(&Written(text))
    }

    #[test]
    fn literals_escape_quotes_and_backslashes() {
        assert_eq!(literal(Some(r"O'Hare \ '")), Ok(r"E'O''Hare \\ '''".to_owned()));
        assert_eq!(literal(None), Ok("NULL".to_owned()));
        assert!(literal(Some("a\0b")).is_err());
    }

    #[test]
    fn arrays_escape_quotes_and_backslashes() {
        let array = array_of_texts(&[Some(r#"a"b\"#), None, Some(""), Some("NULL"), Some("{,}")]);
        assert_eq!(std::str::from_utf8(&array), Ok(r#"{"a\"b\\",NULL,"","NULL","{,}"}"#));
    }

    #[test]
    fn only_a_single_text_parameter_is_inferred() {
        let text = |value: &str| PortableValue::<Text, _>::new(value.to_owned());
        assert_eq!(text_parameter(&text("a")), Ok(Some(Some(b"a".to_vec()))));
        assert_eq!(text_parameter(&Inferred::<Text, _>::new(text("a"))), Ok(Some(Some(b"a".to_vec()))));
        assert_eq!(text_parameter(&PortableValue::<diesel::sql_types::Integer, _>::new(1)), Ok(None));
        assert_eq!(text_parameter(&diesel::dsl::sql::<Text>("current_user")), Ok(None));
    }
}
