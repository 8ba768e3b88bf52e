//! Keys that are unique, gone back along.

use orm_core::{ErrorKind, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::plain;

on_each_backend! {
    read_with_the_row, in_conditions_orders_and_values, onward_from_there, and_many_from_there, by_another_key,
    no_two_rows_have_the_key, what_is_unique_has_one_index, within_a_subquery, a_join_that_decides_nothing_is_not_counted,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Place {
    #[model(primary_key)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Restaurant {
    #[model(primary_key, belongs_to(Place, name = place, reverse = restaurant, unique))]
    place_id: i64,
    pizza: bool,
    stars: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Waiter {
    #[model(primary_key)]
    id: i64,
    name: String,
    #[model(belongs_to(Restaurant, reverse = waiters))]
    restaurant_id: i64,
}

/// Its key is no primary key, and may be NULL.
#[derive(Model, Clone, Debug, PartialEq)]
struct Permit {
    number: Option<String>,
    #[model(belongs_to(Place, name = place, reverse = permit, unique))]
    place_id: Option<i64>,
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Place, key = name, name = called, reverse = named_permit, unique, optional))]
    place_name: String,
}

struct Rows {
    places: Vec<Place>,
    restaurants: Vec<Restaurant>,
    permits: Vec<Permit>,
}

fn town(db: &Database) -> orm_core::Result<Rows> {
    let places: Vec<_> = (1..=5).map(|id| Place { id, name: format!("place {id}") }).collect();
    let restaurant = |place_id, pizza, stars| Restaurant { place_id, pizza, stars };
    let restaurants = vec![restaurant(1, true, None), restaurant(3, false, Some(2)), restaurant(5, true, Some(3))];
    let permit = |id, place_id, number: Option<&str>, name: &str| Permit {
        number: number.map(Into::into),
        place_id,
        id,
        place_name: name.into(),
    };
    let permits = vec![
        permit(10, Some(2), Some("A"), "place 3"),
        permit(11, Some(3), None, "nowhere"),
        permit(12, None, Some("C"), "place 1"),
        permit(13, None, None, "place 9"),
    ];
    let waiters = [(1, "Ann", 1), (2, "Ben", 1), (3, "Cem", 5)];
    db.create_tables::<(Place, Restaurant, Waiter, Permit)>()?;
    Place::bulk_create(db, places.clone())?;
    Restaurant::bulk_create(db, restaurants.clone())?;
    Waiter::bulk_create(db, waiters.map(|(id, name, restaurant_id)| Waiter { id, name: name.into(), restaurant_id }))?;
    Permit::bulk_create(db, permits.clone())?;
    Ok(Rows { places, restaurants, permits })
}

fn read_with_the_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = town(&db)?;
    let found: Vec<(Place, Option<Restaurant>, Option<Permit>)> = Place::objects(&db)
        .order_by(|p| p.id.asc())
        .select_related(|p| (p.restaurant(), p.permit()))
        .iterator(2)?
        .collect();
    let expected = rows.places.iter().map(|place| {
        let restaurant = rows.restaurants.iter().find(|r| r.place_id == place.id);
        let permit = rows.permits.iter().find(|p| p.place_id == Some(place.id));
        (place.clone(), restaurant.cloned(), permit.cloned())
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn in_conditions_orders_and_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let pizza = Place::objects(&db).filter(|p| p.restaurant().pizza.eq(true)).order_by(|p| p.id.asc());
    assert_eq!(pizza.values(|p| p.id).load()?, [1, 5]);
    let none = Place::objects(&db).filter(|p| p.restaurant().place_id.is_null()).order_by(|p| p.id.asc());
    assert_eq!(none.values(|p| p.id).load()?, [2, 4]);
    let rows: Vec<(i64, Option<bool>, Option<i32>)> = Place::objects(&db)
        .order_by(|p| (p.restaurant().stars.desc().nulls_last(), p.id.asc()))
        .values(|p| (p.id, p.restaurant().pizza, p.restaurant().stars))
        .load()?;
    assert_eq!(
        rows,
        [(5, Some(true), Some(3)), (3, Some(false), Some(2)), (1, Some(true), None), (2, None, None), (4, None, None)]
    );
    Ok(())
}

/// Forward from there, and back to where it began.
fn onward_from_there(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let rows: Vec<(Place, Option<Place>)> =
        Place::objects(&db).order_by(|p| p.id.asc()).select_related(|p| p.restaurant().place()).load()?;
    let found: Vec<_> = rows.into_iter().map(|(p, q)| (p.id, q.map(|q| q.id))).collect();
    assert_eq!(found, [(1, Some(1)), (2, None), (3, Some(3)), (4, None), (5, Some(5))]);
    let waiters: Vec<(String, Option<String>)> = Waiter::objects(&db)
        .order_by(|w| w.id.asc())
        .values(|w| (w.name, w.restaurant().place().permit().number))
        .load()?;
    assert_eq!(waiters, [("Ann".into(), None), ("Ben".into(), None), ("Cem".into(), None)]);
    Ok(())
}

fn and_many_from_there(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let counts = Place::objects(&db).order_by(|p| p.id.asc()).values(|p| p.restaurant().waiters().count());
    assert_eq!(counts.load()?, [2, 0, 0, 0, 1]);
    let found = Place::objects(&db).filter(|p| p.restaurant().waiters().any(|w| w.name.eq("Ben")));
    assert_eq!(found.get()?.id, 1);
    Ok(())
}

/// By a column that is no primary key, which the other must have only once.
fn by_another_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let rows = Place::objects(&db).order_by(|p| p.id.asc()).values(|p| (p.id, p.named_permit().id)).load()?;
    assert_eq!(rows, [(1, Some(12)), (2, None), (3, Some(10)), (4, None), (5, None)]);
    Ok(())
}

