//! The checked model: what the struct and its attributes mean. Each node keeps the syntax that it came from, for spans.

use std::collections::HashSet;

use heck::ToSnakeCase;
use proc_macro2::Span;
use quote::format_ident;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Visibility, ext::IdentExt, parse_quote, spanned::Spanned};

use crate::{
    attr::{BelongsTo, ContainerAttributes, FieldAttributes, usable},
    column::{Default, Limit},
    constraints::Constraints,
    errors::Errors,
};

pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    /// Where `orm-core` is.
    pub(crate) krate: Path,
    pub(crate) table: String,
    pub(crate) schema: Option<String>,
    /// The module of everything that is generated beside the struct. Its name is that of the struct, so that no other
    /// model of the same table has it.
    pub(crate) home: Ident,
    /// The names under which the user finds the table and its columns. They are imported by a glob, so that the user's
    /// own items go first, and other models of the table may have them, too.
    pub(crate) modules: Vec<Ident>,
    /// Diesel's module, where there is one already.
    pub(crate) table_module: Option<Path>,
    pub(crate) fields: Vec<Field<'a>>,
    /// Positions in `fields`; never empty.
    pub(crate) primary_key: Vec<usize>,
    pub(crate) constraints: Constraints,
    pub(crate) relations: Vec<Relation>,
    /// What is generated for rows whose generated columns are not known yet.
    pub(crate) new: Ident,
    pub(crate) new_derive: Vec<Path>,
    /// The ways across this model's rows, in each direction.
    pub(crate) crossings: Vec<Crossing>,
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    pub(crate) column: String,
    pub(crate) sql_type: Option<Type>,
    pub(crate) generated: bool,
    pub(crate) limit: Option<Limit>,
    pub(crate) default: Option<Default>,
}

pub(crate) struct Relation {
    pub(crate) name: Ident,
    /// Position in `fields` of the key.
    pub(crate) field: usize,
    pub(crate) target: Path,
    /// The target's field that the key is equal to, if not its primary key.
    pub(crate) key: Option<Ident>,
    /// The name of the way back.
    pub(crate) reverse: Option<Ident>,
    /// No two rows have the same key.
    pub(crate) unique: bool,
    /// Where `belongs_to` says so.
    pub(crate) unique_at: Option<Span>,
    pub(crate) optional: bool,
}

/// A way from the end of one relation across this model's rows to the end of another.
pub(crate) struct Crossing {
    pub(crate) name: Ident,
    /// Position in `relations` of the one that is gone back along.
    pub(crate) back: usize,
    /// Position in `relations` of the one that is followed.
    pub(crate) across: usize,
}

