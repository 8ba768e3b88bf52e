//! What Diesel's errors mean, as ours.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::{
    backend::BackendKind,
    error::{Error, ErrorKind},
};

/// Our error for one of Diesel's, with it as the cause.
pub(crate) fn ours(error: DieselError, backend: BackendKind) -> Error {
    let kind = numbered(&error, backend).unwrap_or_else(|| kind(&error));
    let sentence = match (kind, backend) {
        (ErrorKind::LockTimeout, BackendKind::Sqlite) => LOCKED,
        _ => sentence(kind),
    };
    Error::new(kind, sentence).on_backend(backend).with_source(error)
}

/// SQLite has one word for both.
const LOCKED: &str = "the database is locked: another connection writes, or has written since this transaction began to read \
                      (one that reads before it writes should begin with `build_transaction().immediate()`)";

/// Whether the error is the database's own word, after which a transaction is lost on PostgreSQL.
pub(crate) fn is_the_databases(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(..) | DieselError::BrokenTransactionManager)
}

/// By the server's error number or SQLSTATE, where the connection tells it.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), allow(unused_variables))]
fn numbered(error: &DieselError, backend: BackendKind) -> Option<ErrorKind> {
    match error {
        DieselError::RollbackErrorOnCommit { commit_error, .. } => {
            Some(numbered(commit_error, backend).unwrap_or_else(|| kind(commit_error)))
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

fn kind(error: &DieselError) -> ErrorKind {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation => ErrorKind::UniqueViolation,
            DatabaseErrorKind::ForeignKeyViolation => ErrorKind::ForeignKeyViolation,
            DatabaseErrorKind::NotNullViolation => ErrorKind::NotNullViolation,
            DatabaseErrorKind::CheckViolation => ErrorKind::CheckViolation,
            DatabaseErrorKind::SerializationFailure => ErrorKind::SerializationFailure,
            DatabaseErrorKind::ReadOnlyTransaction => ErrorKind::ReadOnly,
            DatabaseErrorKind::ClosedConnection => ErrorKind::ConnectionLost,
            _ => kind_of_message(information.message()),
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
    kind_of_message(information.message()) == ErrorKind::ConnectionLost
}

/// Diesel passes on no SQLSTATE, so the rest is told by the message, as servers with English messages write it
/// (`lc_messages`; SQLite knows no other language). In other languages the kind is `Database`.
fn kind_of_message(message: &str) -> ErrorKind {
    const PHRASES: &[(&str, ErrorKind)] = &[
        ("is not a decimal", ErrorKind::Decode),
        ("a value cannot be stored as it is", ErrorKind::InvalidValue),
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
        ("database is locked", ErrorKind::LockTimeout),
        ("table is locked", ErrorKind::LockTimeout),
        ("attempt to write a readonly database", ErrorKind::ReadOnly),
    ];
    PHRASES.iter().find(|(phrase, _)| message.contains(phrase)).map_or(ErrorKind::Database, |(_, kind)| *kind)
}

pub(crate) fn sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UniqueViolation => "a row with this unique key exists already",
        ErrorKind::ForeignKeyViolation => "a foreign key is violated",
        ErrorKind::NotNullViolation => "a column that must have a value has none",
        ErrorKind::CheckViolation => "a CHECK constraint is violated",
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
