//! What `#[model(…)]` on a field says of its values: a limit and a default.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Ident, Lit, LitInt, Path, Token, Type, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::errors::Errors;

/// `max_length = n`, `decimal(precision, scale)` or `fractional_seconds = n`.
pub(crate) struct Limit {
    pub(crate) span: Span,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Length(u32),
    Decimal { precision: u32, scale: u32 },
    FractionalSeconds(u32),
}

/// The longest text or bytes that MySQL has a type for.
const LONGEST: u32 = i32::MAX as u32;

impl Limit {
    pub(crate) fn max_length(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let most = number(name, input, "100", 1..=LONGEST)?;
        Ok(Limit { span: name.span(), kind: Kind::Length(most) })
    }

    pub(crate) fn fractional_seconds(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let digits = number(name, input, "3", 0..=6)?;
        Ok(Limit { span: name.span(), kind: Kind::FractionalSeconds(digits) })
    }

    pub(crate) fn decimal(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let form = "`decimal` names the digits of a number, and those of them after the point: `decimal(10, 2)`";
        if !input.peek(syn::token::Paren) {
            return Err(syn::Error::new(name.span(), form));
        }
        let digits;
        parenthesized!(digits in input);
        let digits = digits.parse::<TokenStream>()?;
        let digits = syn::parse::Parser::parse2(Punctuated::<LitInt, Token![,]>::parse_terminated, digits)
            .map_err(|_| syn::Error::new(name.span(), form))?;
        let digits: Vec<&LitInt> = digits.iter().collect();
        let [precision, scale] = digits.as_slice() else { return Err(syn::Error::new(name.span(), form)) };
        // MySQL's bounds, which are the narrowest.
        let precision = within(precision, 1..=65, "a decimal's digits")?;
        let most = precision.min(30);
        let scale = within(scale, 0..=most, "a decimal's digits after the point")?;
        Ok(Limit { span: name.span(), kind: Kind::Decimal { precision, scale } })
    }

