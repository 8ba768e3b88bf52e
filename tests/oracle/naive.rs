//! The answers, by the plainest Rust. A truth is `None` where it is unknown, as NULL is.

use std::cmp::Ordering;

use crate::{
    question::{Comparison, Condition, Key, Number, Question, Search, Words},
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
    pub(crate) fn holds(&self, entry: &Entry, condition: &Condition) -> Option<bool> {
        let number = |number| self.number(entry, number);
        match condition {
            Condition::Number(n, by, value) => Some(compared(number(*n)?, *by, *value)),
            Condition::Numbers(a, by, b) => Some(compared(number(*a)?, *by, number(*b)?)),
            Condition::Sum(a, b, by, value) => Some(compared(number(*a)? + number(*b)?, *by, *value)),
            Condition::Between(n, low, high) => Some((*low..=*high).contains(&number(*n)?)),
            // Of no values SQL has no word; here it is false of NULL as well.
            Condition::OneOf(_, values) if values.is_empty() => Some(false),
            Condition::NoneOf(_, values) if values.is_empty() => Some(true),
            Condition::OneOf(n, values) => Some(values.contains(&number(*n)?)),
            Condition::NoneOf(n, values) => Some(!values.contains(&number(*n)?)),
            Condition::IsNull(n, is) => Some(number(*n).is_none() == *is),
            Condition::Words(w, search, needle) => self.words(entry, *w).map(|text| match search {
                Search::Is => text == needle,
                Search::Contains => text.contains(needle),
                Search::StartsWith => text.starts_with(needle),
                Search::EndsWith => text.ends_with(needle),
            }),
            Condition::Published(is) => Some(entry.published == *is),
            Condition::All(conditions) => self.joined(entry, conditions, false),
            Condition::Any(conditions) => self.joined(entry, conditions, true),
            Condition::Not(condition) => self.holds(entry, condition).map(|truth| !truth),
        }
    }

    /// One condition of this truth decides; without one, an unknown makes all unknown.
    fn joined(&self, entry: &Entry, conditions: &[Condition], decides: bool) -> Option<bool> {
        let truths: Vec<_> = conditions.iter().map(|condition| self.holds(entry, condition)).collect();
        if truths.contains(&Some(decides)) {
            Some(decides)
        } else if truths.contains(&None) {
            None
        } else {
            Some(!decides)
        }
    }

    /// The entries for which every condition is true, or not true where it is excluded.
    pub(crate) fn kept(&self, filters: &[(Condition, bool)]) -> Vec<Entry> {
        let keeps = |entry: &&Entry| {
            filters.iter().all(|(condition, excluded)| (self.holds(entry, condition) == Some(true)) != *excluded)
        };
        self.entries.iter().filter(keeps).cloned().collect()
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
