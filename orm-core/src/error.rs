//! One error type: its kind, what it happened to, and its cause.

use std::{error::Error as StdError, fmt};

use crate::backend::BackendKind;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause of any type.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What went wrong, to which model, field, row or statement.
///
/// [`kind`](Self::kind) is for programs; the text is for people. `Display` is this error's own sentence with its
/// context, [`source`](StdError::source) is the cause, and `Debug` prints the whole chain, so that a `main` which
/// returns `Result<(), orm_core::Error>` ends readably. No password is in any of them, and of bound values only the
/// primary key of a row that is refused: where a server's message quotes a value, it shows `…`.
///
/// ```
/// use orm_core::ErrorKind;
///
/// let error = orm_core::connect("postgers://localhost/flights").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert!(error.to_string().contains("unknown scheme `postgers`"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    backend: Option<BackendKind>,
    model: Option<&'static str>,
    field: Option<&'static str>,
    row: Option<u64>,
    key: Option<String>,
    sql: Option<String>,
    attempts: Option<u32>,
    source: Option<BoxError>,
}

/// What a program may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL, an option or a feature is wrong; nothing was sent anywhere.
    Configuration,
    /// No connection could be made: the server is unreachable, or refused the user, the password or the database.
    Connection,
    /// A connection that worked is gone, and nothing of the statement or the transaction is stored: it was not sent, it only
    /// reads, or the transaction had not come to its COMMIT. [`Error::sqlstate`] tells the server's reason, if it gave one, such
    /// as `57P01` (an administrator ended it) or `25P03` (the transaction was idle for too long).
    ConnectionLost,
    /// The connection was lost after a COMMIT, or a write outside of a transaction, had been sent and before it was answered: it
    /// may be stored. Check that before running it again. Nothing in this crate repeats such a statement by itself.
    OutcomeUnknown,
    /// No connection became free within the time that was set.
    PoolTimeout,
    /// The connection is taken by an open stream.
    ConnectionInUse,
    /// The query cannot mean what was asked: it was refused before anything was sent, or by a server that has no operator or
    /// function for the types of its columns.
    InvalidQuery,
    /// A value cannot be stored in its column as it is; nothing of it was sent, and nothing of its batch is stored.
    InvalidValue,
    /// A stored value does not fit its field, or a raw statement gives no column for it.
    Decode,
    /// `get` found no row.
    NotFound,
    /// `get` found more than one row.
    MultipleRows,
    /// A unique or primary key exists already.
    UniqueViolation,
    /// A foreign key has no row to refer to, or a row is still referred to.
    ForeignKeyViolation,
    /// NULL in a column that must not be NULL.
    NotNullViolation,
    /// A CHECK constraint said no.
    CheckViolation,
    /// A table or view does not exist (PostgreSQL 42P01; MySQL 1051, 1109, 1146), or is not in the statement.
    ///
    /// [`create_tables_if_missing`](crate::Database::create_tables_if_missing) creates tables, and
    /// [`check_schema`](crate::Database::check_schema) names all that are missing.
    UndefinedTable,
    /// A column does not exist (PostgreSQL 42703; MySQL 1054, 1072).
    UndefinedColumn,
    /// A table, view or index of this name exists already (PostgreSQL 42P07; MySQL 1050, 1061).
    DuplicateTable,
    /// The transaction lost against another one (serialization failure, deadlock): run it again.
    SerializationFailure,
    /// A write in a read-only transaction or database.
    ReadOnly,
    /// The server stopped a statement because it took too long.
    StatementTimeout,
    /// A lock was not to be had in time, or the database is locked.
    LockTimeout,
    /// Somebody cancelled the statement.
    Cancelled,
    /// A statement or a value is larger than the server takes (`max_allowed_packet`).
    TooLarge,
    /// An earlier statement of the transaction failed, so it can only be rolled back.
    TransactionAborted,
    /// The tables are not what the models say ([`Database::check_schema`](crate::Database::check_schema)).
    SchemaMismatch,
    /// Any other word from the database.
    Database,
}

impl Error {
    /// The builder of every error here: a kind and a sentence; context is added on the way up.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            backend: None,
            model: None,
            field: None,
            row: None,
            key: None,
            sql: None,
            attempts: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same with something more to know.
    pub(crate) fn noting(mut self, note: &str) -> Self {
        self.0.message = format!("{}; {note}", self.0.message);
        self
    }

    pub(crate) fn on_backend(mut self, backend: BackendKind) -> Self {
        self.0.backend.get_or_insert(backend);
        self
    }

    pub(crate) fn on_model(mut self, model: &'static str) -> Self {
        self.0.model.get_or_insert(model);
        self
    }

    pub(crate) fn on_field(mut self, field: &'static str) -> Self {
        self.0.field.get_or_insert(field);
        self
    }

    pub(crate) fn on_row(mut self, row: u64) -> Self {
        self.0.row.get_or_insert(row);
        self
    }

    pub(crate) fn with_key(mut self, key: Option<String>) -> Self {
        self.0.key = self.0.key.or(key);
        self
    }

    pub(crate) fn in_statement(mut self, sql: impl Into<String>) -> Self {
        self.0.sql.get_or_insert_with(|| sql.into());
        self
    }

