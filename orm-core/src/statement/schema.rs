//! CREATE TABLE, keys and indices.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{push_columns, push_table};
use crate::{
    backend::{BackendKind, Driver},
    model::{Column, Relation, Table},
    types::{default::ColumnDefault, limit::Limit},
};

/// One statement of a schema.
pub(crate) enum Definition {
    Table {
        table: &'static Table,
        /// The positions of the columns of each unique constraint: those that were declared, and each column that another
        /// table refers to.
        unique: Vec<Vec<usize>>,
    },
    ForeignKey {
        table: &'static Table,
        relation: &'static Relation,
    },
    Index {
        table: &'static Table,
        columns: Vec<usize>,
    },
}

/// All statements that the tables need, in an order in which they can run.
pub(crate) fn definitions<DB: Driver>(tables: &[&'static Table]) -> Vec<Definition> {
    let mut all = Vec::new();
    for table in tables {
        all.push(Definition::Table { table, unique: unique(table, tables) });
    }
    for table in tables {
        all.extend(indexes(table).into_iter().map(|columns| Definition::Index { table, columns }));
        // After the indices, because MySQL makes one of its own for a key that has none.
        for relation in table.relations {
            if !DB::INLINE_FOREIGN_KEYS && !relation.may_dangle {
                all.push(Definition::ForeignKey { table, relation });
            }
        }
    }
    all
}

/// The unique constraints of a table beside its primary key.
fn unique(table: &Table, tables: &[&'static Table]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = table.unique.iter().map(|columns| columns.to_vec()).collect();
    let mut referred: Vec<usize> = tables
        .iter()
        .flat_map(|from| from.relations)
        .filter(|relation| (relation.to)().is(table))
        .map(|relation| relation.to_column)
        .collect();
    referred.sort_unstable();
    for column in referred {
        if !all.contains(&vec![column]) {
            all.push(vec![column]);
        }
    }
    all.retain(|columns| columns != table.primary_key);
    all
}

/// The indexes of a table: those that were declared, and one for each relation. A column that is the first of a key or of
/// another index needs none of its own.
fn indexes(table: &Table) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = table.indexes.iter().map(|columns| columns.to_vec()).collect();
    let mut keys: Vec<usize> = table.relations.iter().map(|relation| relation.column).collect();
    keys.sort_unstable();
    for key in keys {
        let mut others = table.unique.iter().copied().chain([table.primary_key]);
        if !others.any(|columns| columns.first() == Some(&key)) && !all.iter().any(|columns| columns[..1] == [key]) {
            all.push(vec![key]);
        }
    }
    all
}

/// The longest name that every backend takes, in bytes.
const LONGEST_NAME: usize = 63;

/// The name of an index or of a unique constraint: the table's and the columns'. One that is too long keeps its end, behind
/// a hash of the whole.
fn name(table: &Table, columns: &[usize], suffix: &str) -> String {
    let columns = columns.iter().map(|at| format!("__{}", table.columns[*at].name));
    let name = format!("{}{}{suffix}", table.name, columns.collect::<String>());
    if name.len() <= LONGEST_NAME {
        return name;
    }
    // FNV-1a, so that the name is the same in every version of the program.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut start = name.len() - (LONGEST_NAME - 18);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    format!("{hash:016x}__{}", &name[start..])
}

/// A key that is longer than a backend's longest.
pub(crate) struct LongKey {
    /// The positions of its columns.
    pub(crate) columns: Vec<usize>,
    /// Its length in bytes.
    pub(crate) bytes: u32,
}

impl Definition {
    /// The first key or index here of more than so many bytes, by the types of its columns on MySQL and MariaDB.
    pub(crate) fn key_longer_than(&self, most: u32) -> Option<LongKey> {
        let table = self.table();
        let keys: Vec<&[usize]> = match self {
            Definition::Table { unique, .. } => unique.iter().map(Vec::as_slice).chain([table.primary_key]).collect(),
            Definition::Index { columns, .. } => vec![columns],
            Definition::ForeignKey { .. } => Vec::new(),
        };
        let bytes = |columns: &[usize]| {
            columns.iter().fold(0_u32, |sum, at| sum.saturating_add(table.columns[*at].key_bytes()))
        };
        let long = keys.into_iter().find(|columns| bytes(columns) > most)?;
        Some(LongKey { columns: long.to_vec(), bytes: bytes(long) })
    }
}

impl Column {
    /// The most bytes of a value in a key of MySQL's or MariaDB's.
    fn key_bytes(&self) -> u32 {
        let length = match self.limit {
            Some(Limit::Length(most)) => most,
            _ => 255,
        };
        match self.sql.mysql {
            "LONGTEXT" => length.saturating_mul(4),
            "LONGBLOB" => length,
            _ => 16,
        }
    }
}

impl Definition {
    /// The table that it is about.
    pub(crate) fn table(&self) -> &'static Table {
        match self {
            Definition::Table { table, .. }
            | Definition::ForeignKey { table, .. }
            | Definition::Index { table, .. } => table,
        }
    }
}

