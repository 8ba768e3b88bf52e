//! The values of options that the servers' URLs have in common.

use std::{borrow::Cow, fmt, path::PathBuf, time::Duration};

use super::url::configuration;
use crate::error::{Error, Result};

/// A value, and where it stands, for messages.
#[derive(Clone)]
pub(crate) struct Said<'a> {
    pub(crate) place: Place,
    pub(crate) value: Cow<'a, str>,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the URL, as the option of this name.
    Option(&'static str),
    /// In the program's environment, as the variable of this name.
    #[cfg(feature = "postgres")]
    Variable(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Option(name) => write!(f, "the URL's option `{name}`"),
            #[cfg(feature = "postgres")]
            Place::Variable(name) => write!(f, "the variable `{name}`"),
        }
    }
}

impl Said<'_> {
    /// An error that tells where the value stands, and not the value.
    pub(crate) fn wrong(&self, what: &str) -> Error {
        configuration(format!("{} {what}", self.place))
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_in_url(&self) -> bool {
        matches!(self.place, Place::Option(_))
    }

    #[cfg(feature = "mysql")]
    pub(crate) fn switch(&self) -> Result<bool> {
        match &*self.value {
            "false" => Ok(false),
            "true" => Ok(true),
            _ => Err(self.wrong("is `true` or `false`")),
        }
    }

    /// Seconds above zero, which may have a fraction.
    pub(crate) fn duration(&self) -> Result<Duration> {
        self.seconds()
            .filter(|limit| !limit.is_zero())
            .ok_or_else(|| self.wrong("is a number of seconds above zero, such as `10` or `0.5`"))
    }

    /// Seconds, which may have a fraction.
    pub(crate) fn seconds(&self) -> Option<Duration> {
        self.value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// The path of a file of keys or certificates, which is shown if the file cannot be read.
    pub(crate) fn file(&self) -> Result<PathBuf> {
        if self.value.contains("-----BEGIN") || self.value.contains(['\n', '\r']) {
            return Err(self.wrong("is the path of a file in PEM form, not what the file holds"));
        }
        Ok(PathBuf::from(&*self.value))
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T> {
        match choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(&self.value)) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let known: Vec<_> = choices.iter().map(|(known, _)| format!("`{known}`")).collect();
                Err(self.wrong(&format!("is one of {}", known.join(", "))))
            }
        }
    }
}
