//! What a server can do, by the version that it reports.

/// A server's product and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    is_mariadb: bool,
    numbers: (u32, u32, u32),
}

impl Version {
    /// Reads a version such as `8.4.3` or `10.11.19-MariaDB`.
    pub(crate) fn parse(version: &str) -> Self {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Version { is_mariadb: version.contains("MariaDB"), numbers: (next(), next(), next()) }
    }

    /// Whether it has common table expressions, and a collation that compares text by its code points.
    pub(crate) fn is_supported(self) -> bool {
        self.numbers >= if self.is_mariadb { (10, 2, 2) } else { (8, 0, 17) }
    }

    /// Whether it supports `INSERT … RETURNING`.
    pub(crate) fn returns_rows(self) -> bool {
        self.is_mariadb && self.numbers >= (10, 5, 0)
    }

    /// Whether rows of a union may be written as `VALUES (…), (…)`. (MySQL wants `VALUES ROW(…), ROW(…)`.)
    pub(crate) fn unites_values(self) -> bool {
        self.is_mariadb && self.numbers >= (10, 4, 0)
    }

    /// Whether it may be asked to execute an INSERT for many rows at once, if it says that it can.
    pub(super) fn executes_for_rows(self) -> bool {
        self.is_mariadb && self.numbers >= (10, 6, 0)
    }

    /// Whether the number -1 names the statement that was prepared last, so that a statement can be prepared and executed in
    /// one round trip.
    pub(super) fn executes_the_last_prepared(self) -> bool {
        self.is_mariadb && self.numbers >= (10, 2, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_known_by_their_version() {
        for version in ["8.0.17", "8.4.3", "9.0.0-debug", "10.2.2-MariaDB", "11.8.3-MariaDB-ubu2404"] {
            assert!(Version::parse(version).is_supported(), "{version}");
        }
        for version in ["5.7.44-log", "8.0.16", "10.2.1-MariaDB", "5.5.68-MariaDB"] {
            assert!(!Version::parse(version).is_supported(), "{version}");
        }
    }

    #[test]
    fn mariadb_alone_returns_rows_and_not_in_every_version() {
        let returns_rows = |version| Version::parse(version).returns_rows();
        assert!(returns_rows("10.5.4-MariaDB-log") && returns_rows("11.8.3-MariaDB-ubu2404"));
        assert!(Version::parse("10.4.32-MariaDB").unites_values() && !Version::parse("8.4.3").unites_values());
        assert!(!returns_rows("10.4.32-MariaDB") && !returns_rows("8.4.3") && !returns_rows("9.0.0-debug"));
    }
}
