//! Prepared statements that are kept for when they are wanted again, up to a number.

use std::num::NonZeroUsize;

use diesel::connection::CacheSize;
use lru::LruCache;

/// How many a connection keeps, unless it is told: enough for a program's own, and little for a server with hundreds of
/// connections.
pub(crate) const KEPT: usize = 100;

/// Statements by their SQL; those that have not been used for longest go first.
#[derive(Debug)]
pub(crate) struct Statements<P> {
    /// Where any are kept.
    most: usize,
    /// `None` keeps nothing.
    kept: Option<LruCache<String, P>>,
}

impl<P: Clone> Statements<P> {
    /// Keeps up to so many.
    pub(crate) fn new(most: usize) -> Self {
        Statements { most, kept: NonZeroUsize::new(most).map(LruCache::new) }
    }

    pub(crate) fn get(&mut self, sql: &str) -> Option<P> {
        self.kept.as_mut()?.get(sql).cloned()
    }

    /// Whether statements are kept at all.
    pub(crate) fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Keeps a statement, and returns what the server shall forget for it: another one, or the statement itself where
    /// none is kept.
    #[must_use]
    pub(crate) fn keep(&mut self, sql: &str, statement: P) -> Kept<P> {
        match &mut self.kept {
            None => Kept::No,
            Some(kept) => Kept::Yes { instead_of: kept.push(sql.to_owned(), statement).map(|(_, old)| old) },
        }
    }

    /// Drops a statement that is of no use any more.
    pub(crate) fn remove(&mut self, sql: &str) -> Option<P> {
        self.kept.as_mut()?.pop(sql)
    }

    /// Drops all of them, and returns what the server shall forget.
    pub(crate) fn clear(&mut self) -> Vec<P> {
        let kept = self.kept.as_mut();
        kept.into_iter()
            .flat_map(|kept| std::iter::from_fn(|| kept.pop_lru()))
            .map(|(_, statement)| statement)
            .collect()
    }

    /// Changes how many are kept, and returns what the server shall forget.
    pub(crate) fn resize(&mut self, size: CacheSize) -> Vec<P> {
        let old = std::mem::replace(
            &mut self.kept,
            match size {
                CacheSize::Disabled => None,
                // Diesel's name for the size that it has itself; without a bound a server would run out of statements.
                _ => NonZeroUsize::new(self.most).map(LruCache::new),
            },
        );
        old.into_iter().flatten().map(|(_, statement)| statement).collect()
    }
}

/// What has become of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept<P> {
    No,
    Yes { instead_of: Option<P> },
}

/// The first word of a statement behind comments, as it is written; empty where something else stands first.
pub(crate) fn first_word(sql: &str) -> &str {
    let mut sql = sql;
    loop {
        sql = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        sql = match (sql.strip_prefix("--"), sql.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n').map_or("", |(_, rest)| rest),
            // What servers read of such comments begins with a `!` or an `M!`, and may be anything.
            (_, Some(comment)) if !comment.starts_with(['!', 'M']) => {
                comment.split_once("*/").map_or("", |(_, rest)| rest)
            }
            _ => break,
        };
    }
    sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Whether the first word of a statement is one of these.
pub(crate) fn begins_with(sql: &str, words: &[&str]) -> bool {
    let first = first_word(sql);
    words.iter().any(|word| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_unused_for_longest_make_room() {
        let mut statements = Statements::new(KEPT);
        for id in 0..KEPT {
            assert_eq!(statements.keep(&id.to_string(), id), Kept::Yes { instead_of: None });
        }
        assert_eq!(statements.get("0"), Some(0));
        assert_eq!(statements.keep("new", 1000), Kept::Yes { instead_of: Some(1) });
        assert_eq!((statements.get("0"), statements.get("1")), (Some(0), None));
    }

    #[test]
    fn where_none_is_kept_all_are_forgotten() {
        let mut statements = Statements::new(KEPT);
        assert_eq!(statements.keep("a", 1), Kept::Yes { instead_of: None });
        assert_eq!(statements.resize(CacheSize::Disabled), [1]);
        assert_eq!((statements.keep("b", 2), statements.get("b")), (Kept::No, None));
    }
}
