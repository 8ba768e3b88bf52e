//! Subqueries find their rows by the index that `create_tables` makes of each key.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use diesel::{RunQueryDsl, sql_query, sql_types::Text};
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult};

use crate::models::{Airport, Flight, Leg};

#[cfg(feature = "mysql")]
orm_tests::on_mysql! { by_index_on_mysql }
#[cfg(feature = "postgres")]
orm_tests::on_postgres! { by_index_on_postgres }
#[cfg(feature = "sqlite")]
orm_tests::on_sqlite! { by_index_on_sqlite }

/// Tables of which no planner would read the longer one again for each row of the shorter; and a query that binds
/// nothing.
fn query(bed: &Bed) -> orm_core::Result<String> {
    let db = bed.db()?;
    db.create_tables::<(Airport, Flight, Leg)>()?;
    let airport = |at: i32| Airport { code: format!("A{at}"), city: "x".repeat(20), gates: at, hub_code: None };
    Airport::bulk_create(&db, (0..500).map(airport))?;
    let flight = |id: i32| Flight {
        id: id.into(),
        origin_code: format!("A{}", id % 500),
        dest_code: None,
        delay: None,
        seats: id,
        remark: None,
    };
    Flight::bulk_create(&db, (0..10_000).map(flight))?;
    let queries = Airport::objects(&db).filter(|a| a.departures().any(|f| f.seats.gt(a.gates)));
    assert_eq!(queries.values(|a| a.departures().count()).load()?.iter().sum::<i64>(), 10_000);
    Airport::objects(&db).values(|a| (a.code, a.departures().count(), a.departures().max(|f| f.seats))).sql()
}

#[cfg(feature = "postgres")]
fn by_index_on_postgres(bed: &Bed) -> TestResult {
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        text: String,
    }

    let sql = query(bed)?;
    bed.execute("ANALYZE");
    let db = Database::<Pg>::connect(bed.url())?;
    let lines: Vec<Line> = sql_query(format!("EXPLAIN {sql}")).load(&mut *db.connection()?)?;
    let plan = lines.into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
    assert_eq!(plan.matches("flights__origin_code").count(), 2, "{plan}");
    assert!(!plan.contains("Seq Scan on flights"), "{plan}");
    Ok(())
}

#[cfg(feature = "mysql")]
fn by_index_on_mysql(bed: &Bed) -> TestResult {
    let sql = query(bed)?;
    let plan: Vec<_> = bed.texts(&format!("EXPLAIN FORMAT=JSON {sql}")).into_iter().flatten().collect();
    let plan = plan.join("\n");
    assert_eq!(plan.matches(r#""key": "flights__origin_code""#).count(), 2, "{plan}");
    Ok(())
}

#[cfg(feature = "sqlite")]
fn by_index_on_sqlite(bed: &Bed) -> TestResult {
    #[derive(diesel::QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    let sql = query(bed)?;
    let db = Database::<Sqlite>::connect(bed.url())?;
    let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut *db.connection()?)?;
    let steps: Vec<_> = steps.into_iter().map(|step| step.detail).collect();
    let searched = steps.iter().filter(|step| step.starts_with("SEARCH") && step.contains("flights__origin_code"));
    assert_eq!(searched.count(), 2, "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN airports__departures")), "{steps:?}");
    Ok(())
}
