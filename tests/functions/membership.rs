//! Whether a field is one of many values, or of another queryset's.

use std::collections::{BTreeSet, HashSet};

use bigdecimal::BigDecimal;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use orm_core::{BackendKind, dsl::exists, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};
use uuid::Uuid;

use crate::models::{Note, expected, found, notes};

on_each_backend! {
    any_iterator, nothing, nulls_in_the_list, more_values_than_parameters, long_lists_of_every_type, long_lists_of_text, other_querysets, limited_querysets, nulls_in_a_queryset, existence, statements, errors_without_values, another_backend, fields_in_a_list,
}

fn any_iterator(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = || Note::objects(&db);
    assert_eq!(found(query().filter(|n| n.id.is_in(3..=5)))?, [3, 4, 5]);
    assert_eq!(found(query().filter(|n| n.id.is_in(&[3, 5])))?, [3, 5]);
    assert_eq!(found(query().filter(|n| n.id.is_in(HashSet::from([1, 99]))))?, [1]);
    assert_eq!(found(query().filter(|n| n.text.is_in(BTreeSet::from(["a", "it's"]))))?, [3, 12]);
    assert_eq!(found(query().filter(|n| n.text.is_in(vec!["a".to_owned(), "100%".to_owned()])))?, [3, 8]);
    assert_eq!(found(query().filter(|n| n.id.eq_any([7]).or(n.id.is_in([8]))))?, [7, 8]);
    let oracle = |n: &Note| n.other.as_deref().map(|other| !["a", "_"].contains(&other));
    assert_eq!(found(query().filter(|n| n.other.not_in(["a", "_"])))?, expected(&rows, oracle));
    assert_eq!(found(query().filter(|n| n.other.ne_all(["a", "_"])))?, expected(&rows, oracle));
    assert_eq!(found(query().filter(|n| n.text.lower().is_in(["a"])))?, [3, 4]);
    Ok(())
}

fn nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    let none = Vec::<&str>::new;
    assert_eq!(Note::objects(&db).filter(|n| n.other.is_in(none())).count()?, 0);
    assert_eq!(Note::objects(&db).filter(|n| n.other.not_in(none())).count()?, 21);
    assert_eq!(Note::objects(&db).exclude(|n| n.other.is_in(none())).count()?, 21);
    let nobody = || Note::objects(&db).filter(|n| n.id.gt(99)).values(|n| n.text);
    assert_eq!(Note::objects(&db).filter(|n| n.other.is_in(nobody())).count()?, 0);
    assert_eq!(Note::objects(&db).filter(|n| n.other.not_in(nobody())).count()?, 21);
    Ok(())
}

fn nulls_in_the_list(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    for length in [1, 3000] {
        let list = || [Some("a"), None].into_iter().cycle().take(length * 2);
        assert_eq!(found(Note::objects(&db).filter(|n| n.other.is_in(list())))?, [3, 4]);
        assert_eq!(Note::objects(&db).filter(|n| n.other.not_in(list())).count()?, 0);
        assert_eq!(Note::objects(&db).exclude(|n| n.other.is_in(list())).count()?, 19);
    }
    Ok(())
}

