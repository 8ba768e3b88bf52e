//! Tables as PostgreSQL has them, by its system catalogs.

use diesel::{
    QueryResult, RunQueryDsl, sql_query,
    sql_types::{Array, Text},
};

use super::PgLink;
use crate::schema::live::{ColumnRow, KeyRow, LiveTable, Name, tables};

/// A name as it is found by the `search_path`. `$1` are the names, quoted.
const WANTED: &str = "wanted (at, id) AS (
        SELECT u.at - 1, to_regclass(u.name)::oid FROM unnest($1) WITH ORDINALITY AS u (name, at)
    )";

/// Domains by what they are made of.
const BASES: &str = "base (type, base, modifier) AS (
        SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
        UNION ALL
        SELECT b.type, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.base WHERE t.typtype = 'd'
    )";

const COLUMNS: &str = "SELECT w.at, c.oid::text AS identity, (c.relkind IN ('v', 'm', 'f'))::int::int8 AS is_view,
        a.attname::text AS name,
        CASE WHEN basic.typname = 'citext' THEN 'citext'
             -- Names of the server's own types are quoted by `quote_all_identifiers`, and that of \"char\" always.
             WHEN basic.oid < 16384 AND basic.oid NOT IN (18, 1002) THEN replace(shown.name, '\"', '')
             WHEN basic.typtype = 'e' AND b.base IS NULL THEN shown.name || ' (enum)'
             WHEN basic.typtype = 'e' THEN shown.name || ' (domain of an enum)'
             ELSE shown.name END AS declared,
        (NOT (a.attnotnull OR t.typnotnull))::int::int8 AS nullable,
        (a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL)::int::int8 AS has_default,
        (a.attgenerated <> '' OR a.attidentity = 'a')::int::int8 AS is_always_generated
    FROM wanted w
    JOIN pg_class c ON c.oid = w.id
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN (base b JOIN pg_type made_of ON made_of.oid = b.base AND made_of.typtype <> 'd') ON b.type = a.atttypid
    JOIN pg_type basic ON basic.oid = coalesce(b.base, a.atttypid)
    CROSS JOIN LATERAL
        format_type(basic.oid, CASE WHEN b.base IS NULL THEN a.atttypmod ELSE b.modifier END) AS shown (name)
    ORDER BY w.at, a.attnum";

const KEYS: &str = "SELECT w.at, i.indexrelid::text AS key_name, a.attname::text AS column_name,
        i.indisunique::int::int8 AS is_unique, NULL::text AS to_table, NULL::text AS to_column, k.position
    FROM wanted w
    JOIN pg_index i ON i.indrelid = w.id
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
    UNION ALL
    SELECT w.at, f.oid::text, a.attname::text, 0::int8, f.confrelid::text, b.attname::text, k.position
    FROM wanted w
    JOIN pg_constraint f ON f.conrelid = w.id AND f.contype = 'f' AND f.convalidated
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (number, to_number, position)
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.to_number
    ORDER BY 1, 2, 7";

pub(super) fn live_tables(link: &mut PgLink, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
    let names: Vec<String> = wanted.iter().map(quoted).collect();
    let columns = sql_query(format!("WITH RECURSIVE {WANTED}, {BASES} {COLUMNS}"));
    let columns: Vec<ColumnRow> = columns.bind::<Array<Text>, _>(&names).load(link)?;
    let keys: Vec<KeyRow> = sql_query(format!("WITH {WANTED} {KEYS}")).bind::<Array<Text>, _>(&names).load(link)?;
    Ok(tables(wanted.len(), columns, keys))
}

/// `"schema"."table"`
fn quoted(name: &Name) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match name.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(name.name)),
        None => quote(name.name),
    }
}
