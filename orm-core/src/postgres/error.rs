//! What goes wrong between us and a server, as Diesel's errors and as ours.

use std::{borrow::Cow, fmt, io};

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use crate::{
    error::{ErrorKind, sqlstate_of_details},
    net::{loss::Loss, reader::Reader},
};

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server's own word.
    Server(Box<ServerWord>),
    /// The connection cannot be used any more.
    Lost(Loss),
    /// COMMIT was answered with ROLLBACK, because a statement of the transaction had failed.
    RolledBack,
    /// It is not sent, because a statement of the transaction has failed.
    Aborted,
    /// A value or a statement that cannot be sent.
    Value(Cow<'static, str>),
    /// A statement that COPY's data would have to follow, or that gives some.
    Copy,
    /// The statement is empty.
    Empty,
}

/// An error of the server's, or a notice ("Error and Notice Message Fields" in its documentation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerWord {
    /// In English: `ERROR`, `FATAL`, `PANIC`, or a notice's.
    pub(super) severity: String,
    /// As in "PostgreSQL Error Codes".
    pub(super) sqlstate: String,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// In characters of the statement, from 1.
    pub(super) position: Option<i32>,
    /// Where it happened, line by line from within.
    pub(super) context: Option<String>,
    pub(super) table: Option<String>,
    pub(super) column: Option<String>,
    pub(super) constraint: Option<String>,
}

impl ServerWord {
    /// Reads the body of an ErrorResponse or a NoticeResponse.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Failure> {
        let mut word = ServerWord::default();
        let mut body = Reader::new(body);
        loop {
            let [field] = body.array()?;
            if field == 0 {
                break;
            }
            let text = String::from_utf8_lossy(body.text()?).into_owned();
            match field {
                // `V` is never translated; servers before 9.6 have only `S`.
                b'V' => word.severity = text,
                b'S' if word.severity.is_empty() => word.severity = text,
                b'C' => word.sqlstate = text,
                b'M' => word.message = text,
                b'D' => word.detail = Some(text),
                b'H' => word.hint = Some(text),
                b'P' => word.position = text.parse().ok(),
                b'W' => word.context = Some(text),
                b't' => word.table = Some(text),
                b'c' => word.column = Some(text),
                b'n' => word.constraint = Some(text),
                _ => {}
            }
        }
        Ok(word)
    }

    /// Whether the server ends the connection with it.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }

    /// As `details` of Diesel's error, which has no other place for the SQLSTATE.
    fn details(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{detail} ({SQLSTATE}{})", self.sqlstate),
            None => format!("{SQLSTATE}{}", self.sqlstate),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Lost(error.to_string().into())
    }
}

impl Failure {
    /// What stands before the kind of a message.
    pub(super) const UNEXPECTED: &str =
        "the server does not keep to the protocol: it sent a message that has no place there, of the kind ";

    /// The server said something that no server says.
    pub(super) fn protocol(what: &'static str) -> Self {
        Failure::Lost(format!("the server does not keep to the protocol: {what}").into())
    }

    /// The server's word from the body of an ErrorResponse.
    pub(super) fn server(body: &[u8]) -> Self {
        match ServerWord::parse(body) {
            Ok(word) => Failure::Server(Box::new(word)),
            Err(failure) => failure,
        }
    }

    /// The same with a hint, where the server gave none.
    pub(super) fn with_hint(mut self, hint: &str) -> Self {
        if let Failure::Server(word) = &mut self {
            word.hint.get_or_insert_with(|| hint.to_owned());
        }
        self
    }

    /// The same as the reason why a statement was not run that had no part in it.
    pub(super) fn of_another(mut self, consequence: &str) -> Self {
        if let Failure::Server(word) = &mut self {
            word.message = format!("{consequence}: {}", word.message);
            word.position = None;
        }
        self
    }

    /// Whether the connection is lost with it.
    pub(super) fn is_loss(&self) -> bool {
        match self {
            Failure::Lost(_) => true,
            Failure::Server(word) => word.is_fatal(),
            _ => false,
        }
    }

    /// What it says of a connection that is lost with it.
    pub(super) fn loss(&self) -> Loss {
        match self {
            Failure::Lost(loss) => loss.clone(),
            Failure::Server(word) => Loss::told(word.message.clone(), &word.sqlstate),
            other => other.to_string().into(),
        }
    }