/// PostgreSQL and MySQL number parameters by 16 bits, SQLite has 32766.
fn more_values_than_parameters(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let many: Vec<i64> = (-70_000..70_000).filter(|id| id % 2 == 0).collect();
    assert_eq!(found(Note::objects(&db).filter(|n| n.id.is_in(&many)))?, expected(&rows, |n| Some(n.id % 2 == 0)));
    let neither = Note::objects(&db).filter(|n| n.id.not_in(&many).and(n.id.not_in(many.iter().map(|id| id + 3))));
    assert_eq!(found(neither)?, [0_i64; 0]);
    let texts = || (0..70_000).map(|n| format!("{n}%"));
    assert_eq!(found(Note::objects(&db).filter(|n| n.text.is_in(texts()).and(n.id.gt(7))))?, [8]);
    assert_eq!(Note::objects(&db).filter(|n| n.text.not_in(texts())).count()?, 20);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Everything {
    #[model(primary_key)]
    id: i64,
    flag: bool,
    tiny: i8,
    small: i16,
    medium: i32,
    byte: u8,
    word: u16,
    long: u32,
    huge: u64,
    single: f32,
    double: f64,
    bytes: Vec<u8>,
    day: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: DateTime<Utc>,
    uuid: Uuid,
    price: Option<BigDecimal>,
}

fn everything(id: i64) -> Everything {
    let number = usize::try_from(id).expect("it is positive");
    let at = NaiveDate::from_ymd_opt(1969, 12, 1).expect("it is a date").and_time(NaiveTime::MIN)
        + TimeDelta::microseconds(id * 86_400_000_001);
    Everything {
        id,
        flag: id % 2 == 1,
        tiny: -1 - (id % 100) as i8,
        small: -(id as i16),
        medium: id as i32 * 100_000,
        byte: (200 + id % 50) as u8,
        word: 60_000 + id as u16,
        long: 4_000_000_000 + id as u32,
        huge: i64::MAX as u64 - number as u64,
        single: id as f32 / 3.0,
        double: -(id as f64) / 3.0,
        bytes: vec![0, 39, 92, (id % 256) as u8, (id / 256) as u8],
        day: at.date(),
        time: NaiveTime::MIN + TimeDelta::microseconds(id * 1_000_001),
        at,
        instant: at.and_utc(),
        uuid: Uuid::from_u128(u128::MAX / (number as u128 + 1)),
        price: Some(BigDecimal::new((id * 1_000_000_007).into(), 8)),
    }
}

fn long_lists_of_every_type(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything,)>()?;
    Everything::bulk_create(&db, (1..=3).map(everything))?;
    let all = || Everything::objects(&db).order_by(|e| e.id.asc());
    // Rows 2 to 2500: the first is in no list, the second and third are.
    let list: Vec<Everything> = (2..=2500).map(everything).collect();
    macro_rules! agrees {
        ($($field:ident)*) => { $(
            let values = || list.iter().map(|e| e.$field.clone());
            let wanted: Vec<i64> =
                (1..=3).map(everything).filter(|e| values().any(|value| value == e.$field)).map(|e| e.id).collect();
            let found = all().filter(|e| e.$field.is_in(values())).values(|e| e.id).load()?;
            assert_eq!(found, wanted, "{}", stringify!($field));
            let found = all().filter(|e| e.$field.not_in(values())).values(|e| e.id).load()?;
            assert_eq!(found.len(), 3 - wanted.len(), "{}", stringify!($field));
        )* };
    }
    agrees! { id flag tiny small medium byte word long huge double bytes day time at instant uuid price }
    assert_eq!(all().filter(|e| e.price.is_in(list.iter().map(|e| e.price.clone()))).count()?, 2);
    // A FLOAT of MariaDB's is compared with the whole of what is given, in either form.
    if bed.backend() != BackendKind::Mysql {
        agrees! { single }
    }
    // As another number of digits.
    let longer = || list.iter().map(|e| e.price.clone().map(|price| price.with_scale(12)));
    assert_eq!(all().filter(|e| e.price.is_in(longer())).count()?, 2);
    let days = (0..3000).map(|day| everything(1).day + Days::new(day));
    assert_eq!(all().filter(|e| e.day.is_in(days)).count()?, 3);
    Ok(())
}

fn long_lists_of_text(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let mut list: Vec<String> = rows.iter().filter(|n| n.id % 2 == 0).map(|n| n.text.clone()).collect();
    list.extend((0..3000).map(|n| format!("'); DROP TABLE notes; -- \\ {n}")));
    let oracle = |n: &Note| Some(list.contains(&n.text));
    assert_eq!(found(Note::objects(&db).filter(|n| n.text.is_in(&list)))?, expected(&rows, oracle));
    assert_eq!(Note::objects(&db).filter(|n| n.text.not_in(&list)).count()? + expected(&rows, oracle).len() as u64, 21);
    if bed.keeps_nul_in_text() {
        Note::bulk_create(&db, [Note { id: 30, text: "a\0b".into(), other: None }])?;
        assert_eq!(found(Note::objects(&db).filter(|n| n.text.is_in(["a", "a\0c"])))?, [3]);
        list.push("a\0b".into());
        assert_eq!(found(Note::objects(&db).filter(|n| n.text.is_in(&list).and(n.id.gt(20))))?, [30]);
    }
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Note, name = note))]
    note_id: Option<i64>,
    word: String,
}

