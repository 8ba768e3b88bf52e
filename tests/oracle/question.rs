//! Questions on entries, as values that can be generated, shown and made smaller.

use proptest::{collection::vec, prelude::*};

use crate::world::CHARACTERS;

/// A number of an entry, or of an author that it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Rating,
    Comments,
    AuthorAge,
    EditorAge,
    ReviewerAge,
    /// Of the editor's mentor.
    MentorAge,
}

/// A text of an entry, or of an author that it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Words {
    Title,
    Subtitle,
    AuthorName,
    EditorName,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Search {
    Is,
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Number(Number, Comparison, i32),
    Numbers(Number, Comparison, Number),
    /// The first two together, with the third.
    Sum(Number, Number, Comparison, i32),
    Between(Number, i32, i32),
    OneOf(Number, Vec<i32>),
    NoneOf(Number, Vec<i32>),
    IsNull(Number, bool),
    Words(Words, Search, String),
    Published(bool),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// A key of an order; the primary key comes behind the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) number: Number,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// A whole question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Conditions, and whether each is to be not true.
    pub(crate) filters: Vec<(Condition, bool)>,
    pub(crate) order: Vec<Key>,
    pub(crate) reversed: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

pub(crate) fn number() -> impl Strategy<Value = Number> {
    use Number::{AuthorAge, Comments, EditorAge, MentorAge, Rating, ReviewerAge};
    prop::sample::select(vec![Rating, Comments, AuthorAge, EditorAge, ReviewerAge, MentorAge])
}

fn words() -> impl Strategy<Value = Words> {
    prop::sample::select(vec![Words::Title, Words::Subtitle, Words::AuthorName, Words::EditorName])
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
    prop::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge])
}

fn search() -> impl Strategy<Value = Search> {
    prop::sample::select(vec![Search::Is, Search::Contains, Search::StartsWith, Search::EndsWith])
}

fn text() -> impl Strategy<Value = String> {
    vec(prop::sample::select(CHARACTERS.to_vec()), 0..3).prop_map(String::from_iter)
}

/// A number that a row may have, or just not.
fn value() -> impl Strategy<Value = i32> {
    -4..7_i32
}

pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => (number(), comparison(), value()).prop_map(|(n, c, v)| Condition::Number(n, c, v)),
        3 => (number(), comparison(), number()).prop_map(|(a, c, b)| Condition::Numbers(a, c, b)),
        2 => (number(), number(), comparison(), value()).prop_map(|(a, b, c, v)| Condition::Sum(a, b, c, v)),
        2 => (number(), value(), value()).prop_map(|(n, a, b)| Condition::Between(n, a, b)),
        2 => (number(), vec(value(), 0..4)).prop_map(|(n, values)| Condition::OneOf(n, values)),
        2 => (number(), vec(value(), 0..4)).prop_map(|(n, values)| Condition::NoneOf(n, values)),
        2 => (number(), any::<bool>()).prop_map(|(n, is)| Condition::IsNull(n, is)),
        4 => (words(), search(), text()).prop_map(|(w, s, text)| Condition::Words(w, s, text)),
        1 => any::<bool>().prop_map(Condition::Published),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|condition| Condition::Not(Box::new(condition))),
        ]
    })
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let key = (number(), any::<bool>(), any::<bool>()).prop_map(|(number, descending, nulls_first)| Key {
        number,
        descending,
        nulls_first,
    });
    let filters = vec((condition(), prop::bool::weighted(0.3)), 0..3);
    let limit = prop::option::of(0..40_u64);
    (filters, vec(key, 0..3), any::<bool>(), limit, prop_oneof![3 => Just(0_u64), 1 => 0..20_u64])
        .prop_map(|(filters, order, reversed, limit, offset)| Question { filters, order, reversed, limit, offset })
}
