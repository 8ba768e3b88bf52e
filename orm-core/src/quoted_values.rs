//! Messages of servers without the values that they quote.
//!
//! A server repeats values in its messages: `Duplicate entry 'ada@example.org' for key 'users.email'`, `invalid input syntax
//! for type integer: "JFK"`. They may be anything that the program has bound, so an error shows `…` in their place. Everything
//! else of what the server told stays, its SQLSTATE and the names of constraints and columns among it.

use diesel::result::{DatabaseErrorInformation, Error as DieselError};

use crate::{backend::BackendKind, error::sqlstate_of_details};

/// The error, with such a message.
pub(crate) fn hide(error: DieselError, backend: BackendKind) -> DieselError {
    match error {
        DieselError::DatabaseError(kind, information) => {
            let message = match backend {
                BackendKind::Mysql => of_mysql(&*information),
                BackendKind::Postgres => of_postgres(&*information),
                // SQLite quotes no values.
                BackendKind::Sqlite => None,
            };
            match message {
                Some(message) => DieselError::DatabaseError(kind, Box::new(WithoutValues { information, message })),
                None => DieselError::DatabaseError(kind, information),
            }
        }
        DieselError::RollbackErrorOnCommit { rollback_error, commit_error } => DieselError::RollbackErrorOnCommit {
            rollback_error: Box::new(hide(*rollback_error, backend)),
            commit_error: Box::new(hide(*commit_error, backend)),
        },
        other => other,
    }
}

/// The numbers of errors about a key that exists already.
const DUPLICATE_KEYS: [u32; 2] = [1062, 1586];
/// Those of errors about values: `ER_TRUNCATED_WRONG_VALUE`, `ER_TRUNCATED_WRONG_VALUE_FOR_FIELD`,
/// `ER_WRONG_VALUE_FOR_TYPE`, `ER_WRONG_VALUE`, `ER_DATA_OUT_OF_RANGE`.
const WRONG_VALUES: [u32; 5] = [1292, 1366, 1411, 1525, 1690];

fn of_mysql(information: &dyn DatabaseErrorInformation) -> Option<String> {
    let message = information.message();
    let number: u32 = information.details()?.strip_prefix("error ")?.split(',').next()?.parse().ok()?;
    if DUPLICATE_KEYS.contains(&number) {
        // The primary key of a row that is refused may be shown.
        let is_primary = message.ends_with("'PRIMARY'") || message.ends_with(".PRIMARY'");
        return if is_primary { None } else { between(message, '\'', "' for key ") };
    }
    if WRONG_VALUES.contains(&number) { between(message, '\'', "' for ") } else { None }
}

fn of_postgres(information: &dyn DatabaseErrorInformation) -> Option<String> {
    let message = information.message();
    let is_about_a_value = match information.details().and_then(sqlstate_of_details) {
        Some(state) => state.starts_with("22"),
        // Diesel's own connection passes on no SQLSTATE.
        None => message.starts_with("invalid input ") || message.contains("\" is out of range for type "),
    };
    if is_about_a_value { between(message, '"', "\"") } else { None }
}

/// The message with `…` for what stands between the first quote and the last end, or else the last quote.
fn between(message: &str, quote: char, end: &str) -> Option<String> {
    let start = message.find(quote)? + quote.len_utf8();
    let quoted = &message[start..];
    let length = quoted.rfind(end).or_else(|| quoted.rfind(quote))?;
    Some(format!("{}…{}", &message[..start], &quoted[length..]))
}

/// What a server told, with another message.
struct WithoutValues {
    information: Box<dyn DatabaseErrorInformation + Send + Sync>,
    message: String,
}

impl DatabaseErrorInformation for WithoutValues {
    fn message(&self) -> &str {
        &self.message
    }
    fn details(&self) -> Option<&str> {
        self.information.details()
    }
    fn hint(&self) -> Option<&str> {
        self.information.hint()
    }
    fn table_name(&self) -> Option<&str> {
        self.information.table_name()
    }
    fn column_name(&self) -> Option<&str> {
        self.information.column_name()
    }
    fn constraint_name(&self) -> Option<&str> {
        self.information.constraint_name()
    }
    fn statement_position(&self) -> Option<i32> {
        self.information.statement_position()
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::DatabaseErrorKind;

    use super::*;

    struct Told(&'static str, Option<String>);
    impl DatabaseErrorInformation for Told {
        fn message(&self) -> &str {
            self.0
        }
        fn details(&self) -> Option<&str> {
            self.1.as_deref()
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
            Some("a constraint")
        }
        fn statement_position(&self) -> Option<i32> {
            None
        }
    }

    fn shown(backend: BackendKind, message: &'static str, details: Option<String>) -> String {
        let error = DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(Told(message, details)));
        match hide(error, backend) {
            DieselError::DatabaseError(_, information) => {
                assert_eq!(information.constraint_name(), Some("a constraint"));
                information.message().to_owned()
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn mysql_quotes_no_value() {
        let shown =
            |number: u32, message| shown(BackendKind::Mysql, message, Some(format!("error {number}, SQLSTATE X")));
        assert_eq!(
            shown(1062, "Duplicate entry 'a@b' for key 'users.email'"),
            "Duplicate entry '…' for key 'users.email'"
        );
        assert_eq!(shown(1062, "Duplicate entry 'it's for key 'x' for key 'k'"), "Duplicate entry '…' for key 'k'");
        let primary = "Duplicate entry '7' for key 'users.PRIMARY'";
        assert_eq!(shown(1062, primary), primary);
        assert_eq!(
            shown(1366, "Incorrect integer value: 'JFK' for column `db`.`t`.`c` at row 1"),
            "Incorrect integer value: '…' for column `db`.`t`.`c` at row 1"
        );
        assert_eq!(shown(1292, "Truncated incorrect DOUBLE value: 'x'"), "Truncated incorrect DOUBLE value: '…'");
        let other = "Unknown column 'x' in 'field list'";
        assert_eq!(shown(1054, other), other);
    }

    #[test]
    fn postgres_quotes_no_value() {
        let shown = |state: Option<&str>, message| {
            shown(BackendKind::Postgres, message, state.map(|state| format!("SQLSTATE {state}")))
        };
        for state in [Some("22P02"), None] {
            assert_eq!(
                shown(state, "invalid input syntax for type integer: \"a \"b\" c\""),
                "invalid input syntax for type integer: \"…\""
            );
            assert_eq!(
                shown(state, "value \"99999999999\" is out of range for type integer"),
                "value \"…\" is out of range for type integer"
            );
        }
        for (state, message) in [
            (Some("23505"), "duplicate key value violates unique constraint \"users_email_key\""),
            (Some("42P01"), "relation \"users\" does not exist"),
            (Some("22012"), "division by zero"),
        ] {
            assert_eq!(shown(state, message), message);
        }
    }
}
