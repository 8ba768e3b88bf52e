//! `#[model(…)]`: from syntax to attributes.
//!
//! Each list of attributes stands once, in [`CONTAINER`], [`FIELD`] and [`BELONGS_TO`]: the parser and its messages
//! use the same names.

use proc_macro2::Span;
use syn::{
    Attribute, Ident, LitStr, Path, Token, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned,
};

use crate::errors::Errors;

const CONTAINER: &[&str] = &["table", "schema", "primary_key", "table_module", "crate"];
const FIELD: &[&str] = &["primary_key", "column", "sql_type", "generated", "belongs_to"];
const BELONGS_TO: &[&str] = &["name", "key", "reverse", "optional"];

/// What `#[model(…)]` on the struct says.
#[derive(Default)]
pub(crate) struct ContainerAttributes {
    pub(crate) table: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) primary_key: Option<Vec<Ident>>,
    pub(crate) table_module: Option<Path>,
    pub(crate) krate: Option<Path>,
}

/// What `#[model(…)]` on a field says.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) primary_key: Option<Span>,
    pub(crate) column: Option<LitStr>,
    pub(crate) sql_type: Option<syn::Type>,
    pub(crate) generated: Option<Span>,
    pub(crate) belongs_to: Vec<BelongsTo>,
}

/// What `belongs_to(…)` says.
pub(crate) struct BelongsTo {
    pub(crate) span: Span,
    pub(crate) target: Path,
    pub(crate) name: Option<Ident>,
    pub(crate) key: Option<Ident>,
    pub(crate) reverse: Option<Ident>,
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
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(syn::Error::new(input.span(), format!("`{name}` takes no value; write `{name}` alone")));
    }
    set(slot, name.span(), name, errors);
    Ok(())
}

/// An identifier, keywords such as `crate` included.
fn any_ident(input: ParseStream<'_>) -> syn::Result<Ident> {
    use syn::ext::IdentExt;
    input.call(Ident::parse_any)
}

/// `= value`; what is missing is said at the attribute's name.
fn value<T: Parse>(name: &Ident, input: ParseStream<'_>, form: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` needs a value: `{name} = {form}`")));
    }
    input.parse::<Token![=]>()?;
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, format!("`{name}` is written `{name} = {form}`")))
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
                "crate" => set(&mut all.krate, value(name, input, "path::to::orm_core")?, name, errors),
                "primary_key" => {
                    if !input.peek(syn::token::Paren) {
                        all.primary_key.get_or_insert_default();
                        return Err(syn::Error::new(
                            name.span(),
                            "`primary_key` on the struct names fields: `primary_key(a, b)`",
                        ));
                    }
                    let names;
                    parenthesized!(names in input);
                    let names = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?;
                    if names.is_empty() {
                        errors.at(name.span(), "`primary_key` names at least one field: `primary_key(a, b)`");
                    }
                    set(&mut all.primary_key, names.into_iter().collect(), name, errors);
                }
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
                _ => unknown(name, "a field", FIELD, errors),
            }
            Ok(())
        });
        all
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
            optional: None,
            sound: true,
        };
        if !arguments.is_empty() {
            arguments.parse::<Token![,]>()?;
        }
        let mut one = |name: &Ident, input: ParseStream<'_>| {
            match name.to_string().as_str() {
                "name" => set(&mut all.name, value(name, input, "word")?, name, errors),
                "key" => set(&mut all.key, value(name, input, "field")?, name, errors),
                "reverse" => set(&mut all.reverse, value(name, input, "word")?, name, errors),
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