    /// Without the value that an input function could not read: `invalid input syntax for type integer: "JFK"`.
    pub(super) fn without_value(mut self) -> Self {
        if let Failure::Server(word) = &mut self
            && word.sqlstate.starts_with(DATA_EXCEPTION)
        {
            word.message.truncate(before_value(&word.message).len());
        }
        self
    }

    /// The SQLSTATE, where the server spoke.
    pub(super) fn sqlstate(&self) -> Option<&str> {
        match self {
            Failure::Server(word) => Some(&word.sqlstate),
            _ => None,
        }
    }
}

/// The class of errors about values.
const DATA_EXCEPTION: &str = "22";

/// What an error says before it shows a value.
fn before_value(message: &str) -> &str {
    message.find(": \"").or(message.find(" \"")).map_or(message, |at| &message[..at])
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Server(word) => write!(f, "{} ({SQLSTATE}{})", word.message, word.sqlstate),
            Failure::Lost(loss) => loss.fmt(f),
            Failure::RolledBack => f.write_str(ROLLED_BACK),
            Failure::Aborted => {
                f.write_str("a statement of this transaction has failed, so it can only be rolled back")
            }
            Failure::Value(why) => f.write_str(why),
            Failure::Copy => f.write_str(COPY),
            Failure::Empty => f.write_str(EMPTY),
        }
    }
}

impl std::error::Error for Failure {}

/// What stands before a SQLSTATE in `details`.
const SQLSTATE: &str = "SQLSTATE ";
const ROLLED_BACK: &str = "the server rolled the transaction back where it was asked to commit, because a statement of it \
                           had failed; nothing of it is stored";
const COPY: &str = "COPY from or to the program is not done by this call (what else the statement does is done)";
const EMPTY: &str = "the statement is empty";
/// `details` of what is not the server's word.
const ABORTED: &str = "the transaction was rolled back";

impl From<Failure> for DieselError {
    fn from(failure: Failure) -> Self {
        let information = |kind, details: Option<&str>, failure: &Failure| {
            let word =
                ServerWord { message: failure.to_string(), detail: details.map(str::to_owned), ..Default::default() };
            DieselError::DatabaseError(kind, Box::new(Information { details: word.detail.clone(), word }))
        };
        match failure {
            Failure::Server(word) => {
                let details = Some(word.details());
                DieselError::DatabaseError(diesel_kind(&word), Box::new(Information { word: *word, details }))
            }
            Failure::Lost(ref loss) => {
                information(DatabaseErrorKind::ClosedConnection, loss.details().as_deref(), &failure)
            }
            Failure::RolledBack | Failure::Aborted => information(DatabaseErrorKind::Unknown, Some(ABORTED), &failure),
            Failure::Copy | Failure::Empty => information(DatabaseErrorKind::Unknown, None, &failure),
            Failure::Value(_) => DieselError::SerializationError(failure.to_string().into()),
        }
    }
}

/// The error of a connection of libpq's that was lost after something had been sent that may commit.
#[cfg(feature = "libpq")]
pub(crate) fn unknown_outcome(message: &str) -> DieselError {
    let word = ServerWord { message: message.to_owned(), ..ServerWord::default() };
    let details = Some(crate::net::loss::unknown_details());
    DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(Information { details, word }))
}

/// What Diesel's users see of an error.
#[derive(Debug)]
struct Information {
    word: ServerWord,
    details: Option<String>,
}

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        &self.word.message
    }

    /// The server's detail and SQLSTATE: `Key (id)=(1) already exists. (SQLSTATE 23505)`.
    fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    fn hint(&self) -> Option<&str> {
        self.word.hint.as_deref()
    }

    fn table_name(&self) -> Option<&str> {
        self.word.table.as_deref()
    }

    fn column_name(&self) -> Option<&str> {
        self.word.column.as_deref()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.word.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        self.word.position
    }
}

/// The kind of an error that this connection gave to Diesel.
pub(crate) fn kind_of_information(information: &dyn DatabaseErrorInformation) -> Option<ErrorKind> {
    let details = information.details()?;
    if details == ABORTED {
        return Some(ErrorKind::TransactionAborted);
    }
    Some(kind_of(sqlstate_of_details(details)?, information.message()))
}

