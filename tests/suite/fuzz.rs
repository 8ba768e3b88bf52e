//! Random data, random querysets, and an oracle that filters, sorts and cuts a plain `Vec`.

use std::{cmp::Ordering, collections::BTreeSet};

use itertools::Itertools;
use orm_core::{diesel::dsl::not, field::Nulls, field::Ordered, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend, random};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{TestCaseError, TestRunner},
};

on_each_backend! { fuzz_rows }

#[derive(Model, Clone, Debug, PartialEq)]
struct Owner {
    #[model(primary_key)]
    id: i64,
    name: Option<String>,
    rank: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Pet {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Owner, name = owner, optional))]
    owner_id: Option<i64>,
    name: String,
    age: Option<i32>,
    weight: Option<f64>,
}

/// A pet and its owner, as the oracle sees them.
type Pair = (Pet, Option<Owner>);

/// A condition, as a queryset and the oracle both understand it.
#[derive(Clone, Debug)]
enum Condition {
    AgeBelow(i32),
    AgeBetween(i32, i32),
    NameHas(String),
    OwnerNameIs(String),
    OwnerNameStarts(String),
    NoOwner,
    AgeAboveRank,
    YoungOrOwned(i32, String),
    YoungAndRanked(i32, i32),
    NotYoung(i32),
    IdIn(Vec<i64>),
    HeavierThan(f64),
}

/// SQL's `a OR b` of three values.
fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// SQL's `a AND b` of three values.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    or(a.map(|a| !a), b.map(|b| !b)).map(|either| !either)
}

impl Condition {
    /// What the condition is for a row: true, false or NULL.
    fn holds(&self, (pet, owner): &Pair) -> Option<bool> {
        let owner_name = owner.as_ref().and_then(|owner| owner.name.as_deref());
        let rank = owner.as_ref().and_then(|owner| owner.rank);
        let younger = |than: i32| pet.age.map(|age| age < than);
        match self {
            Condition::AgeBelow(age) => younger(*age),
            Condition::AgeBetween(low, high) => pet.age.map(|age| *low <= age && age <= *high),
            Condition::NameHas(part) => Some(pet.name.contains(part)),
            Condition::OwnerNameIs(name) => owner_name.map(|n| n == name),
            Condition::OwnerNameStarts(start) => owner_name.map(|n| n.starts_with(start)),
            Condition::NoOwner => Some(owner.is_none()),
            Condition::AgeAboveRank => Some(pet.age? > rank?),
            Condition::YoungOrOwned(age, name) => or(younger(*age), owner_name.map(|n| n == name)),
            Condition::YoungAndRanked(age, low) => and(younger(*age), rank.map(|rank| rank >= *low)),
            Condition::NotYoung(age) => younger(*age).map(|younger| !younger),
            Condition::IdIn(ids) => Some(ids.contains(&pet.id)),
            Condition::HeavierThan(weight) => pet.weight.map(|w| w > *weight),
        }
    }

    fn apply<'a, S>(
        &self,
        query: QuerySet<'a, Pet, orm_core::Any, S>,
        negated: bool,
    ) -> QuerySet<'a, Pet, orm_core::Any, S> {
        macro_rules! apply {
            ($condition:expr) => {
                if negated { query.exclude($condition) } else { query.filter($condition) }
            };
        }
        match self.clone() {
            Condition::AgeBelow(age) => apply!(|p| p.age.lt(age)),
            Condition::AgeBetween(low, high) => apply!(|p| p.age.between(low, high)),
            Condition::NameHas(part) => apply!(|p| p.name.contains(&part)),
            Condition::OwnerNameIs(name) => apply!(|p| p.owner().name.eq(name)),
            Condition::OwnerNameStarts(start) => apply!(|p| p.owner().name.starts_with(&start)),
            Condition::NoOwner => apply!(|p| p.owner().id.is_null()),
            Condition::AgeAboveRank => apply!(|p| p.age.gt(p.owner().rank)),
            Condition::YoungOrOwned(age, name) => apply!(|p| p.age.lt(age).or(p.owner().name.eq(name))),
            Condition::YoungAndRanked(age, low) => apply!(|p| p.age.lt(age).and(p.owner().rank.ge(low))),
            Condition::NotYoung(age) => apply!(|p| not(p.age.lt(age))),
            Condition::IdIn(ids) => apply!(|p| p.id.eq_any(ids)),
            Condition::HeavierThan(weight) => apply!(|p| p.weight.gt(weight)),
        }
    }
}

/// How one key is ordered.
#[derive(Clone, Copy, Debug)]
struct Direction {
    descending: bool,
    nulls: Option<Nulls>,
}

