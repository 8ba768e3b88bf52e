//! `max_length`, `decimal` and `fractional_seconds`: no path stores a value beyond its field's limit, nor a changed one.

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime};
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    values_at_the_limit_are_stored_as_they_are, every_path_refuses_what_is_beyond, a_refusal_names_the_row,
    a_row_beyond_the_limit_can_be_read_and_deleted,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Item {
    #[model(primary_key, max_length = 3)]
    code: String,
    #[model(max_length = 5)]
    name: Option<String>,
    #[model(max_length = 4)]
    data: Vec<u8>,
    #[model(decimal(6, 2))]
    price: Option<BigDecimal>,
    #[model(fractional_seconds = 0)]
    at: NaiveDateTime,
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

fn midnight() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2013, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).expect("it is a time")
}

fn item(code: &str) -> Item {
    Item { code: code.into(), name: None, data: Vec::new(), price: None, at: midnight() }
}

/// One value beyond each limit, and its field.
fn beyond() -> Vec<(&'static str, Item)> {
    let half = chrono::TimeDelta::milliseconds(500);
    vec![
        ("name", Item { name: Some("дождик".into()), ..item("a") }),
        ("name", Item { name: Some("five  ".into()), ..item("a") }),
        ("data", Item { data: vec![0; 5], ..item("a") }),
        ("price", Item { price: Some(decimal("3.14159")), ..item("a") }),
        ("price", Item { price: Some(decimal("10000")), ..item("a") }),
        ("price", Item { price: Some(decimal("0.005")), ..item("a") }),
        ("at", Item { at: midnight() + half, ..item("a") }),
    ]
}

fn values_at_the_limit_are_stored_as_they_are(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Item,)>()?;
    let full = Item {
        code: "éèê".into(),
        name: Some("✈✈✈✈✈".into()),
        data: vec![0, 255, 0, 255],
        price: Some(decimal("-9999.99")),
        at: midnight(),
    };
    let zeros = Item { price: Some(decimal("1.5000")), ..item("b") };
    Item::bulk_create(&db, [full.clone(), zeros])?;
    assert_eq!(Item::objects(&db).filter(|i| i.code.eq("éèê")).get()?, full);
    full.save(&db)?;
    full.save_fields(&db, |i| (i.name, i.price))?;
    assert_eq!(Item::objects(&db).filter(|i| i.price.eq(decimal("-9999.99"))).get()?, full);
    assert_eq!(Item::objects(&db).filter(|i| i.price.eq(decimal("1.5"))).count()?, 1);
    Ok(())
}

fn every_path_refuses_what_is_beyond(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Item,)>()?;
    Item::bulk_create(&db, [item("a")])?;
    for (field, bad) in beyond() {
        let new = Item { code: "n".into(), ..bad.clone() };
        let a = Item::objects(&db).filter(|i| i.code.eq("a"));
        let none = Item::objects(&db).filter(|i| i.code.eq("n"));
        let answers = [
            ("create", Item::create(&db, new.clone()).map(drop)),
            ("bulk_create", Item::bulk_create(&db, [new.clone()]).map(drop)),
            ("save", bad.save(&db)),
            ("save of a new row", new.save(&db)),
            ("save_fields", bad.save_fields(&db, |i| (i.name, i.data, i.price, i.at))),
            ("bulk_update", Item::bulk_update(&db, [&bad], |i| (i.name, i.data, i.price, i.at)).map(drop)),
            (
                "insert_into",
                Item::insert_into(&db)
                    .update_conflicts(|i| i.code, |i| (i.name, i.data, i.price, i.at))
                    .bulk_create([bad.clone()])
                    .map(drop),
            ),
            ("get_or_create", none.get_or_create(|| new.clone()).map(drop)),
            (
                "update",
                a.update(|i| (i.name.set(&bad.name), i.data.set(&bad.data), i.price.set(&bad.price), i.at.set(bad.at)))
                    .map(drop),
            ),
            (
                "update_or_create",
                a.update_or_create(
                    |i| (i.name.set(&bad.name), i.data.set(&bad.data), i.price.set(&bad.price), i.at.set(bad.at)),
                    || item("a"),
                )
                .map(drop),
            ),
            ("update_or_create of a new row", none.update_or_create(|i| i.name.set(None), || new.clone()).map(drop)),
        ];
        for (path, answer) in answers {
            let Err(error) = answer else { panic!("{path} has stored a value of `{field}` beyond its limit") };
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{path} {field}: {error}");
            assert_eq!((error.model(), error.field()), (Some("Item"), Some(field)), "{path}");
            assert!(!format!("{error:?}").contains("дождик"), "{path} shows the value");
        }
        assert_eq!(Item::objects(&db).load()?, [item("a")], "nothing has changed");
    }
    Ok(())
}

fn a_refusal_names_the_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Item,)>()?;
    let bad = Item { name: Some("longer".into()), ..item("c") };
    let error = Item::bulk_create(&db, [item("a"), item("b"), bad]).expect_err("the third is too long");
    assert_eq!((error.row(), error.key()), (Some(3), Some("\"c\"")));
    assert!(format!("{error:#}\n{error:?}").contains("6 characters"), "{error:?}");
    assert_eq!(Item::objects(&db).count()?, 0);
    let error = Item::bulk_create(&db, [item("abcd")]).expect_err("the key is too long");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("code")));
    Ok(())
}

/// A table may hold longer values than a limit that was declared later.
fn a_row_beyond_the_limit_can_be_read_and_deleted(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Note {
        #[model(primary_key)]
        id: i32,
        #[model(max_length = 3)]
        text: String,
        kind: i32,
    }
    let db = bed.db()?;
    bed.execute(
        "CREATE TABLE notes (id INT NOT NULL PRIMARY KEY, text VARCHAR(20) NOT NULL, kind INT NOT NULL); \
         INSERT INTO notes VALUES (1, 'longer', 5), (2, 'abc', 5)",
    );
    let mut note = Note::objects(&db).order_by(|n| n.id.asc()).first()?.ok_or("it is there")?;
    note.refresh(&db)?;
    note.kind = 6;
    note.save_fields(&db, |n| n.kind)?;
    assert_eq!(Note::bulk_update(&db, [&note], |n| n.kind)?, 1);
    assert_eq!(note.save(&db).err().map(|error| error.kind()), Some(ErrorKind::InvalidValue));
    assert!(note.delete(&db)?);
    assert_eq!(bed.number("SELECT count(*) FROM notes"), 1);
    Ok(())
}
