//! `#[model(…)]`: from syntax to attributes.
//!
//! Each list of attributes stands once, in [`CONTAINER`], [`FIELD`] and [`BELONGS_TO`]: the parser and its messages
//! use the same names.

use proc_macro2::Span;
use syn::{
    Attribute, Ident, LitStr, Path, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{
    column::{Default, Limit},
    errors::Errors,
};

const CONTAINER: &[&str] = &[
    "table",
    "schema",
    "primary_key",
    "unique",
    "index",
    "many_to_many",
    "module",
    "table_module",
    "new",
    "new_derive",
    "crate",
];
const FIELD: &[&str] = &[
    "primary_key",
    "column",
    "sql_type",
    "generated",
    "belongs_to",
    "unique",
    "index",
    "max_length",
    "decimal",
    "fractional_seconds",
    "default",
];
const BELONGS_TO: &[&str] = &["name", "key", "reverse", "unique", "optional"];

/// What `#[model(…)]` on the struct says.
#[derive(std::default::Default)]
pub(crate) struct ContainerAttributes {
    pub(crate) table: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) primary_key: Option<Vec<Ident>>,
    pub(crate) unique: Vec<FieldList>,
    pub(crate) index: Vec<FieldList>,
    pub(crate) many_to_many: Vec<ManyToMany>,
    pub(crate) module: Option<Ident>,
    pub(crate) table_module: Option<Path>,
    pub(crate) new: Option<Ident>,
    pub(crate) new_derive: Option<Vec<Path>>,
    pub(crate) krate: Option<Path>,
}

/// What `unique(…)` and `index(…)` on the struct say.
pub(crate) struct FieldList {
    pub(crate) span: Span,
    pub(crate) names: Vec<Ident>,
}

/// What `many_to_many(…)` says: relations of the link, and what the rows that each leads to are called from the other end.
pub(crate) struct ManyToMany {
    pub(crate) span: Span,
    pub(crate) ends: Vec<(Ident, Ident)>,
}

/// What `#[model(…)]` on a field says.
#[derive(std::default::Default)]
pub(crate) struct FieldAttributes {
    pub(crate) primary_key: Option<Span>,
    pub(crate) column: Option<LitStr>,
    pub(crate) sql_type: Option<syn::Type>,
    pub(crate) generated: Option<Span>,
    pub(crate) belongs_to: Vec<BelongsTo>,
    pub(crate) unique: Option<Span>,
    pub(crate) index: Option<Span>,
    pub(crate) limit: Option<Limit>,
    pub(crate) default: Option<Default>,
}

/// What `belongs_to(…)` says.
pub(crate) struct BelongsTo {
    pub(crate) span: Span,
    pub(crate) target: Path,
    pub(crate) name: Option<Ident>,
    pub(crate) key: Option<Ident>,
    pub(crate) reverse: Option<Ident>,
    pub(crate) unique: Option<Span>,
    pub(crate) optional: Option<Span>,
    /// Nothing in it was mistaken.
    pub(crate) sound: bool,
}

/// Keeps a value, unless one is there.
fn set<T>(slot: &mut Option<T>, value: T, name: &Ident, errors: &Errors) {
    if slot.is_some() {
        errors.at(name.span(), format!("`{name}` stands twice; remove one"));
    } else {
        *slot = Some(value);
    }
}

/// As [`set`]: a field has one limit, of one kind.
fn limit(slot: &mut Option<Limit>, value: Limit, name: &Ident, errors: &Errors) {
    if slot.is_some() {
        errors.at(name.span(), "the field has a limit already; remove one");
    } else {
        *slot = Some(value);
    }
}

fn unknown(name: &Ident, place: &str, known: &[&str], errors: &Errors) {
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    errors.at(name.span(), format!("unknown attribute `{name}`; {place} takes {list}"));
}