    /// It was the last of so many attempts.
    pub(crate) fn after_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts.get_or_insert(attempts);
        self
    }

    /// Whether the database says that a transaction lost against another one, so that it may succeed when it is run again.
    pub(crate) fn is_lost_to_another(&self) -> bool {
        match (self.0.kind, self.0.backend) {
            (ErrorKind::SerializationFailure, _) => true,
            // SQLite has one word for a snapshot that is too old to write on and for a writer that takes too long.
            (ErrorKind::LockTimeout, Some(BackendKind::Sqlite)) => {
                self.source().is_some_and(|source| source.to_string().contains("database is locked"))
            }
            _ => false,
        }
    }

    /// The error with another cause in place of its own.
    #[cfg(feature = "postgres")]
    pub(crate) fn map_source(mut self, f: impl FnOnce(BoxError) -> BoxError) -> Self {
        self.0.source = self.0.source.take().map(f);
        self
    }

    /// What a program may want to tell apart.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The backend that it happened on, once one was reached.
    pub fn backend(&self) -> Option<BackendKind> {
        self.0.backend
    }

    /// The SQLSTATE that a PostgreSQL, MySQL or MariaDB server gave, such as `23505`, where the error is its own word.
    ///
    /// What else the server told (its detail, hint, constraint, table and column) is in the cause, Diesel's
    /// `DatabaseErrorInformation`.
    pub fn sqlstate(&self) -> Option<&str> {
        let source = self.0.source.as_deref()?;
        if let Some(reason) = source.downcast_ref::<Reason>() {
            return reason.sqlstate.as_deref();
        }
        let mut error = source.downcast_ref::<diesel::result::Error>()?;
        while let diesel::result::Error::RollbackErrorOnCommit { commit_error, .. } = error {
            error = commit_error;
        }
        match error {
            diesel::result::Error::DatabaseError(_, information) => sqlstate_of_details(information.details()?),
            _ => None,
        }
    }

    /// The error of a statement that only reads: where the connection was lost, nothing can have been stored.
    pub(crate) fn of_read(mut self) -> Self {
        if self.0.kind == ErrorKind::OutcomeUnknown {
            self.0.kind = ErrorKind::ConnectionLost;
            self.0.message = crate::diesel_error::sentence(ErrorKind::ConnectionLost).to_owned();
        }
        self
    }

    /// The name of the model that it happened to.
    pub fn model(&self) -> Option<&'static str> {
        self.0.model
    }

    /// The field whose value it is about.
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// The row that it happened at, counted from 1 in the order of the stream or of the rows to be written.
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }

    /// The primary key of that row, as `Debug` prints it.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// How many attempts at a transaction there were, where it lost against another one in the last of
    /// [several](crate::TransactionBuilder::retries).
    pub fn attempts(&self) -> Option<u32> {
        self.0.attempts
    }

    /// The statement, with placeholders in place of its values.
    pub fn sql(&self) -> Option<&str> {
        self.0.sql.as_deref()
    }
}

/// The SQLSTATE at the end of `details`, where our own connections put it.
pub(crate) fn sqlstate_of_details(details: &str) -> Option<&str> {
    let (_, end) = details.rsplit_once("SQLSTATE ")?;
    let state = end.trim_end_matches(')');
    (state.len() == 5).then_some(state)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.write_str(&inner.message)?;
        let subject = match (inner.model, inner.field) {
            (Some(model), Some(field)) => Some(format!("field `{model}::{field}`")),
            (Some(model), None) => Some(format!("model `{model}`")),
            (None, Some(field)) => Some(format!("field `{field}`")),
            (None, None) => None,
        };
        let context: Vec<String> = [
            subject,
            inner.row.map(|row| format!("row {row}")),
            inner.key.as_ref().map(|key| format!("primary key {key}")),
            inner.backend.map(|backend| backend.to_string()),
            inner.attempts.map(|attempts| format!("in the last of {attempts} attempts")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !context.is_empty() {
            write!(f, " ({})", context.join(", "))?;
        }
        if let Some(sql) = &inner.sql {
            write!(f, " in: {sql}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.kind())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// What an earlier error said, as the cause of a later one.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) text: String,
    pub(crate) sqlstate: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Reason {}

/// A sentence as a cause, where there is no error value to keep.
#[derive(Debug)]
pub(crate) struct Text(pub(crate) String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Text {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_the_sentence_with_its_context_and_the_chain_goes_on_in_source() {
        let error = Error::new(ErrorKind::Decode, "the value does not fit its field")
            .with_source(Text("NULL".into()))
            .on_backend(BackendKind::Sqlite)
            .on_model("Flight")
            .on_field("distance")
            .on_row(7)
            .with_key(Some("12".into()));
        assert_eq!(
            error.to_string(),
            "the value does not fit its field (field `Flight::distance`, row 7, primary key 12, SQLite)"
        );
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("NULL"));
        assert!(format!("{error:?}").ends_with("[Decode]\n  caused by: NULL"));
    }

    #[test]
    fn the_innermost_context_wins() {
        let error = Error::new(ErrorKind::Decode, "x").on_model("Inner").on_model("Outer");
        assert_eq!(error.model(), Some("Inner"));
    }

    #[test]
    fn an_error_is_one_word_and_can_cross_threads() {
        fn sendable<T: Send + Sync + 'static>() {}
        sendable::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
