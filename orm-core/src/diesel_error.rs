//! What Diesel's errors mean, as ours.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::{
    backend::BackendKind,
    error::{Error, ErrorKind, sqlstate_of_details},
    quoted_values::hide,
};

/// Our error for one of Diesel's, with it as the cause.
pub(crate) fn ours(error: DieselError, backend: BackendKind) -> Error {
    if let Some(unfit) = unfit_column(&error, backend) {
        return Error::new(ErrorKind::InvalidQuery, unfit).on_backend(backend).with_source(hide(error, backend));
    }
    let kind = kind_of(&error, backend);
    let sentence = match (kind, backend) {
        (ErrorKind::LockTimeout, BackendKind::Sqlite) => LOCKED,
        _ => sentence(kind),
    };
    Error::new(kind, sentence).on_backend(backend).with_source(hide(error, backend))
}

/// SQLite has one word for both.
const LOCKED: &str = "the database is locked: another connection writes, or has written since this transaction began to read \
                      (one that reads before it writes should begin with `build_transaction().immediate()`)";

/// What kind of ours an error of Diesel's is.
pub(crate) fn kind_of(error: &DieselError, backend: BackendKind) -> ErrorKind {
    numbered(error, backend).unwrap_or_else(|| kind(error, backend))
}

/// What the type or collation of a column does not allow on PostgreSQL, which the server finds when it parses or runs the
/// statement: the models do not know the column's type.
fn unfit_column(error: &DieselError, backend: BackendKind) -> Option<&'static str> {
    let DieselError::DatabaseError(_, information) = error else { return None };
    if backend != BackendKind::Postgres {
        return None;
    }
    let message = information.message();
    // Diesel's own connection passes on no SQLSTATE.
    let is = |sqlstate, english: &str| match information.details().and_then(sqlstate_of_details) {
        Some(state) => state == sqlstate,
        None => message.contains(english),
    };
    if is("42883", "operator does not exist") || is("42883", "function") && message.ends_with("does not exist") {
        return Some(NO_OPERATOR);
    }
    if is("0A000", NONDETERMINISTIC) && message.contains(NONDETERMINISTIC) {
        return Some(NO_SEARCH);
    }
    None
}

/// As the server's English messages have it (`lc_messages`): the SQLSTATE is that of everything that is not supported.
const NONDETERMINISTIC: &str = "nondeterministic collation";
const NO_OPERATOR: &str = "PostgreSQL has no such operator or function for the types of the statement; if a column's type is a \
                           domain over an enum, which PostgreSQL cannot compare, make it the enum itself: `ALTER TABLE … \
                           ALTER COLUMN … TYPE …` (`check_schema` names such columns)";
const NO_SEARCH: &str = "PostgreSQL cannot search text of a collation that is not deterministic, by `contains`, `starts_with`, \
                         `ends_with`, `LIKE` or a regular expression (before version 18); compare it by `eq` or `is_in`, \
                         or change the column's collation, or search by raw SQL with another one: `name COLLATE \"C\" LIKE …`";

/// Whether the error is the database's own word, after which a transaction is lost on PostgreSQL.
pub(crate) fn is_the_databases(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(..) | DieselError::BrokenTransactionManager)
}

/// By the server's error number or SQLSTATE, where the connection tells it.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), allow(unused_variables))]
fn numbered(error: &DieselError, backend: BackendKind) -> Option<ErrorKind> {
    match error {
        DieselError::RollbackErrorOnCommit { commit_error, .. } => {
            Some(numbered(commit_error, backend).unwrap_or_else(|| kind(commit_error, backend)))
        }
        // Whatever the server's reason is: the connection is gone.
        #[cfg(any(feature = "mysql", feature = "postgres"))]
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, information) => {
            Some(match crate::net::loss::is_unknown(information.details()) {
                true => ErrorKind::OutcomeUnknown,
                false => ErrorKind::ConnectionLost,
            })
        }
        #[cfg(feature = "mysql")]
        DieselError::DatabaseError(_, information) if backend == BackendKind::Mysql => {
            crate::mysql::kind_of_details(information.details()?)
        }
        #[cfg(feature = "postgres")]
        DieselError::DatabaseError(_, information) if backend == BackendKind::Postgres => {
            crate::postgres::kind_of_information(&**information)
        }
        _ => None,
    }
}

