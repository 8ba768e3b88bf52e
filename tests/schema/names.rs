//! Names: quoted ones, in any case, with a schema and without.

use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! { names_that_must_be_quoted, the_case_of_names, another_ones_table_of_that_name }

#[derive(Model)]
#[model(table = "Old \"stock\" `é` 'x'")]
struct Crate {
    #[model(primary_key, column = "the id")]
    id: i64,
    #[model(column = "Größe \"cm\" `x` ?")]
    size: Option<i32>,
    #[model(column = "select", belongs_to(Crate, name = inside))]
    inside: Option<i64>,
}

fn names_that_must_be_quoted(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Crate,)>()?;
    db.check_schema::<(Crate,)>()?;
    let quoted = bed.quoted("Old \"stock\" `é` 'x'");
    bed.execute(&format!("ALTER TABLE {quoted} DROP COLUMN {}", bed.quoted("Größe \"cm\" `x` ?")));
    let error = db.check_schema::<(Crate,)>().expect_err("a column is gone").to_string();
    assert!(error.contains("(column `Größe \"cm\" `x` ?` of `Old \"stock\" `é` 'x'`) is not there"), "{error}");
    Ok(())
}

#[derive(Model)]
#[model(table = "things")]
struct Thing {
    #[model(primary_key)]
    id: i64,
    name: String,
}

/// As queries find them: PostgreSQL to the letter, the others' columns in any case, SQLite's tables as well.
fn the_case_of_names(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (open, close) = bed.pick(Pick { postgres: ("\"", "\""), mysql: ("`", "`"), sqlite: ("\"", "\"") });
    bed.execute(&format!(
        "CREATE TABLE things ({open}ID{close} BIGINT NOT NULL PRIMARY KEY, {open}Name{close} VARCHAR(9) NOT NULL)"
    ));
    let found = db.check_schema::<(Thing,)>();
    assert_eq!(found.is_ok(), Thing::objects(&db).load().is_ok(), "{found:?}");
    if let Err(error) = found {
        assert!(error.to_string().contains("(column `name` of `things`) is not there (there is a `Name`)"), "{error}");
    }
    bed.execute("DROP TABLE things");
    bed.execute(&format!(
        "CREATE TABLE {open}Things{close} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(9) NOT NULL)"
    ));
    let found = db.check_schema::<(Thing,)>();
    assert_eq!(found.is_ok(), Thing::objects(&db).load().is_ok(), "{found:?}");
    Ok(())
}

/// A table elsewhere is not looked at.
fn another_ones_table_of_that_name(bed: &Bed) -> TestResult {
    let other = match bed.backend() {
        orm_core::BackendKind::Postgres => Bed::postgres(),
        orm_core::BackendKind::Mysql => Bed::mysql(),
        _ => Bed::sqlite(),
    };
    let table = "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(9) NOT NULL)";
    other.execute(table);
    let error = bed.db()?.check_schema::<(Thing,)>().expect_err("it is in another one").to_string();
    assert!(error.contains("there is no table or view `things`"), "{error}");
    bed.execute(table);
    bed.db()?.check_schema::<(Thing,)>()?;
    other.execute("ALTER TABLE things ADD COLUMN more INT");
    bed.db()?.check_schema::<(Thing,)>()?;
    Ok(())
}

#[cfg(feature = "sqlite")]
mod in_main {
    use orm_core::prelude::*;
    #[derive(Model)]
    #[model(table = "things", schema = "main")]
    pub(super) struct Main {
        #[model(primary_key)]
        id: i64,
        name: String,
    }
}

#[cfg(feature = "sqlite")]
mod in_extra {
    use orm_core::prelude::*;
    #[derive(Model)]
    #[model(table = "things", schema = "extra")]
    pub(super) struct Extra {
        #[model(primary_key)]
        id: i64,
        #[model(belongs_to(Extra, name = other))]
        other_id: i64,
    }
}

/// SQLite finds names in the temporary database first, and in attached ones last.
#[cfg(feature = "sqlite")]
#[test]
fn schemas_of_sqlite() -> TestResult {
    use self::{in_extra::Extra, in_main::Main};
    let bed = Bed::sqlite();
    let db: Database = Database::builder().pool_size(1).connect(bed.url())?;
    bed.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    db.check_schema::<(Thing, Main)>()?;
    db.batch_execute(
        "ATTACH ':memory:' AS extra; \
         CREATE TABLE extra.things (id INTEGER PRIMARY KEY, other_id INTEGER NOT NULL REFERENCES things); \
         CREATE TEMPORARY TABLE things (id INTEGER PRIMARY KEY, name REAL NOT NULL)",
    )?;
    db.check_schema::<(Main, Extra)>()?;
    let error = db.check_schema::<(Thing,)>().expect_err("the temporary table goes first").to_string();
    assert!(error.contains("`Thing::name` (column `name` of `things`) has the type `REAL`"), "{error}");
    Ok(())
}

#[cfg(feature = "postgres")]
#[test]
fn schemas_of_postgres() -> TestResult {
    #[derive(Model)]
    #[model(table = "things", schema = "The \"other\" one")]
    struct Other {
        #[model(primary_key)]
        id: i64,
        #[model(belongs_to(Thing))]
        thing_id: i64,
    }
    let bed = Bed::postgres_database();
    bed.execute(
        "CREATE SCHEMA \"The \"\"other\"\" one\"; \
         CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL); \
         CREATE TABLE \"The \"\"other\"\" one\".things (id BIGINT PRIMARY KEY, thing_id BIGINT NOT NULL REFERENCES things)",
    );
    let db = bed.db()?;
    db.check_schema::<(Other, Thing)>()?;
    bed.execute("ALTER TABLE \"The \"\"other\"\" one\".things DROP CONSTRAINT things_thing_id_fkey; \
         ALTER TABLE \"The \"\"other\"\" one\".things ADD FOREIGN KEY (thing_id) REFERENCES \"The \"\"other\"\" one\".things");
    let error = db.check_schema::<(Other, Thing)>().expect_err("it is the other table of that name").to_string();
    assert!(error.contains("`Other::thing_id` (column `thing_id` of `The \"other\" one.things`): the relation `thing` has no foreign key"), "{error}");
    bed.execute("DROP TABLE things");
    let error = db.check_schema::<(Thing,)>().expect_err("it is not on the path").to_string();
    assert!(error.contains("there is no table or view `things`"), "{error}");
    db.transaction(|tx| {
        tx.batch_execute("SET LOCAL search_path = 'The \"other\" one'")?;
        let error = tx.check_schema::<(Thing,)>().expect_err("it has no name").to_string();
        assert!(error.contains("`Thing::name` (column `name` of `things`) is not there"), "{error}");
        orm_tests::ok(())
    })?;
    Ok(())
}

/// A collation that only the program knows that has made the table.
#[cfg(feature = "sqlite")]
#[test]
fn a_collation_that_is_not_known_here() -> TestResult {
    use diesel::{Connection, SqliteConnection, connection::SimpleConnection};

    let bed = Bed::sqlite();
    let mut theirs = SqliteConnection::establish(bed.url().strip_prefix("sqlite://").unwrap_or(bed.url()))?;
    theirs.register_collation("nobodys", |a: &str, b: &str| a.cmp(b))?;
    theirs.batch_execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE nobodys)")?;
    bed.db()?.check_schema::<(Thing,)>()?;
    Ok(())
}
