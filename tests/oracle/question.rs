//! Questions on entries, as values that can be generated, shown and made smaller.

use std::fmt;

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

/// A condition that has no other in it.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
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
}

/// Conditions in each other, of leaves of any kind.
#[derive(Clone, Debug)]
pub(crate) enum Tree<L> {
    Is(L),
    All(Vec<Tree<L>>),
    Any(Vec<Tree<L>>),
    Not(Box<Tree<L>>),
}

/// A condition on an entry.
pub(crate) type Condition = Tree<Leaf>;

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

pub(crate) fn comparison() -> impl Strategy<Value = Comparison> {
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
pub(crate) fn value() -> impl Strategy<Value = i32> {
    -4..7_i32
}

pub(crate) fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        4 => (number(), comparison(), value()).prop_map(|(n, c, v)| Leaf::Number(n, c, v)),
        3 => (number(), comparison(), number()).prop_map(|(a, c, b)| Leaf::Numbers(a, c, b)),
        2 => (number(), number(), comparison(), value()).prop_map(|(a, b, c, v)| Leaf::Sum(a, b, c, v)),
        2 => (number(), value(), value()).prop_map(|(n, a, b)| Leaf::Between(n, a, b)),
        2 => (number(), vec(value(), 0..4)).prop_map(|(n, values)| Leaf::OneOf(n, values)),
        2 => (number(), vec(value(), 0..4)).prop_map(|(n, values)| Leaf::NoneOf(n, values)),
        2 => (number(), any::<bool>()).prop_map(|(n, is)| Leaf::IsNull(n, is)),
        4 => (words(), search(), text()).prop_map(|(w, s, text)| Leaf::Words(w, s, text)),
        1 => any::<bool>().prop_map(Leaf::Published),
    ]
}

/// Conditions up to three deep.
pub(crate) fn tree<L: fmt::Debug + Clone + 'static>(
    leaf: impl Strategy<Value = L> + 'static,
) -> impl Strategy<Value = Tree<L>> {
    leaf.prop_map(Tree::Is).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::All),
            vec(inner.clone(), 0..4).prop_map(Tree::Any),
            inner.prop_map(|condition| Tree::Not(Box::new(condition))),
        ]
    })
}

/// Conditions, and whether each is to be not true.
pub(crate) fn filters<L: fmt::Debug + Clone + 'static>(
    leaf: impl Strategy<Value = L> + 'static,
) -> impl Strategy<Value = Vec<(Tree<L>, bool)>> {
    vec((tree(leaf), prop::bool::weighted(0.3)), 0..3)
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let key = (number(), any::<bool>(), any::<bool>()).prop_map(|(number, descending, nulls_first)| Key {
        number,
        descending,
        nulls_first,
    });
    let limit = prop::option::of(0..40_u64);
    (filters(leaf()), vec(key, 0..3), any::<bool>(), limit, prop_oneof![3 => Just(0_u64), 1 => 0..20_u64])
        .prop_map(|(filters, order, reversed, limit, offset)| Question { filters, order, reversed, limit, offset })
}
