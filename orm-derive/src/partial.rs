//! `#[derive(PartialModel)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, Ident, Path, Token, parse_quote, punctuated::Punctuated, spanned::Spanned};

use crate::errors::Errors;

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let errors = Errors::default();
    let code = partial(input, &errors);
    let errors = errors.into_tokens();
    quote!(#errors #code)
}

/// The model, and where `orm-core` is.
fn container(input: &DeriveInput, errors: &Errors) -> (Option<Path>, Path) {
    let (mut of, mut krate) = (None, parse_quote!(::orm_core));
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("model")) {
        errors.ok(attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("of") {
                of = Some(meta.value()?.parse()?);
                Ok(())
            } else if meta.path.is_ident("crate") {
                krate = meta.value()?.parse()?;
                Ok(())
            } else {
                Err(meta.error("unknown attribute; a partial model takes `of = Model`, `crate = path`"))
            }
        }));
    }
    (of, krate)
}

/// The way from the model to a field: `origin.city`, or the field's own name.
fn way(field: &syn::Field, name: &Ident, errors: &Errors) -> Vec<Ident> {
    let mut way = vec![name.clone()];
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("model")) {
        errors.ok(attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("path") {
                return Err(meta.error("unknown attribute; a partial model's field takes `path = relation.field`"));
            }
            let path = Punctuated::<Ident, Token![.]>::parse_separated_nonempty(meta.value()?)?;
            way = path.into_iter().collect();
            Ok(())
        }));
    }
    way
}

fn partial(input: &DeriveInput, errors: &Errors) -> Option<TokenStream> {
    let ident = &input.ident;
    let (of, krate) = container(input, errors);
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let Some(fields) = named.filter(|_| input.generics.params.is_empty()) else {
        errors.at(
            ident.span(),
            format!("a partial model is a struct with named fields, some of a model's, and has no generics; `{ident}` is none"),
        );
        return None;
    };
    let Some(of) = of else {
        errors.at(ident.span(), "of which model are the fields? write `#[model(of = Model)]`");
        return None;
    };
    let mut columns = Vec::new();
    let mut reads = Vec::new();
    for field in fields {
        let Some(name) = &field.ident else { continue };
        let way = way(field, name, errors);
        let Some((last, relations)) = way.split_last() else { continue };
        let span = last.span();
        let expression = quote_spanned!(span=> __f #(.#relations())* .#last);
        columns.push(quote_spanned!(span=> #krate::__private::PartialColumn::of(#expression)));
        let ty = &field.ty;
        let read = quote_spanned!(ty.span()=> #krate::__private::read_partial::<#of, #ty, _, __DB, __R>);
        reads.push(quote!(#name: #read(|__f| #expression, row)?));
    }
    Some(quote! {
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, unused_qualifications)]
        const _: () = {
            impl #krate::queryset::PartialModel for #ident {
                type Of = #of;
                fn columns(
                    __f: &<#of as #krate::model::Model>::Fields<#krate::path::Root<#of>>,
                ) -> ::std::vec::Vec<#krate::__private::PartialColumn> {
                    ::std::vec![#(#columns),*]
                }
            }
            #krate::__on_each_driver! {
                impl #krate::queryset::ReadPartial<__DB> for #ident {
                    fn read<'__r, __R: #krate::diesel::row::Row<'__r, __DB>>(
                        row: &mut #krate::stream::row::RowReader<'_, __R>,
                    ) -> ::core::result::Result<Self, #krate::stream::row::ColumnError> {
                        ::core::result::Result::Ok(#ident { #(#reads),* })
                    }
                }
            }
        };
    })
}