    /// The limit as a value of `Limit`.
    pub(crate) fn value(&self, krate: &Path) -> TokenStream {
        let limit = quote!(#krate::types::limit::Limit);
        match self.kind {
            Kind::Length(most) => quote!(#limit::Length(#most)),
            Kind::Decimal { precision, scale } => quote!(#limit::Decimal { precision: #precision, scale: #scale }),
            Kind::FractionalSeconds(digits) => quote!(#limit::FractionalSeconds(#digits)),
        }
    }

    /// What a type has to be limited by.
    pub(crate) fn kind(&self, krate: &Path) -> TokenStream {
        match self.kind {
            Kind::Length(_) => quote!(#krate::types::limit::MaxLength),
            Kind::Decimal { .. } => quote!(#krate::types::limit::DecimalDigits),
            Kind::FractionalSeconds(_) => quote!(#krate::types::limit::FractionalSeconds),
        }
    }
}

/// `= number`, within bounds.
fn number(name: &Ident, input: ParseStream<'_>, form: &str, bounds: std::ops::RangeInclusive<u32>) -> syn::Result<u32> {
    let value: LitInt = crate::attr::value(name, input, form)?;
    within(&value, bounds, &format!("`{name}`"))
}

fn within(value: &LitInt, bounds: std::ops::RangeInclusive<u32>, what: &str) -> syn::Result<u32> {
    value.base10_parse().ok().filter(|value| bounds.contains(value)).ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        syn::Error::new(value.span(), format!("{what} must be from {least} to {most}"))
    })
}

/// What `default = …` says: a literal, such as `0`, `-1.5`, `"x"` and `true`, or `now()`.
pub(crate) struct Default {
    pub(crate) span: Span,
    value: DefaultValue,
}

enum DefaultValue {
    Literal { negative: bool, literal: Lit },
    Now,
}

impl Parse for Default {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let at = input.span();
        let wrong = |span| {
            syn::Error::new(span, "`default` takes a literal: a number, text in quotes, `true` or `false`; or `now()`")
        };
        if input.peek(Ident) {
            let name: Ident = input.parse()?;
            // `true` and `false` are literals and not identifiers.
            if name != "now" || !input.peek(syn::token::Paren) {
                return Err(wrong(at));
            }
            let arguments;
            parenthesized!(arguments in input);
            if !arguments.is_empty() {
                return Err(syn::Error::new(arguments.span(), "`now()` takes no arguments"));
            }
            return Ok(Default { span: name.span(), value: DefaultValue::Now });
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        let literal: Lit = input.parse().map_err(|_| wrong(at))?;
        let fits = match &literal {
            Lit::Int(_) | Lit::Float(_) => true,
            Lit::Str(_) | Lit::Bool(_) => !negative,
            _ => false,
        };
        if !fits {
            return Err(wrong(literal.span()));
        }
        Ok(Default { span: literal.span(), value: DefaultValue::Literal { negative, literal } })
    }
}

impl Default {
    /// Checks it against the limit of the field.
    pub(crate) fn check(&self, limit: Option<&Limit>, errors: &Errors) {
        let Some(text) = self.text() else { return };
        if text.contains('\0') {
            errors.at(self.span, "a default cannot contain a NUL character");
        }
        let fraction = || {
            let digits = text.split_once('.').map_or("", |(_, behind)| behind);
            let digits = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            u32::try_from(digits.trim_end_matches('0').len()).unwrap_or(u32::MAX)
        };
        match limit.map(|limit| &limit.kind) {
            Some(Kind::Length(most)) => {
                let length = text.chars().count();
                if length > *most as usize {
                    errors.at(self.span, format!("the default has {length} characters, and `max_length` is {most}"));
                }
            }
            Some(Kind::Decimal { precision, scale }) => {
                let integer = text.trim_start_matches('-').split('.').next().unwrap_or_default();
                let integer = u32::try_from(integer.trim_start_matches('0').len()).unwrap_or(u32::MAX);
                if fraction() > *scale || integer > precision - scale {
                    errors.at(
                        self.span,
                        format!(
                            "the default has more digits than the field, which has `decimal({precision}, {scale})`"
                        ),
                    );
                }
            }
            Some(Kind::FractionalSeconds(digits)) if fraction() > *digits => {
                let text =
                    format!("the default has more digits of a second than `fractional_seconds`, which is {digits}");
                errors.at(self.span, text);
            }
            _ => {}
        }
    }

    /// Checks, in the code that is generated, that it is of the type of its field.
    pub(crate) fn check_of_type(&self, krate: &Path, ty: &Type) -> TokenStream {
        let DefaultValue::Literal { negative, literal } = &self.value else {
            return quote!(const _: () = #krate::__private::default_is_now::<#ty>(););
        };
        let sign = negative.then(|| quote!(-));
        let text = match self.text() {
            Some(text) => quote!(::core::option::Option::Some(#text)),
            None => quote!(::core::option::Option::None),
        };
        quote!(const _: () = #krate::__private::default_of::<#ty>(#sign #literal, #text);)
    }

    /// The text, where it is one.
    fn text(&self) -> Option<String> {
        match &self.value {
            DefaultValue::Literal { literal: Lit::Str(text), .. } => Some(text.value()),
            _ => None,
        }
    }

    /// The default as a value of `ColumnDefault`.
    pub(crate) fn value(&self, krate: &Path) -> TokenStream {
        let default = quote!(#krate::types::default::ColumnDefault);
        let DefaultValue::Literal { negative, literal } = &self.value else { return quote!(#default::Now) };
        let number = |digits: &str| {
            let digits = format!("{}{digits}", if *negative { "-" } else { "" });
            quote!(#default::Number(#digits))
        };
        match literal {
            Lit::Int(value) => number(value.base10_digits()),
            Lit::Float(value) => number(value.base10_digits()),
            Lit::Bool(value) => quote!(#default::Boolean(#value)),
            other => quote!(#default::Text(#other)),
        }
    }
}
