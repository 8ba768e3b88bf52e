//! Authors by what they have written, edited and reviewed: reverse relations, nested in conditions, orders and values.

use orm_core::{
    dsl::{BoxedCondition, all_of, condition},
    path::Root,
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};
use proptest::{collection::vec, prelude::*};

use crate::{
    asked::{compared, tree},
    asking::in_each_world,
    naive::{compared as is_so, keeps},
    question::{Comparison, Number, Tree, comparison, filters, value},
    world::{Author, AuthorFields, Entry, World},
};

on_each_backend! { questions_on_related_rows_are_answered_as_by_hand }

/// A condition on an entry. There are few, because each is compiled for every place in which it stands.
#[derive(Clone, Debug)]
enum Small {
    Rating(Comparison, i32),
    Comments(Comparison, i32),
    /// Of the editor, who may be none.
    EditorAge(Comparison, i32),
    Published(bool),
}

fn small() -> impl Strategy<Value = Small> {
    prop_oneof![
        (comparison(), value()).prop_map(|(by, value)| Small::Rating(by, value)),
        (comparison(), value()).prop_map(|(by, value)| Small::Comments(by, value)),
        (comparison(), value()).prop_map(|(by, value)| Small::EditorAge(by, value)),
        any::<bool>().prop_map(Small::Published),
    ]
}

macro_rules! small {
    ($e:expr, $small:expr) => {
        match $small {
            Small::Rating(by, value) => compared!($e.rating, by, *value),
            Small::Comments(by, value) => compared!($e.comments, by, *value),
            Small::EditorAge(by, value) => compared!($e.editor().age, by, *value),
            Small::Published(is) => condition($e.published.eq(*is)),
        }
    };
}

/// Which entries of an author.
#[derive(Clone, Copy, Debug)]
enum Entries {
    Written,
    Edited,
    Reviewed,
}

#[derive(Clone, Debug)]
enum About {
    Age(Comparison, i32),
    Any(Entries, Vec<Small>),
    None(Entries, Vec<Small>),
    All(Entries, Small),
    Count(Entries, Vec<Small>, Comparison, i64),
    /// Of the ratings of those that are kept.
    Sum(Entries, Vec<Small>, Comparison, i64),
    Max(Entries, Vec<Small>, Comparison, i32),
    /// Any entry with more comments than the author is old.
    MoreThanAge(Entries),
    /// An author whose mentor he is has written one such entry.
    MenteeWrote(Vec<Small>),
}

fn about() -> impl Strategy<Value = About> {
    let which = || prop::sample::select(vec![Entries::Written, Entries::Edited, Entries::Reviewed]);
    let leaves = || vec(small(), 0..3);
    prop_oneof![
        (comparison(), value()).prop_map(|(by, age)| About::Age(by, age)),
        (which(), leaves()).prop_map(|(e, leaves)| About::Any(e, leaves)),
        (which(), leaves()).prop_map(|(e, leaves)| About::None(e, leaves)),
        (which(), small()).prop_map(|(e, leaf)| About::All(e, leaf)),
        (which(), leaves(), comparison(), 0..4_i64).prop_map(|(e, l, by, n)| About::Count(e, l, by, n)),
        (which(), leaves(), comparison(), -4..4_i64).prop_map(|(e, l, by, n)| About::Sum(e, l, by, n)),
        (which(), leaves(), comparison(), value()).prop_map(|(e, l, by, n)| About::Max(e, l, by, n)),
        which().prop_map(About::MoreThanAge),
        leaves().prop_map(About::MenteeWrote),
    ]
}

macro_rules! with_entries {
    ($a:expr, $which:expr, $entries:ident => $body:expr) => {
        match $which {
            Entries::Written => {
                let $entries = $a.written();
                $body
            }
            Entries::Edited => {
                let $entries = $a.edited();
                $body
            }
            Entries::Reviewed => {
                let $entries = $a.reviewed();
                $body
            }
        }
    };
}

