//! `MysqlConnection` as a connection of Diesel's: each kind of statement, and what it answers.

use diesel::{
    Connection, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryableByName, RunQueryDsl,
    TextExpressionMethods,
    connection::{LoadConnection, SimpleConnection},
    debug_query,
    dsl::{DuplicatedKeys, sql},
    mysql::Mysql,
    result::Error as DieselError,
    row::{Field, Row},
    sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! {
    inserts, upserts, updates_count_the_rows_found, deletes, queries, sql_by_name_and_by_index, batches, procedures,
    procedures_with_parameters, many_columns, no_rows, a_statement_of_rows_that_is_executed,
}

diesel::table! {
    items (id) {
        id -> Integer,
        name -> Nullable<Text>,
        amount -> Integer,
    }
}

const ITEMS: &str = "CREATE TABLE items (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) UNIQUE, \
                     amount INT NOT NULL DEFAULT 7)";

/// What the table holds, as the witness sees it.
fn stored(bed: &Bed) -> Vec<String> {
    let sql = "SELECT CONCAT_WS(' ', id, COALESCE(name, '-'), amount) FROM items ORDER BY id";
    bed.texts(sql).into_iter().map(Option::unwrap_or_default).collect()
}

/// A connection, with the table `items`.
fn with_items(bed: &Bed) -> Result<MysqlConnection, Box<dyn std::error::Error>> {
    bed.execute(ITEMS);
    Ok(MysqlConnection::establish(bed.url())?)
}

#[derive(Insertable, Clone)]
#[diesel(table_name = items)]
struct New<'a> {
    name: Option<&'a str>,
    amount: i32,
}

