//! Related models: which row stands beside which, and what stands there when there is none.

use std::collections::HashMap;

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, airport, flight, schedule};

on_each_backend! {
    two_keys_to_one_table, self_reference, chain, an_optional_key_loses_no_row, twelve_relations, deep_select_related,
    select_related_null_child, filters_along_optional_paths, order_along_paths, values_along_paths,
    a_path_is_joined_once, key_other_than_the_primary_key, composite_key_target_by_field, select_related_of_an_optional_chain,
    joined_streams, exclude_along_a_path, a_field_may_hold_two_relations,
}

fn two_keys_to_one_table(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (airports, flights) = schedule(&db)?;
    let by_code: HashMap<_, _> = airports.iter().map(|a| (a.code.clone(), a.clone())).collect();
    let rows = Flight::objects(&db).order_by(|f| f.id.asc()).select_related(|f| (f.origin(), f.dest())).iterator(2)?;
    let oracle = flights.into_iter().map(|f| {
        let (origin, dest) = (by_code[&f.origin_code].clone(), by_code.get(&f.dest_code).cloned());
        (f, origin, dest)
    });
    assert_eq!(rows.collect_vec(), oracle.collect_vec());
    Ok(())
}

fn self_reference(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Airport::objects(&db).order_by(|a| a.code.asc()).select_related(|a| a.hub()).load()?;
    assert_eq!(
        rows,
        [
            (airport("JFK", "New York", None), None),
            (airport("LGA", "New York", Some("JFK")), Some(airport("JFK", "New York", None))),
            (airport("MDW", "Chicago", Some("ORD")), Some(airport("ORD", "Chicago", None))),
            (airport("ORD", "Chicago", None), None),
        ]
    );
    Ok(())
}

fn chain(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<(Flight, Option<Airport>)> = Flight::objects(&db)
        .filter(|f| f.id.eq_any([2, 4]))
        .order_by(|f| f.id.asc())
        .select_related(|f| f.origin().hub())
        .load()?;
    assert_eq!(
        rows,
        [
            (flight(2, "LGA", "ORD", Some(-3.0)), Some(airport("JFK", "New York", None))),
            (flight(4, "ORD", "JFK", Some(120.0)), None),
        ]
    );
    Ok(())
}

fn an_optional_key_loses_no_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<(Flight, Option<Airport>)> = Flight::objects(&db).select_related(|f| f.dest()).load()?;
    assert_eq!(rows.len(), 6);
    assert_eq!(rows.iter().filter(|(_, dest)| dest.is_none()).map(|(f, _)| f.id).collect_vec(), [6]);
    Ok(())
}

fn select_related_of_an_optional_chain(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<(Flight, Option<Airport>, Option<Airport>)> =
        Flight::objects(&db).order_by(|f| f.id.asc()).select_related(|f| (f.dest().hub(), f.dest())).load()?;
    let codes = rows.into_iter().map(|(f, hub, dest)| (f.id, hub.map(|h| h.code), dest.map(|d| d.code))).collect_vec();
    let code = |code: &str| Some(code.to_owned());
    assert_eq!(
        codes,
        [
            (1, None, code("ORD")),
            (2, None, code("ORD")),
            (3, code("JFK"), code("LGA")),
            (4, None, code("JFK")),
            (5, code("JFK"), code("LGA")),
            (6, None, None),
        ]
    );
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Part {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Part, name = p1))]
    p1_id: Option<i64>,
    #[model(belongs_to(Part, name = p2))]
    p2_id: Option<i64>,
    note: Option<String>,
}

/// Part `n` leads to `n - 1` and `n - 2`, where they are.
fn parts(db: &Database, last: i64) -> orm_core::Result<Vec<Part>> {
    let parts = (1..=last)
        .map(|id| Part {
            id,
            p1_id: Some(id - 1).filter(|id| *id > 0),
            p2_id: Some(id - 2).filter(|id| *id > 0),
            note: Some(format!("part {id}")).filter(|_| id % 2 == 0),
        })
        .collect_vec();
    db.create_tables::<(Part,)>()?;
    Part::bulk_create(db, parts.clone())?;
    Ok(parts)
}