fn no_two_rows_have_the_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let again = Permit { id: 20, place_id: Some(2), number: None, place_name: "new".into() };
    let error = Permit::bulk_create(&db, [again]).expect_err("the place has a permit");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    // NULL is no value, so it may be there often.
    Permit::bulk_create(&db, [Permit { id: 21, place_id: None, number: None, place_name: "new".into() }])?;
    let dangling = Permit { id: 22, place_id: Some(4), number: None, place_name: "new".into() };
    assert_eq!(
        Permit::bulk_create(&db, [dangling]).map_err(|error| error.kind()),
        Err(ErrorKind::UniqueViolation),
        "also where the key may refer to no row"
    );
    Ok(())
}

/// Its own, and none for a key beside it.
fn what_is_unique_has_one_index(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let indices = |table: &str| {
        bed.number(&bed.pick(Pick {
            sqlite: format!("SELECT COUNT(*) FROM pragma_index_list('{table}') WHERE origin <> 'pk'"),
            postgres: format!(
                "SELECT COUNT(*) FROM pg_index WHERE indrelid = '{table}'::regclass AND NOT indisprimary"
            ),
            mysql: format!(
                "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' AND index_name <> 'PRIMARY'"
            ),
        }))
    };
    assert_eq!(indices("permits"), 2);
    assert_eq!(indices("restaurants"), 0, "the primary key is unique by itself");
    assert_eq!(indices("waiters"), 1);
    Ok(())
}

/// Joined within the subquery, not outside.
fn within_a_subquery(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let found = Restaurant::objects(&db)
        .filter(|r| r.waiters().any(|w| w.restaurant().place().restaurant().stars.eq(3)))
        .values(|r| r.place_id);
    assert_eq!(found.load()?, [5]);
    assert_eq!(
        plain(&found.sql()?),
        "SELECT restaurants.place_id FROM restaurants WHERE (EXISTS (SELECT 1 FROM waiters AS restaurants__waiters \
         INNER JOIN restaurants AS restaurants__waiters__restaurant \
         ON restaurants__waiters__restaurant.place_id = restaurants__waiters.restaurant_id \
         INNER JOIN places AS restaurants__waiters__restaurant__place \
         ON restaurants__waiters__restaurant__place.id = restaurants__waiters__restaurant.place_id \
         LEFT JOIN restaurants AS restaurants__waiters__restaurant__place__restaurant \
         ON restaurants__waiters__restaurant__place__restaurant.place_id = restaurants__waiters__restaurant__place.id \
         WHERE (restaurants__waiters.restaurant_id = restaurants.place_id) \
         AND ((restaurants__waiters__restaurant__place__restaurant.stars = ?))))"
    );
    Ok(())
}

fn a_join_that_decides_nothing_is_not_counted(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    town(&db)?;
    let joined = Place::objects(&db).select_related(|p| p.restaurant());
    assert_eq!(joined.count()?, 5);
    assert_eq!(
        plain(&Place::objects(&db).filter(|p| p.restaurant().pizza.eq(true)).values(|p| p.id).sql()?),
        "SELECT places.id FROM places LEFT JOIN restaurants AS places__restaurant \
         ON places__restaurant.place_id = places.id WHERE ((places__restaurant.pizza = ?))"
    );
    Ok(())
}
