//! What goes wrong between us and a server, as Diesel's errors and as ours.

use std::{borrow::Cow, fmt, io};

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use mysql_common::packets::ServerError;

use crate::{error::ErrorKind, net::loss::Loss, statement::insert::ANOTHER_KEY};

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server's own word.
    Server(ServerWord),
    /// The connection cannot be used any more.
    Lost(Loss),
    /// It is not sent, because the server would end the connection over it.
    TooLarge { size: usize, limit: usize },
    /// It is not sent, because the server has ended the transaction, most often by rolling it back.
    Ended,
    /// A value that cannot be sent.
    Value(Cow<'static, str>),
    /// It is not sent, because the rows of another statement are still to be read.
    Busy,
}

/// An error of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerWord {
    /// As in "MariaDB Error Codes" and MySQL's "Server Error Message Reference".
    pub(super) number: u16,
    pub(super) sqlstate: String,
    pub(super) message: String,
}

impl From<&ServerError<'_>> for ServerWord {
    fn from(error: &ServerError<'_>) -> Self {
        ServerWord {
            number: error.error_code(),
            // Before a client has logged in, a server sends none.
            sqlstate: error.sql_state_ref().map_or_else(|| "HY000".to_owned(), |state| state.as_str().into_owned()),
            message: error.message_str().into_owned(),
        }
    }
}

/// `ER_DATA_OUT_OF_RANGE`.
const OUT_OF_RANGE: u16 = 1690;
const BY_ANOTHER_KEY: &str = "a row is there by another unique key than the one that was named";

impl ServerWord {
    /// Whether an upsert has met a row by another key than the one that was named.
    fn is_another_key(&self) -> bool {
        self.number == OUT_OF_RANGE && self.message.contains(ANOTHER_KEY)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Lost(error.to_string().into())
    }
}

impl Failure {
    /// The server said something that no server says.
    pub(super) fn protocol(what: &'static str) -> Self {
        Failure::Lost(Failure::protocol_sentence(what).into())
    }

    pub(super) fn protocol_sentence(what: &str) -> String {
        format!("the server does not keep to the protocol: {what}")
    }

    /// Whether the server ends the connection with it.
    pub(super) fn is_loss(&self) -> bool {
        match self {
            Failure::Lost(_) => true,
            Failure::Server(word) => kind_of(word.number) == ErrorKind::ConnectionLost,
            _ => false,
        }
    }

    /// What it says of a connection that is lost with it, or right after it.
    pub(super) fn loss(&self) -> Loss {
        match self {
            Failure::Lost(loss) => loss.clone(),
            Failure::Server(word) => Loss::told(format!("{} (error {})", word.message, word.number), &word.sqlstate),
            other => other.to_string().into(),
        }
    }

    /// The same for an error that was found after the connection had gone.
    pub(super) fn into_loss(self) -> Self {
        Failure::Lost(self.loss())
    }

    /// Whether an error behind which the connection has gone may be the reason why: it is about no statement's content.
    pub(super) fn may_be_the_reason(&self) -> bool {
        matches!(self, Failure::Server(word)
            if matches!(kind_of(word.number), ErrorKind::Database | ErrorKind::Cancelled | ErrorKind::ConnectionLost))
    }

    /// The error number, where the server spoke.
    pub(super) fn number(&self) -> Option<u16> {
        match self {
            Failure::Server(word) => Some(word.number),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Server(word) => {
                write!(f, "{} (error {}, SQLSTATE {})", word.message, word.number, word.sqlstate)
            }
            Failure::Lost(loss) => loss.fmt(f),
            Failure::TooLarge { size, limit } => write!(
                f,
                "this statement and its values take {size} bytes, and the server's `max_allowed_packet` is {limit}; \
                 nothing was sent"
            ),
            Failure::Ended => f.write_str(ENDED),
            Failure::Value(why) => f.write_str(why),
            Failure::Busy => f.write_str("the rows of another statement have not been read to their end"),
        }
    }
}

impl std::error::Error for Failure {}

const ENDED: &str = "the server has ended this transaction (a deadlock rolls it back, a statement such as CREATE \
                           TABLE commits it, though it fails itself), so this statement was not sent; it would have \
                           run outside of any transaction";
/// `details` of what is not the server's word.
const TOO_LARGE: &str = "larger than max_allowed_packet";
const ABORTED: &str = "the transaction has ended";

impl From<Failure> for DieselError {
    fn from(failure: Failure) -> Self {
        let message = failure.to_string();
        let information = |message, details| Box::new(Information { message, details });
        match failure {
            Failure::Server(word) if word.is_another_key() => DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                information(BY_ANOTHER_KEY.to_owned(), None),
            ),
            Failure::Server(word) => {
                let details = format!("error {}, SQLSTATE {}", word.number, word.sqlstate);
                DieselError::DatabaseError(diesel_kind(&word), information(word.message, Some(details)))
            }
            Failure::Lost(loss) => {
                DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, information(message, loss.details()))
            }
            Failure::TooLarge { .. } => DieselError::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand,
                information(message, Some(TOO_LARGE.to_owned())),
            ),
            Failure::Ended => {
                DieselError::DatabaseError(DatabaseErrorKind::Unknown, information(message, Some(ABORTED.to_owned())))
            }
            Failure::Value(_) => DieselError::SerializationError(message.into()),
            Failure::Busy => {
                DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, information(message, None))
            }
        }
    }
}

