//! `#[derive(FieldType)]`.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DataEnum, DeriveInput, Fields, Ident, LitStr, Path, Type, parse_quote, spanned::Spanned};

use crate::errors::Errors;

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let errors = Errors::default();
    let krate = krate(input, &errors);
    let code = if input.generics.params.is_empty() {
        match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    Some(newtype(&krate, &input.ident, &fields.unnamed[0].ty))
                }
                _ => None,
            },
            Data::Enum(data) => variants(data, &errors).map(|variants| enumeration(&krate, &input.ident, &variants)),
            Data::Union(_) => None,
        }
    } else {
        None
    };
    let errors_found = errors.into_tokens();
    if code.is_none() && errors_found.is_empty() {
        return syn::Error::new(
            input.ident.span(),
            format!(
                "a field type is a newtype, such as `struct {0}(String);`, or an enum without data, and has no \
                 generics; for others implement `orm_core::FieldType`",
                input.ident
            ),
        )
        .into_compile_error();
    }
    quote!(#errors_found #code)
}

fn krate(input: &DeriveInput, errors: &Errors) -> Path {
    let mut krate = parse_quote!(::orm_core);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("field_type")) {
        errors.ok(attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                krate = meta.value()?.parse()?;
                Ok(())
            } else {
                Err(meta.error("unknown attribute; a field type takes `crate = path`"))
            }
        }));
    }
    krate
}

fn newtype(krate: &Path, ident: &Ident, inner: &Type) -> TokenStream {
    let sql = quote_spanned!(inner.span()=> <#inner as #krate::types::FieldType>::SqlType);
    let shared = shared(krate, ident, &sql);
    quote! {
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications)]
        const _: () = {
            impl #krate::types::FieldType for #ident {
                type SqlType = #sql;
                fn width(&self) -> usize {
                    #krate::types::FieldType::width(&self.0)
                }
                fn is_convertible(&self) -> bool {
                    #krate::types::FieldType::is_convertible(&self.0)
                }
                fn validate(&self, backend: #krate::BackendKind) -> ::core::result::Result<(), #krate::BoxError> {
                    #krate::types::FieldType::validate(&self.0, backend)
                }
            }
            impl<__K> #krate::types::limit::Limited<__K> for #ident
            where
                #inner: #krate::types::limit::Limited<__K>,
            {
                fn check(
                    &self,
                    limit: #krate::types::limit::Limit,
                ) -> ::core::result::Result<(), #krate::BoxError> {
                    <#inner as #krate::types::limit::Limited<__K>>::check(&self.0, limit)
                }
            }
            impl<__K> #krate::types::default::HasDefault<__K> for #ident
            where
                #inner: #krate::types::default::HasDefault<__K>,
            {
                type Literal = <#inner as #krate::types::default::HasDefault<__K>>::Literal;
                const TEXTS: ::core::option::Option<&'static [&'static str]> =
                    <#inner as #krate::types::default::HasDefault<__K>>::TEXTS;
                const SPELLING: #krate::types::default::Spelling =
                    <#inner as #krate::types::default::HasDefault<__K>>::SPELLING;
            }
            impl<__K> #krate::types::default::DefaultsToNow<__K> for #ident
            where
                #inner: #krate::types::default::DefaultsToNow<__K>,
            {
            }
            impl<__DB: #krate::diesel::backend::Backend> #krate::types::Decode<__DB> for #ident
            where
                #inner: #krate::types::Decode<__DB>,
            {
                fn decode(value: __DB::RawValue<'_>) -> #krate::diesel::deserialize::Result<Self> {
                    <#inner as #krate::types::Decode<__DB>>::decode(value).map(#ident)
                }
            }
            impl<__DB: #krate::diesel::backend::Backend> #krate::diesel::deserialize::FromSql<#sql, __DB> for #ident
            where
                #inner: #krate::diesel::deserialize::FromSql<#sql, __DB>,
            {
                fn from_sql(value: __DB::RawValue<'_>) -> #krate::diesel::deserialize::Result<Self> {
                    <#inner as #krate::diesel::deserialize::FromSql<#sql, __DB>>::from_sql(value).map(#ident)
                }
            }
            impl<__DB, __ST> #krate::diesel::serialize::ToSql<__ST, __DB> for #ident
            where
                __DB: #krate::diesel::backend::Backend,
                __ST: #krate::types::operand::Carries<#sql>,
                #inner: #krate::diesel::serialize::ToSql<#sql, __DB>,
            {
                fn to_sql<'__b>(
                    &'__b self,
                    out: &mut #krate::diesel::serialize::Output<'__b, '_, __DB>,
                ) -> #krate::diesel::serialize::Result {
                    #krate::diesel::serialize::ToSql::<#sql, __DB>::to_sql(&self.0, out)
                }
            }
            #shared
        };
    }
}

