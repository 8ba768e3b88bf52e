//! Tables as SQLite has them, by its pragmas, and what a column's type means there.

use diesel::{
    OptionalExtension, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    result::Error as DieselError,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use super::affinity::{Affinity, affinity};
use crate::{
    backend::BackendKind,
    model::{Column, Table},
    schema::{
        live::{LiveColumn, LiveForeignKey, LiveTable, Name, Remark},
        stored::Misfit,
    },
    statement::text_keys::TextKey,
};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    strict: i64,
    #[diesel(sql_type = BigInt)]
    without_rowid: i64,
}

#[derive(QueryableByName)]
struct ColumnInfo {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = BigInt)]
    not_null: i64,
    #[diesel(sql_type = BigInt)]
    has_default: i64,
    /// Its place in the primary key, from 1; 0 where it is not in it.
    #[diesel(sql_type = BigInt)]
    key: i64,
    /// 0 for an ordinary column, 1 for a virtual table's hidden one, 2 and 3 for computed ones.
    #[diesel(sql_type = BigInt)]
    hidden: i64,
}

#[derive(QueryableByName)]
struct IndexColumn {
    #[diesel(sql_type = Text)]
    index: String,
    /// Empty for an expression.
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    is_unique: i64,
}

#[derive(QueryableByName)]
struct UniqueColumn {
    #[diesel(sql_type = Text)]
    index: String,
    /// Empty for an expression.
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Text)]
    collation: String,
}

#[derive(QueryableByName)]
struct KeyColumn {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    from: String,
    #[diesel(sql_type = Nullable<Text>)]
    to: Option<String>,
}

#[derive(QueryableByName)]
struct Instruction {
    #[diesel(sql_type = Nullable<Text>)]
    p4: Option<String>,
}

/// A few statements for each table: there is no server to wait for.
pub(super) fn live_tables(connection: &mut SqliteConnection, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
    wanted.iter().map(|name| live_table(connection, name)).collect()
}

/// The table of this name.
fn find(connection: &mut SqliteConnection, name: &Name) -> QueryResult<Option<Found>> {
    // In the order in which SQLite looks for a name without a schema.
    sql_query(
        "SELECT l.schema AS schema, l.name AS name, l.type AS kind, CAST(l.strict AS INTEGER) AS strict, \
         CAST(l.wr AS INTEGER) AS without_rowid \
         FROM pragma_table_list(?1) l LEFT JOIN pragma_database_list d ON d.name = l.schema \
         WHERE lower(l.schema) = lower(coalesce(?2, l.schema)) \
         ORDER BY CASE l.schema WHEN 'temp' THEN -1 ELSE d.seq END LIMIT 1",
    )
    .bind::<Text, _>(name.name)
    .bind::<Nullable<Text>, _>(name.schema)
    .get_result(connection)
    .optional()
}

fn live_table(connection: &mut SqliteConnection, name: &Name) -> QueryResult<Option<LiveTable>> {
    let Some(found) = find(connection, name)? else { return Ok(None) };
    let info: Vec<ColumnInfo> = sql_query(
        "SELECT name, type AS declared, \"notnull\" AS not_null, pk AS key, hidden, \
         upper(coalesce(dflt_value, 'NULL')) <> 'NULL' AS has_default FROM pragma_table_xinfo(?, ?) ORDER BY cid",
    )
    .bind::<Text, _>(&found.name)
    .bind::<Text, _>(&found.schema)
    .load(connection)?;
    let key_columns = info.iter().filter(|column| column.key > 0).count();
    let mut columns = Vec::new();
    for column in &info {
        let is_row_id = column.key > 0
            && key_columns == 1
            && found.without_rowid == 0
            && column.declared.eq_ignore_ascii_case("INTEGER");
        let remark = if compares_decimals(connection, &found, &column.name)? {
            Remark::ComparesDecimals
        } else if found.strict != 0 {
            Remark::Strict
        } else {
            Remark::Nothing
        };
        columns.push(LiveColumn {
            name: column.name.clone(),
            declared: column.declared.clone(),
            nullable: column.not_null == 0 && column.key == 0,
            has_default: column.has_default != 0 || is_row_id,
            is_always_generated: column.hidden > 1,
            remark,
        });
    }
    let mut key: Vec<&ColumnInfo> = info.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    let key: Vec<String> = key.into_iter().map(|column| column.name.clone()).collect();
    let (mut unique, indexes) = keys(connection, &found)?;
    if !key.is_empty() {
        unique.insert(0, key);
    }
    let identity = |name: &str| format!("{}.{name}", found.schema).to_ascii_lowercase();
    Ok(Some(LiveTable {
        identity: identity(&found.name),
        is_view: found.kind != "table",
        columns,
        unique,
        indexes,
        foreign_keys: foreign_keys(connection, &found, identity)?,
        without_transactions: None,
    }))
}

