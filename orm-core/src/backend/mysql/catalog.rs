//! Tables as MySQL and MariaDB have them, by `information_schema`.

use diesel::{QueryResult, RunQueryDsl, mysql::Mysql, sql_query, sql_types::Text};

use crate::{
    mysql::MysqlConnection,
    schema::live::{ColumnRow, KeyRow, LiveTable, Name, tables},
};

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

fn columns_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, {identity} AS `identity`,
            CAST(t.TABLE_TYPE LIKE '%VIEW' AS SIGNED) AS `is_view`, c.COLUMN_NAME AS `name`, c.COLUMN_TYPE AS `declared`,
            CAST(c.IS_NULLABLE = 'YES' AS SIGNED) AS `nullable`,
            CAST(c.COLUMN_DEFAULT IS NOT NULL OR c.EXTRA LIKE '%auto_increment%' AS SIGNED) AS `has_default`,
            CAST(COALESCE(c.GENERATION_EXPRESSION, '') <> '' AS SIGNED) AS `is_always_generated`,
            c.ORDINAL_POSITION AS `position`
        FROM information_schema.TABLES t
        JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
        WHERE {of_table} AND {of_column}",
        identity = identity("t.TABLE_SCHEMA", "t.TABLE_NAME"),
        of_table = is_about(name, "t"),
        of_column = is_about(name, "c"),
    )
}

fn unique_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, s.INDEX_NAME AS `key_name`, COALESCE(s.COLUMN_NAME, '') AS `column_name`,
            NULL AS `to_table`, NULL AS `to_column`, s.SEQ_IN_INDEX AS `position`
        FROM information_schema.STATISTICS s WHERE s.NON_UNIQUE = 0 AND {}",
        is_about(name, "s"),
    )
}

fn foreign_keys_of(at: usize, name: &Name) -> String {
    format!(
        "SELECT CAST({at} AS SIGNED) AS `at`, CONCAT('foreign key ', k.CONSTRAINT_NAME) AS `key_name`,
            k.COLUMN_NAME AS `column_name`, {identity} AS `to_table`, k.REFERENCED_COLUMN_NAME AS `to_column`,
            k.ORDINAL_POSITION AS `position`
        FROM information_schema.KEY_COLUMN_USAGE k WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND {is_about}",
        identity = identity("k.REFERENCED_TABLE_SCHEMA", "k.REFERENCED_TABLE_NAME"),
        is_about = is_about(name, "k"),
    )
}

pub(super) fn live_tables(connection: &mut MysqlConnection, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (mut of_columns, mut of_keys) = (Vec::new(), Vec::new());
    for (at, name) in wanted.iter().enumerate() {
        of_columns.push(columns_of(at, name));
        of_keys.extend([unique_of(at, name), foreign_keys_of(at, name)]);
    }
    let [columns, keys] = [of_columns, of_keys].map(|each| each.join(" UNION ALL "));
    let mut columns = sql_query(format!("{columns} ORDER BY `at`, `position`")).into_boxed::<Mysql>();
    let mut keys = sql_query(format!("{keys} ORDER BY `at`, `key_name`, `position`")).into_boxed::<Mysql>();
    for name in wanted {
        // Two conditions in either statement, each with the name twice.
        for _ in 0..2 {
            for value in name.schema.into_iter().chain([name.name, name.name]) {
                columns = columns.bind::<Text, _>(value);
                keys = keys.bind::<Text, _>(value);
            }
        }
    }
    let columns: Vec<ColumnRow> = columns.load(connection)?;
    let keys: Vec<KeyRow> = keys.load(connection)?;
    Ok(tables(wanted.len(), columns, keys))
}
