//! Tables as MySQL and MariaDB have them, by `information_schema`.

use std::collections::BTreeMap;

use diesel::{
    QueryResult, RunQueryDsl,
    mysql::Mysql,
    query_builder::{AstPass, QueryFragment},
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::{
    backend::Driver,
    model::Table,
    mysql::MysqlConnection,
    schema::live::{ColumnRow, KeyRow, LiveTable, Name, tables},
    statement::push_table,
};

/// A row of a catalog: a table whose changes are not undone.
#[derive(Debug, diesel::QueryableByName)]
struct EngineRow {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    engine: String,
}

/// The condition that a row of `information_schema` is about one table, of which the name is the parameter. Written for
/// each table alone: so the server looks into that one and not into all of its databases. Its names are compared without
/// regard to case there, which is right where the server has no regard to it either.
fn is_about(name: &Name, table: &str) -> String {
    let schema = if name.schema.is_some() { "?" } else { "DATABASE()" };
    format!(
        "{table}.TABLE_SCHEMA = {schema} AND {table}.TABLE_NAME = ? \
         AND (@@lower_case_table_names <> 0 OR CAST({table}.TABLE_NAME AS BINARY) = CAST(? AS BINARY))"
    )
}

/// What tells one table from others.
fn identity(schema: &str, name: &str) -> String {
    format!(
        "CASE @@lower_case_table_names WHEN 0 THEN CONCAT({schema}, '.', {name}) \
         ELSE LOWER(CONCAT({schema}, '.', {name})) END"
    )
}

/// Whether a column has a default other than NULL. MariaDB shows defaults as expressions: that of a column which may be NULL
/// and has none is `NULL`, and a text is in quotes.
const HAS_DEFAULT: &str =
    "(COALESCE(c.COLUMN_DEFAULT, 'NULL') <> 'NULL' OR (c.COLUMN_DEFAULT = 'NULL' AND VERSION() NOT LIKE '%MariaDB%'))";

fn columns_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, {identity} AS `identity`,
            CAST(t.TABLE_TYPE LIKE '%VIEW' AS SIGNED) AS `is_view`, c.COLUMN_NAME AS `name`, c.COLUMN_TYPE AS `declared`,
            CAST(c.IS_NULLABLE = 'YES' AS SIGNED) AS `nullable`,
            CAST({has_default} OR c.EXTRA LIKE '%auto_increment%' AS SIGNED) AS `has_default`,
            CAST(COALESCE(c.GENERATION_EXPRESSION, '') <> '' AS SIGNED) AS `is_always_generated`,
            c.ORDINAL_POSITION AS `position`
        FROM information_schema.TABLES t
        JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
        WHERE {of_table} AND {of_column}",
        identity = identity("t.TABLE_SCHEMA", "t.TABLE_NAME"),
        has_default = HAS_DEFAULT,
        of_table = is_about(name, "t"),
        of_column = is_about(name, "c"),
    )
}

/// Of a unique key of parts of values, others than equal values are in conflict, so that its column counts as none.
fn indexes_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, s.INDEX_NAME AS `key_name`, 
            CASE WHEN s.NON_UNIQUE = 0 AND s.SUB_PART IS NOT NULL THEN '' ELSE COALESCE(s.COLUMN_NAME, '') END AS `column_name`,
            CAST(s.NON_UNIQUE = 0 AS SIGNED) AS `is_unique`, NULL AS `to_table`, NULL AS `to_column`, s.SEQ_IN_INDEX AS `position`
        FROM information_schema.STATISTICS s WHERE s.INDEX_TYPE NOT IN ('FULLTEXT', 'SPATIAL') AND {}",
        is_about(name, "s"),
    )
}

fn foreign_keys_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, CONCAT('foreign key ', k.CONSTRAINT_NAME) AS `key_name`,
            k.COLUMN_NAME AS `column_name`, CAST(0 AS SIGNED) AS `is_unique`, {identity} AS `to_table`, k.REFERENCED_COLUMN_NAME AS `to_column`,
            k.ORDINAL_POSITION AS `position`
        FROM information_schema.KEY_COLUMN_USAGE k WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND {is_about}",
        identity = identity("k.REFERENCED_TABLE_SCHEMA", "k.REFERENCED_TABLE_NAME"),
        is_about = is_about(name, "k"),
    )
}

/// The engine of a table, if it has no transactions.
fn engine_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, t.ENGINE AS `engine` FROM information_schema.TABLES t
        JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
        WHERE COALESCE(e.TRANSACTIONS, 'NO') <> 'YES' AND t.TABLE_TYPE NOT LIKE '%VIEW' AND {}",
        is_about(name, "t"),
    )
}

/// `SHOW INDEX FROM table`, which also knows of temporary tables.
struct ShowIndex<'t>(&'t Table);

impl QueryFragment<Mysql> for ShowIndex<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SHOW INDEX FROM ");
        push_table(&mut out, self.0)
    }
}

/// The columns of each unique key of a table. One of parts of values, or of expressions, is none: others than equal values
/// are in conflict by it.
pub(super) fn unique_keys(connection: &mut MysqlConnection, table: &Table) -> QueryResult<Vec<Vec<String>>> {
    let mut keys: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
    for row in Mysql::read_texts(connection, ShowIndex(table))? {
        let cell = |name: &str| {
            let cell = row.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
            cell.and_then(|(_, value)| value.clone())
        };
        if cell("Non_unique").as_deref() != Some("0") {
            continue;
        }
        let key = keys.entry(cell("Key_name").unwrap_or_default()).or_insert_with(|| Some(Vec::new()));
        match (cell("Column_name"), cell("Sub_part"), &mut *key) {
            (Some(column), None, Some(columns)) => columns.push(column),
            _ => *key = None,
        }
    }
    Ok(keys.into_values().flatten().collect())
}

pub(super) fn live_tables(connection: &mut MysqlConnection, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (mut of_columns, mut of_keys, mut of_engines) = (Vec::new(), Vec::new(), Vec::new());
    for (at, name) in wanted.iter().enumerate() {
        of_columns.push(columns_of(at, name));
        of_keys.extend([indexes_of(at, name), foreign_keys_of(at, name)]);
        of_engines.push(engine_of(at, name));
    }
    let [columns, keys, engines] = [of_columns, of_keys, of_engines].map(|each| each.join(" UNION ALL "));
    let mut columns = sql_query(format!("{columns} ORDER BY `at`, `position`")).into_boxed::<Mysql>();
    let mut keys = sql_query(format!("{keys} ORDER BY `at`, `key_name`, `position`")).into_boxed::<Mysql>();
    let mut engines = sql_query(engines).into_boxed::<Mysql>();
    for name in wanted {
        // Each condition has the name twice, and the first two statements have two conditions.
        let values = || name.schema.into_iter().chain([name.name, name.name]);
        for value in values() {
            engines = engines.bind::<Text, _>(value);
        }
        for _ in 0..2 {
            for value in values() {
                columns = columns.bind::<Text, _>(value);
                keys = keys.bind::<Text, _>(value);
            }
        }
    }
    let columns: Vec<ColumnRow> = columns.load(connection)?;
    let keys: Vec<KeyRow> = keys.load(connection)?;
    let engines: Vec<EngineRow> = engines.load(connection)?;
    let mut tables = tables(wanted.len(), columns, keys);
    for EngineRow { at, engine } in engines {
        if let Some(Some(table)) = usize::try_from(at).ok().and_then(|at| tables.get_mut(at)) {
            table.without_transactions = Some(engine);
        }
    }
    Ok(tables)
}