/// Calls `one` for each `name …` of each `#[model(…)]`; after a mistake in one it goes on with the next.
fn each(attributes: &[Attribute], errors: &Errors, mut one: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        let list = |input: ParseStream<'_>| list(input, &mut one, errors);
        errors.ok(attribute.parse_args_with(list));
    }
}

fn list(
    input: ParseStream<'_>,
    one: &mut dyn FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
    errors: &Errors,
) -> syn::Result<bool> {
    let mut sound = true;
    while !input.is_empty() {
        let name = any_ident(input)?;
        if let Err(error) = one(&name, input) {
            errors.add(error);
            sound = false;
        }
        // To the next comma, past what a mistake has left.
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(sound)
}

/// A word that stands alone.
fn flag(slot: &mut Option<Span>, name: &Ident, input: ParseStream<'_>, errors: &Errors) -> syn::Result<()> {
    if input.peek(syn::token::Paren) && (name == "unique" || name == "index") {
        return Err(syn::Error::new(
            name.span(),
            format!("`{name}` of several fields stands on the struct; on a field write `{name}` alone"),
        ));
    }
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(syn::Error::new(input.span(), format!("`{name}` takes no value; write `{name}` alone")));
    }
    set(slot, name.span(), name, errors);
    Ok(())
}

/// An identifier, keywords such as `crate` included.
fn any_ident(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any)
}

/// `= name`, of something that is generated or a field.
fn ident(name: &Ident, input: ParseStream<'_>, form: &str) -> syn::Result<Ident> {
    value(name, input, form).map(|Name(name)| name)
}

/// The name of a field or of something that is generated. A keyword becomes a raw identifier.
struct Name(Ident);

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ident = any_ident(input)?;
        match usable(&ident.unraw().to_string(), ident.span()) {
            Some(usable) => Ok(Name(if ident == ident.unraw() { usable } else { ident })),
            None => Err(syn::Error::new(ident.span(), format!("`{ident}` cannot be a name in Rust"))),
        }
    }
}

/// The text as an identifier, a raw one where it is a keyword of any edition; `None` where it cannot be one, such as
/// `self` and `two words`.
pub(crate) fn usable(text: &str, span: Span) -> Option<Ident> {
    // `gen` is a keyword since 2024, and not yet one to `syn`.
    let plain = syn::parse_str::<Ident>(text).ok().filter(|_| text != "gen");
    let mut ident = plain.or_else(|| syn::parse_str(&format!("r#{text}")).ok())?;
    ident.set_span(span);
    Some(ident)
}

/// `= value`; what is missing is said at the attribute's name.
pub(crate) fn value<T: Parse>(name: &Ident, input: ParseStream<'_>, form: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` needs a value: `{name} = {form}`")));
    }
    input.parse::<Token![=]>()?;
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, format!("`{name}` is written `{name} = {form}`")))
}