fn twelve_relations(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let all = parts(&db, 20)?;
    let rows = Part::objects(&db)
        .order_by(|p| p.id.asc())
        .select_related(|p| {
            (
                p.p1(),
                p.p2(),
                p.p1().p1(),
                p.p1().p2(),
                p.p2().p1(),
                p.p2().p2(),
                p.p1().p1().p1(),
                p.p1().p1().p2(),
                p.p2().p2().p1(),
                p.p2().p2().p2(),
                p.p1().p2().p1(),
                p.p2().p1().p2(),
            )
        })
        .load()?;
    assert_eq!(rows.len(), 20);
    let at = |id: i64| usize::try_from(id - 1).ok().and_then(|at| all.get(at)).cloned();
    for (part, a, b, c, d, e, f, g, h, i, j, k, l) in rows {
        let found = [a, b, c, d, e, f, g, h, i, j, k, l];
        let steps = [1, 2, 2, 3, 3, 4, 3, 4, 5, 6, 4, 5];
        for (found, step) in found.into_iter().zip(steps) {
            assert_eq!(found, at(part.id - step), "{step} below {}", part.id);
        }
    }
    Ok(())
}

fn deep_select_related(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let all = parts(&db, 12)?;
    let rows = Part::objects(&db)
        .order_by(|p| p.id.asc())
        .select_related(|p| p.p1().p1().p1().p1().p1().p1().p1().p1().p1().p1())
        .load()?;
    for (part, deep) in rows {
        assert_eq!(deep, all.iter().find(|other| other.id == part.id - 10).cloned(), "10 below {}", part.id);
    }
    let deep =
        Part::objects(&db).filter(|p| p.p1().p1().p1().p1().p1().p1().p1().p1().p1().p1().note.eq("part 2")).get()?;
    assert_eq!(deep, all[11]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Blank {
    #[model(primary_key)]
    id: i64,
    a: Option<i32>,
    b: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Holder {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Blank))]
    blank_id: Option<i64>,
}

/// A row whose nullable columns are all NULL is a row; it is told from none by its key.
fn select_related_null_child(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Holder, Blank)>()?;
    let blank = |id| Blank { id, a: None, b: None };
    Blank::bulk_create(&db, [blank(0), blank(1)])?;
    let holder = |id, blank_id| Holder { id, blank_id };
    Holder::bulk_create(&db, [holder(1, Some(1)), holder(2, None), holder(3, Some(0))])?;
    let rows = Holder::objects(&db).order_by(|h| h.id.asc()).select_related(|h| h.blank()).load()?;
    assert_eq!(
        rows,
        [(holder(1, Some(1)), Some(blank(1))), (holder(2, None), None), (holder(3, Some(0)), Some(blank(0))),]
    );
    Ok(())
}

fn ids(query: QuerySet<'_, Flight>) -> orm_core::Result<Vec<i64>> {
    query.order_by(|f| f.id.asc()).values(|f| f.id).load()
}

fn filters_along_optional_paths(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let all = || Flight::objects(&db);
    assert_eq!(ids(all().filter(|f| f.dest().city.eq("Chicago")))?, [1, 2]);
    assert_eq!(ids(all().filter(|f| f.dest().city.ne("Chicago")))?, [3, 4, 5]);
    assert_eq!(ids(all().filter(|f| f.dest().code.is_null()))?, [6]);
    assert_eq!(ids(all().filter(|f| f.origin().hub().city.eq("New York").or(f.dest().code.is_null())))?, [2, 6]);
    assert_eq!(ids(all().filter(|f| f.origin().city.eq("New York").and(f.dest().city.eq("New York"))))?, [3]);
    Ok(())
}

fn exclude_along_a_path(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let all = || Flight::objects(&db);
    assert_eq!(ids(all().exclude(|f| f.dest().city.eq("Chicago")))?, [3, 4, 5, 6]);
    assert_eq!(ids(all().exclude(|f| f.dest().hub().city.eq("New York")))?, [1, 2, 4, 6]);
    Ok(())
}

fn order_along_paths(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let ids = |query: QuerySet<'_, Flight>| query.values(|f| f.id).load();
    let order =
        ids(Flight::objects(&db).order_by(|f| (f.dest().city.desc().nulls_last(), f.origin().city.asc(), f.id.asc())))?;
    assert_eq!(order, [4, 5, 3, 1, 2, 6]);
    let back = ids(Flight::objects(&db)
        .order_by(|f| (f.dest().city.desc().nulls_last(), f.origin().city.asc(), f.id.asc()))
        .reverse())?;
    assert_eq!(back, [6, 2, 1, 3, 5, 4]);
    Ok(())
}

