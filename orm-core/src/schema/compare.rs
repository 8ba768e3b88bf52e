//! The differences between models and tables.

use std::fmt;

use super::{
    limits,
    live::{LiveColumn, LiveTable},
    stored::Misfit,
    uuids,
};
use crate::{
    backend::Driver,
    model::{Column, Relation, Table},
};

/// Whom a check is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Readers,
    /// And readers.
    Writers,
}

/// One difference, in a sentence.
pub(super) struct Difference {
    pub(super) to_writers: bool,
    text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Every difference that matters to this audience, in the order of the models and their fields.
pub(super) fn compare<'l, DB: Driver>(
    tables: &[&'static Table],
    audience: Audience,
    live: impl Fn(&Table) -> Option<&'l LiveTable>,
) -> Vec<Difference> {
    let mut comparison = Comparison { differences: Vec::new(), audience };
    for table in tables {
        match live(table) {
            None => comparison.missing_table(table),
            Some(found) => {
                comparison.engine(table, found);
                comparison.columns::<DB>(table, found);
                comparison.primary_key::<DB>(table, found);
                comparison.constraints::<DB>(table, found);
                for relation in table.relations {
                    comparison.relation::<DB>(table, found, relation, live((relation.to)()));
                }
                comparison.other_columns::<DB>(table, found);
            }
        }
    }
    comparison.differences
}

struct Comparison {
    differences: Vec<Difference>,
    audience: Audience,
}

/// The column of this name.
fn column<'l, DB: Driver>(table: &'l LiveTable, name: &str) -> Option<&'l LiveColumn> {
    table.columns.iter().find(|column| DB::is_same_name(&column.name, name))
}

/// Whether these columns, and no others, are unique together.
fn is_unique<DB: Driver>(table: &LiveTable, columns: &[&str]) -> bool {
    table.unique.iter().any(|key| {
        key.len() == columns.len() && columns.iter().all(|column| key.iter().any(|name| DB::is_same_name(name, column)))
    })
}

fn shown(table: &Table) -> String {
    table.schema.map_or_else(|| table.name.to_owned(), |schema| format!("{schema}.{}", table.name))
}

fn fields(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|at| table.columns[*at].field).collect::<Vec<_>>().join(", ")
}

fn names(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|at| table.columns[*at].name).collect::<Vec<_>>().join(", ")
}

/// A field and its column.
fn subject(table: &Table, column: &Column) -> String {
    format!("`{}::{}` (column `{}` of `{}`)", table.model, column.field, column.name, shown(table))
}

impl Comparison {
    fn reading(&mut self, text: String) {
        self.differences.push(Difference { to_writers: false, text });
    }

    fn writing(&mut self, text: String) {
        if self.audience == Audience::Writers {
            self.differences.push(Difference { to_writers: true, text });
        }
    }

    fn missing_table(&mut self, table: &Table) {
        let (model, name) = (table.model, shown(table));
        self.reading(format!(
            "`{model}`: there is no table or view `{name}`; create it, by a migration or `create_tables`, or name the right \
             one by `#[model(table = \"…\")]`"
        ));
    }

    /// What is written in a transaction is to be undone where it fails.
    fn engine(&mut self, table: &Table, found: &LiveTable) {
        let Some(engine) = &found.without_transactions else { return };
        let (model, name) = (table.model, shown(table));
        self.writing(format!(
            "`{model}`: the table `{name}` has the engine {engine}, which has no transactions, so that nothing is rolled back \
             there, and what fails half-way stays; change it, by `ALTER TABLE {name} ENGINE=InnoDB`"
        ));
    }

    fn columns<DB: Driver>(&mut self, table: &Table, found: &LiveTable) {
        for expected in table.columns {
            let subject = subject(table, expected);
            let Some(live) = column::<DB>(found, expected.name) else {
                let alike = found.columns.iter().find(|column| column.name.eq_ignore_ascii_case(expected.name));
                let alike = alike.map_or_else(String::new, |column| format!(" (there is a `{}`)", column.name));
                self.reading(format!(
                    "{subject} is not there{alike}; add it, or name the right one by `#[model(column = \"…\")]`"
                ));
                continue;
            };
            self.column_type::<DB>(&subject, expected, live, found.is_view);
            if !found.is_view {
                self.filling(&subject, expected, live);
            }
        }
    }