/// `= literal`
fn default(name: &Ident, input: ParseStream<'_>) -> syn::Result<Default> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), "`default` needs a value: `default = 0`"));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

impl ContainerAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut all = Self::default();
        each(attributes, errors, |name, input| {
            match name.to_string().as_str() {
                "table" => set(&mut all.table, value(name, input, "\"table_name\"")?, name, errors),
                "schema" => set(&mut all.schema, value(name, input, "\"schema_name\"")?, name, errors),
                "table_module" => {
                    set(&mut all.table_module, value(name, input, "crate::schema::flights")?, name, errors);
                }
                "module" => set(&mut all.module, ident(name, input, "album_table")?, name, errors),
                "crate" => set(&mut all.krate, value(name, input, "path::to::orm_core")?, name, errors),
                "new" => set(&mut all.new, ident(name, input, "NewFlight")?, name, errors),
                "new_derive" => {
                    if !input.peek(syn::token::Paren) {
                        return Err(syn::Error::new(
                            name.span(),
                            "`new_derive` names what is derived: `new_derive(Clone, PartialEq)`",
                        ));
                    }
                    let derives;
                    parenthesized!(derives in input);
                    let derives = Punctuated::<Path, Token![,]>::parse_terminated(&derives)?;
                    set(&mut all.new_derive, derives.into_iter().collect(), name, errors);
                }
                "primary_key" => {
                    if !input.peek(syn::token::Paren) {
                        all.primary_key.get_or_insert_default();
                    }
                    set(&mut all.primary_key, FieldList::parse(name, input, errors)?.names, name, errors);
                }
                "unique" => all.unique.push(FieldList::parse(name, input, errors)?),
                "index" => all.index.push(FieldList::parse(name, input, errors)?),
                "many_to_many" => all.many_to_many.push(ManyToMany::parse(name, input)?),
                _ => unknown(name, "a model", CONTAINER, errors),
            }
            Ok(())
        });
        all
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut all = Self::default();
        each(attributes, errors, |name, input| {
            match name.to_string().as_str() {
                "primary_key" => flag(&mut all.primary_key, name, input, errors)?,
                "generated" => flag(&mut all.generated, name, input, errors)?,
                "column" => set(&mut all.column, value(name, input, "\"column_name\"")?, name, errors),
                "sql_type" => set(&mut all.sql_type, value(name, input, "diesel::sql_types::BigInt")?, name, errors),
                "belongs_to" => all.belongs_to.extend(BelongsTo::parse(name, input, errors)?),
                "unique" => flag(&mut all.unique, name, input, errors)?,
                "index" => flag(&mut all.index, name, input, errors)?,
                "max_length" => limit(&mut all.limit, Limit::max_length(name, input)?, name, errors),
                "decimal" => limit(&mut all.limit, Limit::decimal(name, input)?, name, errors),
                "fractional_seconds" => limit(&mut all.limit, Limit::fractional_seconds(name, input)?, name, errors),
                "default" => set(&mut all.default, default(name, input)?, name, errors),
                _ => unknown(name, "a field", FIELD, errors),
            }
            Ok(())
        });
        all
    }
}

impl FieldList {
    fn parse(attribute: &Ident, input: ParseStream<'_>, errors: &Errors) -> syn::Result<Self> {
        if !input.peek(syn::token::Paren) {
            let text = format!("`{attribute}` on the struct names fields: `{attribute}(a, b)`");
            return Err(syn::Error::new(attribute.span(), text));
        }
        let names;
        parenthesized!(names in input);
        let names = Punctuated::<Name, Token![,]>::parse_terminated(&names)?;
        if names.is_empty() {
            errors.at(attribute.span(), format!("`{attribute}` names at least one field: `{attribute}(a, b)`"));
        }
        Ok(FieldList { span: attribute.span(), names: names.into_iter().map(|Name(name)| name).collect() })
    }
}

impl ManyToMany {
    fn parse(attribute: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let form = || {
            syn::Error::new(
                attribute.span(),
                "`many_to_many` names two relations of the link, and what the rows at their ends are called from the other \
                 end: `many_to_many(entry = entries, author = authors)`",
            )
        };
        if !input.peek(syn::token::Paren) {
            return Err(form());
        }
        let ends;
        parenthesized!(ends in input);
        // As tokens first, so that nothing is left of them to complain of.
        let ends = ends.parse::<proc_macro2::TokenStream>()?;
        let ends = Punctuated::<End, Token![,]>::parse_terminated.parse2(ends).map_err(|_| form())?;
        let ends: Vec<_> = ends.into_iter().map(|End(relation, name)| (relation, name)).collect();
        if ends.len() != 2 {
            return Err(form());
        }
        Ok(ManyToMany { span: attribute.span(), ends })
    }
}

/// `relation = name`
struct End(Ident, Ident);

impl Parse for End {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let Name(relation) = input.parse()?;
        input.parse::<Token![=]>()?;
        let Name(name) = input.parse()?;
        Ok(End(relation, name))
    }
}

