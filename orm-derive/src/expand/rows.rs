//! How rows are read and written.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Model;

pub(super) fn rows(model: &Model<'_>) -> TokenStream {
    let parts = [from_row(model), to_row(model), queryable(model)];
    quote!(#(#parts)*)
}

fn from_row(model: &Model<'_>) -> TokenStream {
    let (krate, module, ident) = (&model.krate, &model.module, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let types: Vec<_> = model.fields.iter().map(|field| field.ty).collect();
    let codecs: Vec<_> =
        names.iter().map(|name| quote!(<#module::columns::#name as #krate::model::ModelColumn>::Codec)).collect();
    let key = model.primary_key.iter().map(|at| {
        let (codec, ty) = (&codecs[*at], types[*at]);
        quote!(#krate::__private::peek::<#codec, #ty, __DB, __R>(row, at + #at)?)
    });
    let form = key_form(model);
    quote! {
        impl<__DB: #krate::diesel::backend::Backend> #krate::model::FromRow<__DB> for #ident
        where
            #( #codecs: #krate::types::Codec<#types, __DB>, )*
        {
            #[inline]
            fn from_row<'__r, __R: #krate::diesel::row::Row<'__r, __DB>>(
                row: &mut #krate::stream::row::RowReader<'_, __R>,
            ) -> ::core::result::Result<Self, #krate::stream::row::ColumnError> {
                ::core::result::Result::Ok(#ident {
                    #( #names: row.read::<#codecs, #types, __DB>()?, )*
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

fn to_row(model: &Model<'_>) -> TokenStream {
    let (krate, module, ident) = (&model.krate, &model.module, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let types: Vec<_> = model.fields.iter().map(|field| field.ty).collect();
    let sql_types: Vec<_> =
        names.iter().map(|name| quote!(<#module::columns::#name as #krate::model::ModelColumn>::SqlType)).collect();
    let positions = 0..names.len();
    // A field that goes through Diesel has no rules of ours.
    let ours: Vec<_> = model.fields.iter().enumerate().filter(|(_, field)| field.sql_type.is_none()).collect();
    let our_names: Vec<_> = ours.iter().map(|(_, field)| field.ident).collect();
    let our_positions: Vec<_> = ours.iter().map(|(at, _)| *at).collect();
    let key = model.primary_key.iter().map(|at| {
        let name = names[*at];
        quote!(self.#name)
    });
    let form = key_form(model);
    quote! {
        impl<__DB: #krate::diesel::backend::Backend> #krate::model::ToRow<__DB> for #ident
        where
            #( #types: #krate::diesel::serialize::ToSql<#sql_types, __DB>, )*
            #( __DB: #krate::diesel::sql_types::HasSqlType<#sql_types>, )*
        {
            fn bind<'__b>(
                &'__b self,
                column: usize,
                mut out: #krate::diesel::query_builder::AstPass<'_, '__b, __DB>,
            ) -> #krate::diesel::QueryResult<()> {
                match column {
                    #( #positions => out.push_bind_param::<#sql_types, #types>(&self.#names), )*
                    _ => ::core::result::Result::Ok(()),
                }
            }

            fn validate(
                &self,
                backend: #krate::BackendKind,
            ) -> ::core::result::Result<(), (usize, #krate::BoxError)> {
                #(
                    #krate::types::FieldType::validate(&self.#our_names, backend)
                        .map_err(|error| (#our_positions, error))?;
                )*
                let _ = backend;
                ::core::result::Result::Ok(())
            }

            fn key(&self) -> ::std::string::String {
                ::std::format!(#form, #(#key),*)
            }

            fn width(&self) -> usize {
                ::core::mem::size_of::<Self>() #( + #krate::types::FieldType::width(&self.#our_names) )*
            }
        }
    }
}

/// Diesel's way to read the model, for its own queries.
fn queryable(model: &Model<'_>) -> TokenStream {
    let (krate, module, ident) = (&model.krate, &model.module, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let types: Vec<_> = model.fields.iter().map(|field| field.ty).collect();
    let positions = (0..names.len()).map(syn::Index::from);
    let sql_types = names.iter().map(|name| quote!(<#module::columns::#name as #krate::model::ModelColumn>::SqlType));
    let sql = quote!((#(#sql_types,)*));
    quote! {
        impl<__DB: #krate::diesel::backend::Backend> #krate::diesel::deserialize::Queryable<#sql, __DB> for #ident
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
