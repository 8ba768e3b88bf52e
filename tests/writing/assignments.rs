//! What the assignments of an `update` read: the row as it was, related rows, raw SQL.

use orm_core::{
    diesel::{
        QueryResult,
        backend::Backend,
        define_sql_function,
        dsl::sql,
        expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate},
        infix_operator,
        query_builder::{AstPass, QueryFragment},
        sql_types::{Integer, Nullable},
    },
    dsl::{case_when, coalesce, concat, value},
    prelude::*,
    reverse::many,
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Airport, Flight, Leg, airports, pairs, tables};

on_each_backend! {
    expressions_read_old_values, swapped, raw_sql_reads_old_values, diesels_expressions_read_old_values,
    generated_columns_have_old_values, subqueries_of_the_updated_table, related_fields, a_relation_to_its_own_table,
    update_or_create_reads_old_values,
}

fn delays(bed: &Bed) -> Vec<String> {
    pairs(bed, "id", "delay", "flights")
}

fn texts<const N: usize>(numbers: [i64; N]) -> [Option<String>; N] {
    numbers.map(|number| Some(number.to_string()))
}

/// MySQL would assign the new value of one to the next.
fn expressions_read_old_values(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = Flight::objects(&db).filter(|f| f.id.eq(4));
    one.update(|f| (f.planned.set(f.planned + 1), f.delay.set(f.planned)))?;
    assert_eq!(bed.number("SELECT planned FROM flights WHERE id = 4"), 41);
    assert_eq!(bed.number("SELECT delay FROM flights WHERE id = 4"), 40);
    let across = one.filter(|f| f.origin().city.eq("Chicago"));
    across.update(|f| (f.planned.set(f.planned + 1), f.delay.set(f.planned)))?;
    assert_eq!(bed.number("SELECT planned FROM flights WHERE id = 4"), 42);
    assert_eq!(bed.number("SELECT delay FROM flights WHERE id = 4"), 41);
    Ok(())
}

fn swapped(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let some = Flight::objects(&db).filter(|f| f.id.is_in([1, 2, 6]));
    assert_eq!(some.update(|f| (f.planned.set(coalesce((f.delay, 0))), f.delay.set(f.planned), f.note.set("x")))?, 3);
    assert_eq!(pairs(bed, "id", "planned", "flights"), ["1=20", "2=-3", "3=30", "4=40", "5=50", "6=0"]);
    assert_eq!(delays(bed), ["1=10", "2=20", "3=NULL", "4=120", "5=NULL", "6=60"]);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE note = 'x'"), 3);
    // Of a limit's rows, and of those that a relation finds.
    let last = Flight::objects(&db).order_by(|f| f.id.desc()).limit(1);
    assert_eq!(last.update(|f| (f.remark.set(coalesce((f.note, ""))), f.note.set(f.remark)))?, 1);
    assert_eq!(bed.texts("SELECT note FROM flights WHERE id = 6"), [Some("flight 6".to_owned())]);
    let across = Flight::objects(&db).filter(|f| f.origin().city.eq("Chicago"));
    assert_eq!(across.update(|f| (f.planned.set(coalesce((f.delay, 0))), f.delay.set(f.planned)))?, 2);
    assert_eq!(bed.number("SELECT delay - planned FROM flights WHERE id = 4"), 40 - 120);
    // A key of two columns.
    assert_eq!(
        Leg::objects(&db).filter(|l| l.miles.gt(0)).update(|l| (l.miles.set(l.number), l.number.set(l.number + 10)))?,
        5
    );
    assert_eq!(bed.number("SELECT COUNT(*) FROM legs WHERE miles + 10 = number"), 5);
    Ok(())
}

/// `planned` and `delay` of flight 4.
fn fourth(bed: &Bed) -> (i64, i64) {
    (bed.number("SELECT planned FROM flights WHERE id = 4"), bed.number("SELECT delay FROM flights WHERE id = 4"))
}

