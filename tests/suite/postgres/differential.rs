//! The same statements through `PgConnection` and through Diesel's libpq: they answer the same, and fail in the same words.

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    result::{DatabaseErrorInformation, Error as DieselError},
    sql_query,
    sql_types::{Integer, Text},
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult, on_postgres};

use super::{PgConnection, raw};

on_postgres! { statements_answer_the_same, statements_fail_the_same, values_fail_the_same, settings_of_the_session }

const TABLES: &str = "
    CREATE TABLE parents (id INT PRIMARY KEY, word TEXT NOT NULL UNIQUE, amount INT NOT NULL,
        CONSTRAINT \"much \"\"enough\" CHECK (amount > 0), UNIQUE (word, amount));
    CREATE TABLE children (id INT PRIMARY KEY, parent INT REFERENCES parents (id) ON DELETE RESTRICT, span INT4RANGE,
        EXCLUDE USING gist (span WITH &&));
    INSERT INTO parents VALUES (1, 'a', 1); INSERT INTO children VALUES (1, 1, '[1,5)')";

/// A table for each connection, in schemas of their own, so that both start from the same.
fn connections(bed: &Bed) -> Result<(PgConnection, diesel::PgConnection), Box<dyn std::error::Error>> {
    let mut ours = PgConnection::establish(bed.url())?;
    let mut libpqs = diesel::PgConnection::establish(bed.url())?;
    ours.batch_execute(&format!("CREATE SCHEMA ours; SET search_path TO ours; {TABLES}"))?;
    libpqs.batch_execute(&format!("CREATE SCHEMA libpqs; SET search_path TO libpqs; {TABLES}"))?;
    Ok((ours, libpqs))
}

/// They build upon one another.
const STATEMENTS: &[&str] = &[
    "INSERT INTO parents SELECT n, 'w' || n, n FROM generate_series(2, 20) AS n",
    "UPDATE parents SET amount = amount + 1 WHERE id > 5",
    "UPDATE parents SET amount = 1 WHERE false",
    "DELETE FROM parents WHERE id > 15",
    "DELETE FROM parents WHERE id > 10 RETURNING *",
    "INSERT INTO parents VALUES (30, 'x', 1) ON CONFLICT DO NOTHING RETURNING id, word",
    "INSERT INTO parents VALUES (30, 'x', 1) ON CONFLICT DO NOTHING RETURNING id, word",
    "WITH gone AS (DELETE FROM parents WHERE id = 30 RETURNING *) SELECT count(*) AS n, 'é'::text AS \"a \"\"name\" FROM gone",
    "SELECT * FROM parents ORDER BY id",
    "SELECT * FROM parents WHERE false",
    "SELECT 1 AS a, 2 AS a, 3",
    "SELECT",
    "TABLE children",
    "VALUES (1, 'a'), (2, NULL)",
    "CREATE TABLE made (id INT)",
    "CREATE TABLE made_of AS SELECT * FROM generate_series(1, 7) AS n",
    "SELECT * INTO made_too FROM generate_series(1, 3) AS n",
    "DO 'BEGIN RAISE NOTICE ''heard''; END'",
    "SET work_mem = '8MB'",
    "SHOW work_mem",
    "EXPLAIN SELECT 1",
    "LISTEN nobody",
    "NOTIFY nobody, 'é'",
    "BEGIN",
    "DECLARE c SCROLL CURSOR FOR SELECT n FROM generate_series(1, 100) AS n",
    "FETCH 10 FROM c",
    "MOVE 20 IN c",
    "FETCH BACKWARD ALL FROM c",
    "CLOSE c",
    "SAVEPOINT s",
    "ROLLBACK TO s",
    "ROLLBACK",
    "TRUNCATE made_of",
    "VACUUM made",
    "PREPARE mine AS SELECT $1::int + 1",
    "EXECUTE mine(41)",
    "DEALLOCATE ALL",
    "SELECT NULL, ARRAY[1, NULL], (1, 'a'), '(1,2)'::point, 'a b'::tsvector, B'101' FROM parents WHERE id = 1",
    "SELECT repeat('x', 100000), n FROM generate_series(1, 5) AS n",
    // Written with whatever may stand around.
    "/* a */ SELECT 1 -- b",
    "SELECT 1;",
    "  \n\t",
    "",
];

/// What a statement answers: a number of rows, rows, or nothing.
type Answer = (Option<usize>, Option<Vec<Vec<raw::Field>>>);

fn statements_answer_the_same(_: &Bed) -> TestResult {
    fn run<C>(connection: &mut C, way: &str, statement: &str) -> QueryResult<Answer>
    where
        C: Connection<Backend = diesel::pg::Pg> + diesel::connection::LoadConnection,
    {
        match way {
            "executed" => Ok((Some(sql_query(statement).execute(connection)?), None)),
            "read" => Ok((None, Some(raw::rows(connection, sql_query(statement))?))),
            _ => connection.batch_execute(statement).map(|()| (None, None)),
        }
    }
    for way in ["executed", "read", "in a batch"] {
        let bed = Bed::postgres_database();
        let (mut ours, mut libpqs) = connections(&bed)?;
        for statement in STATEMENTS {
            let told =
                |answer: QueryResult<Answer>| answer.map_err(|error| told::<()>(Err(error)).map(|told| told.kind));
            let ours = told(run(&mut ours, way, statement));
            let libpqs = told(run(&mut libpqs, way, statement));
            if statement.trim().is_empty() {
                assert!(ours.is_err() || way == "in a batch", "{ours:?}, {libpqs:?}");
            } else {
                assert!(ours.is_ok(), "{statement}, {way}: {ours:?}");
                assert_eq!(ours, libpqs, "{statement}, {way}");
            }
        }
    }
    Ok(())
}

/// All that an error tells.
#[derive(Debug, PartialEq)]
struct Told {
    kind: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
    position: Option<i32>,
}

fn told<T>(answer: QueryResult<T>) -> Result<Told, String> {
    match answer {
        Err(DieselError::DatabaseError(kind, information)) => Ok(Told::new(format!("{kind:?}"), &*information)),
        Err(other) => Err(format!("{other:?} is no error of the server's")),
        Ok(_) => Err("it was answered".to_owned()),
    }
}

impl Told {
    fn new(kind: String, information: &dyn DatabaseErrorInformation) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Told {
            kind,
            message: information.message().to_owned(),
            details: owned(information.details()),
            hint: owned(information.hint()),
            table: owned(information.table_name()),
            column: owned(information.column_name()),
            constraint: owned(information.constraint_name()),
            position: information.statement_position(),
        }
    }

    /// Without the SQLSTATE that our connection puts at the end, which must be this one.
    fn of_state(mut self, sqlstate: &str) -> Result<Self, String> {
        let details = self.details.take().unwrap_or_default();
        let alone = format!("SQLSTATE {sqlstate}");
        let detail = details.strip_suffix(&format!(" ({alone})")).map(str::to_owned);
        self.details =
            if details == alone { None } else { Some(detail.ok_or(format!("`{details}` is not of {alone}"))?) };
        Ok(self)
    }
}