impl<'a> Model<'a> {
    /// The model, as far as it can be made out; `None` where there is nothing to go on with.
    pub(crate) fn new(input: &'a DeriveInput, errors: &Errors) -> Option<Self> {
        let attributes = ContainerAttributes::parse(&input.attrs, errors);
        let fields = named_fields(input, errors)?;
        if !input.generics.params.is_empty() {
            errors.at(input.generics.span(), "a model is one table, so it cannot have generics; remove them");
            return None;
        }
        let reserved = fields.iter().filter_map(|field| field.ident.as_ref());
        let reserved: Vec<_> = reserved.filter(|ident| ident.unraw().to_string().starts_with("__")).collect();
        for ident in &reserved {
            errors.at(
                ident.span(),
                "a field's name cannot begin with `__`, as generated names do; rename it, and name the column with \
                 `#[model(column = \"…\")]`",
            );
        }
        if !reserved.is_empty() {
            return None;
        }
        // Of a field that is declared twice, which the compiler reports, only the first goes on: two implementations of a
        // trait for one column make the compiler search for ever.
        let mut declared = HashSet::new();
        let fields = fields.iter().filter(|field| declared.insert(field.ident.as_ref().map(IdentExt::unraw)));
        let parsed: Vec<(Field<'a>, FieldAttributes)> = fields.map(|field| Field::new(field, errors)).collect();
        if let Some(new) = &attributes.new
            && !parsed.iter().any(|(field, _)| field.generated)
        {
            errors.at(new.span(), "no field is `generated`, so a new row is the model itself; remove `new`");
        }
        let table = match (&attributes.table, &attributes.table_module) {
            (Some(table), _) => non_empty(table, errors),
            (None, Some(module)) => last_segment(module).unwrap_or_else(|| plural(&input.ident)),
            (None, None) => plural(&input.ident),
        };
        let primary_key = primary_key(&input.ident, &attributes, &parsed, errors);
        let mut relations = Vec::new();
        for (position, (field, attributes)) in parsed.iter().enumerate() {
            relations.extend(attributes.belongs_to.iter().filter_map(|b| Relation::new(position, field, b, errors)));
        }
        unique(relations.iter().map(|r| (r.name.unraw().to_string(), r.name.span())), errors, |name| {
            format!("two relations are named `{name}`; give one of them another with `name = …`")
        });
        // One of each name goes on, so that the code has no mistakes of its own.
        let mut names = HashSet::new();
        relations.retain(|relation: &Relation| names.insert(relation.name.unraw().to_string()));
        let constraints = Constraints::new(&input.ident, &attributes, &parsed, &primary_key, &mut relations, errors);
        for (at, (field, _)) in parsed.iter().enumerate() {
            if let Some(default) = &field.default {
                default.check(field.limit.as_ref(), errors);
                if primary_key.contains(&at) {
                    errors.at(default.span, "a primary key cannot have a default, which one row alone could have");
                }
            }
        }
        let mut crossings = crossings(&input.ident, &attributes, &relations, errors);
        unique(ways_back(&relations, &crossings), errors, |name| {
            let (target, reverse) = name.split_once(' ').unwrap_or_default();
            format!("two ways back from `{target}` are named `{reverse}`; give one of them another name")
        });
        let mut names = HashSet::new();
        for relation in &mut relations {
            let target = path_text(&relation.target);
            relation.reverse =
                relation.reverse.take().filter(|name| names.insert(format!("{target} {}", name.unraw())));
        }
        crossings.retain(|crossing: &Crossing| {
            let target = path_text(&relations[crossing.back].target);
            names.insert(format!("{target} {}", crossing.name.unraw()))
        });
        unique(parsed.iter().map(|(f, _)| (f.column.clone(), f.ident.span())), errors, |column| {
            format!("two fields are the column `{column}`; name the right one with `#[model(column = \"…\")]`")
        });
        Some(Model {
            ident: &input.ident,
            vis: &input.vis,
            modules: modules(&input.ident, &table, &attributes),
            krate: attributes.krate.unwrap_or_else(|| parse_quote!(::orm_core)),
            home: format_ident!("__{}", input.ident.unraw(), span = input.ident.span()),
            table,
            schema: attributes.schema.as_ref().map(|schema| non_empty(schema, errors)),
            table_module: attributes.table_module,
            fields: parsed.into_iter().map(|(field, _)| field).collect(),
            primary_key,
            constraints,
            relations,
            new: attributes
                .new
                .unwrap_or_else(|| format_ident!("New{}", input.ident.unraw(), span = input.ident.span())),
            new_derive: attributes.new_derive.unwrap_or_default(),
            crossings,
        })
    }

    /// Whether the database fills any column.
    pub(crate) fn has_generated(&self) -> bool {
        self.fields.iter().any(|field| field.generated)
    }

    /// The name of the accessors.
    pub(crate) fn accessors(&self) -> Ident {
        accessors(self.ident)
    }

    /// The accessors, wherever the user may have another item of that name.
    pub(crate) fn path_of_accessors(&self) -> Path {
        let (home, accessors) = (&self.home, self.accessors());
        parse_quote!(#home::names::#accessors)
    }
}

fn named_fields<'a>(
    input: &'a DeriveInput,
    errors: &Errors,
) -> Option<&'a syn::punctuated::Punctuated<syn::Field, syn::Token![,]>> {
    let what = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => return Some(&fields.named),
            Fields::Named(_) | Fields::Unit => "a struct without fields",
            Fields::Unnamed(_) => "a tuple struct",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    errors.at(
        input.ident.span(),
        format!("a model is a struct with named fields, one for each column; `{}` is {what}", input.ident),
    );
    None
}

impl<'a> Field<'a> {
    fn new(field: &'a syn::Field, errors: &Errors) -> (Self, FieldAttributes) {
        let mut attributes = FieldAttributes::parse(&field.attrs, errors);
        let ident = field.ident.as_ref().unwrap_or_else(|| unreachable!("only named fields come here"));
        let column =
            attributes.column.as_ref().map_or_else(|| ident.unraw().to_string(), |column| non_empty(column, errors));
        let sql_type = attributes.sql_type.take();
        let generated = attributes.generated.is_some();
        let (limit, default) = (attributes.limit.take(), attributes.default.take());
        (Field { ident, vis: &field.vis, ty: &field.ty, column, sql_type, generated, limit, default }, attributes)
    }
}