fn comments(db: &Database) -> TestResult {
    let comment = |id, note_id, word: &str| Comment { id, note_id, word: word.into() };
    db.create_tables::<(Comment,)>()?;
    Comment::bulk_create(
        db,
        [comment(1, Some(3), "a"), comment(2, Some(5), "b"), comment(3, None, "a"), comment(4, Some(5), "York")],
    )?;
    Ok(())
}

fn other_querysets(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    comments(&db)?;
    let query = || Note::objects(&db);
    let commented = || Comment::objects(&db).filter(|c| c.word.ne("York")).values(|c| c.note_id);
    assert_eq!(found(query().filter(|n| n.id.is_in(commented())))?, [3, 5]);
    let words = Comment::objects(&db).values(|c| c.word).distinct();
    assert_eq!(found(query().filter(|n| n.other.is_in(words).and(n.id.gt(3))))?, [4, 5]);
    // A relation's condition within, and one outside; a function on either side.
    let new_york = Comment::objects(&db).filter(|c| c.note().text.starts_with("New")).values(|c| c.id);
    assert_eq!(
        Comment::objects(&db).filter(|c| c.id.is_in(new_york)).order_by(|c| c.id.asc()).values(|c| c.id).load()?,
        [2, 4]
    );
    let words = Comment::objects(&db).values(|c| c.word.upper());
    assert_eq!(found(query().filter(|n| n.text.upper().is_in(words)))?, [3, 4]);
    // The same model within and outside.
    let short = query().filter(|n| n.text.length().eq(1)).values(|n| n.text);
    assert_eq!(found(query().filter(|n| n.other.is_in(short)))?, [3, 4]);
    Ok(())
}

fn limited_querysets(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    let last = || Note::objects(&db).order_by(|n| n.id.desc()).values(|n| n.id);
    assert_eq!(found(Note::objects(&db).filter(|n| n.id.is_in(last().limit(3))))?, [19, 20, 21]);
    assert_eq!(found(Note::objects(&db).filter(|n| n.id.is_in(last().offset(19))))?, [1, 2]);
    assert_eq!(Note::objects(&db).filter(|n| n.id.not_in(last().limit(3))).count()?, 18);
    Ok(())
}

fn nulls_in_a_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    comments(&db)?;
    let keys = || Comment::objects(&db).values(|c| c.note_id);
    assert_eq!(Note::objects(&db).filter(|n| n.id.not_in(keys())).count()?, 0);
    assert_eq!(Note::objects(&db).exclude(|n| n.id.is_in(keys())).count()?, 19);
    let known = keys().filter(|c| c.note_id.is_not_null());
    assert_eq!(Note::objects(&db).filter(|n| n.id.not_in(known)).count()?, 19);
    Ok(())
}

fn existence(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    comments(&db)?;
    let with = |word: &'static str| Comment::objects(&db).filter(move |c| c.word.eq(word));
    assert_eq!(Note::objects(&db).filter(|_| exists(with("a"))).count()?, 21);
    assert_eq!(Note::objects(&db).filter(|_| exists(with("x"))).count()?, 0);
    assert_eq!(Note::objects(&db).filter(|n| (!exists(with("x"))).and(n.id.eq(2))).count()?, 1);
    assert_eq!(Note::objects(&db).filter(|n| exists(with("x")).or(n.id.eq(2))).count()?, 1);
    assert_eq!(Note::objects(&db).limit(1).values_as::<bool, _>(|_| exists(with("a"))).load()?, [true]);
    Ok(())
}

