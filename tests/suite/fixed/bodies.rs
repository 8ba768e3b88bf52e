//! Bodies that name their backend `B`.

use itertools::Itertools;
use orm_core::{Transaction, diesel::dsl::max, prelude::*};
use orm_tests::{TestResult, ok};

use super::{B, bed};
use crate::models::{Airport, Flight, Number, airport, flight, number};

type Db = Database<B>;

fn numbers(last: i64) -> Result<(orm_tests::Bed, Db), Box<dyn std::error::Error>> {
    let bed = bed();
    let db = Db::connect(bed.url())?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=last).map(number))?;
    Ok((bed, db))
}

/// A queryset of a backend has a name, too.
fn above(db: &Db, id: i64) -> QuerySet<'_, Number, B> {
    Number::objects(db).filter(move |n| n.id.gt(id))
}

#[test]
fn streams() -> TestResult {
    let (_bed, db) = numbers(100)?;
    let query = above(&db, 90).order_by(|n| n.id.asc());
    assert_eq!(query.clone().iterator(3)?.collect_vec(), (91..=100).map(number).collect_vec());
    assert_eq!(query.clone().try_iterator(3)?.collect::<orm_core::Result<Vec<_>>>()?, query.load()?);
    let mut rows = above(&db, 0).iterator(7)?;
    assert!(rows.next().is_some());
    drop(rows);
    assert_eq!(above(&db, 0).iterator(1)?.count(), 100);
    Ok(())
}

#[test]
fn terminals() -> TestResult {
    let (_bed, db) = numbers(10)?;
    assert_eq!((above(&db, 4).count()?, above(&db, 10).exists()?), (6, false));
    assert_eq!(above(&db, 4).order_by(|n| n.id.desc()).first()?, Some(number(10)));
    assert_eq!(above(&db, 9).get()?, number(10));
    assert_eq!(above(&db, 8).get().map_err(|error| error.kind()), Err(ErrorKind::MultipleRows));
    assert_eq!(
        above(&db, 8).values(|n| (n.id, n.name)).order_by(|n| n.id.asc()).first()?,
        Some((9, Some("number 9".into())))
    );
    assert_eq!(above(&db, 0).values_as::<Option<i64>, _>(|n| max(n.id)).get()?, Some(10));
    assert!(above(&db, 0).sql()?.contains("WHERE"));
    Ok(())
}

#[test]
fn relations() -> TestResult {
    let bed = bed();
    let db = Db::connect(bed.url())?;
    db.create_tables::<(Flight, Airport)>()?;
    Airport::bulk_create(&db, [airport("JFK", "New York", None), airport("LGA", "New York", Some("JFK"))])?;
    Flight::bulk_create(&db, [flight(1, "LGA", "SJU", None), flight(2, "JFK", "LGA", Some(1.0))])?;
    let rows = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .select_related(|f| (f.origin(), f.dest(), f.origin().hub()))
        .iterator(1)?
        .collect_vec();
    let (jfk, lga) = (airport("JFK", "New York", None), airport("LGA", "New York", Some("JFK")));
    assert_eq!(
        rows,
        [
            (flight(1, "LGA", "SJU", None), lga.clone(), None, Some(jfk.clone())),
            (flight(2, "JFK", "LGA", Some(1.0)), jfk, Some(lga), None),
        ]
    );
    assert_eq!(
        Flight::objects(&db).filter(|f| f.dest().city.contains("York")).values(|f| f.dest().hub().city).load()?,
        [Some("New York".to_owned())]
    );
    Ok(())
}

#[test]
fn transactions() -> TestResult {
    let (_bed, db) = numbers(3)?;
    fn add(tx: &Transaction<B>, id: i64) -> orm_core::Result<u64> {
        Number::bulk_create(tx, [number(id)])
    }
    db.transaction(|tx| {
        add(tx, 4)?;
        let inner = tx.transaction(|inner| add(inner, 4));
        assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        assert_eq!(Number::objects(tx).iterator(2)?.count(), 4);
        add(tx, 5)
    })?;
    let failed = db.transaction(|tx| {
        let _ = tx.batch_execute("INSERT INTO numbers (id) VALUES (5)");
        add(tx, 6).map_err(|error| error.kind()).expect_err("an earlier statement failed");
        ok(())
    });
    assert_eq!(failed.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(Number::objects(&db).count()?, 5);
    Ok(())
}

#[test]
fn errors() -> TestResult {
    let (_bed, db) = numbers(3)?;
    #[derive(Model, Debug)]
    #[model(table = "numbers")]
    struct Wrong {
        #[model(primary_key)]
        id: i64,
        #[allow(dead_code)]
        name: Option<i32>,
    }
    let error = Wrong::objects(&db).order_by(|w| w.id.asc()).load().expect_err("a name is no number");
    assert_eq!((error.kind(), error.field(), error.key()), (ErrorKind::Decode, Some("name"), Some("1")));
    let error = Number::bulk_create(&db, (3..5).map(number)).expect_err("3 is there");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    Ok(())
}
