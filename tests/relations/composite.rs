//! Keys that refer to a column beside the primary key, composite primary keys, schemas of names, and long names.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::plain;

on_each_backend! { by_another_field, long_names_stay_apart, a_relation_and_a_way_back_without_a_name }

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(maker, number))]
struct Plane {
    maker: String,
    number: i32,
    tail: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(tail, year))]
struct Ownership {
    #[model(belongs_to(Plane, name = plane, key = tail, reverse = owners))]
    tail: String,
    year: i32,
    owner: String,
}

fn by_another_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Plane, Ownership)>()?;
    let planes = [("a", 1, "N1"), ("a", 2, "N2"), ("b", 1, "N'3%")];
    Plane::bulk_create(
        &db,
        planes.map(|(maker, number, tail)| Plane { maker: maker.into(), number, tail: tail.into() }),
    )?;
    let owners = [("N1", 2001, "Ümit"), ("N1", 2002, "Zoë"), ("N'3%", 2001, "Zoë")];
    Ownership::bulk_create(
        &db,
        owners.map(|(tail, year, owner)| Ownership { tail: tail.into(), year, owner: owner.into() }),
    )?;
    let rows: Vec<(String, i64, Option<String>)> = Plane::objects(&db)
        .order_by(|p| (p.maker.asc(), p.number.asc()))
        .values(|p| (p.tail, p.owners().count(), p.owners().first(|o| o.year.desc(), |o| o.owner)))
        .load()?;
    assert_eq!(
        rows,
        [("N1".into(), 2, Some("Zoë".into())), ("N2".into(), 0, None), ("N'3%".into(), 1, Some("Zoë".into()))]
    );
    let zoe = Plane::objects(&db).filter(|p| p.owners().all(|o| o.owner.eq("Zoë"))).order_by(|p| p.maker.asc());
    assert_eq!(zoe.values(|p| p.tail).load()?, ["N2", "N'3%"]);
    Ok(())
}

/// A chain of names of which each alias is longer than identifiers may be.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "a_table_of_people_with_quite_a_long_name")]
struct Person {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Person, name = the_one_who_gives_the_orders, reverse = those_who_are_given_the_orders))]
    boss_id: Option<i64>,
}

fn long_names_stay_apart(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    let bosses = [None, Some(1), Some(2), Some(3), Some(3)];
    Person::bulk_create(&db, (1..).zip(bosses).map(|(id, boss_id)| Person { id, boss_id }))?;
    let found = Person::objects(&db)
        .filter(|p| {
            p.those_who_are_given_the_orders().any(|q| {
                q.those_who_are_given_the_orders().any(|r| {
                    let boss = r.the_one_who_gives_the_orders().the_one_who_gives_the_orders();
                    r.those_who_are_given_the_orders().count().ge(2).and(boss.id.eq(p.id.nullable())).and(q.id.ne(r.id))
                })
            })
        })
        .values(|p| p.id);
    assert_eq!(found.load()?, [1]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Room {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Room, name = doors, key = id))]
    next: Option<i64>,
}

/// Named as the relation of a room, which its way back must not be taken for.
#[derive(Model, Clone, Debug, PartialEq)]
struct Door {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Room, name = room))]
    room_id: i64,
}

fn a_relation_and_a_way_back_without_a_name(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Room, Door)>()?;
    Room::bulk_create(&db, [Room { id: 1, next: None }, Room { id: 2, next: Some(1) }])?;
    Door::bulk_create(&db, [Door { id: 5, room_id: 2 }])?;
    let found = Room::objects(&db)
        .filter(|r| orm_core::reverse::many::<doors::relations::room, _>(&r).any(|d| d.id.nullable().gt(r.doors().id)))
        .values(|r| r.id);
    assert_eq!(
        plain(&found.sql()?),
        "SELECT rooms.id FROM rooms LEFT JOIN rooms AS rooms__doors ON rooms__doors.id = rooms.next \
         WHERE (EXISTS (SELECT 1 FROM doors AS rooms__doors.room WHERE (rooms__doors.room.room_id = rooms.id) \
         AND ((rooms__doors.room.id > rooms__doors.id))))"
    );
    assert_eq!(found.load()?, [2]);
    Ok(())
}
