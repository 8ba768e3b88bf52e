//! What is true for any, none and all of some rows, against three values of logic worked out by hand.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! { every_mixture_of_true_false_and_null }

#[derive(Model, Clone, Debug)]
struct Parent {
    #[model(primary_key)]
    id: i64,
    limit: Option<i32>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "children")]
struct Child {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Parent, reverse = children))]
    parent_id: Option<i64>,
    x: Option<i32>,
}

/// `a < b`, as SQL has it.
fn less(a: Option<i32>, b: Option<i32>) -> Option<bool> {
    Some(a? < b?)
}

/// A parent for each set of up to three children of each value, and children of nobody.
fn family(db: &Database) -> orm_core::Result<(Vec<Parent>, Vec<Child>)> {
    const VALUES: [Option<i32>; 4] = [None, Some(-1), Some(0), Some(7)];
    let (mut parents, mut children) = (Vec::new(), Vec::new());
    for limit in [None, Some(0), Some(5)] {
        for mixture in 0..64_usize {
            for number in 0..=3_usize {
                // Only one mixture of none, four of one, sixteen of two.
                if mixture >= 4_usize.pow(u32::try_from(number).expect("it is small")) {
                    continue;
                }
                let id = i64::try_from(parents.len()).expect("they are few");
                parents.push(Parent { id, limit });
                for at in 0..number {
                    let x = VALUES[(mixture >> (2 * at)) % 4];
                    let child = i64::try_from(children.len()).expect("they are few");
                    children.push(Child { id: child, parent_id: Some(id), x });
                }
            }
        }
    }
    let next = i64::try_from(children.len()).expect("they are few");
    children.extend([None, Some(3)].into_iter().zip(next..).map(|(x, id)| Child { id, parent_id: None, x }));
    db.create_tables::<(Parent, Child)>()?;
    Parent::bulk_create(db, parents.clone())?;
    Child::bulk_create(db, children.clone())?;
    Ok((parents, children))
}

type Answer = (i64, [bool; 3], bool, i64, i64, Option<i64>, Option<i32>, Option<i32>, i64);

fn every_mixture_of_true_false_and_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (parents, children) = family(&db)?;
    let of = |p: &Parent| children.iter().filter(|c| c.parent_id == Some(p.id)).collect::<Vec<_>>();
    let any = |p: &Parent| of(p).iter().any(|c| less(c.x, p.limit) == Some(true));
    let all = |p: &Parent| of(p).iter().all(|c| less(c.x, p.limit) == Some(true));
    let ids = |holds: &dyn Fn(&Parent) -> bool| parents.iter().filter(|p| holds(p)).map(|p| p.id).collect::<Vec<_>>();
    let parents_that = || Parent::objects(&db).order_by(|p| p.id.asc());

    let found = parents_that().filter(|p| p.children().any(|c| c.x.lt(p.limit))).values(|p| p.id).load()?;
    assert_eq!(found, ids(&any));
    let found = parents_that().filter(|p| p.children().none(|c| c.x.lt(p.limit))).values(|p| p.id).load()?;
    assert_eq!(found, ids(&|p| !any(p)));
    let found = parents_that().filter(|p| p.children().all(|c| c.x.lt(p.limit))).values(|p| p.id).load()?;
    assert_eq!(found, ids(&all));
    let found = parents_that().exclude(|p| p.children().all(|c| c.x.lt(p.limit))).values(|p| p.id).load()?;
    assert_eq!(found, ids(&|p| !all(p)));

    let found = parents_that().values(|p| {
        let (limit, below) = (p.limit, p.children().filter(|c| c.x.lt(p.limit)));
        let not_below = p.children().exclude(|c| c.x.lt(limit));
        (
            p.id,
            p.children().any(|c| c.x.lt(limit)),
            p.children().none(|c| c.x.lt(limit)),
            p.children().all(|c| c.x.lt(limit)),
            not_below.clone().exists(),
            below.clone().count(),
            not_below.count(),
            below.sum(|c| c.x),
            p.children().min(|c| c.x),
            p.children().max(|c| c.x),
            p.children().count_distinct(|c| c.x),
        )
    });
    let found: Vec<Answer> = found
        .load()?
        .into_iter()
        .map(|(id, any, none, all, rest, below, not_below, sum, min, max, different)| {
            (id, [any, none, all], rest, below, not_below, sum, min, max, different)
        })
        .collect();
    let expected: Vec<Answer> = parents
        .iter()
        .map(|p| {
            let children = of(p);
            let below: Vec<_> = children.iter().filter(|c| less(c.x, p.limit) == Some(true)).collect();
            let sum = below.iter().filter_map(|c| c.x).map(i64::from).reduce(|a, b| a + b);
            let mut values: Vec<i32> = children.iter().filter_map(|c| c.x).collect();
            values.sort_unstable();
            values.dedup();
            let number = |of: usize| i64::try_from(of).expect("they are few");
            (
                p.id,
                [any(p), !any(p), all(p)],
                below.len() < children.len(),
                number(below.len()),
                number(children.len() - below.len()),
                sum,
                values.first().copied(),
                values.last().copied(),
                number(values.len()),
            )
        })
        .collect();
    assert_eq!(found.len(), 3 * (1 + 4 + 16 + 64));
    assert_eq!(found, expected);
    Ok(())
}
