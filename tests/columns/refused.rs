//! What cannot be read as text is refused by the type's name.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use diesel::{
    connection::{Connection, InstrumentationEvent},
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
};
use orm_core::{PgConnection, prelude::*};
use orm_tests::{Bed, TestResult, ok};

/// Expressions, and the names of their types.
const NOT_TEXT: [(&str, &str); 30] = [
    ("'a.b'::ltree", "ltree"),
    ("'a=>1'::hstore", "hstore"),
    ("ARRAY['x', 'y']::kind[]", "kind[]"),
    ("ROW(1, 'x')::pair", "pair"),
    ("'empty'::floats", "floats"),
    ("'x'::other.shell", "other.shell"),
    ("ARRAY['a']::citext[]", "citext[]"),
    ("1::money", "money"),
    ("'<a/>'::xml", "xml"),
    ("'1'::json", "json"),
    ("'1'::jsonb", "jsonb"),
    ("'1:00+0'::timetz", "timetz"),
    ("B'1'", "bit"),
    ("B'1'::varbit", "bit varying"),
    ("'::1'::inet", "inet"),
    ("'::/8'::cidr", "cidr"),
    ("'1 day'::interval", "interval"),
    ("1::oid", "oid"),
    ("'a'::\"char\"", "\"char\""),
    ("'a b'::tsvector", "tsvector"),
    ("'a'::tsquery", "tsquery"),
    ("ARRAY['a']", "text[]"),
    ("ARRAY[1]", "integer[]"),
    ("'(1,2)'::point", "point"),
    ("int4range(1, 2)", "int4range"),
    ("'pg_class'::regclass", "regclass"),
    ("ROW(1, 2)", "record"),
    ("1.5", "numeric"),
    ("now()", "timestamptz"),
    ("'\\x00'::bytea", "bytea"),
];

/// What is text, and is read as such.
const TEXT: [(&str, &str); 8] = [
    ("'a'::text", "a"),
    ("'a'::varchar(3)", "a"),
    ("'a'::char(3)", "a  "),
    ("'a'::name", "a"),
    ("'A'::citext", "A"),
    ("'x'::kind", "x"),
    ("'x'::known_kind", "x"),
    ("'A'::other.letters", "A"),
];

fn bed() -> Bed {
    let bed = Bed::postgres_database();
    bed.execute(
        "CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION hstore; CREATE SCHEMA other;
         CREATE TYPE kind AS ENUM ('x', 'y'); CREATE DOMAIN known_kind AS KIND; CREATE TYPE pair AS (a INT, b TEXT);
         CREATE TYPE floats AS RANGE (subtype = float8); CREATE DOMAIN other.letters AS CITEXT;
         CREATE TYPE other.shell",
    );
    // A type whose binary form is an integer's, of as many bytes as an enum has.
    bed.execute(
        "CREATE FUNCTION other.shell_in(cstring) RETURNS other.shell LANGUAGE internal STRICT IMMUTABLE AS 'charin';
         CREATE FUNCTION other.shell_out(other.shell) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'charout';
         CREATE FUNCTION other.shell_send(other.shell) RETURNS bytea LANGUAGE internal STRICT IMMUTABLE AS 'charsend';
         CREATE TYPE other.shell (INPUT = other.shell_in, OUTPUT = other.shell_out, SEND = other.shell_send,
             INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char)",
    );
    bed
}

fn diesels(bed: &Bed) -> Result<Database, Box<dyn std::error::Error>> {
    Ok(Pool::builder().max_size(1).build(ConnectionManager::<diesel::PgConnection>::new(bed.url()))?.into())
}