fn inserts(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    let one = diesel::insert_into(items::table).values(items::name.eq("a")).execute(connection)?;
    let default = diesel::insert_into(items::table).default_values().execute(connection)?;
    let batch = diesel::insert_into(items::table)
        .values(vec![New { name: Some("b"), amount: 1 }, New { name: None, amount: 2 }])
        .execute(connection)?;
    let none = diesel::insert_into(items::table).values(Vec::<New<'_>>::new()).execute(connection)?;
    let from_select = items::table
        .filter(items::amount.eq(2))
        .select((items::name, items::amount + 10))
        .insert_into(items::table)
        .into_columns((items::name, items::amount))
        .execute(connection)?;
    assert_eq!((one, default, batch, none, from_select), (1, 1, 2, 0, 1));
    let rows = stored(bed);
    assert_eq!(rows[..4], ["1 a 7", "2 - 7", "3 b 1", "4 - 2"]);
    assert!(rows.len() == 5 && rows[4].ends_with("- 12"), "{rows:?}");
    Ok(())
}

fn upserts(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    let row = |amount| (items::id.eq(1), items::name.eq("a"), items::amount.eq(amount));
    assert_eq!(diesel::insert_or_ignore_into(items::table).values(row(1)).execute(connection)?, 1);
    assert_eq!(diesel::insert_or_ignore_into(items::table).values(row(2)).execute(connection)?, 0);
    assert_eq!(stored(bed), ["1 a 1"]);
    // The server counts the row that goes and the row that comes.
    assert_eq!(diesel::replace_into(items::table).values(row(3)).execute(connection)?, 2);
    assert_eq!(stored(bed), ["1 a 3"]);
    let counted = diesel::insert_into(items::table)
        .values(row(4))
        .on_conflict(DuplicatedKeys)
        .do_update()
        .set(items::amount.eq(items::amount + 100))
        .execute(connection)?;
    assert_eq!((counted, stored(bed)), (2, vec!["1 a 103".to_owned()]));
    Ok(())
}

fn updates_count_the_rows_found(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    bed.execute("INSERT INTO items (name) VALUES ('a'), ('b'), ('c')");
    let set = |amount| diesel::update(items::table.filter(items::id.gt(1))).set(items::amount.eq(amount));
    assert_eq!(set(5).execute(connection)?, 2);
    assert_eq!(set(5).execute(connection)?, 2, "nothing changes, and two rows are found");
    assert_eq!(diesel::update(items::table.find(9)).set(items::amount.eq(5)).execute(connection)?, 0);
    assert_eq!(stored(bed), ["1 a 7", "2 b 5", "3 c 5"]);
    Ok(())
}

fn deletes(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    bed.execute("INSERT INTO items (name) VALUES ('a'), ('b'), ('c')");
    assert_eq!(diesel::delete(items::table.filter(items::name.eq_any(["a", "c", "x"]))).execute(connection)?, 2);
    assert_eq!(stored(bed), ["2 b 7"]);
    assert_eq!(diesel::delete(items::table).execute(connection)?, 1);
    assert_eq!(diesel::delete(items::table).execute(connection)?, 0);
    Ok(())
}

fn queries(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    bed.execute("INSERT INTO items (name, amount) VALUES ('a', 1), (NULL, 2), ('c', 3)");
    type Item = (i32, Option<String>, i32);
    let all: Vec<Item> = items::table.order(items::id.desc()).load(connection)?;
    assert_eq!(all, [(3, Some("c".into()), 3), (2, None, 2), (1, Some("a".into()), 1)]);
    assert_eq!(items::table.count().get_result::<i64>(connection)?, 3);
    assert_eq!(items::table.find(2).first::<Item>(connection)?.1, None);
    assert_eq!(items::table.find(9).first::<Item>(connection), Err(DieselError::NotFound));
    assert_eq!(items::table.find(9).first::<Item>(connection).optional()?, None);
    assert_eq!(items::table.select(items::amount).filter(items::name.is_not_null()).load::<i32>(connection)?, [1, 3]);
    let query = items::table.filter(items::amount.gt(1)).select(items::id).limit(1).offset(1).order(items::id);
    assert_eq!(
        debug_query::<Mysql, _>(&query).to_string(),
        "SELECT `items`.`id` FROM `items` WHERE (`items`.`amount` > ?) ORDER BY `items`.`id` LIMIT ? OFFSET ? -- \
         binds: [1, 1, 1]"
    );
    assert_eq!(query.load::<i32>(connection)?, [3]);
    let boxed = items::table.select(items::id).into_boxed().filter(items::name.like("c%"));
    assert_eq!(boxed.get_results::<i32>(connection)?, [3]);
    Ok(())
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Named {
    #[diesel(sql_type = Nullable<Text>)]
    word: Option<String>,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn sql_by_name_and_by_index(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let query = || sql_query("SELECT ? AS number, ? AS word, 'x' AS other").bind::<BigInt, _>(5);
    let read: Vec<Named> = query().bind::<Nullable<Text>, _>(Some("é")).load(connection)?;
    assert_eq!(read, [Named { word: Some("é".into()), number: 5 }]);
    assert_eq!(query().bind::<Nullable<Text>, _>(None::<&str>).get_result::<Named>(connection)?.word, None);
    let missing = sql_query("SELECT 1 AS number").load::<Named>(connection).expect_err("a column is missing");
    assert!(missing.to_string().contains("word"), "{missing}");
    let rows = connection.load(query().bind::<Nullable<Text>, _>(Some("é")))?;
    for row in rows {
        let row = row?;
        assert_eq!(row.field_count(), 3);
        let names: Vec<_> = (0..3).filter_map(|index| row.get(index)?.field_name().map(str::to_owned)).collect();
        assert_eq!(names, ["number", "word", "other"]);
        assert_eq!(row.get("word").and_then(|word| word.value().map(|v| v.as_bytes().to_vec())), Some("é".into()));
        assert!(row.get(3).is_none() && row.get("nothing").is_none());
    }
    // Too few values, and too many.
    for query in [sql_query("SELECT ? + ?").bind::<Integer, _>(1), sql_query("SELECT 1").bind::<Integer, _>(1)] {
        let error = query.execute(connection).expect_err("the numbers differ");
        assert!(error.to_string().contains("parameters, and 1 values were given"), "{error}");
    }
    assert_eq!(diesel::select(sql::<Integer>("7")).get_result::<i32>(connection)?, 7);
    Ok(())
}

fn batches(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    connection.batch_execute(
        "INSERT INTO items (name) VALUES ('a'); SELECT 1; SELECT seq, REPEAT('x', 100) FROM seq_1_to_5000; \
         DO 0; INSERT INTO items (name) VALUES ('b');",
    )?;
    assert_eq!(stored(bed).len(), 2);
    let error = connection
        .batch_execute("INSERT INTO items (name) VALUES ('c'); SELECT * FROM nothing; DELETE FROM items")
        .expect_err("there is no such table");
    assert!(error.to_string().contains("nothing"), "{error}");
    assert_eq!(stored(bed).len(), 3, "the first is done, the last is not");
    assert!(connection.batch_execute("").is_err(), "the server refuses an empty query");
    assert_eq!(items::table.count().get_result::<i64>(connection)?, 3);
    Ok(())
}

fn procedures(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    connection.batch_execute(
        "CREATE PROCEDURE several() BEGIN SELECT 'one' AS word, 1 AS number UNION ALL SELECT 'two', 2; \
           SELECT 3, 4, 5 FROM seq_1_to_1000; INSERT INTO items (name) VALUES ('a'); END;
         CREATE PROCEDURE silent() BEGIN INSERT INTO items (name) VALUES ('b'), ('c'); END;
         CREATE PROCEDURE failing() BEGIN SELECT 'one' AS word, 1 AS number; \
           SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END",
    )?;
    let first: Vec<Named> = sql_query("CALL several()").load(connection)?;
    assert_eq!(first.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2], "the first result is what is read");
    assert_eq!(stored(bed), ["1 a 7"], "and the rest of the procedure has run");
    // Dropped after the first row, and in the midst of the results.
    let mut rows = sql_query("CALL several()").load_iter::<Named, _>(connection)?;
    assert_eq!(rows.next().transpose()?.map(|row| row.number), Some(1));
    drop(rows);
    assert_eq!(sql_query("CALL silent()").execute(connection)?, 2);
    assert!(sql_query("CALL silent()").load::<Named>(connection).is_err(), "twice the same names");
    let error = sql_query("CALL failing()").load::<Named>(connection).expect_err("it signals");
    assert!(error.to_string().contains("not today"), "{error}");
    assert!(sql_query("CALL failing()").execute(connection).is_err());
    connection.batch_execute("CALL failing()").expect_err("it signals");
    assert_eq!(diesel::select(sql::<Integer>("7")).get_result::<i32>(connection)?, 7);
    Ok(())
}

fn procedures_with_parameters(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute(
        "CREATE PROCEDURE twice(IN a INT, OUT b INT) BEGIN SET b = 2 * a; END;
         CREATE PROCEDURE rows_and_out(IN a INT, OUT b INT) BEGIN SELECT 'x' AS word, a AS number; SET b = a; END",
    )?;
    sql_query("CALL twice(?, @answer)").bind::<Integer, _>(21).execute(connection)?;
    assert_eq!(diesel::select(sql::<Integer>("@answer")).get_result::<i32>(connection)?, 42);
    // A parameter to be set makes a result of its own, after those of the procedure.
    let call = || sql_query("CALL rows_and_out(?, ?)").bind::<Integer, _>(5).bind::<Integer, _>(0);
    assert_eq!(call().get_result::<Named>(connection)?.number, 5);
    call().execute(connection)?;
    assert_eq!(diesel::select(sql::<Integer>("7")).get_result::<i32>(connection)?, 7);
    Ok(())
}

fn many_columns(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    // Every third is NULL, so that each byte of the map of NULLs has some.
    let column = |n: i64| if n % 3 == 0 { format!("NULL AS c{n}") } else { format!("{n} AS c{n}") };
    let list = |count| (0..count).map(column).collect::<Vec<_>>().join(", ");
    for count in [1, 6, 7, 8, 9, 1000] {
        let query = sql_query(format!("SELECT {} FROM seq_1_to_3", list(count)));
        let mut seen = 0;
        for row in connection.load(query)? {
            let row = row?;
            seen += 1;
            for n in 0..count {
                let value: Option<i64> = {
                    let field = row.get(usize::try_from(n)?).ok_or("a column is missing")?;
                    assert_eq!(field.field_name(), Some(&*format!("c{n}")));
                    diesel::deserialize::FromSql::<Nullable<BigInt>, Mysql>::from_nullable_sql(field.value())
                        .map_err(|error| error.to_string())?
                };
                assert_eq!(value, (n % 3 != 0).then_some(n));
            }
        }
        assert_eq!(seen, 3);
    }
    Ok(())
}

fn no_rows(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    assert_eq!(items::table.select(items::id).load::<i32>(connection)?, Vec::<i32>::new());
    // A statement without a result has no rows either.
    assert_eq!(sql_query("DO 0").load::<Named>(connection)?, []);
    assert_eq!(sql_query("INSERT INTO items VALUES (1, 'a', 2)").load::<Named>(connection)?, []);
    assert_eq!(stored(bed), ["1 a 2"]);
    Ok(())
}

fn a_statement_of_rows_that_is_executed(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    assert_eq!(sql_query("SELECT seq FROM seq_1_to_5000").execute(connection)?, 5000);
    let returning = "INSERT INTO items (name) VALUES ('a'), ('b') RETURNING name AS word, amount AS number";
    assert_eq!(sql_query(returning).load::<Named>(connection)?.len(), 2);
    assert_eq!(diesel::delete(items::table).execute(connection)?, 2);
    assert_eq!(sql_query(returning).execute(connection)?, 2);
    Ok(())
}