fn statements_fail_the_same(_: &Bed) -> TestResult {
    let bed = Bed::postgres_database();
    let (mut ours, mut libpqs) = connections(&bed)?;
    let long = format!("SELECT {}", ["1"; 1_665].join(", "));
    for (statement, sqlstate) in [
        ("INSERT INTO parents VALUES (1, 'b', 1)", "23505"),
        ("INSERT INTO parents VALUES (2, 'a', 1)", "23505"),
        ("UPDATE parents SET word = NULL", "23502"),
        ("INSERT INTO parents (id, word) VALUES (2, 'b')", "23502"),
        ("INSERT INTO children VALUES (2, 9)", "23503"),
        ("DELETE FROM parents", "23503"),
        ("INSERT INTO parents VALUES (2, 'b', 0)", "23514"),
        ("INSERT INTO children VALUES (3, 1, '[4,6)')", "23P01"),
        ("SELEC 1", "42601"),
        ("SELECT 'é😀', 1 FORM parents", "42601"),
        ("SELECT 'not ended", "42601"),
        ("SELECT 'é', 1 FROM nothing", "42P01"),
        ("CREATE TABLE nowhere.t (id INT)", "3F000"),
        ("SELECT wrod FROM parents", "42703"),
        ("SELECT id FROM parents JOIN children ON true", "42702"),
        ("SELECT nothing(1)", "42883"),
        ("SELECT 1 + 'a'::text", "42883"),
        ("SELECT word, count(*) FROM parents", "42803"),
        ("CREATE TABLE parents (id INT)", "42P07"),
        ("DROP TABLE parents", "2BP01"),
        ("SELECT $1::int", "08P01"),
        ("SELECT $1", "08P01"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT 10 / (5 - n) FROM generate_series(1, 9) AS n", "22012"),
        ("SELECT repeat('x', 9000), 100 / (50 - n) FROM generate_series(1, 99) AS n", "22012"),
        ("SELECT 2147483647 + 1", "22003"),
        ("SELECT 'x'::int", "22P02"),
        ("SELECT 'abc'::varchar(2)::uuid", "22P02"),
        ("SELECT '2024-02-30'::date", "22008"),
        ("SELECT E'\\xff'", "22021"),
        ("SELECT generate_series(1, 2, 0)", "22023"),
        ("SELECT (SELECT n FROM generate_series(1, 2) AS n)", "21000"),
        ("SELECT '{'::json", "22P02"),
        ("SET nothing = 1", "42704"),
        ("SET work_mem = 'much'", "22023"),
        ("COMMIT PREPARED 'nothing'", "42704"),
        ("FETCH 1 FROM nothing", "34000"),
        ("EXECUTE nothing", "26000"),
        ("SAVEPOINT s", "25P01"),
        (&long, "54011"),
        (
            "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = E'é\nof two lines', DETAIL = E'd\n(SQLSTATE 12345)', \
             HINT = 'h', TABLE = 't', COLUMN = 'c', CONSTRAINT = 'k', SCHEMA = 's', DATATYPE = 'x'; END $$",
            "ZZ999",
        ),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = '', DETAIL = ' ', HINT = ''; END $$", "40001"),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '08006'; END $$", "08006"),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '08003'; END $$", "08003"),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57P01'; END $$", "57P01"),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'k'; END $$", "23001"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no state'; END $$", "P0001"),
        ("DO $$ BEGIN EXECUTE 'SELECT * FROM nothing'; END $$", "42P01"),
        ("SELECT pg_sleep(10) FROM (SELECT set_config('statement_timeout', '0', false)) AS s, nothing", "42P01"),
    ] {
        let ways = [
            (
                "executed",
                told(sql_query(statement).execute(&mut ours)),
                told(sql_query(statement).execute(&mut libpqs)),
            ),
            (
                "read",
                told(raw::rows(&mut ours, sql_query(statement))),
                told(raw::rows(&mut libpqs, sql_query(statement))),
            ),
            ("in a batch", told(ours.batch_execute(statement)), told(libpqs.batch_execute(statement))),
        ];
        for (way, ours, libpqs) in ways {
            // A parameter in a batch is another error.
            let sqlstate = if way == "in a batch" && sqlstate == "08P01" { "42P02" } else { sqlstate };
            let ours = ours?.of_state(sqlstate).map_err(|error| format!("{statement}, {way}: {error}"))?;
            assert_eq!(ours, libpqs?, "{statement}, {way}");
        }
        assert_eq!(raw::rows(&mut ours, sql_query("SELECT 7"))?.len(), 1, "{statement}: the connection goes on");
    }
    Ok(())
}

