//! Conditions that are made when the program runs.

use orm_core::{
    dsl::{BoxedCondition, all_of, any_of, condition, not},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Note, expected, found, notes};

on_each_backend! {
    conditions_of_one_type, conditions_in_boxes, no_condition, negation, with_diesels_own, joins_of_boxed_conditions,
}

fn conditions_of_one_type(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let all = found(Note::objects(&db).filter(|n| all_of([1, 2, 7].map(|id| n.id.ne(id)))))?;
    assert_eq!(all, expected(&rows, |n| Some(![1, 2, 7].contains(&n.id))));
    let any = found(Note::objects(&db).filter(|n| any_of(vec![n.id.eq(3), n.id.eq(5)])))?;
    assert_eq!(any, [3, 5]);
    // NULL OR true is true, NULL AND true is NULL.
    let query = Note::objects(&db);
    assert_eq!(found(query.clone().filter(|n| any_of([n.other.eq("x"), n.other.eq("York")])))?, [5]);
    assert_eq!(found(query.clone().filter(|n| all_of([n.other.contains("a"), n.other.contains("x")])))?, [0_i64; 0]);
    assert_eq!(query.exclude(|n| all_of([n.other.contains("a"), n.other.contains("x")])).count()?, 21);
    Ok(())
}

fn conditions_in_boxes(bed: &Bed) -> TestResult {
    fn wanted<'a>(db: &'a Database, text: Option<&'a str>, above: Option<i64>) -> QuerySet<'a, Note> {
        Note::objects(db).filter(move |n| {
            let mut wanted: Vec<BoxedCondition<'_, Note>> = Vec::new();
            if let Some(text) = text {
                wanted.push(condition(n.text.contains(text)));
            }
            wanted.extend(above.map(|above| condition(n.id.gt(above).or(n.other.is_null()))));
            all_of(wanted)
        })
    }
    let db = bed.db()?;
    let rows = notes(&db)?;
    assert_eq!(wanted(&db, None, None).count()?, 21);
    assert_eq!(
        found(wanted(&db, Some("a"), Some(9)))?,
        expected(&rows, |n| Some(n.text.contains('a') && (n.id > 9 || n.other.is_none())))
    );
    // A box goes wherever a condition does, and into another box.
    let query = Note::objects(&db).filter(|n| {
        let one: BoxedCondition<'_, Note> = condition(n.id.lt(3));
        let either: BoxedCondition<'_, Note> = condition(any_of([one.clone(), condition(n.id.gt(20))]));
        not(one.and(n.id.eq(2))).and(either)
    });
    assert_eq!(found(query)?, [1, 21]);
    Ok(())
}

fn no_condition(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    let none = || Vec::<BoxedCondition<'_, Note>>::new();
    assert_eq!(Note::objects(&db).filter(|_| all_of(none())).count()?, 21);
    assert_eq!(Note::objects(&db).filter(|_| any_of(none())).count()?, 0);
    assert_eq!(Note::objects(&db).exclude(|_| all_of(none())).count()?, 0);
    assert_eq!(Note::objects(&db).exclude(|_| any_of(none())).count()?, 21);
    assert_eq!(Note::objects(&db).filter(|n| all_of(none()).and(n.id.eq(4))).count()?, 1);
    assert_eq!(Note::objects(&db).filter(|_| not(any_of(none()))).count()?, 21);
    Ok(())
}

fn negation(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = Note::objects(&db);
    let other = |n: &Note, test: fn(&str) -> bool| n.other.as_deref().map(test);
    assert_eq!(found(query.clone().filter(|n| not(n.other.eq("a"))))?, expected(&rows, |n| other(n, |o| o != "a")));
    assert_eq!(
        found(query.clone().filter(|n| !n.other.contains("a")))?,
        expected(&rows, |n| other(n, |o| !o.contains('a')))
    );
    assert_eq!(found(query.clone().exclude(|n| !n.other.contains("a")))?.len(), 5);
    assert_eq!(
        found(query.filter(|n| not(n.text.starts_with("a").or(n.other.is_null()))))?,
        expected(&rows, |n| Some(!(n.text.starts_with('a') || n.other.is_none())))
    );
    Ok(())
}

fn with_diesels_own(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = Note::objects(&db).filter(|n| {
        n.text.icontains("A").and(n.id.gt(2)).or(all_of([n.id.eq(1)])).and(not(n.id.eq(20))).and(n.other.is_not_null())
    });
    let oracle = |n: &Note| {
        Some(((n.text.to_lowercase().contains('a') && n.id > 2) || n.id == 1) && n.id != 20 && n.other.is_some())
    };
    assert_eq!(found(query)?, expected(&rows, oracle));
    Ok(())
}

/// A flight, whose destination may be unknown.
#[derive(Model, Clone, Debug)]
struct Leg {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Note, name = note))]
    note_id: Option<i64>,
}

fn joins_of_boxed_conditions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    db.create_tables::<(Leg,)>()?;
    Leg::bulk_create(&db, [Leg { id: 1, note_id: Some(5) }, Leg { id: 2, note_id: None }])?;
    let query = Leg::objects(&db).filter(|l| {
        let conditions: [BoxedCondition<'_, Leg>; 2] =
            [condition(l.note().text.starts_with("New")), condition(l.id.gt(5))];
        any_of(conditions)
    });
    assert_eq!(query.clone().values(|l| l.id).load()?, [1]);
    assert_eq!(query.sql()?.matches("LEFT JOIN").count(), 1);
    assert_eq!(query.count()?, 1);
    Ok(())
}
