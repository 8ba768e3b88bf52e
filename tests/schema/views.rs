//! Models on views: their columns are checked as far as reading goes.

use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Airline, Flight};

on_each_backend! { a_view_of_tables, a_relation_to_a_view, a_view_that_computes }

#[derive(Model, Debug, PartialEq)]
#[model(table = "late_flights")]
struct LateFlight {
    #[model(primary_key)]
    id: i64,
    seats: i32,
    delay: f64,
    #[model(belongs_to(Airline, name = airline))]
    carrier: String,
}

fn a_view_of_tables(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airline, Flight)>()?;
    bed.execute("CREATE VIEW late_flights AS SELECT id, seats, delay, carrier, day FROM flights WHERE delay > 15");
    db.check_schema::<(LateFlight, Airline)>()?;
    bed.execute("DROP VIEW late_flights; CREATE VIEW late_flights AS SELECT id, day AS seats, delay FROM flights");
    let error = db.check_schema::<(LateFlight,)>().expect_err("it is another one").to_string();
    assert!(error.contains("`LateFlight::carrier` (column `carrier` of `late_flights`) is not there"), "{error}");
    // On SQLite a day is text, as `TEXT` says.
    assert!(error.contains("`LateFlight::seats` (column `seats` of `late_flights`) has the type"), "{error}");
    assert!(error.contains("2 differences"), "{error}");
    Ok(())
}

fn a_relation_to_a_view(bed: &Bed) -> TestResult {
    #[derive(Model)]
    #[model(table = "flights")]
    struct Partial {
        #[model(primary_key, generated)]
        id: i64,
        #[model(belongs_to(Name, name = airline))]
        carrier: String,
    }
    #[derive(Model)]
    #[model(table = "names")]
    struct Name {
        #[model(primary_key)]
        code: String,
    }
    let db = bed.db()?;
    db.create_tables::<(Airline, Flight)>()?;
    let error = db.check_schema_for_reading::<(Partial,)>().expect_err("there is no such view").to_string();
    assert!(error.contains("leads to `names`, which is not there"), "{error}");
    bed.execute("CREATE VIEW names AS SELECT code, name FROM airlines");
    db.check_schema_for_reading::<(Partial, Name)>()?;
    Ok(())
}

/// SQLite gives a computed column no type, and so takes it as it is.
fn a_view_that_computes(bed: &Bed) -> TestResult {
    #[derive(Model, Debug, PartialEq)]
    #[model(table = "totals")]
    struct Total {
        #[model(primary_key)]
        carrier: String,
        flights: i64,
        longest: Option<f64>,
    }
    let db = bed.db()?;
    db.create_tables::<(Airline, Flight)>()?;
    let count = bed.pick(Pick { postgres: "count(*)", mysql: "count(*)", sqlite: "count(*)" });
    bed.execute(&format!(
        "CREATE VIEW totals AS SELECT carrier, {count} AS flights, max(delay) AS longest FROM flights GROUP BY carrier"
    ));
    db.check_schema::<(Total,)>()?;
    Airline::bulk_create(&db, [Airline { code: "UA".into(), name: "United".into() }])?;
    bed.execute("INSERT INTO flights (day, seats, delay, carrier) VALUES ('2013-01-01', 1, 2.5, 'UA')");
    assert_eq!(Total::objects(&db).get()?, Total { carrier: "UA".into(), flights: 1, longest: Some(2.5) });
    Ok(())
}