/// Keys or indexes, each by its columns.
type Keys = Vec<Vec<String>>;

/// The columns of each unique index, and of each other index, without a condition.
fn keys(connection: &mut SqliteConnection, table: &Found) -> QueryResult<(Keys, Keys)> {
    let columns: Vec<IndexColumn> = sql_query(
        "SELECT l.name AS \"index\", coalesce(i.name, '') AS name, CAST(l.\"unique\" AS INTEGER) AS is_unique \
         FROM pragma_index_list(?1, ?2) l JOIN pragma_index_info(l.name, ?2) i \
         WHERE NOT l.partial AND l.origin <> 'pk' ORDER BY l.seq, i.seqno",
    )
    .bind::<Text, _>(&table.name)
    .bind::<Text, _>(&table.schema)
    .load(connection)?;
    let mut keys: Vec<(String, i64, Vec<String>)> = Vec::new();
    for IndexColumn { index, name, is_unique } in columns {
        match keys.last_mut().filter(|(last, ..)| *last == index) {
            Some((_, _, columns)) => columns.push(name),
            None => keys.push((index, is_unique, vec![name])),
        }
    }
    let (unique, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, is_unique, _)| *is_unique != 0);
    let columns =
        |keys: Vec<(String, i64, Vec<String>)>| -> Keys { keys.into_iter().map(|(_, _, columns)| columns).collect() };
    Ok((columns(unique), columns(others)))
}

/// The unique keys that compare the text of some columns, where conditions compare them by a collation.
pub(super) fn text_keys(connection: &mut SqliteConnection, table: &Table) -> QueryResult<Vec<TextKey>> {
    let Some(found) = find(connection, &Name { schema: table.schema, name: table.name })? else {
        return Ok(Vec::new());
    };
    let columns: Vec<UniqueColumn> = sql_query(
        "SELECT l.name AS \"index\", coalesce(x.name, '') AS name, coalesce(c.type, '') AS declared, x.coll AS collation \
         FROM pragma_index_list(?1, ?2) l JOIN pragma_index_xinfo(l.name, ?2) x \
         LEFT JOIN pragma_table_xinfo(?1, ?2) c ON c.name = x.name \
         WHERE l.\"unique\" AND NOT l.partial AND x.key ORDER BY l.seq, x.seqno",
    )
    .bind::<Text, _>(&found.name)
    .bind::<Text, _>(&found.schema)
    .load(connection)?;
    let mut keys = Vec::new();
    for key in columns.chunk_by(|a, b| a.index == b.index) {
        let mut text_key = TextKey { columns: Vec::new(), spelled: Vec::new() };
        for column in key {
            // One of an expression, or of a column that is not a field's, is not named as a key.
            let at = table.columns.iter().position(|known| known.name.eq_ignore_ascii_case(&column.name));
            let Some(at) = at else { break };
            text_key.columns.push(at);
            let sql = table.columns[at].sql;
            // Numbers are compared as such by any collation.
            let are_numbers = sql.is_decimal()
                && matches!(
                    affinity(&column.declared, found.strict != 0),
                    Affinity::Integer | Affinity::Real | Affinity::Numeric
                );
            if sql.sqlite_collation().is_some_and(|ours| !ours.eq_ignore_ascii_case(&column.collation)) && !are_numbers
            {
                text_key.spelled.push(at);
            }
        }
        if text_key.columns.len() == key.len() && !text_key.spelled.is_empty() {
            keys.push(text_key);
        }
    }
    Ok(keys)
}