fn kind(error: &DieselError, backend: BackendKind) -> ErrorKind {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation => ErrorKind::UniqueViolation,
            DatabaseErrorKind::ForeignKeyViolation => ErrorKind::ForeignKeyViolation,
            DatabaseErrorKind::NotNullViolation => ErrorKind::NotNullViolation,
            DatabaseErrorKind::CheckViolation => ErrorKind::CheckViolation,
            DatabaseErrorKind::SerializationFailure => ErrorKind::SerializationFailure,
            DatabaseErrorKind::ReadOnlyTransaction => ErrorKind::ReadOnly,
            DatabaseErrorKind::ClosedConnection => ErrorKind::ConnectionLost,
            _ => schema_kind(information.message(), backend)
                .unwrap_or_else(|| kind_of_message(information.message(), backend)),
        },
        DieselError::BrokenTransactionManager => ErrorKind::ConnectionLost,
        DieselError::SerializationError(_) => ErrorKind::InvalidValue,
        DieselError::DeserializationError(_) => ErrorKind::Decode,
        DieselError::NotFound => ErrorKind::NotFound,
        DieselError::InvalidCString(_) | DieselError::QueryBuilderError(_) => ErrorKind::InvalidQuery,
        DieselError::NotInTransaction
        | DieselError::RollbackTransaction
        | DieselError::RollbackErrorOnCommit { .. } => ErrorKind::TransactionAborted,
        _ => ErrorKind::Database,
    }
}

/// Whether the message of an error of libpq's says that the connection is lost.
#[cfg(feature = "libpq")]
pub(crate) fn is_lost(information: &dyn diesel::result::DatabaseErrorInformation) -> bool {
    kind_of_message(information.message(), BackendKind::Postgres) == ErrorKind::ConnectionLost
}

/// Diesel passes on neither a SQLSTATE nor SQLite's code, so the rest is told by the message: SQLite's, and PostgreSQL's as
/// servers with English messages write it (`lc_messages`). In other languages the kind is `Database`.
fn kind_of_message(message: &str, backend: BackendKind) -> ErrorKind {
    const PHRASES: &[(&str, ErrorKind)] = &[
        ("due to statement timeout", ErrorKind::StatementTimeout),
        ("due to lock timeout", ErrorKind::LockTimeout),
        ("could not obtain lock", ErrorKind::LockTimeout),
        ("due to user request", ErrorKind::Cancelled),
        ("deadlock detected", ErrorKind::SerializationFailure),
        ("current transaction is aborted", ErrorKind::TransactionAborted),
        ("server closed the connection", ErrorKind::ConnectionLost),
        ("terminating connection", ErrorKind::ConnectionLost),
        ("no connection to the server", ErrorKind::ConnectionLost),
        ("could not receive data from server", ErrorKind::ConnectionLost),
        ("could not send data to server", ErrorKind::ConnectionLost),
    ];
    match backend {
        BackendKind::Sqlite => kind_on_sqlite(message),
        _ => PHRASES.iter().find(|(phrase, _)| message.contains(phrase)).map_or(ErrorKind::Database, |(_, kind)| *kind),
    }
}

/// The kind of SQLite's own messages, each of which is compared whole: a trigger's `RAISE` has any text. Those of our functions
/// are found within others.
fn kind_on_sqlite(message: &str) -> ErrorKind {
    match message {
        // SQLITE_BUSY, SQLITE_LOCKED and SQLITE_PROTOCOL.
        "database is locked" | "database table is locked" | "locking protocol" => ErrorKind::LockTimeout,
        _ if ["database table is locked: ", "database schema is locked: "].iter().any(|s| message.starts_with(s)) => {
            ErrorKind::LockTimeout
        }
        "attempt to write a readonly database" => ErrorKind::ReadOnly,
        "interrupted" => ErrorKind::Cancelled,
        _ if message.contains("is not a decimal") => ErrorKind::Decode,
        _ if message.contains("a value cannot be stored as it is") => ErrorKind::InvalidValue,
        _ => ErrorKind::Database,
    }
}

/// What a message says of a table or column that is missing or exists already. Where there is no number or SQLSTATE, these are
/// SQLite's messages, and PostgreSQL's in English.
fn schema_kind(message: &str, backend: BackendKind) -> Option<ErrorKind> {
    let is = |start: &str, end: &str| message.starts_with(start) && message.ends_with(end);
    match backend {
        BackendKind::Sqlite if is("no such table: ", "") || is("no such view: ", "") => Some(ErrorKind::UndefinedTable),
        BackendKind::Sqlite if is("no such column: ", "") => Some(ErrorKind::UndefinedColumn),
        // Of an INSERT and of CREATE INDEX.
        BackendKind::Sqlite if is("table ", "") && message.contains(" has no column named ") => {
            Some(ErrorKind::UndefinedColumn)
        }
        BackendKind::Sqlite
            if ["table ", "view ", "index ", "there is already "].iter().any(|start| message.starts_with(start))
                && (message.ends_with(" already exists") || message.starts_with("there is already ")) =>
        {
            Some(ErrorKind::DuplicateTable)
        }
        BackendKind::Postgres if is("relation \"", " does not exist") => Some(ErrorKind::UndefinedTable),
        BackendKind::Postgres if is("table \"", " does not exist") => Some(ErrorKind::UndefinedTable),
        BackendKind::Postgres if is("missing FROM-clause entry", "") => Some(ErrorKind::UndefinedTable),
        BackendKind::Postgres if is("column ", " does not exist") => {
            // Of `column "x" of relation "y" does not exist`, too.
            Some(ErrorKind::UndefinedColumn)
        }
        BackendKind::Postgres if is("relation \"", " already exists") => Some(ErrorKind::DuplicateTable),
        _ => None,
    }
}