fn statements(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Note::objects(&db)
        .filter(|n| n.id.is_in(Comment::objects(&db).order_by(|c| c.id.asc()).values(|c| c.note_id)))
        .values(|n| n.id)
        .sql()?;
    let wanted =
        r#"SELECT "notes"."id" FROM "notes" WHERE (("notes"."id" IN (SELECT "comments"."note_id" FROM "comments")))"#;
    assert_eq!(sql.replace('`', "\""), wanted);
    let sql = Note::objects(&db).filter(|n| n.id.is_in(1..=2001)).values(|n| n.id).sql()?;
    let condition = sql.split_once(" WHERE ").ok_or("no condition")?.1;
    let shown = bed.pick(Pick {
        postgres: r#"(("notes"."id" = ANY($1)))"#,
        mysql: "((`notes`.`id` IN (…)))",
        sqlite: "((`notes`.`id` IN (…)))",
    });
    assert_eq!(condition, shown, "a statement is shown without its values");
    let sql = Note::objects(&db).filter(|n| n.id.is_in(1..=2000)).values(|n| n.id).sql()?;
    let last = bed.pick(Pick { postgres: ", $2000)))", mysql: ", ?)))", sqlite: ", ?)))" });
    assert!(sql.ends_with(last), "{sql}");
    Ok(())
}

/// Long lists are literals on some backends; in an error they are values all the same.
fn errors_without_values(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    #[model(table = "missing")]
    struct Missing {
        #[model(primary_key)]
        id: i64,
        text: String,
    }
    let db = bed.db()?;
    let ids = || 70_000_i64..73_000;
    let texts = || vec!["hunter2"; 3000];
    let all = || Missing::objects(&db);
    let errors = [
        all().filter(|m| m.id.is_in(ids())).load().expect_err("the table is missing"),
        all().filter(|m| m.text.is_in(texts())).count().expect_err("the table is missing"),
        all().exclude(|m| m.text.not_in(texts())).update(|m| m.text.set("hunter2")).expect_err("the table is missing"),
        all().filter(|m| m.id.not_in(ids())).delete().expect_err("the table is missing"),
        all().filter(|m| m.id.is_in(ids())).exists().expect_err("the table is missing"),
        all().filter(|m| m.id.is_in(ids())).try_iterator(3).map(drop).expect_err("the table is missing"),
        all().filter(|m| m.id.is_in([70_001, 70_002])).load().expect_err("the table is missing"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::UndefinedTable);
        assert!(error.sql().is_some_and(|sql| sql.contains("missing")), "{error:?}");
        let shown = format!("{error} {error:?}");
        for value in ["hunter2", "68756E74657232", "7000"] {
            assert!(!shown.contains(value), "{value} is shown in {shown}");
        }
    }
    Ok(())
}

fn another_backend(bed: &Bed) -> TestResult {
    let (db, other) = (bed.db()?, Bed::sqlite());
    notes(&db)?;
    let other = other.db()?;
    if bed.backend() == BackendKind::Sqlite {
        return Ok(());
    }
    let elsewhere = || Note::objects(&other).values(|n| n.id);
    for query in
        [Note::objects(&db).filter(|n| n.id.is_in(elsewhere())), Note::objects(&db).filter(|_| exists(elsewhere()))]
    {
        let error = query.count().expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        let text = format!("{error:?}");
        assert!(
            text.contains("the queryset of `Note` in the condition is on SQLite, and the statement is for"),
            "{text}"
        );
    }
    Ok(())
}

fn fields_in_a_list(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    assert_eq!(found(Note::objects(&db).filter(|n| n.other.is_in([n.other.lower()]).and(n.id.lt(6))))?, [2, 3, 4]);
    let error = Note::objects(&db).filter(|n| n.other.is_in(vec![n.other; 3000])).count().expect_err("it is refused");
    assert!(format!("{error:?}").contains("fields cannot be in it"), "{error:?}");
    Ok(())
}