impl BelongsTo {
    fn parse(attribute: &Ident, input: ParseStream<'_>, errors: &Errors) -> syn::Result<Option<Self>> {
        let needs_target = || {
            syn::Error::new(
                attribute.span(),
                "`belongs_to` names the model that the key refers to: `belongs_to(Target)`",
            )
        };
        if !input.peek(syn::token::Paren) {
            return Err(needs_target());
        }
        let arguments;
        parenthesized!(arguments in input);
        if arguments.is_empty() {
            return Err(needs_target());
        }
        let target = Path::parse(&arguments)?;
        if arguments.peek(Token![=]) {
            // Past the rest, of which there is nothing to say before there is a target.
            arguments.parse::<proc_macro2::TokenStream>()?;
            return Err(needs_target());
        }
        let mut all = BelongsTo {
            span: target.span(),
            target,
            name: None,
            key: None,
            reverse: None,
            unique: None,
            optional: None,
            sound: true,
        };
        if !arguments.is_empty() {
            arguments.parse::<Token![,]>()?;
        }
        let mut one = |name: &Ident, input: ParseStream<'_>| {
            match name.to_string().as_str() {
                "name" => set(&mut all.name, ident(name, input, "word")?, name, errors),
                "key" => set(&mut all.key, ident(name, input, "field")?, name, errors),
                "reverse" => set(&mut all.reverse, ident(name, input, "word")?, name, errors),
                "unique" => flag(&mut all.unique, name, input, errors)?,
                "optional" => flag(&mut all.optional, name, input, errors)?,
                _ => unknown(name, "`belongs_to`, after the target,", BELONGS_TO, errors),
            }
            Ok(())
        };
        let sound = list(&arguments, &mut one, errors)?;
        all.sound = sound;
        Ok(Some(all))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    fn on_struct(attributes: &[Attribute]) -> (ContainerAttributes, Vec<String>) {
        let errors = Errors::default();
        (ContainerAttributes::parse(attributes, &errors), errors.messages())
    }

    fn on_field(attributes: &[Attribute]) -> (FieldAttributes, Vec<String>) {
        let errors = Errors::default();
        (FieldAttributes::parse(attributes, &errors), errors.messages())
    }

    fn text(tokens: Option<&impl ToTokens>) -> Option<String> {
        tokens.map(|tokens| tokens.to_token_stream().to_string().replace(' ', ""))
    }