    fn column_type<DB: Driver>(&mut self, subject: &str, expected: &Column, live: &LiveColumn, is_view: bool) {
        let misfit = DB::misfit(expected, live).or_else(|| limits::misfit(expected, &live.declared, DB::KIND));
        let Some(Misfit { to_writers, why }) = misfit else { return };
        let (declared, own) = (&live.declared, expected.declared(DB::KIND, false));
        let declared = if declared.is_empty() { "no type".to_owned() } else { format!("the type `{declared}`") };
        let text = format!("{subject} has {declared}, {why} (the field is stored as `{own}`)");
        if !to_writers {
            self.reading(text);
        } else if !is_view {
            self.writing(text);
        }
    }

    /// Whether NULL may be there, and whether somebody fills the column.
    fn filling(&mut self, subject: &str, expected: &Column, live: &LiveColumn) {
        // MariaDB cannot declare a computed column NOT NULL.
        if live.nullable && !expected.nullable && !live.is_always_generated {
            self.reading(format!(
                "{subject} may be NULL, and the field is no `Option`; make it one, or the column NOT NULL"
            ));
        }
        if !live.nullable && expected.nullable && !expected.generated {
            self.writing(format!(
                "{subject} is NOT NULL, and the field is an `Option`, whose `None` cannot be stored; remove the `Option`, or \
                 let the column be NULL"
            ));
        }
        if expected.generated && !live.has_default && !live.is_always_generated && !live.nullable {
            self.writing(format!(
                "{subject} is left to the database, which has nothing to fill it with; give it a default or an identity, \
                 or remove `generated` from the field"
            ));
        }
        if expected.default.is_some() && !expected.generated && !live.has_default && !live.is_always_generated {
            self.writing(format!(
                "{subject} is declared with a `default`, and the column has none, so that rows of other programs lack it; add \
                 it to the column, or remove `default` from the field"
            ));
        }
        if !expected.generated && live.is_always_generated {
            self.writing(format!("{subject} is filled by the database alone; add `#[model(generated)]` to the field"));
        }
    }

    fn primary_key<DB: Driver>(&mut self, table: &Table, found: &LiveTable) {
        let key: Vec<&str> = table.primary_key.iter().map(|at| table.columns[*at].name).collect();
        let is_there = key.iter().all(|name| column::<DB>(found, name).is_some());
        if found.is_view || !is_there || is_unique::<DB>(found, &key) {
            return;
        }
        let keys: Vec<String> = found.unique.iter().map(|key| format!("({})", key.join(", "))).collect();
        let keys =
            if keys.is_empty() { "nothing is unique".to_owned() } else { format!("unique is {}", keys.join(", ")) };
        self.reading(format!(
            "`{}`: its primary key ({}) is neither the primary key of `{}` nor unique there ({keys}); name the right fields, \
             or add the key",
            table.model,
            key.join(", "),
            shown(table),
        ));
    }

