//! CREATE TABLE, keys and indices.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{push_columns, push_table};
use crate::{
    backend::Driver,
    model::{Relation, Table},
    path::shorten,
};

/// One statement of a schema.
pub(crate) enum Definition {
    Table {
        table: &'static Table,
        /// The positions of columns, beside the primary key, that must be unique: other tables refer to them, or they were
        /// declared so.
        unique: Vec<usize>,
    },
    ForeignKey {
        table: &'static Table,
        relation: &'static Relation,
    },
    Index {
        table: &'static Table,
        column: usize,
    },
}

/// All statements that the tables need, in an order in which they can run.
pub(crate) fn definitions<DB: Driver>(tables: &[&'static Table]) -> Vec<Definition> {
    let mut all = Vec::new();
    for table in tables {
        let mut unique: Vec<usize> = tables
            .iter()
            .flat_map(|from| from.relations)
            .filter(|relation| (relation.to)().is(table))
            .map(|relation| relation.to_column)
            .chain(table.relations.iter().filter(|relation| relation.unique).map(|relation| relation.column))
            .filter(|column| table.primary_key != [*column])
            .collect();
        unique.sort_unstable();
        unique.dedup();
        all.push(Definition::Table { table, unique });
    }
    for table in tables {
        let mut indexed: Vec<usize> = table.relations.iter().map(|relation| relation.column).collect();
        indexed.sort_unstable();
        indexed.dedup();
        // The primary key has an index already, which begins with its first column; and so has what is unique.
        let unique = |column: &usize| table.relations.iter().any(|r| r.unique && r.column == *column);
        indexed.retain(|column| table.primary_key.first() != Some(column) && !unique(column));
        all.extend(indexed.into_iter().map(|column| Definition::Index { table, column }));
        // After the indices, because MySQL makes one of its own for a key that has none.
        for relation in table.relations {
            if !DB::INLINE_FOREIGN_KEYS && !relation.may_dangle {
                all.push(Definition::ForeignKey { table, relation });
            }
        }
    }
    all
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
            Definition::Index { table, column } => {
                let column = table.columns[*column].name;
                out.push_sql("CREATE INDEX ");
                out.push_identifier(&shorten(format!("{}__{column}", table.name)))?;
                out.push_sql(" ON ");
                push_table(&mut out, table)?;
                out.push_sql(" (");
                out.push_identifier(column)?;
                out.push_sql(")");
                Ok(())
            }
        }
    }
}

fn create_table<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &'static Table, unique: &[usize]) -> QueryResult<()> {
    out.push_sql("CREATE TABLE ");
    push_table(out, table)?;
    out.push_sql(" (");
    for (at, column) in table.columns.iter().enumerate() {
        let indexed = table.primary_key.contains(&at)
            || unique.contains(&at)
            || table.relations.iter().any(|relation| relation.column == at);
        out.push_identifier(column.name)?;
        out.push_sql(" ");
        out.push_sql(column.sql.on(DB::KIND, indexed));
        if !column.nullable {
            out.push_sql(" NOT NULL");
        }
        if column.generated && column.is_integer() {
            out.push_sql(DB::GENERATED_KEY);
        }
        out.push_sql(", ");
    }
    out.push_sql("PRIMARY KEY (");
    push_columns(out, table.primary_key.iter().map(|at| table.columns[*at].name))?;
    out.push_sql(")");
    for column in unique {
        out.push_sql(", UNIQUE (");
        out.push_identifier(table.columns[*column].name)?;
        out.push_sql(")");
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