impl QueryId for Definition {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Definition {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        match self {
            Definition::Table { table, unique } => create_table(&mut out, table, unique),
            Definition::ForeignKey { table, relation } => {
                out.push_sql("ALTER TABLE ");
                push_table(&mut out, table)?;
                out.push_sql(" ADD ");
                foreign_key(&mut out, table, relation)
            }
            Definition::Index { table, columns } => {
                out.push_sql("CREATE INDEX ");
                out.push_identifier(&name(table, columns, ""))?;
                out.push_sql(" ON ");
                push_table(&mut out, table)?;
                push_list(&mut out, table, columns)
            }
        }
    }
}

/// ` (a, b)`
fn push_list<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, columns: &[usize]) -> QueryResult<()> {
    out.push_sql(" (");
    push_columns(out, columns.iter().map(|at| table.columns[*at].name))?;
    out.push_sql(")");
    Ok(())
}

fn create_table<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    table: &'static Table,
    unique: &[Vec<usize>],
) -> QueryResult<()> {
    out.push_sql("CREATE TABLE ");
    push_table(out, table)?;
    out.push_sql(" (");
    for (at, column) in table.columns.iter().enumerate() {
        let indexed = table.primary_key.contains(&at)
            || unique.iter().any(|columns| columns.contains(&at))
            || table.indexes.iter().any(|columns| columns.contains(&at))
            || table.relations.iter().any(|relation| relation.column == at);
        let declared = column.declared(DB::KIND, indexed);
        out.push_identifier(column.name)?;
        out.push_sql(" ");
        out.push_sql(&declared);
        if !column.nullable {
            out.push_sql(" NOT NULL");
        }
        match column.default {
            Some(value) => push_default(out, column, &declared, value),
            None if column.generated && column.is_integer() => out.push_sql(DB::GENERATED_KEY),
            None => {}
        }
        if declared == column.sql.on(DB::KIND, indexed) {
            push_length_check(out, column)?;
        }
        out.push_sql(", ");
    }
    out.push_sql("PRIMARY KEY");
    push_list(out, table, table.primary_key)?;
    for columns in unique {
        out.push_sql(", CONSTRAINT ");
        out.push_identifier(&name(table, columns, "__unique"))?;
        out.push_sql(" UNIQUE");
        push_list(out, table, columns)?;
    }
    if DB::INLINE_FOREIGN_KEYS {
        for relation in table.relations.iter().filter(|relation| !relation.may_dangle) {
            out.push_sql(", ");
            foreign_key(out, table, relation)?;
        }
    }
    out.push_sql(")");
    out.push_sql(DB::TABLE_OPTIONS);
    Ok(())
}

