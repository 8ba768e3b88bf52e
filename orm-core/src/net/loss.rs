//! Why a connection is lost, and whether something may have been committed that nobody has answered.

use std::{borrow::Cow, fmt};

/// Why a connection is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// What happened, in the server's or the system's words.
    pub(crate) why: Cow<'static, str>,
    /// The SQLSTATE of the server's last error, if it gave a reason.
    pub(crate) sqlstate: Option<String>,
    /// Whether a commit was sent, in whole or in part, and not answered.
    pub(crate) is_unknown: bool,
}

impl Loss {
    /// A loss for which the server gave the reason.
    pub(crate) fn told(why: String, sqlstate: &str) -> Self {
        Loss { why: why.into(), sqlstate: Some(sqlstate.to_owned()), is_unknown: false }
    }

    /// The same loss, as the reason why nothing more is sent.
    pub(crate) fn before(&self) -> Self {
        Loss {
            why: format!("it broke before: {}", self.why).into(),
            sqlstate: self.sqlstate.clone(),
            is_unknown: false,
        }
    }

    /// `details` of Diesel's error, which has no other place for it.
    pub(crate) fn details(&self) -> Option<String> {
        match (self.is_unknown, &self.sqlstate) {
            (true, None) => Some(OUTCOME_UNKNOWN.to_owned()),
            (true, Some(state)) => Some(format!("{OUTCOME_UNKNOWN} ({SQLSTATE}{state})")),
            (false, Some(state)) => Some(format!("{SQLSTATE}{state}")),
            (false, None) => None,
        }
    }
}

const SQLSTATE: &str = "SQLSTATE ";
/// How `details` begins where the outcome of a statement is not known.
const OUTCOME_UNKNOWN: &str = "the outcome is unknown: check whether it was committed before it is run again";

/// Whether `details` of a lost connection say that the outcome of a statement is not known.
pub(crate) fn is_unknown(details: Option<&str>) -> bool {
    details.is_some_and(|details| details.starts_with(OUTCOME_UNKNOWN))
}

/// `details` for the loss of a connection whose statement may have been committed.
#[cfg(feature = "libpq")]
pub(crate) fn unknown_details() -> String {
    OUTCOME_UNKNOWN.to_owned()
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection to the server is lost: {}", self.why)
    }
}

impl From<Cow<'static, str>> for Loss {
    fn from(why: Cow<'static, str>) -> Self {
        Loss { why, sqlstate: None, is_unknown: false }
    }
}

impl From<&'static str> for Loss {
    fn from(why: &'static str) -> Self {
        Cow::from(why).into()
    }
}

impl From<String> for Loss {
    fn from(why: String) -> Self {
        Cow::from(why).into()
    }
}
