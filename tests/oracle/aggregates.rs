//! Aggregates of all rows of a question, limited ones among them, and of groups of rows.

use std::collections::BTreeMap;

use orm_core::{
    dsl::{avg, count, count_star, max, min, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::{
    asked,
    asking::in_each_world,
    question::{Condition, Number, Question, filters, leaf, question},
    world::{Entry, World},
};

on_each_backend! { aggregates_are_those_of_the_rows, groups_are_those_of_the_rows }

/// How many rows there are, how many of them are rated, with which sum, average, least and greatest rating, and how old
/// the oldest editor is.
type Figures = (i64, i64, Option<i64>, Option<f64>, Option<i32>, Option<i32>, Option<i32>);

fn figures(world: &World, entries: &[Entry]) -> Figures {
    let ratings: Vec<i32> = entries.iter().filter_map(|entry| entry.rating).collect();
    let sum = ratings.iter().copied().map(i64::from).reduce(|a, b| a + b);
    // Small numbers: as floats they are exact.
    let average = sum.map(|sum| sum as f64 / ratings.len() as f64);
    let age = entries.iter().filter_map(|entry| world.number(entry, Number::EditorAge)).max();
    let (least, greatest) = (ratings.iter().min().copied(), ratings.iter().max().copied());
    (entries.len() as i64, ratings.len() as i64, sum, average, least, greatest, age)
}

/// Averages may differ in their last digits.
fn rounded((rows, rated, sum, average, least, greatest, age): Figures) -> Figures {
    (rows, rated, sum, average.map(|average| (average * 1e9).round()), least, greatest, age)
}

macro_rules! figures {
    () => {
        |f| {
            let rating = f.rating;
            let age = max(f.editor().age);
            (count_star(), count(rating), sum(rating), avg(rating), min(rating), max(rating), age)
        }
    };
}

fn aggregates_are_those_of_the_rows(bed: &Bed) -> TestResult {
    in_each_world(bed, question(), |world: &World, db: &Database, question: &Question| {
        let expected = rounded(figures(world, &world.answer(question)));
        let entries = asked::entries(db, question);
        let found = rounded(entries.aggregate(figures!())?);
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?} instead of {expected:?} of the rows of {}", entries.sql()?).into())
        }
    })
}

/// Conditions on rows, and how many rows a group has at least.
type GroupQuestion = (Vec<(Condition, bool)>, i64);

fn groups_are_those_of_the_rows(bed: &Bed) -> TestResult {
    in_each_world(bed, (filters(leaf()), 0..6_i64), |world: &World, db: &Database, (filters, least): &GroupQuestion| {
        // By whether it is published, and how old its editor is, if he is known.
        let mut groups: BTreeMap<(bool, Option<i32>), Vec<Entry>> = BTreeMap::new();
        for entry in world.kept(filters) {
            let key = (entry.published, world.number(&entry, Number::EditorAge));
            groups.entry(key).or_default().push(entry);
        }
        let mut expected: Vec<_> = groups.iter().map(|(key, rows)| (*key, rounded(figures(world, rows)))).collect();
        expected.retain(|(_, figures)| figures.0 >= *least);
        // In the order of a `BTreeMap`: without an age first.
        let asked = asked::kept(db, filters)
            .group_by(|f| (f.published, f.editor().age))
            .aggregate(figures!())
            .having(|_, figures| figures.0.ge(*least))
            .order_by(|(published, age), _| (published.asc(), age.asc().nulls_first()));
        let found: Vec<_> = asked.load()?.into_iter().map(|(key, figures)| (key, rounded(figures))).collect();
        let streamed = asked.clone().try_iterator(3)?.collect::<Result<Vec<_>, _>>()?;
        if found != expected || asked.count()? != expected.len() as u64 || streamed.len() != expected.len() {
            return Err(format!("{found:?} instead of {expected:?} for {}", asked.sql()?).into());
        }
        Ok(())
    })
}