impl Relation {
    fn new(position: usize, field: &Field<'_>, belongs_to: &BelongsTo, errors: &Errors) -> Option<Self> {
        let name = match &belongs_to.name {
            Some(name) => name.clone(),
            None => {
                let text = field.ident.unraw().to_string();
                if !belongs_to.sound {
                    return None; // the name is what was wrong, perhaps
                }
                let stem = text.strip_suffix("_id");
                let name = stem.and_then(|stem| usable(stem, field.ident.span()));
                if name.is_none() {
                    let why = match stem {
                        None | Some("") => format!("the field `{text}` does not end in `_id`"),
                        Some(stem) => format!("`{stem}`, from the field `{text}`, cannot be a name in Rust"),
                    };
                    let target = path_text(&belongs_to.target);
                    errors.at(
                        belongs_to.span,
                        format!("the relation has no name: {why}; write `belongs_to({target}, name = …)`"),
                    );
                }
                name?
            }
        };
        check_name(&name, "relation's", errors);
        if let Some(name) = &belongs_to.reverse {
            check_name(name, "way back's", errors);
        }
        Some(Relation {
            name,
            field: position,
            target: belongs_to.target.clone(),
            key: belongs_to.key.clone(),
            reverse: belongs_to.reverse.clone(),
            unique: belongs_to.unique.is_some(),
            unique_at: belongs_to.unique,
            optional: belongs_to.optional.is_some(),
        })
    }
}

/// A name that accessors get a method of, and aliases a part.
fn check_name(name: &Ident, whose: &str, errors: &Errors) {
    let text = name.unraw().to_string();
    if text.contains("__") {
        errors.at(name.span(), format!("a {whose} name cannot contain `__`, which separates names in SQL aliases"));
    } else if text.starts_with('_') {
        // `a_` and `b`, `a` and `_b` would be one alias.
        errors.at(
            name.span(),
            format!("a {whose} name cannot begin with `_`, since `__` separates names in SQL aliases"),
        );
    }
    if name == "clone" {
        errors.at(name.span(), format!("a {whose} name cannot be `clone`, which would hide the accessors' own"));
    }
}

/// The ways across that `many_to_many` names, two of each.
fn crossings(
    model: &Ident,
    attributes: &ContainerAttributes,
    relations: &[Relation],
    errors: &Errors,
) -> Vec<Crossing> {
    let mut all = Vec::new();
    for link in &attributes.many_to_many {
        let mut ends = Vec::new();
        for (relation, name) in &link.ends {
            check_name(name, "way back's", errors);
            match relations.iter().position(|known| known.name.unraw() == relation.unraw()) {
                Some(at) => ends.push((at, name)),
                None => errors.at(relation.span(), format!("`{model}` has no relation `{relation}`")),
            }
        }
        match ends.as_slice() {
            [(one, _), (other, _)] if one == other => errors
                .at(link.span, "`many_to_many` names one relation twice; a link leads to two rows, by two relations"),
            [(one, at_one), (other, at_other)] => all.extend([
                Crossing { name: (*at_one).clone(), back: *other, across: *one },
                Crossing { name: (*at_other).clone(), back: *one, across: *other },
            ]),
            _ => {}
        }
    }
    all
}

/// The names of all ways back, each behind the model that it goes back from.
fn ways_back<'m>(relations: &'m [Relation], crossings: &'m [Crossing]) -> impl Iterator<Item = (String, Span)> + 'm {
    let plain = relations.iter().filter_map(|relation| Some((relation, relation.reverse.as_ref()?)));
    let across = crossings.iter().map(|crossing| (&relations[crossing.back], &crossing.name));
    plain
        .chain(across)
        .map(|(relation, name)| (format!("{} {}", path_text(&relation.target), name.unraw()), name.span()))
}