fn values_along_paths(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<(i64, String, Option<String>)> = Flight::objects(&db)
        .order_by(|f| f.id.desc())
        .limit(2)
        .values(|f| (f.id, f.origin().city, f.dest().city))
        .load()?;
    let text = |text: &str| text.to_owned();
    assert_eq!(rows, [(6, text("New York"), None), (5, text("Chicago"), Some(text("New York")))]);
    Ok(())
}

fn a_path_is_joined_once(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query = Flight::objects(&db)
        .filter(|f| f.origin().city.eq("New York"))
        .filter(|f| f.origin().code.eq("JFK").and(f.origin().hub().code.is_null()))
        .order_by(|f| (f.origin().city.asc(), f.id.asc()))
        .select_related(|f| (f.origin(), f.origin().hub()));
    assert_eq!(query.sql()?.matches(" JOIN ").count(), 2, "{}", query.sql()?);
    assert_eq!(query.load()?.into_iter().map(|(f, ..)| f.id).collect_vec(), [1, 3]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Country {
    #[model(primary_key)]
    id: i64,
    iso: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct City {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Country, name = country, key = iso))]
    iso: String,
}

fn key_other_than_the_primary_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(City, Country)>()?;
    let country = |id, iso: &str| Country { id, iso: iso.into() };
    let city = |id, iso: &str| City { id, iso: iso.into() };
    Country::bulk_create(&db, [country(7, "DE"), country(8, "IN")])?;
    City::bulk_create(&db, [city(1, "IN"), city(2, "DE")])?;
    let rows = City::objects(&db).order_by(|c| c.id.asc()).select_related(|c| c.country()).load()?;
    assert_eq!(rows, [(city(1, "IN"), country(8, "IN")), (city(2, "DE"), country(7, "DE"))]);
    assert_eq!(City::bulk_create(&db, [city(3, "XX")]).map_err(|e| e.kind()), Err(ErrorKind::ForeignKeyViolation));
    assert_eq!(Country::bulk_create(&db, [country(9, "DE")]).map_err(|e| e.kind()), Err(ErrorKind::UniqueViolation));
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(year, number))]
struct Volume {
    year: i16,
    number: i32,
    isbn: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Loan {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Volume, name = volume, key = isbn))]
    isbn: Option<String>,
}

fn composite_key_target_by_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Volume, Loan)>()?;
    let volume = |number, isbn: &str| Volume { year: 2013, number, isbn: isbn.into() };
    Volume::bulk_create(&db, [volume(2, "b"), volume(1, "a")])?;
    Loan::bulk_create(&db, [Loan { id: 1, isbn: Some("b".into()) }, Loan { id: 2, isbn: None }])?;
    let rows = Loan::objects(&db).order_by(|l| l.id.asc()).select_related(|l| l.volume()).load()?;
    assert_eq!(rows.into_iter().map(|(_, v)| v).collect_vec(), [Some(volume(2, "b")), None]);
    assert_eq!(Volume::objects(&db).first()?, Some(volume(1, "a")), "the first by the whole key");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Place {
    #[model(primary_key)]
    code: String,
    #[model(belongs_to(Airport, name = airport, optional), belongs_to(Country, name = country, key = iso, optional))]
    letters: String,
}

fn a_field_may_hold_two_relations(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.create_tables::<(Place, Country)>()?;
    Country::bulk_create(&db, [Country { id: 1, iso: "DE".into() }])?;
    let place = |code: &str, letters: &str| Place { code: code.into(), letters: letters.into() };
    Place::bulk_create(&db, [place("a", "JFK"), place("b", "DE"), place("c", "?")])?;
    let rows = Place::objects(&db).order_by(|p| p.code.asc()).select_related(|p| (p.airport(), p.country())).load()?;
    let found = rows.into_iter().map(|(_, airport, country)| (airport.is_some(), country.is_some())).collect_vec();
    assert_eq!(found, [(true, false), (false, true), (false, false)]);
    Ok(())
}

fn joined_streams(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let all = parts(&db, 300)?;
    let rows = Part::objects(&db).order_by(|p| p.id.asc()).select_related(|p| (p.p1(), p.p2())).iterator(7)?;
    for (at, (part, p1, p2)) in rows.enumerate() {
        let below = |step: usize| at.checked_sub(step).map(|at| all[at].clone());
        assert_eq!((part, p1, p2), (all[at].clone(), below(1), below(2)));
    }
    Ok(())
}