    /// The unique constraints and indexes that the model declares.
    fn constraints<DB: Driver>(&mut self, table: &Table, found: &LiveTable) {
        if found.is_view {
            return;
        }
        let is_same = |name: &String, at: &usize| DB::is_same_name(name, table.columns[*at].name);
        let begins_with = |key: &Vec<String>, columns: &[usize]| {
            key.len() >= columns.len() && key.iter().zip(columns).all(|(n, a)| is_same(n, a))
        };
        for columns in table.unique {
            if found.unique.iter().any(|key| key.len() == columns.len() && begins_with(key, columns)) {
                continue;
            }
            let (fields, names) = (fields(table, columns), names(table, columns));
            let other = found
                .unique
                .iter()
                .find(|key| key.len() == columns.len() && columns.iter().all(|at| key.iter().any(|n| is_same(n, at))));
            let text = match other {
                Some(other) => format!(
                    "`{}`: ({fields}) is unique in `{}` in another order, ({}); name the fields in that order",
                    table.model,
                    shown(table),
                    other.join(", ")
                ),
                None => format!(
                    "`{}`: ({fields}) is declared `unique`, and `{}` has no unique constraint or index of exactly ({names}) \
                     that holds for all rows; add it, by a migration, or remove `unique`",
                    table.model,
                    shown(table)
                ),
            };
            // Joins by a relation to one row would repeat rows.
            if table.relations.iter().any(|relation| relation.unique && **columns == [relation.column]) {
                self.reading(text);
            } else {
                self.writing(text);
            }
        }
        for columns in table.indexes {
            if !found.unique.iter().chain(&found.indexes).any(|key| begins_with(key, columns)) {
                let (fields, names) = (fields(table, columns), names(table, columns));
                self.reading(format!(
                    "`{}`: `index` is declared of ({fields}), and `{}` has no index that begins with ({names}) and covers all \
                     rows; add it, by a migration, or remove `index`",
                    table.model,
                    shown(table)
                ));
            }
        }
    }

    fn relation<DB: Driver>(&mut self, table: &Table, found: &LiveTable, relation: &Relation, to: Option<&LiveTable>) {
        let (from, target) = (&table.columns[relation.column], (relation.to)());
        let to_column = &target.columns[relation.to_column];
        let subject = format!("{}: the relation `{}`", subject(table, from), relation.name);
        let Some(to) = to else {
            return self.reading(format!("{subject} leads to `{}`, which is not there", shown(target)));
        };
        let Some(live) = column::<DB>(to, to_column.name) else {
            return self.reading(format!(
                "{subject} leads to the column `{}` of `{}`, which is not there",
                to_column.name,
                shown(target)
            ));
        };
        if uuids::differ(from.sql, to_column.sql) {
            self.reading(format!(
                "{subject} leads to `{}::{}`, which keeps UUIDs in another form, so that no two are equal; give both fields \
                 the same `sql_type`",
                target.model, to_column.field
            ));
        }
        if !to.is_view && !is_unique::<DB>(to, &[&live.name]) {
            self.reading(format!(
                "{subject} leads to the column `{}` of `{}`, which is not unique, so that joins may repeat rows; make it \
                 UNIQUE",
                to_column.name,
                shown(target)
            ));
        }
        if relation.may_dangle || found.is_view || to.is_view || column::<DB>(found, from.name).is_none() {
            return;
        }
        let is_key = target.primary_key == [relation.to_column];
        let leads_there =
            |name: &Option<String>| name.as_ref().map_or(is_key, |name| DB::is_same_name(name, to_column.name));
        let is_enforced = found.foreign_keys.iter().any(|key| {
            key.to == to.identity
                && key.columns.iter().any(|(name, to)| DB::is_same_name(name, from.name) && leads_there(to))
        });
        if !is_enforced {
            self.reading(format!(
                "{subject} has no foreign key to `{}` (`{}`) in the database, so that a row may refer to nothing, and be \
                 missing from joins; add the foreign key, or declare the relation `optional`",
                shown(target),
                to_column.name
            ));
        }
    }

    /// What no field has, and an INSERT would have to fill.
    fn other_columns<DB: Driver>(&mut self, table: &Table, found: &LiveTable) {
        if found.is_view {
            return;
        }
        for live in &found.columns {
            let has_field = table.columns.iter().any(|column| DB::is_same_name(&live.name, column.name));
            if !has_field && !live.nullable && !live.has_default && !live.is_always_generated {
                self.writing(format!(
                    "`{}` has no field for the column `{}` of `{}`, which no INSERT may leave out: it is NOT NULL, or a key, \
                     and has no default; add the field, or a default",
                    table.model,
                    live.name,
                    shown(table)
                ));
            }
        }
    }
}