    #[test]
    fn everything_on_a_struct() {
        let (all, errors) = on_struct(&[
            parse_quote!(#[model(table = "flights", schema = "travel",)]),
            parse_quote!(#[doc = "of no interest"]),
            parse_quote!(#[model(primary_key(carrier, number), crate = a::b, table_module = crate::schema::flights)]),
            parse_quote!(#[model(new = FlightToBe, new_derive(Clone, std::fmt::Debug))]),
        ]);
        assert_eq!(errors, [""; 0]);
        assert_eq!(all.table.map(|table| table.value()), Some("flights".into()));
        assert_eq!(all.schema.map(|schema| schema.value()), Some("travel".into()));
        assert_eq!(all.primary_key.unwrap_or_default(), ["carrier", "number"]);
        assert_eq!(text(all.krate.as_ref()), Some("a::b".into()));
        assert_eq!(text(all.new.as_ref()), Some("FlightToBe".into()));
        let derives = all.new_derive.unwrap_or_default();
        assert_eq!(
            derives.iter().map(|path| text(Some(path))).collect::<Vec<_>>(),
            [Some("Clone".into()), Some("std::fmt::Debug".into())]
        );
        assert_eq!(text(all.table_module.as_ref()), Some("crate::schema::flights".into()));
    }

    #[test]
    fn everything_on_a_field() {
        let (all, errors) = on_field(&[
            parse_quote!(#[model(primary_key, generated, column = "flight_id", sql_type = Nullable<Array<Text>>)]),
            parse_quote!(#[model(belongs_to(a::Airport, name = origin, key = code, reverse = departures, unique, optional))]),
            parse_quote!(#[model(belongs_to(Airport))]),
        ]);
        assert_eq!(errors, [""; 0]);
        assert!(all.primary_key.is_some() && all.generated.is_some());
        assert_eq!(all.column.map(|column| column.value()), Some("flight_id".into()));
        assert_eq!(text(all.sql_type.as_ref()), Some("Nullable<Array<Text>>".into()));
        let [first, second] = all.belongs_to.as_slice() else { panic!("two relations stand there") };
        assert_eq!(text(Some(&first.target)), Some("a::Airport".into()));
        assert_eq!(text(first.name.as_ref()), Some("origin".into()));
        assert_eq!(text(first.key.as_ref()), Some("code".into()));
        assert_eq!(text(first.reverse.as_ref()), Some("departures".into()));
        assert!(first.unique.is_some() && first.optional.is_some() && first.sound);
        assert!(second.name.is_none() && second.key.is_none() && second.optional.is_none());
    }

    #[test]
    fn each_mistake_is_told_and_the_rest_is_read() {
        let (all, errors) = on_field(&[
            parse_quote!(#[model(colunm = "a", column, sql_type = 5, generated(always), primary_key = true)]),
            parse_quote!(#[model(column = "b", belongs_to(), column = "c", generated)]),
        ]);
        assert_eq!(
            errors,
            [
                "unknown attribute `colunm`; a field takes `primary_key`, `column`, `sql_type`, `generated`, `belongs_to`, \
                 `unique`, `index`, `max_length`, `decimal`, `fractional_seconds`, `default`",
                "`column` needs a value: `column = \"column_name\"`",
                "`sql_type` is written `sql_type = diesel::sql_types::BigInt`",
                "`generated` takes no value; write `generated` alone",
                "`primary_key` takes no value; write `primary_key` alone",
                "`belongs_to` names the model that the key refers to: `belongs_to(Target)`",
                "`column` stands twice; remove one",
            ]
        );
        assert_eq!(all.column.map(|column| column.value()), Some("b".into()));
        assert!(all.generated.is_some());
    }

    #[test]
    fn a_primary_key_on_the_struct_names_fields() {
        let bare: Attribute = parse_quote!(#[model(primary_key)]);
        let (all, errors) = on_struct(&[bare]);
        assert_eq!(errors, ["`primary_key` on the struct names fields: `primary_key(a, b)`"]);
        assert!(all.primary_key.is_some(), "so that nobody says that there is none");
        let (_, errors) = on_struct(&[parse_quote!(#[model(primary_key())])]);
        assert_eq!(errors, ["`primary_key` names at least one field: `primary_key(a, b)`"]);
    }

    #[test]
    fn a_link_names_two_ends() {
        let (all, errors) = on_struct(&[
            parse_quote!(#[model(many_to_many(entry = entries, r#in = authors,), many_to_many(a = b, c = d))]),
            parse_quote!(#[model(many_to_many(entry = entries), many_to_many, many_to_many(a, b), table = "links")]),
        ]);
        let ends: Vec<Vec<String>> =
            all.many_to_many.iter().map(|link| link.ends.iter().map(|(a, b)| format!("{a} {b}")).collect()).collect();
        assert_eq!(ends, [["entry entries", "r#in authors"], ["a b", "c d"]]);
        assert_eq!(errors.len(), 3);
        assert!(errors.iter().all(|error| error.contains("`many_to_many(entry = entries, author = authors)`")));
        assert!(all.table.is_some());
    }

    #[test]
    fn a_relation_with_a_mistake_is_not_sound() {
        let (all, errors) = on_field(&[parse_quote!(#[model(belongs_to(Airport, name = "origin"))])]);
        assert_eq!(errors, ["`name` is written `name = word`"]);
        assert!(all.belongs_to.iter().all(|relation| !relation.sound && relation.name.is_none()));
        let (all, errors) = on_field(&[parse_quote!(#[model(belongs_to(name = origin))])]);
        assert_eq!(errors, ["`belongs_to` names the model that the key refers to: `belongs_to(Target)`"]);
        assert!(all.belongs_to.is_empty());
    }
}
