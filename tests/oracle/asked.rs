//! The same questions, asked of the database.

use orm_core::{
    dsl::{BoxedCondition, all_of, any_of, condition, not},
    field::{BoxedOrder, Ordered},
    path::Root,
    prelude::*,
};

use crate::{
    question::{Comparison, Condition, Key, Leaf, Number, Question, Search, Tree, Words},
    world::{Entry, EntryFields},
};

type Fields = EntryFields<Root<Entry>>;

/// Calls `$body` with the field, each with its own type. They are all made nullable, so that they can be compared with
/// each other.
macro_rules! with_number {
    ($f:expr, $number:expr, $field:ident => $body:expr) => {
        match $number {
            Number::Rating => {
                let $field = $f.rating;
                $body
            }
            Number::Comments => {
                let $field = $f.comments;
                $body
            }
            Number::AuthorAge => {
                let $field = $f.author().age;
                $body
            }
            Number::EditorAge => {
                let $field = $f.editor().age;
                $body
            }
            Number::ReviewerAge => {
                let $field = $f.reviewer().age;
                $body
            }
            Number::MentorAge => {
                let $field = $f.editor().mentor().age;
                $body
            }
        }
    };
}

macro_rules! compared {
    ($left:expr, $by:expr, $right:expr) => {
        match $by {
            Comparison::Eq => condition($left.eq($right)),
            Comparison::Ne => condition($left.ne($right)),
            Comparison::Lt => condition($left.lt($right)),
            Comparison::Le => condition($left.le($right)),
            Comparison::Gt => condition($left.gt($right)),
            Comparison::Ge => condition($left.ge($right)),
        }
    };
}

macro_rules! searched {
    ($text:expr, $search:expr, $needle:expr) => {
        match $search {
            Search::Is => condition($text.eq($needle.clone())),
            Search::Contains => condition($text.contains($needle)),
            Search::StartsWith => condition($text.starts_with($needle)),
            Search::EndsWith => condition($text.ends_with($needle)),
        }
    };
}

/// The condition as the database is asked, for fields at the end of any path.
macro_rules! leaf {
    ($f:expr, $leaf:expr) => {
        match $leaf {
            Leaf::Number(n, by, value) => with_number!($f, n, n => compared!(n, by, *value)),
            Leaf::Numbers(a, by, b) => {
                with_number!($f, a, a => with_number!($f, b, b => compared!(a.nullable(), by, b.nullable())))
            }
            Leaf::Sum(a, b, by, value) => {
                with_number!($f, a, a => with_number!($f, b, b => compared!(a.nullable() + b.nullable(), by, *value)))
            }
            Leaf::Between(n, low, high) => with_number!($f, n, n => condition(n.between(*low, *high))),
            Leaf::OneOf(n, values) => with_number!($f, n, n => condition(n.eq_any(values.clone()))),
            Leaf::NoneOf(n, values) => with_number!($f, n, n => condition(n.ne_all(values.clone()))),
            Leaf::IsNull(n, true) => with_number!($f, n, n => condition(n.is_null())),
            Leaf::IsNull(n, false) => with_number!($f, n, n => condition(n.is_not_null())),
            Leaf::Words(Words::Title, search, needle) => searched!($f.title, search, needle),
            Leaf::Words(Words::Subtitle, search, needle) => searched!($f.subtitle, search, needle),
            Leaf::Words(Words::AuthorName, search, needle) => searched!($f.author().name, search, needle),
            Leaf::Words(Words::EditorName, search, needle) => searched!($f.editor().name, search, needle),
            Leaf::Published(is) => condition($f.published.eq(*is)),
        }
    };
}
pub(crate) use compared;

/// Conditions in each other.
pub(crate) fn tree<L, M: Model>(
    tree: &Tree<L>,
    leaf: &dyn Fn(&L) -> BoxedCondition<'static, M>,
) -> BoxedCondition<'static, M> {
    let ask = |inner: &Tree<L>| self::tree(inner, leaf);
    match tree {
        Tree::Is(inner) => leaf(inner),
        Tree::All(trees) => condition(all_of(trees.iter().map(ask))),
        Tree::Any(trees) => condition(any_of(trees.iter().map(ask))),
        Tree::Not(inner) => condition(not(ask(inner))),
    }
}

fn asked(f: &Fields, question: &Condition) -> BoxedCondition<'static, Entry> {
    tree(question, &|leaf| leaf!(f, leaf))
}

/// The entries of the conditions, in no order.
pub(crate) fn kept<'d>(db: &'d Database, filters: &[(Condition, bool)]) -> QuerySet<'d, Entry> {
    filters.iter().fold(Entry::objects(db), |entries, (condition, excluded)| {
        if *excluded { entries.exclude(|f| asked(&f, condition)) } else { entries.filter(|f| asked(&f, condition)) }
    })
}

/// The whole question.
pub(crate) fn entries<'d>(db: &'d Database, question: &Question) -> QuerySet<'d, Entry> {
    let entries = kept(db, &question.filters).order_by(|f| {
        let mut keys: Vec<_> = question.order.iter().map(|key| order(&f, *key)).collect();
        keys.push(f.id.asc().boxed());
        keys
    });
    let entries = if question.reversed { entries.reverse() } else { entries };
    let entries = question.limit.into_iter().fold(entries, QuerySet::limit);
    entries.offset(question.offset)
}

fn order<'a>(f: &Fields, key: Key) -> BoxedOrder<'a, Entry> {
    fn placed<E>(order: Ordered<E>, key: Key) -> Ordered<E> {
        if key.nulls_first { order.nulls_first() } else { order.nulls_last() }
    }
    with_number!(f, key.number, n => placed(if key.descending { n.desc() } else { n.asc() }, key).boxed())
}