fn cause(error: &orm_core::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn reading(db: &Database) -> TestResult {
    for _ in 0..2 {
        for (sql, name) in NOT_TEXT {
            let select = format!("SELECT {sql}");
            let expected =
                format!("the column is of type {name}, not text; to read it as text, cast it: `CAST(… AS text)`");
            let error = db.raw_values::<(String,)>(&select).load().expect_err(sql);
            assert_eq!((error.kind(), cause(&error)), (ErrorKind::Decode, expected.clone()), "{sql}");
            let rows = db.raw_values::<(Option<String>,)>(&select).try_iterator(10)?;
            let error = rows.last().expect("there is a row").expect_err(sql);
            assert_eq!((error.kind(), cause(&error)), (ErrorKind::Decode, expected), "{sql}");
            let none = format!("SELECT CASE WHEN random() < 0 THEN {sql} END");
            assert_eq!(db.raw_values::<(Option<String>,)>(&none).load()?, [(None,)], "NULL is of every type");
        }
        for (sql, text) in TEXT {
            let select = format!("SELECT {sql}, {sql} FROM generate_series(1, 20)");
            let rows = vec![(text.to_owned(), text.to_owned()); 20];
            assert_eq!(db.raw_values::<(String, String)>(&select).load()?, rows, "{sql}");
            assert_eq!(db.raw_values::<(String, String)>(&select).iterator(3)?.collect::<Vec<_>>(), rows, "{sql}");
        }
    }
    // In a transaction, which goes on.
    db.transaction(|tx| {
        assert!(tx.raw_values::<(String,)>("SELECT 'a.b'::ltree").load().is_err());
        assert_eq!(tx.raw_values::<(String,)>("SELECT 'a'::citext").load()?, [("a".to_owned(),)]);
        ok(())
    })?;
    Ok(())
}

#[test]
fn types_that_are_not_text() -> TestResult {
    let bed = bed();
    reading(&bed.db()?)?;
    reading(&diesels(&bed)?)
}

/// A type that was made after the connection is looked up as well, and two streams with such types can be open at once.
#[test]
fn types_made_meanwhile() -> TestResult {
    let bed = Bed::postgres();
    for db in [bed.db()?, diesels(&bed)?] {
        db.transaction(|tx| {
            bed_type(tx, "one")?;
            let first = tx.raw_values::<(String,)>("SELECT 'a'::one FROM generate_series(1, 1000)");
            let mut first = first.iterator(10)?;
            assert_eq!(first.next(), Some(("a".to_owned(),)));
            bed_type(tx, "two")?;
            let second = tx.raw_values::<(String,)>("SELECT 'a'::two FROM generate_series(1, 1000)");
            let second = second.iterator(10)?;
            assert_eq!((first.count(), second.count()), (999, 1000));
            ok(())
        })?;
        bed.execute("DROP TYPE one, two");
    }
    Ok(())
}

fn bed_type(tx: &Transaction, name: &str) -> orm_core::Result<()> {
    tx.batch_execute(&format!("CREATE TYPE {name} AS ENUM ('a')"))
}

/// Counts the statements that ask for types.
#[derive(Debug, Default)]
struct Lookups(Arc<AtomicUsize>);

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Lookups {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        let lookups = Arc::clone(&self.0);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && query.to_string().contains("pg_type")
            {
                lookups.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    }
}

/// A connection asks for each type once, and for PostgreSQL's own never.
#[test]
fn each_type_is_looked_up_once() -> TestResult {
    let bed = bed();
    let lookups = Arc::<AtomicUsize>::default();
    let manager = ConnectionManager::<PgConnection>::new(bed.url());
    let customizer = Box::new(Lookups(Arc::clone(&lookups)));
    let db: Database = Pool::builder().max_size(1).connection_customizer(customizer).build(manager)?.into();
    let count = || lookups.load(Ordering::Relaxed);
    db.raw_values::<(String,)>("SELECT 'a'::text").load()?;
    assert!(db.raw_values::<(String,)>("SELECT 1::money").load().is_err());
    assert_eq!(db.raw_values::<(String,)>("SELECT 'a'::citext WHERE 1 = 0").load()?, []);
    assert_eq!(count(), 0);
    for _ in 0..3 {
        db.raw_values::<(String, String)>("SELECT 'a'::citext, 'x'::kind").load()?;
        assert_eq!(db.raw_values::<(String,)>("SELECT 'a'::citext").iterator(5)?.count(), 1);
        assert_eq!(count(), 1);
    }
    assert!(db.raw_values::<(String,)>("SELECT 'a.b'::ltree, 'a'::citext").load().is_err());
    assert_eq!(count(), 2, "of the one that was not known");
    Ok(())
}

#[derive(Model, Debug, PartialEq)]
#[model(table = "places")]
struct Place {
    #[model(primary_key)]
    id: i64,
    path: String,
}

/// A model's field names itself and its row, and a value is not taken for one of another type.
#[test]
fn a_field_of_a_model() -> TestResult {
    let bed = bed();
    bed.execute(
        "CREATE TABLE places (id BIGINT PRIMARY KEY, path LTREE NOT NULL); INSERT INTO places VALUES (7, 'a.b')",
    );
    for db in [bed.db()?, diesels(&bed)?] {
        let error = Place::objects(&db).get().expect_err("it is no text");
        assert_eq!((error.field(), error.row(), error.key()), (Some("path"), Some(1), Some("7")), "{error:?}");
        assert!(cause(&error).contains("of type ltree"), "{error:?}");
    }
    // Four characters are as long as an integer.
    bed.execute("DROP TABLE places; CREATE TABLE places (id BIGINT PRIMARY KEY, path INT NOT NULL)");
    bed.execute("INSERT INTO places VALUES (7, x'31323334'::int), (8, 1234)");
    for db in [bed.db()?, diesels(&bed)?] {
        let found = Place::objects(&db).filter(|p| p.path.eq("1234")).values(|p| p.id).load()?;
        assert_eq!(found, [8], "by the number that the text is");
        let error = Place::objects(&db).filter(|p| p.path.eq("abcd")).count().expect_err("no integer");
        let cause = cause(&error);
        assert!(cause.starts_with("invalid input syntax for type integer") && !cause.contains("abcd"), "{cause}");
    }
    Ok(())
}
