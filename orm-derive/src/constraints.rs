//! Unique constraints and indexes: what fields and the struct declare, checked and put together.

use proc_macro2::Span;
use syn::{Ident, ext::IdentExt};

use crate::{
    attr::{ContainerAttributes, FieldAttributes, FieldList},
    errors::Errors,
    model::{Field, Relation},
};

/// The positions in the model's fields of each unique constraint and of each index.
#[derive(Default)]
pub(crate) struct Constraints {
    pub(crate) unique: Vec<Vec<usize>>,
    pub(crate) indexes: Vec<Vec<usize>>,
}

impl Constraints {
    /// Those that the model declares. A relation to or from one row is known to be one, however its field is declared
    /// unique.
    pub(crate) fn new(
        model: &Ident,
        attributes: &ContainerAttributes,
        fields: &[(Field<'_>, FieldAttributes)],
        primary_key: &[usize],
        relations: &mut [Relation],
        errors: &Errors,
    ) -> Self {
        let mut all = Constraints::default();
        for (at, (_, field)) in fields.iter().enumerate() {
            if let Some(span) = field.unique {
                all.add_unique(span, vec![at], primary_key, errors);
            }
        }
        let positions = |list: &FieldList| positions(model, list, fields, errors);
        for list in &attributes.unique {
            all.add_unique(list.span, positions(list), primary_key, errors);
        }
        let mut related: Vec<usize> = Vec::new();
        for relation in relations {
            match relation.unique_at {
                // Several relations by one field may each be to one row.
                Some(_) if related.contains(&relation.field) => {}
                Some(span) if primary_key != [relation.field] => {
                    related.push(relation.field);
                    all.add_unique(span, vec![relation.field], primary_key, errors);
                }
                Some(_) => {}
                None => relation.unique = all.unique.contains(&vec![relation.field]),
            }
        }
        for (at, (_, field)) in fields.iter().enumerate() {
            if let Some(span) = field.index {
                all.add_index(span, vec![at], primary_key, errors);
            }
        }
        for list in &attributes.index {
            all.add_index(list.span, positions(list), primary_key, errors);
        }
        all
    }

    fn add_unique(&mut self, span: Span, columns: Vec<usize>, primary_key: &[usize], errors: &Errors) {
        let is_same = |other: &[usize]| other.len() == columns.len() && other.iter().all(|at| columns.contains(at));
        if columns.is_empty() {
            // A mistake in it was reported.
        } else if is_same(primary_key) {
            errors.at(span, "the primary key is unique already; remove `unique`");
        } else if self.unique.iter().any(|other| is_same(other)) {
            errors.at(span, "the same fields are declared `unique` twice; remove one");
        } else {
            self.unique.push(columns);
        }
    }

    fn add_index(&mut self, span: Span, columns: Vec<usize>, primary_key: &[usize], errors: &Errors) {
        if columns.is_empty() {
            // A mistake in it was reported.
        } else if primary_key == columns {
            errors.at(span, "the primary key has an index already; remove `index`");
        } else if self.unique.contains(&columns) {
            errors.at(span, "a unique constraint has an index already; remove `index`");
        } else if self.indexes.contains(&columns) {
            errors.at(span, "the same index is declared twice; remove one");
        } else {
            self.indexes.push(columns);
        }
    }
}

/// The positions of the fields of a list; none after a mistake.
fn positions(model: &Ident, list: &FieldList, fields: &[(Field<'_>, FieldAttributes)], errors: &Errors) -> Vec<usize> {
    let mut all = Vec::new();
    let mut is_right = true;
    for name in &list.names {
        match fields.iter().position(|(field, _)| field.ident.unraw() == name.unraw()) {
            Some(at) if all.contains(&at) => {
                errors.at(name.span(), format!("`{name}` stands twice; remove one"));
                is_right = false;
            }
            Some(at) => all.push(at),
            None => {
                errors.at(name.span(), format!("`{model}` has no field `{name}`"));
                is_right = false;
            }
        }
    }
    if is_right { all } else { Vec::new() }
}