/// The positions of the key's fields; after a mistake, the first field, so that the rest can be checked.
fn primary_key(
    model: &Ident,
    attributes: &ContainerAttributes,
    fields: &[(Field<'_>, FieldAttributes)],
    errors: &Errors,
) -> Vec<usize> {
    let on_fields: Vec<(usize, Span)> =
        fields.iter().enumerate().filter_map(|(at, (_, field))| Some((at, field.primary_key?))).collect();
    let key = match &attributes.primary_key {
        Some(names) => {
            for (_, span) in on_fields {
                errors.at(span, "the primary key is named on the struct already; remove one");
            }
            let mut key = Vec::new();
            for name in names {
                match fields.iter().position(|(field, _)| field.ident.unraw() == name.unraw()) {
                    Some(at) if key.contains(&at) => {
                        errors.at(name.span(), format!("`{name}` stands twice; remove one"));
                    }
                    Some(at) => key.push(at),
                    None => errors.at(name.span(), format!("`{model}` has no field `{name}`")),
                }
            }
            key
        }
        None => {
            if on_fields.is_empty() {
                errors.at(
                    model.span(),
                    format!("`{model}` has no primary key; put `#[model(primary_key)]` on the field that is"),
                );
            }
            on_fields.into_iter().map(|(at, _)| at).collect()
        }
    };
    if key.is_empty() { vec![0] } else { key }
}

fn unique(names: impl Iterator<Item = (String, Span)>, errors: &Errors, message: impl Fn(&str) -> String) {
    let mut seen = HashSet::new();
    for (name, span) in names {
        if seen.contains(&name) {
            errors.at(span, message(&name));
        }
        seen.insert(name);
    }
}

fn non_empty(text: &syn::LitStr, errors: &Errors) -> String {
    let value = text.value();
    if value.is_empty() {
        errors.at(text.span(), "a name cannot be empty");
    }
    value
}

fn path_text(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}

/// The default table where there is a module made by `table!`, which names the module as the table.
fn last_segment(module: &Path) -> Option<String> {
    Some(module.segments.last()?.ident.unraw().to_string())
}

/// The default table: the model's name in snake case, its last word in the plural.
fn plural(ident: &Ident) -> String {
    let name = ident.unraw().to_string().to_snake_case();
    let before_last = name.chars().rev().nth(1);
    let vowel = before_last.is_some_and(|c| "aeiou".contains(c));
    if let Some(stem) = name.strip_suffix('y')
        && !vowel
    {
        return format!("{stem}ies");
    }
    if ["s", "x", "z", "ch", "sh"].iter().any(|ending| name.ends_with(ending)) {
        return format!("{name}es");
    }
    format!("{name}s")
}

/// Names that a module cannot have without hiding what every program uses: primitive types, crates that models
/// are used with, and the prelude.
#[rustfmt::skip]
const TAKEN: &[&str] = &[
    "bool", "char", "str", "f16", "f32", "f64", "f128", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
    "u32", "u64", "u128", "usize", "alloc", "core", "std", "diesel", "orm_core", "AsMut", "AsRef", "Box", "Clone",
    "Copy", "Debug", "Default", "DoubleEndedIterator", "Drop", "Eq", "ExactSizeIterator", "Extend", "Fn", "FnMut",
    "FnOnce", "From", "FromIterator", "Future", "Hash", "Into", "IntoFuture", "IntoIterator", "Iterator", "Option",
    "Ord", "PartialEq", "PartialOrd", "Result", "Send", "Sized", "String", "Sync", "ToOwned", "ToString", "TryFrom",
    "TryInto", "Unpin", "Vec",
];

/// The names of the generated module: the one that was given; or the table's, where it is a plain identifier that hides
/// nothing, and the struct's with `_table`.
fn modules(model: &Ident, table: &str, attributes: &ContainerAttributes) -> Vec<Ident> {
    if let Some(module) = &attributes.module {
        return vec![module.clone()];
    }
    let name = model.unraw().to_string();
    let suffix = if attributes.table_module.is_some() { "columns" } else { "table" };
    let of_struct = format!("{}_{suffix}", name.to_snake_case());
    let is_fit = attributes.table_module.is_none()
        && ![&of_struct, &name, &accessors(model).to_string()].contains(&&table.to_owned())
        && !TAKEN.contains(&table)
        && usable(table, model.span()).is_some_and(|ident| ident == table);
    let of_table = is_fit.then(|| Ident::new(table, model.span()));
    of_table.into_iter().chain([Ident::new(&of_struct, model.span())]).collect()
}

/// The name of the accessors.
fn accessors(model: &Ident) -> Ident {
    format_ident!("{}Fields", model.unraw(), span = model.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_made_by_diesel_names_the_table() {
        let module: Path = parse_quote!(crate::schema::r#flights_2013);
        assert_eq!(last_segment(&module).as_deref(), Some("flights_2013"));
        let table = |input: DeriveInput| {
            let errors = Errors::default();
            Model::new(&input, &errors).map(|model| model.table)
        };
        let by_module = parse_quote! {
            #[model(table_module = schema::old_flights)]
            struct Flight { #[model(primary_key)] id: i64 }
        };
        assert_eq!(table(by_module).as_deref(), Some("old_flights"));
        let by_name = parse_quote! {
            #[model(table = "Old Flights", table_module = schema::old_flights)]
            struct Flight { #[model(primary_key)] id: i64 }
        };
        assert_eq!(table(by_name).as_deref(), Some("Old Flights"));
    }

    #[test]
    fn the_default_table_is_snake_case_and_plural() {
        for (model, table) in [
            ("Flight", "flights"),
            ("FlightStatus", "flight_statuses"),
            ("City", "cities"),
            ("Airway", "airways"),
            ("HTTPLog", "http_logs"),
            ("Box", "boxes"),
            ("Branch", "branches"),
            ("Été", "étés"),
        ] {
            assert_eq!(plural(&Ident::new(model, Span::call_site())), table);
        }
    }
}