/// What Diesel's users see of an error.
#[derive(Debug)]
struct Information {
    message: String,
    details: Option<String>,
}

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        &self.message
    }

    /// The server's error number and SQLSTATE: `error 1213, SQLSTATE 40001`.
    fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    fn hint(&self) -> Option<&str> {
        None
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        None
    }

    fn constraint_name(&self) -> Option<&str> {
        None
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// The kind of an error that this connection gave to Diesel, by what it said in `details`.
pub(crate) fn kind_of_details(details: &str) -> Option<ErrorKind> {
    match details {
        TOO_LARGE => Some(ErrorKind::TooLarge),
        ABORTED => Some(ErrorKind::TransactionAborted),
        _ => Some(kind_of(details.strip_prefix("error ")?.split(',').next()?.parse().ok()?)),
    }
}

/// What an error number means.
pub(super) fn kind_of(number: u16) -> ErrorKind {
    match number {
        1062 | 1169 | 1586 | 1859 => ErrorKind::UniqueViolation,
        1216 | 1217 | 1451 | 1452 | 1557 | 1761 | 1762 => ErrorKind::ForeignKeyViolation,
        1048 | 1364 => ErrorKind::NotNullViolation,
        // MySQL's number, and MariaDB's.
        3819 | 4025 => ErrorKind::CheckViolation,
        1051 | 1109 | 1146 => ErrorKind::UndefinedTable,
        1054 | 1072 => ErrorKind::UndefinedColumn,
        1050 | 1061 => ErrorKind::DuplicateTable,
        // A deadlock, a row that changed since the snapshot (MariaDB), and those of replicated clusters.
        1020 | 1213 | 1614 | 3101 => ErrorKind::SerializationFailure,
        1205 | 3572 => ErrorKind::LockTimeout,
        1290 | 1792 | 1836 | 3989 => ErrorKind::ReadOnly,
        1969 | 3024 => ErrorKind::StatementTimeout,
        1317 => ErrorKind::Cancelled,
        1153 | 1301 | 3068 => ErrorKind::TooLarge,
        1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => ErrorKind::ConnectionLost,
        _ => ErrorKind::Database,
    }
}

fn diesel_kind(word: &ServerWord) -> DatabaseErrorKind {
    match kind_of(word.number) {
        ErrorKind::UniqueViolation => DatabaseErrorKind::UniqueViolation,
        ErrorKind::ForeignKeyViolation => DatabaseErrorKind::ForeignKeyViolation,
        ErrorKind::NotNullViolation => DatabaseErrorKind::NotNullViolation,
        ErrorKind::CheckViolation => DatabaseErrorKind::CheckViolation,
        ErrorKind::SerializationFailure => DatabaseErrorKind::SerializationFailure,
        ErrorKind::ReadOnly => DatabaseErrorKind::ReadOnlyTransaction,
        ErrorKind::ConnectionLost => DatabaseErrorKind::ClosedConnection,
        _ => DatabaseErrorKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_said_is_found_again_in_diesels_error() {
        let word = ServerWord { number: 1205, sqlstate: "HY000".into(), message: "Lock wait timeout exceeded".into() };
        let DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) = Failure::Server(word).into() else {
            panic!("a lock that was not to be had is no kind of Diesel's");
        };
        assert_eq!(information.message(), "Lock wait timeout exceeded");
        assert_eq!(information.details(), Some("error 1205, SQLSTATE HY000"));
        assert_eq!(information.details().and_then(kind_of_details), Some(ErrorKind::LockTimeout));
    }

    #[test]
    fn a_row_that_is_met_by_another_key_is_a_unique_violation() {
        let kind = |message: &str| {
            let word = ServerWord { number: OUT_OF_RANGE, sqlstate: "22003".into(), message: message.into() };
            match DieselError::from(Failure::Server(word)) {
                DieselError::DatabaseError(kind, _) => format!("{kind:?}"),
                other => panic!("{other:?}"),
            }
        };
        let expression = format!("BIGINT value is out of range in '{ANOTHER_KEY} (`db`.`t`.`id` is not null)'");
        assert_eq!(kind(&expression), "UniqueViolation");
        assert_eq!(kind("BIGINT value is out of range in '`db`.`t`.`a` + 1'"), "Unknown");
    }

    #[test]
    fn what_was_not_sent_has_a_kind_too() {
        for (failure, kind) in [
            (Failure::TooLarge { size: 2, limit: 1 }, ErrorKind::TooLarge),
            (Failure::Ended, ErrorKind::TransactionAborted),
        ] {
            let DieselError::DatabaseError(_, information) = failure.into() else { panic!("a database error") };
            assert_eq!(information.details().and_then(kind_of_details), Some(kind));
        }
    }
}