fn raw_sql_reads_old_values(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = || Flight::objects(&db).filter(|f| f.id.eq(4));
    // Behind and before the assignment of what it reads, of an expression and of a value.
    one().update(|f| (f.planned.set(f.planned + 100), f.delay.set(sql::<Integer>("planned * 2"))))?;
    assert_eq!(fourth(bed), (140, 80));
    one().update(|f| (f.delay.set(sql::<Nullable<Integer>>("planned * 2")), f.planned.set(7)))?;
    assert_eq!(fourth(bed), (7, 280));
    // Beside another one.
    one().update(|f| {
        let planned = sql::<Integer>("delay + 1");
        (f.planned.set(planned), f.delay.set(sql::<Nullable<Integer>>("planned + 1")), f.note.set("raw"))
    })?;
    assert_eq!(fourth(bed), (281, 8));
    // Inside of expressions of ours.
    one().update(|f| (f.planned.set(f.planned + 1), f.delay.set(value(1) + sql::<Integer>("planned"))))?;
    assert_eq!(fourth(bed), (282, 282));
    one().update(|f| (f.planned.set(coalesce((f.delay, sql::<Integer>("1"))) + 1), f.delay.set(f.planned + 1)))?;
    assert_eq!(fourth(bed), (283, 283));
    one().update(|f| (f.planned.set(sql::<Integer>("delay - 1")), f.delay.set(f.planned)))?;
    assert_eq!(fourth(bed), (282, 283));
    // With a limit, and of rows that a relation finds.
    let last = Flight::objects(&db).filter(|f| f.origin().city.eq("Chicago")).order_by(|f| f.id.asc()).limit(1);
    last.update(|f| (f.planned.set(sql::<Integer>("delay")), f.delay.set(sql::<Integer>("planned"))))?;
    assert_eq!(fourth(bed), (283, 282));
    Ok(())
}

infix_operator!(Plus, " + ", Integer);

define_sql_function! {
    #[sql_name = "ABS"]
    fn absolute(x: Integer) -> Integer;
}

/// An expression of the program's own, which writes the name of a column.
#[derive(Clone, Copy, Debug)]
struct TwicePlanned;

impl Expression for TwicePlanned {
    type SqlType = Integer;
}
impl<QS> AppearsOnTable<QS> for TwicePlanned {}
impl<G> ValidGrouping<G> for TwicePlanned {
    type IsAggregate = is_aggregate::No;
}
impl<DB: Backend> QueryFragment<DB> for TwicePlanned {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(planned * 2)");
        Ok(())
    }
}

fn diesels_expressions_read_old_values(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = || Flight::objects(&db).filter(|f| f.id.eq(4));
    one().update(|f| (f.planned.set(f.planned + 1), f.delay.set(Plus::new(f.planned, f.planned))))?;
    assert_eq!(fourth(bed), (41, 80));
    one().update(|f| (f.planned.set(absolute(f.planned)), f.delay.set(absolute(f.planned))))?;
    assert_eq!(fourth(bed), (41, 41));
    one().update(|f| (f.planned.set(f.planned + 1), f.delay.set(TwicePlanned)))?;
    assert_eq!(fourth(bed), (42, 82));
    one().update(|f| (f.planned.set(5), f.delay.set(absolute(TwicePlanned))))?;
    assert_eq!(fourth(bed), (5, 84));
    one().update(|f| (f.planned.set(6), f.delay.set(case_when(f.planned.eq(TwicePlanned), 1).otherwise(2))))?;
    assert_eq!(fourth(bed), (6, 2));
    Ok(())
}

/// A column that the database computes of another.
#[derive(Model, Clone, Debug)]
struct Parcel {
    #[model(primary_key)]
    id: i64,
    grams: i32,
    #[model(generated)]
    kilos: i32,
    label: i32,
}

fn generated_columns_have_old_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute(
        "CREATE TABLE parcels (id BIGINT PRIMARY KEY, grams INTEGER NOT NULL, kilos INTEGER GENERATED ALWAYS AS \
         (grams / 1000) STORED, label INTEGER NOT NULL)",
    );
    bed.execute("INSERT INTO parcels (id, grams, label) VALUES (1, 5000, 0)");
    Parcel::objects(&db).update(|p| (p.grams.set(9000), p.label.set(p.kilos)))?;
    assert_eq!(bed.texts("SELECT kilos FROM parcels UNION ALL SELECT label FROM parcels"), texts([9, 5]));
    Parcel::objects(&db).update(|p| (p.grams.set(p.label), p.label.set(p.kilos)))?;
    assert_eq!(bed.texts("SELECT grams FROM parcels UNION ALL SELECT label FROM parcels"), texts([5, 9]));
    Ok(())
}