impl Direction {
    fn of<E>(self, ascending: Ordered<E>, descending: Ordered<E>) -> Ordered<E> {
        let ordered = if self.descending { descending } else { ascending };
        match self.nulls {
            None => ordered,
            Some(Nulls::First) => ordered.nulls_first(),
            Some(Nulls::Last) => ordered.nulls_last(),
        }
    }

    fn compare<T: PartialOrd>(self, a: Option<T>, b: Option<T>, null_is_greatest: bool) -> Ordering {
        let null_first = match self.nulls {
            Some(nulls) => matches!(nulls, Nulls::First),
            None => null_is_greatest == self.descending,
        };
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => {
                if null_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(_), None) => {
                if null_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(a), Some(b)) => {
                let order = a.partial_cmp(&b).expect("there is no NaN");
                if self.descending { order.reverse() } else { order }
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Age,
    Weight,
    OwnerRank,
}

#[derive(Clone, Debug)]
struct Question {
    conditions: Vec<(Condition, bool)>,
    order: (Key, Direction),
    id_descending: bool,
    reversed: bool,
    limit: Option<u64>,
    offset: u64,
    chunk: usize,
    dropped_after: usize,
}

impl Question {
    fn ask<'a, S>(&self, mut query: QuerySet<'a, Pet, orm_core::Any, S>) -> QuerySet<'a, Pet, orm_core::Any, S> {
        for (condition, negated) in &self.conditions {
            query = condition.apply(query, *negated);
        }
        let (key, direction) = self.order;
        macro_rules! order {
            ($($field:tt)+) => {
                query.order_by(|p| {
                    let id = if self.id_descending { p.id.desc() } else { p.id.asc() };
                    (direction.of(p.$($field)+.asc(), p.$($field)+.desc()), id)
                })
            };
        }
        query = match key {
            Key::Age => order!(age),
            Key::Weight => order!(weight),
            Key::OwnerRank => order!(owner().rank),
        };
        if self.reversed {
            query = query.reverse();
        }
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        query.offset(self.offset)
    }

    /// What the answer must be.
    fn oracle(&self, rows: &[Pair], null_is_greatest: bool) -> Vec<Pair> {
        let kept = rows.iter().filter(|row| {
            self.conditions.iter().all(|(condition, negated)| (condition.holds(row) == Some(true)) != *negated)
        });
        let (key, direction) = self.order;
        let mut sorted = kept
            .cloned()
            .sorted_by(|a, b| {
                let by_key = match key {
                    Key::Age => direction.compare(a.0.age, b.0.age, null_is_greatest),
                    Key::Weight => direction.compare(a.0.weight, b.0.weight, null_is_greatest),
                    Key::OwnerRank => {
                        let rank = |pair: &Pair| pair.1.as_ref().and_then(|owner| owner.rank);
                        direction.compare(rank(a), rank(b), null_is_greatest)
                    }
                };
                let by_id = a.0.id.cmp(&b.0.id);
                by_key.then(if self.id_descending { by_id.reverse() } else { by_id })
            })
            .collect_vec();
        if self.reversed {
            sorted.reverse();
        }
        let (offset, limit) = (clamp(self.offset), self.limit.map_or(usize::MAX, clamp));
        sorted.into_iter().skip(offset).take(limit).collect()
    }
}