/// ` DEFAULT …`
fn push_default<DB: Driver>(out: &mut AstPass<'_, '_, DB>, column: &Column, declared: &str, value: ColumnDefault) {
    out.push_sql(" DEFAULT ");
    match (value, DB::KIND) {
        (ColumnDefault::Number(number), _) => out.push_sql(number),
        (ColumnDefault::Boolean(true), _) => out.push_sql("TRUE"),
        (ColumnDefault::Boolean(false), _) => out.push_sql("FALSE"),
        (ColumnDefault::Now, _) => out.push_sql(&now(column, DB::KIND)),
        (ColumnDefault::Text(text), _) if matches!(column.sql.postgres, "TIMESTAMP" | "TIMESTAMPTZ") => {
            out.push_sql(&format!("'{}'", moment(text, column, DB::KIND)));
        }
        // What `\` means in a string literal depends on a setting, so that a literal of bytes is taken.
        (ColumnDefault::Text(text), BackendKind::Mysql) if text.contains('\\') => {
            let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            out.push_sql(&format!("(CONVERT(X'{bytes}' USING utf8mb4))"));
        }
        // MySQL takes a default of a text of any length as an expression only.
        (ColumnDefault::Text(text), BackendKind::Mysql) if declared == "LONGTEXT" => {
            out.push_sql(&format!("('{}')", text.replace('\'', "''")));
        }
        (ColumnDefault::Text(text), BackendKind::Postgres) if text.contains('\\') => {
            out.push_sql(&format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")));
        }
        (ColumnDefault::Text(text), _) => out.push_sql(&format!("'{}'", text.replace('\'', "''"))),
    }
}

/// The date or timestamp of the statement, in UTC, with the digits of a second that the column keeps.
fn now(column: &Column, backend: BackendKind) -> String {
    let digits = match column.limit {
        Some(Limit::FractionalSeconds(digits)) => digits,
        _ => 6,
    };
    match (backend, column.sql.postgres) {
        (BackendKind::Postgres, "DATE") => "CAST(STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC' AS DATE)".into(),
        (BackendKind::Postgres, "TIMESTAMP") => "(STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC')".into(),
        (BackendKind::Postgres, _) => "STATEMENT_TIMESTAMP()".into(),
        (BackendKind::Mysql, "DATE") => "(UTC_DATE())".into(),
        (BackendKind::Mysql, _) => format!("(UTC_TIMESTAMP({digits}))"),
        (BackendKind::Sqlite, "DATE") => "(DATE('now'))".into(),
        // SQLite's clock has milliseconds. As timestamps are written here: with six digits of a fraction, or none.
        (BackendKind::Sqlite, of) => {
            let offset = if of == "TIMESTAMPTZ" { "+00:00" } else { "" };
            match digits.min(3) {
                0 => format!("(STRFTIME('%Y-%m-%d %H:%M:%S{offset}', 'now'))"),
                shown => {
                    let (length, zeros) = (20 + shown, "0".repeat(6 - shown as usize));
                    let text =
                        format!("SUBSTR(STRFTIME('%Y-%m-%d %H:%M:%f', 'now'), 1, {length}) || '{zeros}{offset}'");
                    format!("(REPLACE({text}, '.000000', ''))")
                }
            }
        }
    }
}

/// The literal of a timestamp, which may have `T` for the space and an offset of zero, as the backend's columns take it.
fn moment(text: &str, column: &Column, backend: BackendKind) -> String {
    let text = text.trim_end_matches('Z').trim_end_matches("+00:00").replace('T', " ");
    let offset = if column.sql.postgres == "TIMESTAMPTZ" && backend != BackendKind::Mysql { "+00:00" } else { "" };
    match (backend, text.split_once('.')) {
        (BackendKind::Sqlite, Some((second, fraction))) if fraction.bytes().any(|digit| digit != b'0') => {
            format!("{second}.{fraction:0<6}{offset}")
        }
        (BackendKind::Sqlite, Some((second, _))) => format!("{second}{offset}"),
        _ => text + offset,
    }
}

/// ` CHECK (…)`, where the type does not limit the length.
fn push_length_check<DB: Driver>(out: &mut AstPass<'_, '_, DB>, column: &Column) -> QueryResult<()> {
    let Some(Limit::Length(most)) = column.limit else { return Ok(()) };
    out.push_sql(" CHECK (");
    out.push_sql(match (DB::KIND, column.sql.postgres) {
        (BackendKind::Sqlite, _) => "length(",
        (_, "BYTEA") => "octet_length(",
        _ => "char_length(",
    });
    out.push_identifier(column.name)?;
    out.push_sql(&format!(") <= {most})"));
    Ok(())
}

fn foreign_key<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, relation: &Relation) -> QueryResult<()> {
    let to = (relation.to)();
    out.push_sql("FOREIGN KEY (");
    out.push_identifier(table.columns[relation.column].name)?;
    out.push_sql(") REFERENCES ");
    push_table(out, to)?;
    out.push_sql(" (");
    out.push_identifier(to.columns[relation.to_column].name)?;
    out.push_sql(")");
    Ok(())
}
