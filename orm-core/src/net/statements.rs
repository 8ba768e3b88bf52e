//! Prepared statements that are kept for when they are wanted again, up to a number.

use diesel::connection::CacheSize;
use lru::LruCache;

/// How many a connection keeps, unless it is told: enough for a program's own, and little for a server with hundreds of
/// connections.
pub(crate) const KEPT: usize = 100;

/// The longest SQL of a statement that is kept on trial. A longer one may have a list of 1,000 values, which MariaDB makes a
/// subquery (`in_predicate_conversion_threshold`): its server crashes when such a statement is executed a second time.
#[cfg_attr(not(feature = "mysql"), allow(dead_code))]
const LONGEST_ON_TRIAL: usize = 1_900;

/// Statements by their SQL; those that have not been used for longest go first.
///
/// A statement that may never come again, such as one with a list of some length, is kept on trial: such statements only take
/// a quarter of the room from each other, until they are used a second time. So a program that sends many of them
/// keeps the statements that it repeats.
#[derive(Debug)]
pub(crate) struct Statements<P> {
    /// How many are kept, where any are.
    most: usize,
    /// `None` keeps nothing.
    kept: Option<Caches<P>>,
}

#[derive(Debug)]
struct Caches<P> {
    proven: LruCache<String, P>,
    on_trial: LruCache<String, P>,
}

impl<P: Clone> Caches<P> {
    fn new(most: usize) -> Option<Self> {
        // The bounds are kept by `Statements`, because the two share them.
        (most > 0).then(|| Caches { proven: LruCache::unbounded(), on_trial: LruCache::unbounded() })
    }

    #[cfg_attr(not(feature = "mysql"), allow(dead_code))]
    fn len(&self) -> usize {
        self.proven.len() + self.on_trial.len()
    }

    fn get(&mut self, sql: &str) -> Option<P> {
        if let Some(statement) = self.proven.get(sql) {
            return Some(statement.clone());
        }
        let (sql, statement) = self.on_trial.pop_entry(sql)?;
        self.proven.push(sql, statement.clone());
        Some(statement)
    }

    fn drain(mut self) -> Vec<P> {
        let (proven, on_trial) = (&mut self.proven, &mut self.on_trial);
        std::iter::from_fn(|| proven.pop_lru().or_else(|| on_trial.pop_lru())).map(|(_, statement)| statement).collect()
    }
}

impl<P: Clone> Statements<P> {
    /// Keeps up to so many.
    pub(crate) fn new(most: usize) -> Self {
        Statements { most, kept: Caches::new(most) }
    }

    pub(crate) fn get(&mut self, sql: &str) -> Option<P> {
        self.kept.as_mut()?.get(sql)
    }

    /// A statement that is kept, to change what is known of it.
    pub(crate) fn get_mut(&mut self, sql: &str) -> Option<&mut P> {
        let Caches { proven, on_trial } = self.kept.as_mut()?;
        proven.get_mut(sql).or_else(|| on_trial.get_mut(sql))
    }

    /// Whether statements are kept at all.
    pub(crate) fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Keeps a statement, and returns what the server shall forget for it: another one, or the statement itself where
    /// none is kept.
    #[must_use]
    pub(crate) fn keep(&mut self, sql: &str, statement: P) -> Kept<P> {
        let Some(Caches { proven, on_trial }) = &mut self.kept else { return Kept::No };
        let same = proven.push(sql.to_owned(), statement).map(|(_, old)| old).or_else(|| on_trial.pop(sql));
        let is_full = proven.len() + on_trial.len() > self.most;
        let instead_of = same.or_else(|| is_full.then(|| proven.pop_lru()).flatten().map(|(_, old)| old));
        Kept::Yes { instead_of }
    }

    /// Keeps a statement of which nobody knows whether it will come again; a long one is not kept.
    #[cfg(feature = "mysql")]
    #[must_use]
    pub(crate) fn keep_on_trial(&mut self, sql: &str, statement: P) -> Kept<P> {
        let most = self.most;
        let Some(caches) = self.kept.as_mut().filter(|_| sql.len() <= LONGEST_ON_TRIAL && most > 1) else {
            return Kept::No;
        };
        let same =
            caches.on_trial.push(sql.to_owned(), statement).map(|(_, old)| old).or_else(|| caches.proven.pop(sql));
        if same.is_some() {
            return Kept::Yes { instead_of: same };
        }
        let old = if caches.on_trial.len() > most.div_ceil(4) {
            caches.on_trial.pop_lru()
        } else if caches.len() > most {
            caches.proven.pop_lru()
        } else {
            None
        };
        Kept::Yes { instead_of: old.map(|(_, old)| old) }
    }

    /// Drops a statement that is of no use any more.
    pub(crate) fn remove(&mut self, sql: &str) -> Option<P> {
        let caches = self.kept.as_mut()?;
        caches.proven.pop(sql).or_else(|| caches.on_trial.pop(sql))
    }

    /// Drops all of them, and returns what the server shall forget.
    pub(crate) fn clear(&mut self) -> Vec<P> {
        match self.kept.take() {
            None => Vec::new(),
            Some(kept) => {
                self.kept = Caches::new(self.most);
                kept.drain()
            }
        }
    }

    /// Changes how many are kept, and returns what the server shall forget.
    pub(crate) fn resize(&mut self, size: CacheSize) -> Vec<P> {
        let old = std::mem::replace(
            &mut self.kept,
            match size {
                CacheSize::Disabled => None,
                // Diesel's name for the size that it has itself; without a bound a server would run out of statements.
                _ => Caches::new(self.most),
            },
        );
        old.map_or_else(Vec::new, Caches::drain)
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

    #[cfg(feature = "mysql")]
    #[test]
    fn statements_on_trial_push_out_no_statement_that_is_repeated() {
        let mut statements = Statements::new(KEPT);
        assert_eq!(statements.keep_on_trial("repeated", 1_000), Kept::Yes { instead_of: None });
        assert_eq!(statements.get("repeated"), Some(1_000));
        for id in 0..500_usize {
            let instead_of = id.checked_sub(KEPT / 4);
            assert_eq!(statements.keep_on_trial(&id.to_string(), id), Kept::Yes { instead_of });
        }
        assert_eq!(
            (statements.get("repeated"), statements.get("474"), statements.get("475")),
            (Some(1_000), None, Some(475))
        );
        assert_eq!(statements.keep_on_trial(&"x".repeat(LONGEST_ON_TRIAL + 1), 0), Kept::No);
        // All together are no more than the limit.
        for id in 0..KEPT {
            let _ = statements.keep(&format!("proven {id}"), id);
        }
        assert_eq!(statements.clear().len(), KEPT);
    }

    #[test]
    fn where_none_is_kept_all_are_forgotten() {
        let mut statements = Statements::new(KEPT);
        assert_eq!(statements.keep("a", 1), Kept::Yes { instead_of: None });
        assert_eq!(statements.resize(CacheSize::Disabled), [1]);
        assert_eq!((statements.keep("b", 2), statements.get("b")), (Kept::No, None));
    }
}
