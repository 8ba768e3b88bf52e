//! The answers, by the plainest Rust. A truth is `None` where it is unknown, as NULL is.

use std::cmp::Ordering;

use crate::{
    question::{Comparison, Condition, Key, Leaf, Number, Question, Search, Tree, Words},
    world::{Author, Entry, World},
};

impl World {
    fn editor(&self, entry: &Entry) -> Option<&Author> {
        self.author(entry.editor_id?)
    }

    pub(crate) fn number(&self, entry: &Entry, number: Number) -> Option<i32> {
        match number {
            Number::Rating => entry.rating,
            Number::Comments => Some(entry.comments),
            Number::AuthorAge => self.author(entry.author_id)?.age,
            Number::EditorAge => self.editor(entry)?.age,
            Number::ReviewerAge => self.author(entry.reviewer_id)?.age,
            Number::MentorAge => self.author(self.editor(entry)?.mentor_id?)?.age,
        }
    }

    fn words<'w>(&'w self, entry: &'w Entry, words: Words) -> Option<&'w str> {
        match words {
            Words::Title => Some(&entry.title),
            Words::Subtitle => entry.subtitle.as_deref(),
            Words::AuthorName => Some(&self.author(entry.author_id)?.name),
            Words::EditorName => Some(&self.editor(entry)?.name),
        }
    }

    /// Whether the condition is true of the entry.
    pub(crate) fn holds(&self, entry: &Entry, leaf: &Leaf) -> Option<bool> {
        let number = |number| self.number(entry, number);
        match leaf {
            Leaf::Number(n, by, value) => Some(compared(number(*n)?, *by, *value)),
            Leaf::Numbers(a, by, b) => Some(compared(number(*a)?, *by, number(*b)?)),
            Leaf::Sum(a, b, by, value) => Some(compared(number(*a)? + number(*b)?, *by, *value)),
            Leaf::Between(n, low, high) => Some((*low..=*high).contains(&number(*n)?)),
            // Of no values SQL has no word; here it is false of NULL as well.
            Leaf::OneOf(_, values) if values.is_empty() => Some(false),
            Leaf::NoneOf(_, values) if values.is_empty() => Some(true),
            Leaf::OneOf(n, values) => Some(values.contains(&number(*n)?)),
            Leaf::NoneOf(n, values) => Some(!values.contains(&number(*n)?)),
            Leaf::IsNull(n, is) => Some(number(*n).is_none() == *is),
            Leaf::Words(w, search, needle) => self.words(entry, *w).map(|text| match search {
                Search::Is => text == needle,
                Search::Contains => text.contains(needle),
                Search::StartsWith => text.starts_with(needle),
                Search::EndsWith => text.ends_with(needle),
            }),
            Leaf::Published(is) => Some(entry.published == *is),
        }
    }

    /// The entries for which every condition is true, or not true where it is excluded.
    pub(crate) fn kept(&self, filters: &[(Condition, bool)]) -> Vec<Entry> {
        self.entries.iter().filter(|entry| keeps(filters, &|leaf| self.holds(entry, leaf))).cloned().collect()
    }

    /// The entries in their order.
    pub(crate) fn answer(&self, question: &Question) -> Vec<Entry> {
        let mut entries = self.kept(&question.filters);
        entries.sort_by(|a, b| {
            let keys = question.order.iter().map(|key| self.by_key(a, b, *key));
            let order = keys.fold(Ordering::Equal, Ordering::then).then(a.id.cmp(&b.id));
            if question.reversed { order.reverse() } else { order }
        });
        let limit = question.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        entries.into_iter().skip(usize::try_from(question.offset).unwrap_or(usize::MAX)).take(limit).collect()
    }

    fn by_key(&self, a: &Entry, b: &Entry, key: Key) -> Ordering {
        match (self.number(a, key.number), self.number(b, key.number)) {
            (Some(a), Some(b)) if key.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (None, None) => Ordering::Equal,
            (None, Some(_)) if key.nulls_first => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) if key.nulls_first => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        }
    }
}

/// Whether a tree is true where its leaves are what `holds` says: by SQL's logic of three values.
pub(crate) fn truth<L>(tree: &Tree<L>, holds: &dyn Fn(&L) -> Option<bool>) -> Option<bool> {
    // One of this truth decides; without one, an unknown makes all unknown.
    let joined = |trees: &[Tree<L>], decides: bool| {
        let truths: Vec<_> = trees.iter().map(|tree| truth(tree, holds)).collect();
        if truths.contains(&Some(decides)) {
            Some(decides)
        } else if truths.contains(&None) {
            None
        } else {
            Some(!decides)
        }
    };
    match tree {
        Tree::Is(leaf) => holds(leaf),
        Tree::All(trees) => joined(trees, false),
        Tree::Any(trees) => joined(trees, true),
        Tree::Not(tree) => truth(tree, holds).map(|truth| !truth),
    }
}

/// Whether every condition is true, or not true where it is excluded.
pub(crate) fn keeps<L>(filters: &[(Tree<L>, bool)], holds: &dyn Fn(&L) -> Option<bool>) -> bool {
    filters.iter().all(|(tree, excluded)| (truth(tree, holds) == Some(true)) != *excluded)
}

pub(crate) fn compared<T: Ord>(a: T, by: Comparison, b: T) -> bool {
    match by {
        Comparison::Eq => a == b,
        Comparison::Ne => a != b,
        Comparison::Lt => a < b,
        Comparison::Le => a <= b,
        Comparison::Gt => a > b,
        Comparison::Ge => a >= b,
    }
}
