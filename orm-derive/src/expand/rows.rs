//! How rows are read and written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{Field, Model};

pub(super) fn rows(model: &Model<'_>) -> TokenStream {
    let all: Vec<_> = model.fields.iter().enumerate().collect();
    let parts = [from_row(model), to_row(model, model.ident, &all), queryable(model), new_row(model, &all)];
    quote!(#(#parts)*)
}

/// How the struct for new rows is written, where there is one.
fn new_row(model: &Model<'_>, all: &[(usize, &Field<'_>)]) -> TokenStream {
    if !model.has_generated() {
        return TokenStream::new();
    }
    let (krate, ident, new) = (&model.krate, model.ident, &model.new);
    let given: Vec<_> = all.iter().copied().filter(|(_, field)| !field.generated).collect();
    let to_row = to_row(model, new, &given);
    quote! {
        impl #krate::model::Insertable for #new {
            type Model = #ident;
        }
        #to_row
    }
}

fn from_row(model: &Model<'_>) -> TokenStream {
    let (krate, home, ident) = (&model.krate, &model.home, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let types: Vec<_> = model.fields.iter().map(|field| field.ty).collect();
    let read: Vec<_> = names
        .iter()
        .zip(&types)
        .map(|(name, ty)| quote!(<#home::columns::#name as #krate::model::ReadColumn<#ty, __DB>>))
        .collect();
    let key = model.primary_key.iter().map(|at| {
        let read = &read[*at];
        quote!(#read::peek(row, at + #at)?)
    });
    let form = key_form(model);
    quote! {
        impl<__DB: #krate::diesel::backend::Backend> #krate::model::FromRow<__DB> for #ident
        where
            #( #home::columns::#names: #krate::model::ReadColumn<#types, __DB>, )*
        {
            #[inline]
            fn from_row<'__r, __R: #krate::diesel::row::Row<'__r, __DB>>(
                row: &mut #krate::stream::row::RowReader<'_, __R>,
            ) -> ::core::result::Result<Self, #krate::stream::row::ColumnError> {
                ::core::result::Result::Ok(#ident {
                    #( #names: #read::read(row)?, )*
                })
            }

            fn describe_key<'__r, __R: #krate::diesel::row::Row<'__r, __DB>>(
                row: &__R,
                at: usize,
            ) -> ::core::option::Option<::std::string::String> {
                ::core::option::Option::Some(::std::format!(#form, #(#key),*))
            }
        }
    }
}

/// How a row is written: the model, or the struct for new rows, which lacks what the database fills.
fn to_row(model: &Model<'_>, ident: &Ident, fields: &[(usize, &Field<'_>)]) -> TokenStream {
    let (krate, home) = (&model.krate, &model.home);
    let names: Vec<_> = fields.iter().map(|(_, field)| field.ident).collect();
    let types: Vec<_> = fields.iter().map(|(_, field)| field.ty).collect();
    let positions: Vec<_> = fields.iter().map(|(position, _)| *position).collect();
    let write: Vec<_> = names
        .iter()
        .zip(&types)
        .map(|(name, ty)| quote!(<#home::columns::#name as #krate::model::WriteColumn<#ty, __DB>>))
        .collect();
    let key = if model.primary_key.iter().all(|at| positions.contains(at)) {
        let key = model.primary_key.iter().map(|at| {
            let name = model.fields[*at].ident;
            quote!(self.#name)
        });
        let form = key_form(model);
        quote!(::core::option::Option::Some(::std::format!(#form, #(#key),*)))
    } else {
        quote!(::core::option::Option::None)
    };
    quote! {
        impl<__DB: #krate::diesel::backend::Backend> #krate::model::ToRow<__DB> for #ident
        where
            #( #home::columns::#names: #krate::model::WriteColumn<#types, __DB>, )*
        {
            fn bind<'__b>(
                &'__b self,
                column: usize,
                mut out: #krate::diesel::query_builder::AstPass<'_, '__b, __DB>,
            ) -> #krate::diesel::QueryResult<()> {
                match column {
                    #( #positions => #write::bind(&self.#names, &mut out), )*
                    _ => ::core::result::Result::Ok(()),
                }
            }

            fn validate(
                &self,
                column: usize,
                backend: #krate::BackendKind,
            ) -> ::core::result::Result<(), #krate::BoxError> {
                match column {
                    #( #positions => #write::validate(&self.#names, backend), )*
                    _ => ::core::result::Result::Ok(()),
                }
            }

            fn key(&self) -> ::core::option::Option<::std::string::String> {
                #key
            }

            fn width(&self) -> usize {
                ::core::mem::size_of::<Self>() #( + #write::width(&self.#names) )*
            }
        }
    }
}

/// Diesel's way to read the model, for its own queries.
fn queryable(model: &Model<'_>) -> TokenStream {
    let (krate, ident) = (&model.krate, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let types: Vec<_> = model.fields.iter().map(|field| field.ty).collect();
    let positions = (0..names.len()).map(syn::Index::from);
    let sql_types: Vec<_> = (0..names.len()).map(|at| format_ident!("__ST{at}")).collect();
    let sql = quote!((#(#sql_types,)*));
    quote! {
        impl<__DB: #krate::diesel::backend::Backend, #(#sql_types),*>
            #krate::diesel::deserialize::Queryable<#sql, __DB> for #ident
        where
            (#(#types,)*): #krate::diesel::deserialize::FromStaticSqlRow<#sql, __DB>,
        {
            type Row = (#(#types,)*);
            fn build(row: Self::Row) -> #krate::diesel::deserialize::Result<Self> {
                ::core::result::Result::Ok(#ident { #( #names: row.#positions, )* })
            }
        }
    }
}

/// How the key is printed: alone, or as a tuple.
fn key_form(model: &Model<'_>) -> String {
    match model.primary_key.len() {
        1 => "{:?}".to_owned(),
        many => format!("({})", vec!["{:?}"; many].join(", ")),
    }
}