fn clamp(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

fn names() -> impl Strategy<Value = String> {
    vec(select(vec!['a', 'A', 'b', '%', '_', '*', '\'', 'é']), 0..4).prop_map(String::from_iter)
}

fn data() -> impl Strategy<Value = (Vec<Owner>, Vec<Pet>)> {
    let owner = (option::of(names()), option::of(-2..3_i32));
    let pet = (option::of(0..8_i64), names(), option::of(-3..4_i32), option::of(select(vec![-1.5, 0.0, 0.5, 1e9])));
    (vec(owner, 0..6), vec(pet, 0..40)).prop_map(|(owners, pets)| {
        let owners = owners.into_iter().zip(0..).map(|((name, rank), id)| Owner { id, name, rank });
        let pets = pets.into_iter().zip(1..).map(|((owner_id, name, age, weight), id)| Pet {
            id,
            owner_id,
            name,
            age,
            weight,
        });
        (owners.collect(), pets.collect())
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let small = || -3..4_i32;
    prop_oneof![
        small().prop_map(Condition::AgeBelow),
        (small(), small()).prop_map(|(a, b)| Condition::AgeBetween(a, b)),
        names().prop_map(Condition::NameHas),
        names().prop_map(Condition::OwnerNameIs),
        names().prop_map(Condition::OwnerNameStarts),
        Just(Condition::NoOwner),
        Just(Condition::AgeAboveRank),
        (small(), names()).prop_map(|(a, n)| Condition::YoungOrOwned(a, n)),
        (small(), small()).prop_map(|(a, r)| Condition::YoungAndRanked(a, r)),
        small().prop_map(Condition::NotYoung),
        vec(0..45_i64, 0..5).prop_map(Condition::IdIn),
        select(vec![-2.0, 0.0, 0.25]).prop_map(Condition::HeavierThan),
    ]
}

fn questions() -> impl Strategy<Value = Question> {
    let nulls = select(vec![None, Some(Nulls::First), Some(Nulls::Last)]);
    let direction = (any::<bool>(), nulls).prop_map(|(descending, nulls)| Direction { descending, nulls });
    let key = select(vec![Key::Age, Key::Weight, Key::OwnerRank]);
    (
        vec((conditions(), any::<bool>()), 0..4),
        (key, direction),
        any::<(bool, bool)>(),
        option::of(0..45_u64),
        prop_oneof![Just(0), 0..45_u64],
        select(vec![1, 2, 3, 15, 16, 17, 1000]),
        0..45_usize,
    )
        .prop_map(|(conditions, order, (id_descending, reversed), limit, offset, chunk, dropped_after)| Question {
            conditions,
            order,
            id_descending,
            reversed,
            limit,
            offset,
            chunk,
            dropped_after,
        })
}

fn fuzz_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Pet, Owner)>()?;
    let case = |((owners, pets), questions): ((Vec<Owner>, Vec<Pet>), Vec<Question>)| {
        refill(&db, &owners, &pets).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        let rows = pets
            .into_iter()
            .map(|pet| {
                let owner = pet.owner_id.and_then(|id| owners.iter().find(|owner| owner.id == id).cloned());
                (pet, owner)
            })
            .collect_vec();
        for question in &questions {
            answer(&db, question, &question.oracle(&rows, bed.sorts_null_last()))
                .map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        }
        Ok(())
    };
    TestRunner::new(random::config(60)).run(&(data(), vec(questions(), 6)), case)?;
    Ok(())
}

fn refill(db: &Database, owners: &[Owner], pets: &[Pet]) -> orm_core::Result<()> {
    db.transaction(|tx| {
        tx.batch_execute("DELETE FROM pets; DELETE FROM owners")?;
        Owner::bulk_create(tx, owners.to_vec())?;
        Pet::bulk_create(tx, pets.to_vec())?;
        Ok(())
    })
}

/// Asks in every way there is, and compares.
fn answer(db: &Database, question: &Question, expected: &[Pair]) -> orm_core::Result<()> {
    let pets = expected.iter().map(|(pet, _)| pet.clone()).collect_vec();
    let whole = question.ask(Pet::objects(db));
    assert_eq!(whole.load()?, pets, "{}", whole.sql()?);
    assert_eq!(whole.clone().iterator(question.chunk)?.collect_vec(), pets, "streamed: {}", whole.sql()?);
    let some = whole.clone().iterator(question.chunk)?.take(question.dropped_after).collect_vec();
    assert_eq!(some, pets[..question.dropped_after.min(pets.len())], "dropped early: {}", whole.sql()?);
    assert_eq!(whole.count()?, pets.len() as u64, "counted: {}", whole.sql()?);
    assert_eq!(whole.exists()?, !pets.is_empty(), "exists: {}", whole.sql()?);
    assert_eq!(whole.first()?.as_ref(), pets.first(), "first: {}", whole.sql()?);
    assert_eq!(whole.clone().reverse().reverse().sql()?, whole.sql()?);

    let joined = question.ask(Pet::objects(db).select_related(|p| p.owner()));
    assert_eq!(joined.clone().iterator(question.chunk)?.collect_vec(), expected, "joined: {}", joined.sql()?);
    assert_eq!(joined.count()?, expected.len() as u64, "joined, counted: {}", joined.sql()?);

    let values = question.ask(Pet::objects(db)).values(|p| (p.id, p.owner().name, p.weight));
    let expected_values = expected
        .iter()
        .map(|(pet, owner)| (pet.id, owner.as_ref().and_then(|owner| owner.name.clone()), pet.weight))
        .collect_vec();
    assert_eq!(values.iterator(question.chunk)?.collect_vec(), expected_values);

    // Different owners' ids, without an order, which could name what is not selected.
    let mut distinct = Pet::objects(db).values(|p| p.owner().id).distinct();
    for (condition, negated) in &question.conditions {
        distinct = condition.apply(distinct, *negated);
    }
    let unlimited = Question { limit: None, offset: 0, ..question.clone() };
    let all = unlimited.ask(Pet::objects(db).select_related(|p| p.owner())).load()?;
    let owners: BTreeSet<_> = all.into_iter().map(|(_, owner)| owner.map(|owner| owner.id)).collect();
    assert_eq!(distinct.count()?, owners.len() as u64, "distinct: {}", distinct.sql()?);
    assert_eq!(distinct.load()?.into_iter().collect::<BTreeSet<_>>(), owners);
    Ok(())
}
