//! The backends that tests run on, and the cargo features that each needs.

use std::str::FromStr;

use crate::server::Kind;

/// The members with one feature per backend, all on by default. The other members follow them: they get their
/// backends' features from these.
const PACKAGES: [&str; 3] = ["orm-tests", "orm-examples", "orm-bench"];

/// The member that needs all backends: cargo would switch them on for the others as well.
const NEEDS_ALL: &str = "orm-ui-tests";

/// The value of `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    Mysql,
    All,
}

impl Backend {
    /// What the help shows for `--backend`.
    pub(crate) const VALUES: &'static str = "sqlite|postgres|mysql|all";

    /// Whether it is this backend that is asked for, or all are.
    pub(crate) fn includes(self, one: Backend) -> bool {
        self == Backend::All || self == one
    }

    /// The servers that are needed.
    pub(crate) fn servers(self) -> Vec<Kind> {
        let backend = |kind| match kind {
            Kind::Postgres => Backend::Postgres,
            Kind::Mysql => Backend::Mysql,
        };
        Kind::ALL.into_iter().filter(|&kind| self.includes(backend(kind))).collect()
    }

    /// What to tell cargo, so that the workspace is built with this backend and no other.
    pub(crate) fn feature_arguments(self) -> Vec<String> {
        let feature = match self {
            Backend::All => return Vec::new(),
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
        };
        let features = PACKAGES.map(|package| format!("{package}/{feature}")).join(",");
        vec![
            "--exclude".to_owned(),
            NEEDS_ALL.to_owned(),
            "--no-default-features".to_owned(),
            "--features".to_owned(),
            features,
        ]
    }

    /// The same for the documentation's examples, which run on SQLite in memory whatever else is tested.
    pub(crate) fn documentation_arguments(self) -> Vec<String> {
        match self {
            Backend::Postgres | Backend::Mysql => Backend::All.feature_arguments(),
            Backend::Sqlite | Backend::All => self.feature_arguments(),
        }
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "sqlite" => Ok(Backend::Sqlite),
            "postgres" => Ok(Backend::Postgres),
            "mysql" => Ok(Backend::Mysql),
            "all" => Ok(Backend::All),
            _ => Err(format!("the backends are {}", Backend::VALUES)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_backend_switches_the_others_off() {
        assert_eq!(Backend::All.feature_arguments(), [""; 0]);
        assert_eq!(
            Backend::Sqlite.feature_arguments(),
            [
                "--exclude",
                "orm-ui-tests",
                "--no-default-features",
                "--features",
                "orm-tests/sqlite,orm-examples/sqlite,orm-bench/sqlite"
            ]
        );
        assert_eq!(
            Backend::Postgres.feature_arguments()[4],
            "orm-tests/postgres,orm-examples/postgres,orm-bench/postgres"
        );
    }

    #[test]
    fn a_backend_needs_its_own_server() {
        assert_eq!(Backend::All.servers(), [Kind::Postgres, Kind::Mysql]);
        assert_eq!(Backend::Postgres.servers(), [Kind::Postgres]);
        assert_eq!(Backend::Mysql.servers(), [Kind::Mysql]);
        assert_eq!(Backend::Sqlite.servers(), []);
    }

    #[test]
    fn unknown_backends_are_refused_with_the_known_ones() {
        assert_eq!("all".parse(), Ok(Backend::All));
        let error = Backend::from_str("Postgres").expect_err("names are in small letters");
        assert!(error.contains(Backend::VALUES));
    }
}