macro_rules! all {
    ($leaves:expr) => {
        |e| all_of($leaves.iter().map(|leaf| -> BoxedCondition<'static, Author> { small!(e, leaf) }))
    };
}

fn asked(a: &AuthorFields<Root<Author>>, about: &About) -> BoxedCondition<'static, Author> {
    match about {
        About::Age(by, age) => compared!(a.age, by, *age),
        About::Any(which, leaves) => with_entries!(a, which, rows => condition(rows.any(all!(leaves)))),
        About::None(which, leaves) => with_entries!(a, which, rows => condition(rows.none(all!(leaves)))),
        About::All(which, leaf) => {
            with_entries!(a, which, rows => condition(rows.all(|e| -> BoxedCondition<'static, Author> { small!(e, leaf) })))
        }
        About::Count(which, leaves, by, n) => {
            with_entries!(a, which, rows => compared!(rows.filter(all!(leaves)).count(), by, *n))
        }
        About::Sum(which, leaves, by, n) => {
            with_entries!(a, which, rows => compared!(rows.filter(all!(leaves)).sum(|e| e.rating), by, *n))
        }
        About::Max(which, leaves, by, n) => {
            with_entries!(a, which, rows => compared!(rows.filter(all!(leaves)).max(|e| e.rating), by, *n))
        }
        About::MoreThanAge(which) => {
            with_entries!(a, which, rows => condition(rows.any(|e| e.comments.nullable().gt(a.age))))
        }
        About::MenteeWrote(leaves) => condition(a.mentees().any(|m| m.written().any(all!(leaves)))),
    }
}

impl World {
    fn entries_of(&self, author: &Author, which: Entries) -> Vec<&Entry> {
        let key = |entry: &Entry| match which {
            Entries::Written => Some(entry.author_id),
            Entries::Edited => entry.editor_id,
            Entries::Reviewed => Some(entry.reviewer_id),
        };
        self.entries.iter().filter(|entry| key(entry) == Some(author.id)).collect()
    }

    fn kept_of(&self, author: &Author, which: Entries, leaves: &[Small]) -> Vec<&Entry> {
        let mut entries = self.entries_of(author, which);
        entries.retain(|entry| leaves.iter().all(|leaf| self.is_of(entry, leaf) == Some(true)));
        entries
    }

    fn is_of(&self, entry: &Entry, small: &Small) -> Option<bool> {
        match small {
            Small::Rating(by, value) => Some(is_so(entry.rating?, *by, *value)),
            Small::Comments(by, value) => Some(is_so(entry.comments, *by, *value)),
            Small::EditorAge(by, value) => Some(is_so(self.number(entry, Number::EditorAge)?, *by, *value)),
            Small::Published(is) => Some(entry.published == *is),
        }
    }

    fn is(&self, author: &Author, about: &About) -> Option<bool> {
        let kept = |which, leaves: &[Small]| self.kept_of(author, which, leaves);
        match about {
            About::Age(by, age) => Some(is_so(author.age?, *by, *age)),
            About::Any(which, leaves) => Some(!kept(*which, leaves).is_empty()),
            About::None(which, leaves) => Some(kept(*which, leaves).is_empty()),
            About::All(which, leaf) => {
                Some(self.entries_of(author, *which).iter().all(|entry| self.is_of(entry, leaf) == Some(true)))
            }
            About::Count(which, leaves, by, n) => Some(is_so(kept(*which, leaves).len() as i64, *by, *n)),
            About::Sum(which, leaves, by, n) => Some(is_so(sum(&kept(*which, leaves))?, *by, *n)),
            About::Max(which, leaves, by, n) => Some(is_so(max(&kept(*which, leaves))?, *by, *n)),
            About::MoreThanAge(which) => {
                Some(self.entries_of(author, *which).iter().any(|e| author.age.is_some_and(|age| e.comments > age)))
            }
            About::MenteeWrote(leaves) => {
                let mut mentees = self.authors.iter().filter(|mentee| mentee.mentor_id == Some(author.id));
                Some(mentees.any(|mentee| !self.kept_of(mentee, Entries::Written, leaves).is_empty()))
            }
        }
    }
}

/// As SQL has it: of no values there is no sum.
fn sum(entries: &[&Entry]) -> Option<i64> {
    entries.iter().filter_map(|entry| entry.rating.map(i64::from)).reduce(|a, b| a + b)
}

fn max(entries: &[&Entry]) -> Option<i32> {
    entries.iter().filter_map(|entry| entry.rating).max()
}

/// Conditions, and the entries by whose number the authors are ordered and of which values are read.
type Question = (Vec<(Tree<About>, bool)>, Entries, Vec<Small>);

fn questions_on_related_rows_are_answered_as_by_hand(bed: &Bed) -> TestResult {
    let which = prop::sample::select(vec![Entries::Written, Entries::Edited, Entries::Reviewed]);
    in_each_world(bed, (filters(about()), which, vec(small(), 0..3)), same)
}

fn same(world: &World, db: &Database, (filters, which, leaves): &Question) -> TestResult {
    let mut kept: Vec<&Author> = world.authors.iter().collect();
    kept.retain(|author| keeps(filters, &|about| world.is(author, about)));
    let entries = |author: &Author| world.kept_of(author, *which, leaves);
    kept.sort_by_key(|author| (std::cmp::Reverse(entries(author).len()), author.id));
    let of = |author: &&Author| {
        let entries = entries(author);
        (author.id, entries.len() as i64, sum(&entries), max(&entries))
    };
    let expected: Vec<(i64, i64, Option<i64>, Option<i32>)> = kept.iter().map(of).collect();

    let authors = filters.iter().fold(Author::objects(db), |authors, (about, excluded)| {
        let ask = |a: AuthorFields<Root<Author>>| tree(about, &|about| asked(&a, about));
        if *excluded { authors.exclude(ask) } else { authors.filter(ask) }
    });
    let count = authors.count()?;
    macro_rules! values {
        ($which:ident) => {{
            let rows = authors.order_by(|a| (a.$which().filter(all!(leaves)).count().desc(), a.id.asc())).values(|a| {
                let kept = a.$which().filter(all!(leaves));
                (a.id, kept.clone().count(), kept.clone().sum(|e| e.rating), kept.max(|e| e.rating))
            });
            (rows.load()?, rows.sql()?)
        }};
    }
    let (found, sql) = match which {
        Entries::Written => values!(written),
        Entries::Edited => values!(edited),
        Entries::Reviewed => values!(reviewed),
    };
    if found != expected || count != expected.len() as u64 {
        return Err(format!("{found:?}, counted as {count}, instead of {expected:?} for {sql}").into());
    }
    Ok(())
}