pub(crate) fn sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UniqueViolation => "a row with this unique key exists already",
        ErrorKind::ForeignKeyViolation => "a foreign key is violated",
        ErrorKind::NotNullViolation => "a column that must have a value has none",
        ErrorKind::CheckViolation => "a CHECK constraint is violated",
        ErrorKind::UndefinedTable => "a table of the statement does not exist",
        ErrorKind::UndefinedColumn => "a column of the statement does not exist",
        ErrorKind::DuplicateTable => "a table or index of this name exists already",
        ErrorKind::SerializationFailure => "the transaction lost against another one; run it again",
        ErrorKind::ReadOnly => "this transaction or database is read-only",
        ErrorKind::ConnectionLost => "the connection to the database is lost",
        ErrorKind::OutcomeUnknown => {
            "the connection to the database was lost after a commit had been sent and before it was answered, so nobody knows \
             whether it was committed: check whether it was before running it again"
        }
        ErrorKind::StatementTimeout => "the statement took longer than the statement timeout",
        ErrorKind::LockTimeout => "a lock could not be had in time",
        ErrorKind::Cancelled => "the statement was cancelled",
        ErrorKind::TooLarge => "the statement is larger than the server takes",
        ErrorKind::TransactionAborted => "the transaction can only be rolled back",
        ErrorKind::InvalidValue => "a value cannot be sent to the database",
        ErrorKind::InvalidQuery => "the statement cannot be written",
        ErrorKind::Decode => "a stored value does not fit",
        _ => "the database refused the statement",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_existing_tables_are_known_by_their_messages() {
        let sqlite = |message| schema_kind(message, BackendKind::Sqlite);
        for message in ["no such table: numbers", "no such table: main.numbers", "no such view: v"] {
            assert_eq!(sqlite(message), Some(ErrorKind::UndefinedTable), "{message}");
        }
        for message in ["no such column: n.x", "table numbers has no column named x"] {
            assert_eq!(sqlite(message), Some(ErrorKind::UndefinedColumn), "{message}");
        }
        for message in [
            "table \"numbers\" already exists",
            "table numbers already exists",
            "index a__b already exists",
            "there is already a table named numbers",
        ] {
            assert_eq!(sqlite(message), Some(ErrorKind::DuplicateTable), "{message}");
        }
        assert_eq!(sqlite("near \"no such table: \": syntax error"), None);
        let of_trigger = "there is no such table: numbers";
        assert_eq!(sqlite(of_trigger), None);
        let libpq = |message| schema_kind(message, BackendKind::Postgres);
        assert_eq!(libpq("relation \"numbers\" does not exist"), Some(ErrorKind::UndefinedTable));
        assert_eq!(libpq("column n.x does not exist"), Some(ErrorKind::UndefinedColumn));
        assert_eq!(libpq("column \"x\" of relation \"numbers\" does not exist"), Some(ErrorKind::UndefinedColumn));
        assert_eq!(libpq("relation \"numbers\" already exists"), Some(ErrorKind::DuplicateTable));
        assert_eq!(libpq("function f() does not exist"), None);
    }

    #[test]
    fn messages_of_sqlites_are_compared_whole() {
        for (message, kind) in [
            ("database is locked", ErrorKind::LockTimeout),
            ("database table is locked: numbers", ErrorKind::LockTimeout),
            ("attempt to write a readonly database", ErrorKind::ReadOnly),
            ("the database is locked for the audit", ErrorKind::Database),
            ("deadlock detected", ErrorKind::Database),
            ("terminating connection", ErrorKind::Database),
        ] {
            assert_eq!(kind_of_message(message, BackendKind::Sqlite), kind, "{message}");
        }
        let libpq = |message| kind_of_message(message, BackendKind::Postgres);
        assert_eq!(libpq("ERROR:  deadlock detected"), ErrorKind::SerializationFailure);
        assert_eq!(libpq("database is locked"), ErrorKind::Database);
    }
}
