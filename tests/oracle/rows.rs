//! Which rows a queryset has, in which order, and how many.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::{
    asked,
    asking::in_each_world,
    question::{Question, question},
    world::{Entry, World},
};

on_each_backend! { generated_questions_are_answered_as_by_hand }

fn generated_questions_are_answered_as_by_hand(bed: &Bed) -> TestResult {
    in_each_world(bed, question(), same)
}

fn same(world: &World, db: &Database, question: &Question) -> TestResult {
    let (expected, asked) = (world.answer(question), asked::entries(db, question));
    let sql = || asked.sql().unwrap_or_default();
    let found = asked.load()?;
    if found != expected {
        return Err(format!("load gives {:?} instead of {:?} for {}", ids(&found), ids(&expected), sql()).into());
    }
    let streamed: Vec<_> = asked.clone().try_iterator(7)?.collect::<Result<_, _>>()?;
    if streamed != expected {
        let (streamed, expected) = (ids(&streamed), ids(&expected));
        return Err(format!("a stream gives {streamed:?} instead of {expected:?} for {}", sql()).into());
    }
    let (count, exists) = (asked.count()?, asked.exists()?);
    if count != expected.len() as u64 || exists == expected.is_empty() {
        return Err(
            format!("{} rows are counted as {count}, and exist: {exists}, for {}", expected.len(), sql()).into()
        );
    }
    Ok(())
}

fn ids(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.id).collect()
}