/// The states of class 08 that say that a connection is gone, or was never made. Others are about another connection, as
/// those of `dblink`, or about a message: 08P01 comes for a number of values that is not that of the parameters.
const CONNECTION_STATES: [&str; 4] = ["08000", "08001", "08004", "08006"];

/// What a SQLSTATE means ("PostgreSQL Error Codes").
fn kind_of(sqlstate: &str, message: &str) -> ErrorKind {
    match sqlstate {
        "23505" => ErrorKind::UniqueViolation,
        "23503" | "23001" => ErrorKind::ForeignKeyViolation,
        "23502" => ErrorKind::NotNullViolation,
        "23514" => ErrorKind::CheckViolation,
        "42P01" => ErrorKind::UndefinedTable,
        "42703" => ErrorKind::UndefinedColumn,
        "42P07" => ErrorKind::DuplicateTable,
        "40001" | "40P01" => ErrorKind::SerializationFailure,
        "25006" => ErrorKind::ReadOnly,
        "55P03" => ErrorKind::LockTimeout,
        // One state for two things, which only the message tells apart, where it is English.
        "57014" if message.contains("statement timeout") => ErrorKind::StatementTimeout,
        "57014" => ErrorKind::Cancelled,
        "25P02" => ErrorKind::TransactionAborted,
        // Idle for too long, in a transaction or without one; a transaction that took too long.
        "25P03" | "25P04" | "57P05" => ErrorKind::ConnectionLost,
        "57P01" | "57P02" | "57P03" | "57P04" => ErrorKind::ConnectionLost,
        state if CONNECTION_STATES.contains(&state) => ErrorKind::ConnectionLost,
        _ => ErrorKind::Database,
    }
}

/// As Diesel's own connection has it, but for the connection's end, which it tells by other means.
fn diesel_kind(word: &ServerWord) -> DatabaseErrorKind {
    match word.sqlstate.as_str() {
        _ if word.is_fatal() => DatabaseErrorKind::ClosedConnection,
        "23505" => DatabaseErrorKind::UniqueViolation,
        "23503" => DatabaseErrorKind::ForeignKeyViolation,
        "23502" => DatabaseErrorKind::NotNullViolation,
        "23514" => DatabaseErrorKind::CheckViolation,
        "23001" => DatabaseErrorKind::RestrictViolation,
        "23P01" => DatabaseErrorKind::ExclusionViolation,
        "40001" => DatabaseErrorKind::SerializationFailure,
        "25006" => DatabaseErrorKind::ReadOnlyTransaction,
        state if CONNECTION_STATES.contains(&state) => DatabaseErrorKind::ClosedConnection,
        _ => DatabaseErrorKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn information(detail: Option<&str>) -> Box<dyn DatabaseErrorInformation + Send + Sync> {
        let word = ServerWord {
            sqlstate: "55P03".into(),
            message: "kann Sperre nicht setzen".into(),
            detail: detail.map(str::to_owned),
            ..ServerWord::default()
        };
        match Failure::Server(Box::new(word)).into() {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => information,
            other => panic!("a lock that was not to be had is no kind of Diesel's: {other:?}"),
        }
    }

    #[test]
    fn the_sqlstate_is_found_again_in_diesels_error() {
        for detail in [None, Some("Prozess 1 wartet (SQLSTATE 23505)."), Some("")] {
            let information = information(detail);
            assert_eq!(information.message(), "kann Sperre nicht setzen");
            assert_eq!(information.details().and_then(sqlstate_of_details), Some("55P03"));
            assert_eq!(kind_of_information(&*information), Some(ErrorKind::LockTimeout));
        }
    }

    #[test]
    fn each_field_of_an_error_is_read() -> Result<(), Failure> {
        let body = b"SFEHLER\0VERROR\0C23505\0Mno\0DKey\0Hhint\0P17\0tflights\0cid\0nflights_pkey\0Rxyz\0\0";
        let word = ServerWord::parse(body)?;
        assert_eq!((word.severity.as_str(), word.sqlstate.as_str(), word.position), ("ERROR", "23505", Some(17)));
        assert_eq!((word.table.as_deref(), word.constraint.as_deref()), (Some("flights"), Some("flights_pkey")));
        assert!(ServerWord::parse(b"SERROR\0").is_err());
        assert!(ServerWord::parse(b"SERROR").is_err());
        Ok(())
    }
}
