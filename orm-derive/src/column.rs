//! What `#[model(…)]` on a field says of its values: a limit and a default.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Ident, Lit, LitInt, Path, Token, parenthesized,
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

    /// The most characters or bytes.
    fn length(&self) -> Option<u32> {
        match self.kind {
            Kind::Length(most) => Some(most),
            _ => None,
        }
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

/// A literal: `default = 0`, `default = -1.5`, `default = "x"`, `default = true`.
pub(crate) struct Default {
    pub(crate) span: Span,
    negative: bool,
    literal: Lit,
}

impl Parse for Default {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let at = input.span();
        let wrong =
            |span| syn::Error::new(span, "`default` takes a literal: a number, text in quotes, `true` or `false`");
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
        Ok(Default { span: literal.span(), negative, literal })
    }
}

impl Default {
    /// Checks it against the limit of the field.
    pub(crate) fn check(&self, limit: Option<&Limit>, errors: &Errors) {
        let Lit::Str(text) = &self.literal else { return };
        let text = text.value();
        if text.contains('\0') {
            errors.at(self.span, "a default cannot contain a NUL character");
        }
        let length = text.chars().count();
        if let Some(most) = limit.and_then(Limit::length)
            && length > most as usize
        {
            errors.at(self.span, format!("the default has {length} characters, and `max_length` is {most}"));
        }
    }

    /// The literal as Rust has it, whose type the compiler checks.
    pub(crate) fn literal(&self) -> TokenStream {
        let sign = self.negative.then(|| quote!(-));
        let literal = self.literal.to_token_stream();
        quote!(#sign #literal)
    }

    /// The text, where it is one.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.literal {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        }
    }

    /// The default as a value of `ColumnDefault`.
    pub(crate) fn value(&self, krate: &Path) -> TokenStream {
        let default = quote!(#krate::types::default::ColumnDefault);
        let number = |digits: &str| {
            let digits = format!("{}{digits}", if self.negative { "-" } else { "" });
            quote!(#default::Number(#digits))
        };
        match &self.literal {
            Lit::Int(value) => number(value.base10_digits()),
            Lit::Float(value) => number(value.base10_digits()),
            Lit::Bool(value) => quote!(#default::Boolean(#value)),
            other => quote!(#default::Text(#other)),
        }
    }
}