/// The variants and the texts that they are kept as.
fn variants<'a>(data: &'a DataEnum, errors: &Errors) -> Option<Vec<(&'a Ident, String)>> {
    let mut all: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(variant.span(), "a field type's variants have no data, because they are kept as one text");
            return None;
        }
        let mut renamed = false;
        let mut text = syn::ext::IdentExt::unraw(&variant.ident).to_string().to_snake_case();
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("field_type")) {
            errors.ok(attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    if std::mem::replace(&mut renamed, true) {
                        return Err(meta.error("`rename` stands twice; remove one"));
                    }
                    let value = meta.value()?;
                    let at = value.span();
                    let literal: LitStr =
                        value.parse().map_err(|_| syn::Error::new(at, "`rename` is written `rename = \"text\"`"))?;
                    text = literal.value();
                    Ok(())
                } else {
                    Err(meta.error("unknown attribute; a variant takes `rename = \"text\"`"))
                }
            }));
        }
        if all.iter().any(|(_, known)| *known == text) {
            errors.at(variant.ident.span(), format!("two variants are kept as `{text}`; rename one"));
        }
        all.push((&variant.ident, text));
    }
    (!all.is_empty()).then_some(all)
}

fn enumeration(krate: &Path, ident: &Ident, variants: &[(&Ident, String)]) -> TokenStream {
    let sql = quote!(#krate::diesel::sql_types::Text);
    let shared = shared(krate, ident, &sql);
    let names: Vec<_> = variants.iter().map(|(name, _)| name).collect();
    let texts: Vec<_> = variants.iter().map(|(_, text)| text).collect();
    let none = format!("the text is none of the variants of `{ident}`");
    quote! {
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications)]
        const _: () = {
            fn __read(text: &str) -> #krate::diesel::deserialize::Result<#ident> {
                match text {
                    #( #texts => ::core::result::Result::Ok(#ident::#names), )*
                    _ => ::core::result::Result::Err(::core::convert::From::from(#none)),
                }
            }
            fn __text(value: &#ident) -> &'static str {
                match value { #( #ident::#names => #texts, )* }
            }
            impl #krate::types::FieldType for #ident {
                type SqlType = #sql;
            }
            impl #krate::types::limit::Limited<#krate::types::limit::MaxLength> for #ident {
                fn check(
                    &self,
                    limit: #krate::types::limit::Limit,
                ) -> ::core::result::Result<(), #krate::BoxError> {
                    #krate::types::limit::Limited::<#krate::types::limit::MaxLength>::check(__text(self), limit)
                }
            }
            impl<__K> #krate::types::default::HasDefault<__K> for #ident {
                type Literal = &'static str;
                const TEXTS: ::core::option::Option<&'static [&'static str]> =
                    ::core::option::Option::Some(&[#(#texts),*]);
            }
            impl<__DB: #krate::diesel::backend::Backend> #krate::types::Decode<__DB> for #ident
            where
                ::std::string::String: #krate::types::Decode<__DB>,
            {
                fn decode(value: __DB::RawValue<'_>) -> #krate::diesel::deserialize::Result<Self> {
                    __read(&<::std::string::String as #krate::types::Decode<__DB>>::decode(value)?)
                }
            }
            impl<__DB: #krate::diesel::backend::Backend> #krate::diesel::deserialize::FromSql<#sql, __DB> for #ident
            where
                ::std::string::String: #krate::diesel::deserialize::FromSql<#sql, __DB>,
            {
                fn from_sql(value: __DB::RawValue<'_>) -> #krate::diesel::deserialize::Result<Self> {
                    __read(&<::std::string::String as #krate::diesel::deserialize::FromSql<#sql, __DB>>::from_sql(value)?)
                }
            }
            impl<__DB, __ST> #krate::diesel::serialize::ToSql<__ST, __DB> for #ident
            where
                __DB: #krate::diesel::backend::Backend,
                __ST: #krate::types::operand::Carries<#sql>,
                str: #krate::diesel::serialize::ToSql<#sql, __DB>,
            {
                fn to_sql<'__b>(
                    &'__b self,
                    out: &mut #krate::diesel::serialize::Output<'__b, '_, __DB>,
                ) -> #krate::diesel::serialize::Result {
                    #krate::diesel::serialize::ToSql::<#sql, __DB>::to_sql(__text(self), out)
                }
            }
            #shared
        };
    }
}

/// What Diesel's tuples and our comparisons need.
fn shared(krate: &Path, ident: &Ident, sql: &TokenStream) -> TokenStream {
    quote! {
        impl<__ST, __DB> #krate::diesel::deserialize::Queryable<__ST, __DB> for #ident
        where
            __DB: #krate::diesel::backend::Backend,
            __ST: #krate::diesel::sql_types::SingleValue,
            Self: #krate::diesel::deserialize::FromSql<__ST, __DB>,
        {
            type Row = Self;
            fn build(row: Self) -> #krate::diesel::deserialize::Result<Self> {
                ::core::result::Result::Ok(row)
            }
        }
        #krate::types::operand!(#ident => #sql);
    }
}
