//! A value that was read from a column is found by every statement, whatever kind of text the column holds.

use diesel::r2d2::{ConnectionManager, Pool};
use orm_core::{
    dsl::{case_when, coalesce, count_star, greatest, least, value},
    prelude::*,
};
use orm_tests::{Bed, TestResult};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "things")]
struct Thing {
    #[model(primary_key)]
    key: String,
    alias: Option<String>,
    n: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "parts")]
struct Part {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Thing, name = thing, reverse = parts))]
    thing_key: String,
}

/// A type of text, and three values of it in their order.
struct Column {
    setup: &'static str,
    declared: &'static str,
    written: [&'static str; 3],
    read: [&'static str; 3],
    /// Other spellings of the first, which the column takes for the same value.
    alike: &'static [&'static str],
}

const NAMES: [&str; 3] = ["Abc", "bcd", "cde"];
const PLAIN: Column = Column { setup: "", declared: "", written: NAMES, read: NAMES, alike: &[] };

/// A test for each connection: ours, and Diesel's own.
macro_rules! columns {
    ($($name:ident: $column:expr;)*) => {
        mod ours {
            $( #[test] fn $name() -> super::TestResult { super::on_our_connection(&super::$name()) } )*
        }
        mod libpq {
            $( #[test] fn $name() -> super::TestResult { super::on_diesels_connection(&super::$name()) } )*
        }
        $( fn $name() -> Column { $column } )*
    };
}

columns! {
    text: Column { declared: "TEXT", ..PLAIN };
    varchar: Column { declared: "VARCHAR(5)", ..PLAIN };
    name: Column { declared: "NAME", ..PLAIN };
    char_fixed: Column { declared: "CHAR(5)", read: ["Abc  ", "bcd  ", "cde  "], alike: &["Abc ", "Abc      "], ..PLAIN };
    citext: Column { setup: "CREATE EXTENSION citext", declared: "CITEXT", alike: &["abc", "ABC"], ..PLAIN };
    an_enum: Column { setup: "CREATE TYPE kind AS ENUM ('Abc', 'bcd', 'cde')", declared: "KIND", ..PLAIN };
    an_enum_in_another_schema: Column {
        setup: "CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('Abc', 'bcd', 'cde')",
        declared: "other.KIND",
        ..PLAIN
    };
    a_domain: Column { setup: "CREATE DOMAIN code AS TEXT CHECK (length(VALUE) = 3)", declared: "CODE", ..PLAIN };
    a_domain_of_char_fixed: Column {
        setup: "CREATE DOMAIN code AS CHAR(4)",
        declared: "CODE",
        read: ["Abc ", "bcd ", "cde "],
        alike: &["Abc  "],
        ..PLAIN
    };
    a_domain_of_citext: Column {
        setup: "CREATE EXTENSION citext; CREATE DOMAIN email AS CITEXT; CREATE DOMAIN own_email AS EMAIL",
        declared: "OWN_EMAIL",
        alike: &["abc"],
        ..PLAIN
    };
    a_collation_without_case: Column {
        setup: "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        declared: "TEXT COLLATE caseless",
        alike: &["abc", "ABC"],
        ..PLAIN
    };
}

fn on_our_connection(column: &Column) -> TestResult {
    let bed = bed(column);
    found_again(&bed, &bed.db()?, column)
}

fn on_diesels_connection(column: &Column) -> TestResult {
    let bed = bed(column);
    let pool = Pool::builder().max_size(2).build(ConnectionManager::<diesel::PgConnection>::new(bed.url()))?;
    found_again(&bed, &pool.into(), column)
}

fn bed(column: &Column) -> Bed {
    let bed = Bed::postgres_database();
    let Column { setup, declared, .. } = column;
    if !setup.is_empty() {
        bed.execute(setup);
    }
    bed.execute(&format!(
        "CREATE TABLE things (key {declared} PRIMARY KEY, alias {declared} UNIQUE, n INT NOT NULL);
         CREATE TABLE parts (id BIGINT PRIMARY KEY, thing_key {declared} NOT NULL REFERENCES things)"
    ));
    bed
}

fn thing(key: &str, n: i32) -> Thing {
    Thing { key: key.into(), alias: Some(key.into()), n }
}

/// The numbers of all rows in the order of their keys, by a query of the witness's.
fn numbers(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT n::text FROM things ORDER BY key")
        .into_iter()
        .flatten()
        .map(|n| n.parse().expect("a number"))
        .collect()
}

fn found_again(bed: &Bed, db: &Database, column: &Column) -> TestResult {
    let Column { written, read, .. } = column;
    let row = |at: usize| thing(read[at], i32::try_from(at).expect("there are three"));
    assert_eq!(Thing::create(db, thing(written[0], 0))?, row(0));
    assert_eq!(Thing::bulk_create(db, [thing(written[1], 1), thing(written[2], 2)])?, 2);
    let rows = vec![row(0), row(1), row(2)];
    assert_eq!(Thing::objects(db).order_by(|t| t.key.asc()).load()?, rows);
    assert_eq!(Thing::objects(db).order_by(|t| t.alias.desc()).iterator(2)?.count(), 3);
    assert_eq!(Thing::objects(db).order_by(|t| t.n.asc()).iterator(2)?.collect::<Vec<_>>(), rows);
    let spellings = [written[0], read[0]].into_iter().chain(column.alike.iter().copied());
    for spelling in spellings {
        conditions(db, spelling, column).map_err(|error| format!("`{spelling}`: {error:?}"))?;
        writing(bed, db, spelling, column).map_err(|error| format!("`{spelling}`: {error:?}"))?;
        assert_eq!(numbers(bed), [0, 1, 2], "as before");
    }
    together(bed, db, column)?;
    expressions(db, column)?;
    references(db, column)?;
    in_great_number(bed, db, column)
}

/// Each finds the first row, by another spelling of its key.
fn conditions(db: &Database, key: &str, column: &Column) -> Result<(), orm_core::Error> {
    let [_, second, third] = column.written;
    let (first, all) = (thing(column.read[0], 0), || Thing::objects(db));
    assert_eq!(all().filter(|t| t.key.eq(key)).get()?, first);
    assert_eq!(all().filter(|t| t.alias.eq(key)).get()?, first);
    assert_eq!(all().filter(|t| t.key.eq(value(key))).get()?, first);
    assert_eq!(all().filter(|t| t.key.ne(key)).count()?, 2);
    assert_eq!(all().exclude(|t| t.key.eq(key)).count()?, 2);
    assert_eq!(all().filter(|t| t.key.between(key, key)).count()?, 1);
    assert_eq!(all().filter(|t| t.key.gt(key)).count()?, 2);
    assert_eq!(all().filter(|t| t.key.le(key)).count()?, 1);
    assert_eq!(all().filter(|t| t.key.is_in([key])).get()?, first);
    assert_eq!(all().filter(|t| t.alias.not_in([key, second])).count()?, 1);
    assert_eq!(all().filter(|t| t.alias.is_in([Some(key), None])).count()?, 1);
    let many = || std::iter::repeat_n([key, third], 1500).flatten();
    assert_eq!(all().filter(|t| t.key.is_in(many())).count()?, 2);
    assert_eq!(all().filter(|t| t.alias.not_in(many())).values(|t| t.n).load()?, [1]);
    assert_eq!(all().filter(|t| t.alias.is_in(many().map(Some).chain([None]))).count()?, 2);
    assert_eq!(all().filter(|t| t.key.is_in(all().filter(|t| t.alias.eq(key)).values(|t| t.key))).get()?, first);

    let found = all().in_bulk([key.to_owned(), second.to_owned()])?;
    assert_eq!((found.len(), found.get(&first.key)), (2, Some(&first)), "by the key as it is read");
    let found = all().in_bulk_by(|t| t.alias, [key, second])?;
    assert_eq!((found.len(), found.get(&first.alias)), (2, Some(&first)));
    assert!(all().contains(&thing(key, 0))?);
    let mut read = thing(key, 100);
    read.refresh(db)?;
    assert_eq!((read.n, read.alias), (0, first.alias));
    Ok(())
}

/// Each changes the first row and no other.
fn writing(bed: &Bed, db: &Database, key: &str, column: &Column) -> Result<(), orm_core::Error> {
    let is_changed = |n: i64| assert_eq!(numbers(bed), [n, 1, 2]);
    thing(key, 10).save(db)?;
    is_changed(10);
    thing(key, 11).save_fields(db, |t| (t.n, t.alias))?;
    is_changed(11);
    let one = || Thing::objects(db).filter(|t| t.key.eq(key));
    assert_eq!(one().update(|t| (t.n.set(12), t.alias.set(key)))?, 1);
    is_changed(12);
    assert_eq!(Thing::bulk_update(db, [thing(column.written[1], 1), thing(key, 13)], |t| (t.alias, t.n))?, 2);
    is_changed(13);
    assert_eq!(Thing::bulk_update(db, [thing(key, 14)], |t| t.n)?, 1);
    is_changed(14);
    assert_eq!(Thing::insert_into(db).update_conflicts(|t| t.key, |t| t.n).bulk_create([thing(key, 15)])?, 1);
    is_changed(15);
    let returned =
        Thing::insert_into(db).update_conflicts(|t| t.alias, |t| t.n).bulk_create_returning([thing(key, 16)])?;
    assert_eq!(returned.iter().map(|row| row.n).collect::<Vec<_>>(), [16]);
    is_changed(16);
    assert_eq!(Thing::insert_into(db).ignore_conflicts_on(|t| t.key).bulk_create([thing(key, 17)])?, 0);
    assert!(!one().get_or_create(|| thing(key, 18))?.1);
    assert!(!one().update_or_create(|t| t.n.set(19), || thing(key, 20))?.1);
    is_changed(19);
    let twice = Thing::create(db, thing(key, 21)).map_err(|error| error.kind());
    assert_eq!(twice, Err(ErrorKind::UniqueViolation));
    assert!(thing(key, 0).delete(db)?);
    assert_eq!(numbers(bed), [1, 2]);
    assert_eq!(
        Thing::objects(db).update_or_create(|t| t.n.set(1), || thing(key, 0)).map_err(|error| error.kind()).err(),
        {
            // Two rows are met by no condition at all.
            Some(ErrorKind::MultipleRows)
        }
    );
    assert!(one().get_or_create(|| thing(column.written[0], 0))?.1);
    Ok(())
}

/// Two spellings of one key in one call.
fn together(bed: &Bed, db: &Database, column: &Column) -> TestResult {
    let Some(other) = column.alike.first() else { return Ok(()) };
    let rows = || [thing(column.written[0], 30), thing(other, 31)];
    assert_eq!(Thing::bulk_update(db, rows(), |t| t.n)?, 2);
    assert_eq!(numbers(bed), [31, 1, 2], "the last one stays");
    let error =
        Thing::insert_into(db).update_conflicts(|t| t.key, |t| t.n).bulk_create(rows()).expect_err("one row twice");
    assert_eq!(cause(&error), "ON CONFLICT DO UPDATE command cannot affect row a second time");
    assert_eq!(numbers(bed), [31, 1, 2], "all or none");
    thing(other, 0).save(db)?;
    assert_eq!(Thing::objects(db).update(|t| t.alias.set(t.key))?, 3);
    Ok(())
}

fn cause(error: &orm_core::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn expressions(db: &Database, column: &Column) -> TestResult {
    let [first, second, third] = column.written;
    let read = column.read;
    let all = || Thing::objects(db).order_by(|t| t.n.asc());
    // Values beside a column in a list are of its type.
    assert_eq!(all().filter(|t| coalesce((t.alias, third)).eq(first)).count()?, 1);
    assert_eq!(all().values(|t| coalesce((t.alias, third))).load()?, read);
    assert_eq!(all().filter(|t| t.key.nullif(first).is_null()).count()?, 1);
    let swapped = all().values(|t| case_when(t.n.eq(0), t.key).when(t.n.eq(1), third).otherwise(second)).load()?;
    assert_eq!(swapped.iter().map(|key| key.trim_end()).collect::<Vec<_>>(), [first, third, second]);
    let greater = all().values(|t| greatest((t.alias, second))).load()?;
    assert_eq!(greater.iter().flatten().map(|key| key.trim_end()).collect::<Vec<_>>(), [second, second, third]);
    let lesser = all().values(|t| least((t.key, third, second))).load()?;
    assert_eq!(lesser.iter().map(|key| key.trim_end()).collect::<Vec<_>>(), [first, second, second]);
    assert_eq!(all().values(|t| least((t.key, None::<&str>))).load()?, [None, None, None]);
    // Values among themselves are text.
    assert_eq!(all().values(|t| case_when(t.n.gt(0), "more").otherwise("none")).load()?, ["none", "more", "more"]);
    assert_eq!(all().values(|_| value("x")).load()?, ["x", "x", "x"]);
    let groups = Thing::objects(db).group_by(|t| t.alias).aggregate(|_| count_star());
    assert_eq!(groups.load()?.len(), 3);
    let keys = |key: &'static str| Thing::objects(db).filter(|t| t.key.eq(key)).values(|t| t.key);
    assert_eq!(keys(first).union([keys(second), keys(first)]).count()?, 2);
    Ok(())
}

fn references(db: &Database, column: &Column) -> TestResult {
    let other = column.alike.first().copied().unwrap_or(column.written[0]);
    let part = |id, key: &str| Part { id, thing_key: key.into() };
    let keys = [part(1, column.written[0]), part(2, other), part(3, column.written[2])];
    assert_eq!(Part::bulk_create(db, keys)?, 3);
    let of_first = || Part::objects(db).filter(|p| p.thing().n.eq(0)).order_by(|p| p.id.asc());
    assert_eq!(of_first().values(|p| p.id).load()?, [1, 2]);
    assert_eq!(of_first().filter(|p| p.thing().key.eq(other)).count()?, 2);
    assert_eq!(of_first().filter(|p| p.thing_key.eq(p.thing().key)).count()?, 2);
    let counts = Thing::objects(db).order_by(|t| t.n.asc()).values(|t| t.parts().count());
    assert_eq!(counts.load()?, [2, 0, 1]);
    let groups = Part::objects(db).group_by(|p| p.thing_key).aggregate(|_| count_star());
    assert_eq!(groups.load()?.len(), 2, "equal keys are one group");
    Ok(())
}

/// By COPY, where the column's type takes the bytes of text, or else by INSERT.
fn in_great_number(bed: &Bed, db: &Database, column: &Column) -> TestResult {
    let last = bed.number("SELECT max(id) FROM parts");
    let part = |id| Part { id, thing_key: column.written[1].into() };
    assert_eq!(Part::bulk_create(db, (last + 1..=last + 700).map(part))?, 700);
    assert_eq!(bed.number("SELECT count(*) FROM parts JOIN things ON key = thing_key WHERE n = 1"), 700);
    assert_eq!(Part::objects(db).filter(|p| p.thing_key.eq(column.read[1])).count()?, 700);
    let moved = (last + 1..=last + 700).map(|id| Part { id, thing_key: column.written[2].into() });
    assert_eq!(Part::bulk_update(db, moved, |p| p.thing_key)?, 700);
    assert_eq!(bed.number("SELECT count(*) FROM parts JOIN things ON key = thing_key WHERE n = 2"), 701);
    Ok(())
}

/// PostgreSQL compares a domain of an enum with nothing but that domain.
#[test]
fn a_domain_of_an_enum() -> TestResult {
    let bed = Bed::postgres_database();
    bed.execute("CREATE TYPE kind AS ENUM ('Abc', 'bcd', 'cde'); CREATE DOMAIN known_kind AS KIND");
    bed.execute("CREATE TABLE things (key KNOWN_KIND NOT NULL, alias KNOWN_KIND, n INT NOT NULL)");
    let db = bed.db()?;
    let row = thing("Abc", 1);
    assert_eq!(Thing::create(&db, row.clone())?, row);
    assert_eq!(Thing::objects(&db).update(|t| t.alias.set("cde"))?, 1);
    assert_eq!(Thing::objects(&db).get()?, Thing { alias: Some("cde".into()), ..row.clone() });
    let error = Thing::objects(&db).filter(|t| t.key.eq("Abc")).count().expect_err("there is no such operator");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::InvalidQuery, Some("42883")), "{error:?}");
    assert!(error.to_string().contains("a domain over an enum, which PostgreSQL cannot compare"), "{error}");
    assert_eq!(row.delete(&db).map_err(|error| error.sqlstate().map(str::to_owned)), Err(Some("42883".into())));
    // What the error proposes.
    bed.execute("ALTER TABLE things ALTER COLUMN key TYPE KIND, ALTER COLUMN alias TYPE KIND");
    assert_eq!(Thing::objects(&db).filter(|t| t.key.eq("Abc").and(t.alias.eq("cde"))).count()?, 1);
    assert!(row.delete(&db)?);
    Ok(())
}
