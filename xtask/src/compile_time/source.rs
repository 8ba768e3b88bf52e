//! The two crates' texts: the same tables and the same questions.

use std::fmt::Write as _;

/// How much there is to build.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) models: usize,
}

/// The fields of a model.
pub(crate) const FIELDS: usize = 10;

/// The queries of a model.
pub(crate) const QUERIES: usize = 2;

/// The fields behind the key: name, Rust type, Diesel's type.
const COLUMNS: [(&str, &str, &str); FIELDS - 1] = [
    ("name", "String", "Text"),
    ("city", "Option<String>", "Nullable<Text>"),
    ("size", "i32", "Integer"),
    ("rank", "Option<i32>", "Nullable<Integer>"),
    ("weight", "f64", "Double"),
    ("height", "Option<f64>", "Nullable<Double>"),
    ("active", "bool", "Bool"),
    ("total", "i64", "BigInt"),
    ("image", "Vec<u8>", "Binary"),
];

/// On orm-core.
pub(crate) fn ours(size: Size) -> String {
    let mut text = "//! Models of orm-core.\nuse orm_core::prelude::*;\n".to_owned();
    for n in 0..size.models {
        let _ = write!(
            text,
            "
#[derive(Model)]
#[model(table = \"table{n}\")]
pub struct Model{n} {{
    #[model(primary_key)]
    pub id: i64,
{fields}}}

pub fn rows{n}(db: &Database<Sqlite>) -> orm_core::Result<Vec<Model{n}>> {{
    Model{n}::objects(db)
        .filter(|m| m.name.eq(\"x\").and(m.size.gt({n}).or(m.rank.is_null())))
        .order_by(|m| (m.weight.desc(), m.id.asc()))
        .limit(100)
        .load()
}}

pub fn values{n}(db: &Database<Sqlite>) -> orm_core::Result<Vec<(i64, String, Option<f64>)>> {{
    Model{n}::objects(db)
        .filter(|m| m.active.eq(true).and(m.total.between(1, {n})))
        .order_by(|m| m.id.asc())
        .values(|m| (m.id, m.name, m.height))
        .load()
}}
",
            fields = fields()
        );
    }
    text
}

/// On Diesel alone.
pub(crate) fn diesel(size: Size) -> String {
    let mut text = "//! Models of Diesel.\nuse diesel::prelude::*;\n".to_owned();
    for n in 0..size.models {
        let columns = COLUMNS.iter().fold(String::new(), |mut columns, (name, _, sql)| {
            let _ = writeln!(columns, "        {name} -> {sql},");
            columns
        });
        let _ = write!(
            text,
            "
diesel::table! {{
    table{n} (id) {{
        id -> BigInt,
{columns}    }}
}}

#[derive(Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = table{n})]
pub struct Model{n} {{
    pub id: i64,
{fields}}}

pub fn rows{n}(db: &mut SqliteConnection) -> QueryResult<Vec<Model{n}>> {{
    table{n}::table
        .filter(table{n}::name.eq(\"x\").and(table{n}::size.gt({n}).or(table{n}::rank.is_null().assume_not_null())))
        .order((table{n}::weight.desc(), table{n}::id.asc()))
        .limit(100)
        .select(Model{n}::as_select())
        .load(db)
}}

pub fn values{n}(db: &mut SqliteConnection) -> QueryResult<Vec<(i64, String, Option<f64>)>> {{
    table{n}::table
        .filter(table{n}::active.eq(true).and(table{n}::total.between(1, {n})))
        .order(table{n}::id.asc())
        .select((table{n}::id, table{n}::name, table{n}::height))
        .load(db)
}}
",
            fields = fields()
        );
    }
    text
}

fn fields() -> String {
    COLUMNS.iter().fold(String::new(), |mut fields, (name, rust, _)| {
        let _ = writeln!(fields, "    pub {name}: {rust},");
        fields
    })
}