fn values_fail_the_same(_: &Bed) -> TestResult {
    let bed = Bed::postgres_database();
    let (mut ours, mut libpqs) = connections(&bed)?;
    macro_rules! compare {
        ($sqlstate:literal, $query:expr) => {
            let told_by_ours = told($query.execute(&mut ours))?.of_state($sqlstate)?;
            assert_eq!(told_by_ours, told($query.execute(&mut libpqs))?);
            let told_by_ours = told(raw::rows(&mut ours, $query))?.of_state($sqlstate)?;
            assert_eq!(told_by_ours, told(raw::rows(&mut libpqs, $query))?);
        };
    }
    compare!("23505", sql_query("INSERT INTO parents VALUES (1, $1, 1)").bind::<Text, _>("é"));
    compare!("22021", sql_query("SELECT $1").bind::<Text, _>("a\0b"));
    compare!("42883", sql_query("SELECT word = $1 FROM parents").bind::<Integer, _>(1));
    compare!("08P01", sql_query("SELECT $1, $2").bind::<Integer, _>(1));
    compare!("22012", sql_query("SELECT 1 / $1").bind::<Integer, _>(0));
    compare!("22P02", sql_query("SELECT $1::uuid").bind::<Text, _>("no uuid"));
    Ok(())
}

/// What a session starts with: the encoding, the zone, and the ways to write what has several.
fn settings_of_the_session(bed: &Bed) -> TestResult {
    let ours = &mut PgConnection::establish(bed.url())?;
    let libpqs = &mut diesel::PgConnection::establish(bed.url())?;
    let settings = "SELECT name, setting FROM pg_settings WHERE source IN ('client', 'session', 'database', 'user') \
                    AND name NOT LIKE '%application_name' ORDER BY name";
    let of = |rows: Vec<Vec<raw::Field>>| -> Vec<(String, String)> {
        let text =
            |field: &raw::Field| String::from_utf8(field.value.clone().unwrap_or_default().1).unwrap_or_default();
        rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
    };
    let (ours, libpqs) = (of(raw::rows(ours, sql_query(settings))?), of(raw::rows(libpqs, sql_query(settings))?));
    for (name, value) in [("client_encoding", "UTF8"), ("TimeZone", "UTC")] {
        assert!(ours.iter().any(|(known, set)| known == name && set == value), "{name}: {ours:?}");
    }
    for setting in libpqs {
        assert!(ours.contains(&setting), "{setting:?} is not among {ours:?}");
    }
    Ok(())
}