fn foreign_keys(
    connection: &mut SqliteConnection,
    table: &Found,
    identity: impl Fn(&str) -> String,
) -> QueryResult<Vec<LiveForeignKey>> {
    let columns: Vec<KeyColumn> =
        sql_query("SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?, ?) ORDER BY id, seq")
            .bind::<Text, _>(&table.name)
            .bind::<Text, _>(&table.schema)
            .load(connection)?;
    let mut keys: Vec<(i64, LiveForeignKey)> = Vec::new();
    for KeyColumn { id, table, from, to } in columns {
        match keys.last_mut().filter(|(last, _)| *last == id) {
            Some((_, key)) => key.columns.push((from, to)),
            None => keys.push((id, LiveForeignKey { to: identity(&table), columns: vec![(from, to)] })),
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Whether a column is compared by the collation of decimals. No pragma says so; how SQLite would compare it, does.
fn compares_decimals(connection: &mut SqliteConnection, table: &Found, column: &str) -> QueryResult<bool> {
    if table.kind == "virtual" {
        return Ok(false);
    }
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (schema, name, column) = (quoted(&table.schema), quoted(&table.name), quoted(column));
    let instructions = sql_query(format!("EXPLAIN SELECT t.{column} < '' FROM {schema}.{name} AS t"));
    let instructions: Vec<Instruction> = match instructions.load(connection) {
        // A collation of the program's own, which this connection need not know as long as it does not compare.
        Err(DieselError::DatabaseError(_, why)) if why.message().contains("collation") => return Ok(false),
        answer => answer?,
    };
    Ok(instructions
        .iter()
        .filter_map(|instruction| instruction.p4.as_deref())
        .any(|p4| p4.get(.."orm_decimal".len()).is_some_and(|name| name.eq_ignore_ascii_case("orm_decimal"))))
}

/// Why the column is not fit for the field.
pub(super) fn misfit(column: &Column, live: &LiveColumn) -> Option<Misfit> {
    let found = affinity(&live.declared, live.remark == Remark::Strict);
    let model = column.sql.on(BackendKind::Sqlite, false);
    let is_decimal = model.to_ascii_lowercase().contains("orm_decimal");
    let expected = affinity(model.split_whitespace().next().unwrap_or_default(), false);
    if is_decimal {
        return match (found, live.remark) {
            (Affinity::Text, Remark::ComparesDecimals) => None,
            (Affinity::Text, _) => Some(Misfit::writing(
                "whose keys and indexes take 1.5 and 1.50 for two values; declare it `TEXT COLLATE orm_decimal`",
            )),
            (Affinity::Blob, _) => Some(Misfit::reading(
                "in which a number that another program has stored is not equal to any decimal; declare it \
                 `TEXT COLLATE orm_decimal`",
            )),
            (Affinity::Real, _) => {
                Some(Misfit::reading("which turns decimals into floats; declare it `TEXT COLLATE orm_decimal`"))
            }
            (Affinity::Integer | Affinity::Numeric, _) => Some(Misfit::writing(
                "which turns decimals into floats, so that one of more than 15 digits is refused; declare it \
                 `TEXT COLLATE orm_decimal`",
            )),
        };
    }
    // ISO dates and times do not look like numbers, so that they stay text.
    let is_time = ["DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"].contains(&column.sql.postgres);
    match (expected, found) {
        _ if expected == found => None,
        (_, Affinity::Blob) if live.declared.is_empty() || live.declared.eq_ignore_ascii_case("ANY") => None,
        (Affinity::Integer, Affinity::Numeric) | (Affinity::Numeric, Affinity::Integer) => None,
        (Affinity::Numeric, Affinity::Real) if model == "NUMERIC" => None,
        (Affinity::Blob, Affinity::Numeric) => None,
        (Affinity::Text, Affinity::Numeric) if is_time => None,
        (Affinity::Text, Affinity::Numeric | Affinity::Integer | Affinity::Real) => Some(Misfit::reading(
            "in which text that looks like a number becomes one; declare it `TEXT`, or change the field's type",
        )),
        (Affinity::Real, Affinity::Integer | Affinity::Numeric) => Some(Misfit::reading(
            "in which whole numbers become integers, which are divided as such; declare it `REAL`",
        )),
        (Affinity::Integer | Affinity::Numeric | Affinity::Real, Affinity::Text) => {
            Some(Misfit::reading("in which numbers become text; change the column's type, or the field's"))
        }
        (Affinity::Integer | Affinity::Numeric, Affinity::Real) => {
            Some(Misfit::reading("in which integers become floats; declare it `INTEGER`, or make the field an `f64`"))
        }
        _ => Some(Misfit::reading("which is another type; change the column's type, or the field's")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql_types::{ColumnSql, ColumnType};

    fn told(sql: ColumnType, declared: &str, remark: Remark) -> Option<String> {
        let column = Column {
            field: "f",
            name: "f",
            sql,
            nullable: false,
            generated: false,
            integers: None,
            limit: None,
            default: None,
        };
        let live = LiveColumn {
            name: "f".into(),
            declared: declared.into(),
            nullable: false,
            has_default: false,
            is_always_generated: false,
            remark,
        };
        misfit(&column, &live).map(|misfit| misfit.why)
    }

    #[test]
    fn a_type_is_known_by_its_affinity() {
        use diesel::sql_types::{BigInt, Binary, Bool, Date, Double, Text, Timestamp};
        let fits = |sql, declared| told(sql, declared, Remark::Nothing).is_none();
        for declared in ["INTEGER", "bigint", "TINYINT(1)", "NUMERIC", ""] {
            assert!(fits(BigInt::COLUMN, declared), "{declared}");
            assert!(fits(Bool::COLUMN, declared), "{declared}");
        }
        for declared in ["TEXT", "varchar(20)", "CLOB", ""] {
            assert!(fits(Text::COLUMN, declared) && fits(Timestamp::COLUMN, declared), "{declared}");
        }
        for declared in ["DATE", "DATETIME", "TIMESTAMP"] {
            assert!(fits(Date::COLUMN, declared) && fits(Timestamp::COLUMN, declared), "{declared}");
            assert!(!fits(Text::COLUMN, declared), "{declared}");
        }
        assert!(fits(Double::COLUMN, "FLOAT") && fits(Double::COLUMN, "DOUBLE PRECISION"));
        assert!(!fits(Double::COLUMN, "DECIMAL(10,2)") && !fits(Double::COLUMN, "INTEGER"));
        assert!(fits(Binary::COLUMN, "VARBINARY(16)") && fits(Binary::COLUMN, "BLOB") && !fits(Binary::COLUMN, "TEXT"));
        assert!(!fits(BigInt::COLUMN, "REAL") && !fits(BigInt::COLUMN, "TEXT") && !fits(BigInt::COLUMN, "BLOB"));
        assert!(told(Text::COLUMN, "ANY", Remark::Strict).is_none() && !fits(Text::COLUMN, "ANY"));
    }

    #[test]
    fn decimals_need_their_collation() {
        let decimal = crate::sql_types::Decimal::COLUMN;
        assert_eq!(told(decimal, "TEXT", Remark::ComparesDecimals), None);
        assert!(told(decimal, "TEXT", Remark::Nothing).is_some_and(|why| why.contains("1.5 and 1.50")));
        assert!(told(decimal, "DECIMAL(10,2)", Remark::Nothing).is_some_and(|why| why.contains("floats")));
    }
}