/// Every row is computed of the others as they were.
fn subqueries_of_the_updated_table(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    Airport::objects(&db)
        .update(|a| a.city.set(concat((a.city, many::<airports::relations::hub, _>(&a).max(|b| b.city)))))?;
    let cities = ["JFK=New YorkNew York", "LGA=New York", "MDW=Chicago", "ORD=ChicagoChicago"];
    assert_eq!(pairs(bed, "code", "city", "airports"), cities);
    let quoted = bed.pick(Pick { postgres: "\"flights\"", mysql: "`flights`", sqlite: "`flights`" });
    let greatest = format!("(SELECT MAX(other.planned) FROM {quoted} AS other) + 1");
    Flight::objects(&db).update(|f| f.planned.set(sql::<Integer>(&greatest)))?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE planned = 61"), 6);
    Ok(())
}

fn related_fields(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let city = "SELECT city FROM airports WHERE code = origin_code";
    assert_eq!(Flight::objects(&db).update(|f| f.remark.set(f.origin().city))?, 6);
    assert_eq!(bed.number(&format!("SELECT COUNT(*) FROM flights WHERE remark = ({city})")), 6);
    // Inside of expressions, of several relations, beside a bound value, and of rows that are found by a relation.
    let some = Flight::objects(&db).filter(|f| f.origin().city.eq("New York"));
    let changed = some.update(|f| {
        (
            f.remark.set(concat((f.origin().city, "-", f.dest().city, "-", f.remark))),
            f.delay.set(1),
            f.note.set(f.dest().hub().city),
        )
    })?;
    assert_eq!(changed, 4);
    let dest = "COALESCE((SELECT city FROM airports WHERE code = dest_code), '')";
    let expected = bed.texts(&format!(
        "SELECT concat('New York-', {dest}, '-New York') FROM flights WHERE origin_code IN ('JFK', 'LGA') ORDER BY id"
    ));
    assert_eq!(bed.texts("SELECT remark FROM flights WHERE delay = 1 ORDER BY id"), expected);
    let hub = "SELECT h.city FROM airports d JOIN airports h ON h.code = d.hub_code WHERE d.code = flights.dest_code";
    let kept = bed.number(&format!(
        "SELECT COUNT(*) FROM flights WHERE delay = 1 AND COALESCE(note, '-') = COALESCE(({hub}), '-')"
    ));
    assert_eq!(kept, 4);
    // A relation that finds no row gives NULL, and the row is updated all the same.
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.is_null()).update(|f| f.note.set(f.dest().city))?, 1);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE id = 6 AND note IS NULL"), 1);
    // The key that leads to the related row changes, too: its old value counts.
    let first = Flight::objects(&db).filter(|f| f.id.eq(1));
    first.update(|f| (f.origin_code.set("ORD"), f.remark.set(f.origin().city)))?;
    assert_eq!(bed.texts("SELECT remark FROM flights WHERE id = 1"), [Some("New York".to_owned())]);
    // With a limit.
    let last = Flight::objects(&db).order_by(|f| f.id.desc()).limit(2);
    assert_eq!(last.update(|f| f.remark.set(f.origin().code))?, 2);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE remark = origin_code"), 2);
    Ok(())
}

/// Each row is computed of the others as they were before.
fn a_relation_to_its_own_table(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let before = bed.texts(
        "SELECT COALESCE(h.city, a.city) FROM airports a LEFT JOIN airports h ON h.code = a.hub_code ORDER BY a.code",
    );
    assert_eq!(Airport::objects(&db).update(|a| a.city.set(coalesce((a.hub().city, a.city))))?, 4);
    assert_eq!(bed.texts("SELECT city FROM airports ORDER BY code"), before);
    let branches = Airport::objects(&db).filter(|a| a.hub().code.is_not_null());
    assert_eq!(branches.update(|a| a.city.set(concat((a.hub().city, " of ", a.city))))?, 2);
    assert_eq!(bed.number("SELECT COUNT(*) FROM airports WHERE city LIKE '% of %'"), 2);
    Ok(())
}

fn update_or_create_reads_old_values(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = || Flight::objects(&db).filter(|f| f.id.eq(4));
    let new = || unreachable!("the row exists");
    let (row, _) = one().update_or_create(
        |f| (f.planned.set(coalesce((f.delay, 0))), f.delay.set(f.planned), f.note.set("swapped")),
        new,
    )?;
    assert_eq!((row.planned, row.delay, row.note.as_deref()), (120, Some(40), Some("swapped")));
    let (row, _) = one().update_or_create(
        |f| {
            (
                f.planned.set(sql::<Integer>("delay")),
                f.delay.set(sql::<Integer>("planned")),
                f.remark.set(f.origin().city),
            )
        },
        new,
    )?;
    assert_eq!((row.planned, row.delay, row.remark.as_str()), (40, Some(120), "Chicago"));
    Ok(())
}
