//! The module named as the table: the columns as types, and Diesel's table.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::vis_inside;
use crate::model::Model;

/// The module. Nothing in it names a type of the user's: what stands in a function is not to be seen from a module.
pub(super) fn module(model: &Model<'_>) -> TokenStream {
    let (krate, module, vis) = (&model.krate, &model.module, model.vis);
    let (inner, inmost) = (vis_inside(vis, 1), vis_inside(vis, 2));
    let title = format!("The table `{}` of the model `{}`.", model.table, model.ident);
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let docs = names.iter().map(|name| format!("The column of the field `{name}`."));
    let relations = model.relations.iter().map(|relation| {
        let (name, doc) = (&relation.name, format!("The relation `{}`.", relation.name));
        quote! { #[doc = #doc] #[derive(Debug)] #inmost struct #name; }
    });
    let diesel = model.table_module.is_none().then(|| {
        let docs = docs.clone();
        quote! {
            /// The table, for plain Diesel.
            #inner type table = #krate::diesel_table::Table<columns::__table>;
            /// The table, for plain Diesel.
            #inner const table: table = #krate::diesel_table::Table::new();
            #(
                #[doc = #docs]
                #inner type #names = #krate::diesel_table::TableColumn<columns::#names>;
                #[doc = #docs]
                #inner const #names: #names = #krate::diesel_table::TableColumn::new();
            )*
        }
    });
    let table_marker = model.table_module.is_none().then(|| {
        quote! { #[doc(hidden)] #[derive(Debug)] #inmost struct __table; }
    });
    quote! {
        #[doc = #title]
        #[allow(non_camel_case_types, non_upper_case_globals, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
        #vis mod #module {
            /// The columns, as types.
            #inner mod columns {
                #( #[doc = #docs] #[derive(Debug)] #inmost struct #names; )*
                #table_marker
            }
            /// The relations to other models, as types.
            #inner mod relations {
                #(#relations)*
            }
            #diesel
        }
    }
}

/// What the columns are.
pub(super) fn columns(model: &Model<'_>) -> TokenStream {
    let (krate, module, ident) = (&model.krate, &model.module, model.ident);
    let columns = model.fields.iter().map(|field| {
        let (name, ty, column) = (field.ident, field.ty, &field.column);
        let (sql_type, codec) = match (&field.sql_type, &model.table_module) {
            (Some(sql_type), _) => (quote!(#sql_type), quote!(#krate::types::ViaDiesel<#sql_type>)),
            (None, Some(table)) => {
                let column = quote_spanned!(name.span()=> #table::#name);
                let sql_type = quote!(<#column as #krate::diesel::Expression>::SqlType);
                (sql_type.clone(), quote!(<#ty as #krate::types::ReadFrom<#sql_type>>::Codec))
            }
            (None, None) => {
                (quote_spanned!(ty.span()=> <#ty as #krate::types::FieldType>::SqlType), quote!(#krate::types::Native))
            }
        };
        quote! {
            impl #krate::model::ModelColumn for #module::columns::#name {
                type Model = #ident;
                type Rust = #ty;
                type SqlType = #sql_type;
                type Codec = #codec;
                const NAME: &'static str = #column;
            }
        }
    });
    let diesel = model.table_module.is_none().then(|| {
        let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
        let key: Vec<_> = model.primary_key.iter().map(|at| model.fields[*at].ident).collect();
        let (key, key_value) = match key.as_slice() {
            [one] => (quote!(#module::#one), quote!(#module::#one)),
            many => (quote!((#(#module::#many,)*)), quote!((#(#module::#many,)*))),
        };
        quote! {
            impl #krate::diesel_table::TableMarker for #module::columns::__table {
                type Model = #ident;
                type AllColumns = (#(#module::#names,)*);
                type PrimaryKey = #key;
                type SqlType = (#(<#module::columns::#names as #krate::model::ModelColumn>::SqlType,)*);
                const ALL_COLUMNS: Self::AllColumns = (#(#module::#names,)*);
                const PRIMARY_KEY: Self::PrimaryKey = #key_value;
            }
            #(
                impl #krate::diesel_table::InTable for #module::columns::#names {
                    type Table = #module::columns::__table;
                }
            )*
        }
    });
    quote!( #(#columns)* #diesel )
}
