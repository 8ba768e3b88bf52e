//! The SQL: one statement, subqueries that join what they use, and an outer query that joins nothing for them.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, plain};

on_each_backend! { conditions, values, orders, joins_stay_where_they_are_used, counting, text_of_many }

fn conditions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = |query: QuerySet<'_, Airport>| -> orm_core::Result<String> {
        let sql = plain(&query.values(|a| a.code).sql()?);
        Ok(sql.trim_start_matches("SELECT airports.code FROM airports WHERE ").to_owned())
    };
    let all = || Airport::objects(&db);
    let from = "SELECT 1 FROM flights AS airports__departures WHERE (airports__departures.origin_code = airports.code)";
    assert_eq!(sql(all().filter(|a| a.departures().exists()))?, format!("(EXISTS ({from}))"));
    assert_eq!(sql(all().filter(|a| a.departures().is_empty()))?, format!("((NOT EXISTS ({from})))"));
    assert_eq!(
        sql(all().filter(|a| a.departures().filter(|f| f.id.gt(1)).none(|f| f.delay.gt(2))))?,
        format!("((NOT EXISTS ({from} AND ((airports__departures.id > ?)) AND ((airports__departures.delay > ?)))))")
    );
    assert_eq!(
        sql(all().filter(|a| a.departures().all(|f| f.delay.gt(2))))?,
        format!("((NOT EXISTS ({from} AND ((airports__departures.delay > ?)) IS NOT TRUE)))")
    );
    assert_eq!(
        sql(all().filter(|a| a.departures().any(|f| f.legs().exists())))?,
        format!(
            "(EXISTS ({from} AND (EXISTS (SELECT 1 FROM legs AS airports__departures__legs \
             WHERE (airports__departures__legs.flight_id = airports__departures.id)))))"
        )
    );
    Ok(())
}

fn values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql =
        Airport::objects(&db).values(|a| (a.departures().count(), a.arrivals().first(|f| f.id.desc(), |f| f.seats)));
    assert_eq!(
        plain(&sql.sql()?),
        "SELECT (SELECT COUNT(*) FROM flights AS airports__departures \
         WHERE (airports__departures.origin_code = airports.code)), \
         (SELECT airports__arrivals.seats FROM flights AS airports__arrivals \
         WHERE (airports__arrivals.dest_code = airports.code) ORDER BY airports__arrivals.id DESC LIMIT 1) FROM airports"
    );
    Ok(())
}

fn orders(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Airport::objects(&db).order_by(|a| (a.spokes().count().desc(), a.code.asc())).values(|a| a.code);
    assert_eq!(
        plain(&sql.sql()?),
        "SELECT airports.code FROM airports ORDER BY (SELECT COUNT(*) FROM airports AS airports__spokes \
         WHERE (airports__spokes.hub_code = airports.code)) DESC, airports.code ASC"
    );
    Ok(())
}

fn joins_stay_where_they_are_used(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Flight::objects(&db)
        .filter(|f| f.origin().departures().any(|g| g.dest().city.eq(f.dest().hub().city)))
        .values(|f| f.id);
    assert_eq!(
        plain(&sql.sql()?),
        "SELECT flights.id FROM flights \
         INNER JOIN airports AS flights__origin ON flights__origin.code = flights.origin_code \
         LEFT JOIN airports AS flights__dest ON flights__dest.code = flights.dest_code \
         LEFT JOIN airports AS flights__dest__hub ON flights__dest__hub.code = flights__dest.hub_code \
         WHERE (EXISTS (SELECT 1 FROM flights AS flights__origin__departures \
         LEFT JOIN airports AS flights__origin__departures__dest \
         ON flights__origin__departures__dest.code = flights__origin__departures.dest_code \
         WHERE (flights__origin__departures.origin_code = flights__origin.code) \
         AND ((flights__origin__departures__dest.city = flights__dest__hub.city))))"
    );
    Ok(())
}

fn counting(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let query = Airport::objects(&db).filter(|a| a.departures().exists()).order_by(|a| a.departures().count().asc());
    assert_eq!(
        format!("{:?}", query.values(|a| a.departures().max(|f| f.delay))).matches("SELECT").count(),
        4,
        "a condition, an order and a value"
    );
    Ok(())
}

fn text_of_many(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let mut text = String::new();
    let _ = Airport::objects(&db).filter(|a| {
        text = format!("{:?}", a.departures().filter(|f| f.id.eq(1)));
        a.departures().exists()
    });
    assert_eq!(text, "Many(airports__departures)");
    Ok(())
}
