//! What a statement of the program's may do, as far as its first word tells. In doubt it is taken to do more.
//!
//! The answers decide whether a result may be cut short, and whether a statement that was sent and not answered may have been
//! committed.

use super::statements::{begins_with, first_word};

/// What may stand before a parenthesis in a statement that only reads: SQL's own words, and functions that write nothing.
const HARMLESS: &str = "\
    abs all and any array_agg as avg between bit_length by case cast ceil char_length coalesce concat count \
    date date_trunc distinct else except exists extract filter floor from generate_series greatest having if \
    ifnull ilike in intersect is join lateral least left length like limit lower ltrim max min mod not now \
    nullif offset on or over pg_sleep position power regexp repeat replace right round row_number rtrim select \
    sleep some sqrt string_agg strpos substr substring sum then trim union unnest upper using values when where \
    with xor";

/// Whether a statement does nothing but read: its first word says so, and it calls no function that is not known to write
/// nothing. A statement that may write counts as one that writes. (A view may call a function unseen.)
pub(crate) fn only_reads(sql: &str) -> bool {
    begins_with(sql, &["SELECT", "SHOW", "TABLE", "VALUES", "WITH"])
        && sql.match_indices('(').all(|(at, _)| is_harmless(&sql[..at]))
}

/// Whether the text before this position does not call a function that may write.
fn is_harmless(before: &str) -> bool {
    let before = before.trim_end();
    if before.ends_with("*/") || before.lines().next_back().is_some_and(|line| line.contains("--")) {
        return false; // a comment may hide a name
    }
    let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    if word.is_empty() {
        // A name in quotes may be any function's.
        return !before.ends_with(['"', '`', ']']);
    }
    // Behind a point it is a function of some schema, and not the system's own.
    let is_qualified = before[..before.len() - word.len()].trim_end().ends_with('.');
    !is_qualified && HARMLESS.split(' ').any(|known| word.eq_ignore_ascii_case(known))
}

/// The statements of a text. A semicolon in a literal cuts one in two, of which the second has no first word that is known.
pub(crate) fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(';').filter(|statement| !statement.trim().is_empty())
}

/// What a connection has at stake when it sends a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Something may be changed.
    pub(crate) writes: bool,
    /// Something may be committed: what the text changes, or what was changed before.
    pub(crate) commits: bool,
}

/// The words of one backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// Of statements that change no data and commit nothing.
    pub(crate) harmless: &'static [&'static str],
    /// Of statements that commit nothing in a transaction that is open, whatever they change; `None` for all but `ends`.
    pub(crate) stay: Option<&'static [&'static str]>,
    /// Of statements that commit a transaction.
    pub(crate) ends: &'static [&'static str],
}

impl Words {
    /// What a text may do, in a transaction that is open or outside of one, where it has changed something before or not.
    pub(crate) fn effects(&self, sql: &str, is_open: bool, has_written: bool) -> Effects {
        let is_harmless = |statement: &str| {
            begins_with(statement, self.harmless) && !is_more_than_it_says(statement) || only_reads(statement)
        };
        let ends = |statement: &str| begins_with(statement, self.ends) || first_word(statement).is_empty();
        let writes = statements(sql).any(|statement| !is_harmless(statement) && !begins_with(statement, self.ends));
        if !is_open {
            // COMMIT and its like do nothing here, but for transactions that were prepared.
            return Effects { writes, commits: statements(sql).any(|statement| !is_harmless(statement)) };
        }
        let has_written = has_written || writes;
        let many = statements(sql).nth(1).is_some();
        let commits = statements(sql).any(|statement| match self.stay {
            _ if ends(statement) => has_written,
            // What follows it is in no transaction.
            _ if many && begins_with(statement, &["ROLLBACK", "ABORT"]) => true,
            _ if is_harmless(statement) => false,
            Some(stay) => !begins_with(statement, stay),
            None => false,
        });
        Effects { writes, commits }
    }
}

/// Of a statement with a harmless first word: `SET GLOBAL` and its like reach beyond the session, `SET autocommit` commits, and
/// `SET STATEMENT … FOR` runs another statement.
fn is_more_than_it_says(statement: &str) -> bool {
    const MORE: [&str; 6] = ["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "AUTOCOMMIT", "STATEMENT"];
    begins_with(statement, &["SET"])
        && statement
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|word| MORE.iter().any(|more| word.eq_ignore_ascii_case(more)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words = Words {
        harmless: &["BEGIN", "SET", "ROLLBACK", "SAVEPOINT"],
        stay: Some(&["INSERT", "UPDATE"]),
        ends: &["COMMIT", "END"],
    };

    #[test]
    fn what_may_be_committed_is_found() {
        let commits = |sql, is_open, has_written| WORDS.effects(sql, is_open, has_written).commits;
        for sql in ["INSERT INTO t VALUES (1)", "SELECT 1; INSERT INTO t VALUES (1)", "CALL p()", "SELECT work(1)", ""]
        {
            assert_eq!(commits(sql, false, false), !sql.is_empty(), "{sql}");
        }
        for sql in ["SELECT 1", "BEGIN", "SET x = 1", " ; SELECT 1;", "ROLLBACK TO SAVEPOINT a"] {
            assert!(!commits(sql, false, false), "{sql}");
            assert!(!commits(sql, true, true), "{sql}");
        }
        assert!(!commits("COMMIT", true, false), "it has read only");
        for sql in
            ["COMMIT", " commit;", "/* a */ COMMIT", "/* ; */ COMMIT", "CREATE TABLE t (a INT)", "SET autocommit = 1"]
        {
            assert!(commits(sql, true, true), "{sql}");
        }
        assert!(commits("INSERT INTO t VALUES (1); COMMIT", true, false));
        assert!(commits("ROLLBACK; INSERT INTO t VALUES (1)", true, false));
        assert!(!commits("INSERT INTO t VALUES (1)", true, true), "it is rolled back with its transaction");
        assert!(commits("SET GLOBAL a = 1", false, false));
    }

    #[test]
    fn what_may_write_is_not_taken_to_read() {
        for sql in [
            "SELECT 1",
            " (select 1)",
            "\n((SELECT 1",
            "SELECT*FROM t",
            "/* a */ -- b\n SELECT 1",
            "TABLE t",
            "SELECT count(*) FROM t WHERE (a IN (1, 2)) AND lower ( b ) = $1",
            "SELECT (SELECT max(x) FROM u) FROM t",
        ] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in [
            "CALL p()",
            "insert into t values (1) returning id",
            "/*! CALL p() */ SELECT 1",
            "SELECTED",
            "",
            "é",
            "SELECT work(id) FROM jobs",
            "SELECT jobs.work (id) FROM jobs",
            "SELECT \"count\"(1)",
            "SELECT é(1)",
            "SELECT s.left(1)",
            "SELECT \"left\"/**/(1)",
            "SELECT work -- it\n(1)",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
