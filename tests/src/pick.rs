//! What differs from backend to backend: SQL, messages, and what a database can keep.

use orm_core::BackendKind;

use crate::Bed;

/// One value for each backend.
#[derive(Clone, Copy, Debug)]
pub struct Pick<T> {
    /// What holds on PostgreSQL.
    pub postgres: T,
    /// What holds on MySQL and MariaDB.
    pub mysql: T,
    /// What holds on SQLite.
    pub sqlite: T,
}

impl Bed {
    /// The value for this bed's backend.
    pub fn pick<T>(&self, from: Pick<T>) -> T {
        match self.backend() {
            BackendKind::Postgres => from.postgres,
            BackendKind::Mysql => from.mysql,
            BackendKind::Sqlite => from.sqlite,
            other => unreachable!("no test runs on {other}"),
        }
    }

    /// A name as SQL has to show it so that it is taken for a name, whatever is in it.
    pub fn quoted(&self, name: &str) -> String {
        let quote = self.pick(Pick { postgres: '"', mysql: '`', sqlite: '"' });
        format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
    }

    /// A query of the integers from 1 to `last` in this order, as a column `n`. It is read as far as it is asked for.
    pub fn series(&self, last: i64) -> String {
        self.pick(Pick {
            // In the list of columns the function is called row by row; after FROM it would be called to its end.
            postgres: format!("SELECT generate_series(1, {last}::bigint) AS n"),
            mysql: format!("SELECT CAST(seq AS SIGNED) AS n FROM seq_1_to_{last}"),
            sqlite: format!(
                "WITH RECURSIVE s (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s"
            ),
        })
    }

    /// An expression of the integer `n` that the database fails to compute, though it looks at it no sooner than at the
    /// row; and what the database says then.
    pub fn failure(&self, n: &str) -> (String, &'static str) {
        self.pick(Pick {
            postgres: (format!("{n} / ({n} - {n})"), "division by zero"),
            // These two divide by zero without a word.
            mysql: (format!("{n} + 9223372036854775807"), "out of range"),
            sqlite: ("abs(-9223372036854775807 - 1)".to_owned(), "integer overflow"),
        })
    }

    /// Whether other statements may run in a transaction while a stream is open in it.
    pub fn shares_a_connection_with_a_stream(&self) -> bool {
        self.backend() == BackendKind::Postgres
    }

    /// Whether text may hold the character NUL.
    pub fn keeps_nul_in_text(&self) -> bool {
        self.backend() != BackendKind::Postgres
    }

    /// Whether searches, and the text of SQL, go on behind the character NUL.
    pub fn reads_past_nul(&self) -> bool {
        self.backend() == BackendKind::Mysql
    }

    /// Whether a date may have a year of more than four digits.
    pub fn keeps_far_years(&self) -> bool {
        self.backend() == BackendKind::Postgres
    }

    /// Whether a column may hold NaN.
    pub fn keeps_nan(&self) -> bool {
        self.backend() == BackendKind::Postgres
    }

    /// Whether a column may hold every `u64`.
    pub fn keeps_u64(&self) -> bool {
        self.backend() == BackendKind::Mysql
    }

    /// Whether a column may hold the infinite numbers.
    pub fn keeps_infinity(&self) -> bool {
        self.backend() != BackendKind::Mysql
    }

    /// Whether a decimal may have more than 35 digits before the point.
    pub fn keeps_wide_decimals(&self) -> bool {
        self.backend() != BackendKind::Mysql
    }

    /// Whether NULL is greater than every value where an order does not say.
    pub fn sorts_null_last(&self) -> bool {
        self.backend() == BackendKind::Postgres
    }

    /// Whether a transaction that is rolled back takes the tables with it that it made.
    pub fn undoes_create_table(&self) -> bool {
        self.backend() != BackendKind::Mysql
    }
}
