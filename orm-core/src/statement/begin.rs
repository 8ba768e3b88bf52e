//! What begins a transaction.

use std::borrow::Cow;

use crate::{backend::BackendKind, transaction::Options};

/// The statement, or the two of them, by which a transaction begins.
pub(crate) fn begin(backend: BackendKind, options: &Options) -> Cow<'static, str> {
    let Options { isolation, read_only, immediate, .. } = *options;
    match (backend, isolation) {
        (BackendKind::Sqlite, _) if immediate => "BEGIN IMMEDIATE".into(),
        // It has one level. That nothing is written is a setting of the connection's.
        (BackendKind::Sqlite, _) => "BEGIN".into(),
        (_, None) if !read_only => "BEGIN".into(),
        (BackendKind::Postgres, level) => {
            let level = level.map_or_else(String::new, |level| format!(" ISOLATION LEVEL {level}"));
            format!("BEGIN{level}{}", if read_only { " READ ONLY" } else { "" }).into()
        }
        // The level is that of the next transaction alone.
        (BackendKind::Mysql, level) => {
            let level = level.map_or_else(String::new, |level| format!("SET TRANSACTION ISOLATION LEVEL {level}; "));
            format!("{level}START TRANSACTION{}", if read_only { " READ ONLY" } else { "" }).into()
        }
    }
}

/// The beginning of a transaction on MySQL in two commands. After the first, the next transaction cannot write, unless it is
/// the one that the second begins.
#[cfg(feature = "mysql")]
pub(crate) fn guarded_begin(options: &Options) -> [Cow<'static, str>; 2] {
    let level = options.isolation.map_or_else(String::new, |level| format!("ISOLATION LEVEL {level}, "));
    let mode = if options.read_only { "READ ONLY" } else { "READ WRITE" };
    [format!("SET TRANSACTION {level}READ ONLY").into(), format!("START TRANSACTION {mode}").into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::IsolationLevel;

    #[test]
    fn each_backend_has_its_own_words() {
        let written = |isolation, read_only, immediate| {
            let options = Options { isolation, read_only, immediate, ..Options::default() };
            [BackendKind::Postgres, BackendKind::Mysql, BackendKind::Sqlite].map(|kind| begin(kind, &options))
        };
        let level = Some(IsolationLevel::RepeatableRead);
        assert_eq!(written(None, false, false), ["BEGIN"; 3]);
        assert_eq!(written(None, false, true), ["BEGIN", "BEGIN", "BEGIN IMMEDIATE"]);
        assert_eq!(written(None, true, false), ["BEGIN READ ONLY", "START TRANSACTION READ ONLY", "BEGIN"]);
        assert_eq!(
            written(level, false, false),
            [
                "BEGIN ISOLATION LEVEL REPEATABLE READ",
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION",
                "BEGIN"
            ]
        );
        assert_eq!(
            written(level, true, false)[..2],
            [
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY"
            ]
        );
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn the_level_is_set_with_what_keeps_the_next_transaction_from_writing() {
        let options = Options { isolation: Some(IsolationLevel::Serializable), ..Options::default() };
        let guarded = ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY", "START TRANSACTION READ WRITE"];
        assert_eq!(guarded_begin(&options), guarded);
        let options = Options { read_only: true, ..Options::default() };
        assert_eq!(guarded_begin(&options), ["SET TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"]);
    }
}
