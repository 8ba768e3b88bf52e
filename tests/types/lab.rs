//! The tables that the cells of one column type share.

use orm_core::{Database, ErrorKind};
use orm_tests::{Bed, Pick, Witness};

use crate::columns::{ColumnType, Key};

/// One column type in four tables: as an ordinary column, as one that may be NULL, as a primary key and as a reference to
/// it. The rows are written by the witness.
pub(crate) struct Lab<'b> {
    pub(crate) bed: &'b Bed,
    pub(crate) db: Database,
    pub(crate) witness: Witness,
    pub(crate) column: &'static ColumnType,
    /// The SQL literals of the stored values.
    pub(crate) literals: Vec<&'static str>,
}

impl<'b> Lab<'b> {
    /// Creates the tables.
    pub(crate) fn new(bed: &'b Bed, column: &'static ColumnType) -> orm_core::Result<Self> {
        let mut witness = bed.witness();
        for table in ["held", "maybe", "keyed", "referring"] {
            witness.execute(&format!("DROP TABLE IF EXISTS {table}"));
        }
        // One connection, so that a setting is that of all statements.
        let db = Database::builder().pool_size(1).connect(bed.url())?;
        // Thousands of small writes; nothing is to survive the machine.
        for setting in bed.pick(Pick { postgres: &[][..], mysql: &[], sqlite: &["PRAGMA synchronous = OFF"] }) {
            db.batch_execute(setting)?;
            witness.execute(setting);
        }
        if !column.setup.is_empty() {
            witness.execute(column.setup);
        }
        let (declared, integer) =
            (column.declared, bed.pick(Pick { postgres: "INT", mysql: "INT", sqlite: "INTEGER" }));
        for (table, null) in [("held", "NOT NULL"), ("maybe", "NULL")] {
            witness.execute(&format!(
                "CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, v {declared} {null}, n {integer} NOT NULL)"
            ));
        }
        let key = match column.key {
            Key::Whole => Some("PRIMARY KEY (v)".to_owned()),
            Key::Prefix(length) => Some(format!("PRIMARY KEY (v({length}))")),
            Key::None => None,
        };
        if let Some(key) = key {
            witness.execute(&format!(
                "CREATE TABLE keyed (v {declared} NOT NULL, n {integer} NOT NULL, tag {integer} NULL, {key})"
            ));
            witness.execute(&format!("CREATE TABLE referring (id BIGINT NOT NULL PRIMARY KEY, v {declared} NOT NULL)"));
        }
        let literals = column.values.iter().chain(column.special).copied().collect();
        Ok(Lab { bed, db, witness, column, literals })
    }

    /// Whether there are the tables `keyed` and `referring`.
    pub(crate) fn has_key(&self) -> bool {
        !matches!(self.column.key, Key::None)
    }

    /// The values, with the rows' numbers.
    pub(crate) fn rows(&self) -> Vec<(i64, &'static str)> {
        (1..).zip(self.literals.iter().copied()).collect()
    }

    /// Stores every value in a table of numbered rows.
    pub(crate) fn fill(&mut self, table: &str) {
        self.witness.execute(&format!("DELETE FROM {table}"));
        let rows: Vec<_> = self.rows().iter().map(|(id, literal)| format!("({id}, {literal}, 0)")).collect();
        self.witness.execute(&format!("INSERT INTO {table} (id, v, n) VALUES {}", rows.join(", ")));
    }

    /// The rows of `held` or `maybe` that the database itself takes for equal to this one.
    pub(crate) fn equal_to(&mut self, table: &str, id: i64) -> Vec<i64> {
        self.numbers(&format!("SELECT b.id FROM {table} a JOIN {table} b ON a.v = b.v WHERE a.id = {id}"))
    }

    /// The integers of a query, sorted.
    pub(crate) fn numbers(&mut self, sql: &str) -> Vec<i64> {
        let texts = self.witness.texts(sql);
        let mut numbers: Vec<i64> = texts.into_iter().flatten().filter_map(|text| text.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// What `check_schema` and `check_schema_for_reading` say of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fits,
    FitsReaders,
    Unfit,
}

impl Verdict {
    /// # Panics
    ///
    /// If a check fails in another way than by finding a difference.
    pub(crate) fn of(writing: orm_core::Result<()>, reading: orm_core::Result<()>) -> Self {
        let passes = |checked: orm_core::Result<()>| match checked {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::SchemaMismatch => false,
            Err(error) => panic!("the check itself failed: {error:?}"),
        };
        match (passes(writing), passes(reading)) {
            (true, true) => Verdict::Fits,
            (false, true) => Verdict::FitsReaders,
            (false, false) => Verdict::Unfit,
            (true, false) => panic!("it fits writers, who also read, and not readers"),
        }
    }
}
