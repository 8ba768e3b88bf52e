//! The module named as the table: the columns as types, and Diesel's table.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Path, Type, Visibility, ext::IdentExt, spanned::Spanned};

use super::{located_at, vis_inside};
use crate::{
    column::{Default, Limit},
    model::Model,
};

/// The module of the model's own, and what it gives to the module around. Nothing in it names a type of the user's: what
/// stands in a function is not to be seen from a module.
///
/// It is called after the struct, which is one of its kind. What is called after the table or otherwise like something of
/// the user's is in `names`, which a glob imports: so the user's own items go before it, and two models of one table
/// are in conflict only where a program uses the name of both.
pub(super) fn module(model: &Model<'_>) -> TokenStream {
    let (home, vis) = (&model.home, model.vis);
    let (inner, inmost) = (vis_inside(vis, 1), vis_inside(vis, 2));
    let around = vis_inside(&Visibility::Inherited, 1);
    let names = model.fields.iter().map(|field| field.ident);
    let docs = model.fields.iter().map(|field| doc_of_column(field.ident));
    let relations = model.relations.iter().map(|relation| {
        let (name, doc) = (&relation.name, format!("The relation `{}`.", relation.name));
        quote! { #[doc = #doc] #[derive(Debug)] #inmost struct #name; }
    });
    let table_marker = model.table_module.is_none().then(|| {
        quote! { #[doc(hidden)] #[derive(Debug)] #inmost struct __table; }
    });
    let (table, accessors) = (table(model), super::accessors::accessors(model));
    quote! {
        #[allow(
            non_camel_case_types, non_snake_case, non_upper_case_globals, dead_code, unreachable_pub, unused_imports,
            missing_docs, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction
        )]
        mod #home {
            /// The columns, as types.
            #inner mod columns {
                #( #[doc = #docs] #[derive(Debug)] #inmost struct #names; )*
                #table_marker
            }
            /// The relations to other models, as types.
            #inner mod relations {
                #(#relations)*
            }
            #around mod names {
                #table
                #accessors
            }
        }
        #[allow(
            unused_imports, unreachable_pub, ambiguous_glob_reexports, hidden_glob_reexports, clippy::all,
            clippy::pedantic, clippy::restriction
        )]
        #vis use #home::names::*;
    }
}

/// The module named as the table: its columns as types, and the table for plain Diesel.
fn table(model: &Model<'_>) -> TokenStream {
    let (krate, vis) = (&model.krate, model.vis);
    let (outer, inner) = (vis_inside(vis, 2), vis_inside(vis, 3));
    let title = format!("The table `{}` of the model `{}`.", model.table, model.ident.unraw());
    let Some((module, others)) = model.modules.split_first() else { return TokenStream::new() };
    let diesel = model.table_module.is_none().then(|| {
        let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
        let docs: Vec<_> = names.iter().map(|name| doc_of_column(name)).collect();
        let aliases: Vec<_> = names.iter().map(|name| alias(name, &names)).collect();
        quote! {
            /// The table, for plain Diesel.
            #inner type table = #krate::diesel_table::Table<columns::__table>;
            /// The table, for plain Diesel.
            #inner const table: table = #krate::diesel_table::Table::new();
            #(
                #[doc = #docs]
                #inner type #aliases = #krate::diesel_table::TableColumn<columns::#names>;
                #[doc = #docs]
                #inner const #aliases: #aliases = #krate::diesel_table::TableColumn::new();
            )*
        }
    });
    quote! {
        #[doc = #title]
        #outer mod #module {
            #inner use super::super::{columns, relations};
            #diesel
        }
        #( #outer use #module as #others; )*
    }
}

fn doc_of_column(name: &Ident) -> String {
    format!("The column of the field `{}`.", name.unraw())
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "Option"))
}

/// The name of a column for plain Diesel: the field's, unless something else in the module has it.
fn alias(name: &Ident, fields: &[&Ident]) -> Ident {
    if !["table", "columns", "relations"].iter().any(|taken| name == taken) {
        return name.clone();
    }
    let mut alias = format_ident!("{name}_", span = name.span());
    while fields.contains(&&alias) {
        alias = format_ident!("{alias}_", span = name.span());
    }
    alias
}

/// What the columns are.
pub(super) fn columns(model: &Model<'_>) -> TokenStream {
    let (krate, home, ident) = (&model.krate, &model.home, model.ident);
    let columns = model.fields.iter().map(|field| {
        let (name, ty, column) = (field.ident, field.ty, &field.column);
        let (sql_type, codec) = match (&field.sql_type, &model.table_module) {
            (Some(sql_type), _) => (quote!(#sql_type), quote!(#krate::types::ViaDiesel<#sql_type>)),
            (None, Some(table)) => {
                let column = quote_spanned!(name.span()=> #table::#name);
                let sql_type = quote!(<#column as #krate::diesel::Expression>::SqlType);
                let codec = quote_spanned!(ty.span()=> <#ty as #krate::types::ReadFrom<#sql_type>>::Codec);
                (sql_type, codec)
            }
            (None, None) => {
                (quote_spanned!(ty.span()=> <#ty as #krate::types::FieldType>::SqlType), quote!(#krate::types::Native))
            }
        };
        let check = field.limit.as_ref().map(|limit| check(krate, ty, limit));
        // On the user's type, so that the compiler says once, and there, what is wrong with it.
        let types = quote_spanned! {ty.span()=>
            type SqlType = #sql_type;
            type Codec = #codec;
        };
        quote! {
            impl #krate::model::ModelColumn for #home::columns::#name {
                type Model = #ident;
                type Rust = #ty;
                #types
                const NAME: &'static str = #column;
                #check
            }
        }
    });
    let diesel = model.table_module.is_none().then(|| {
        let column_type = quote!(#krate::diesel_table::TableColumn);
        let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
        let key: Vec<_> = model.primary_key.iter().map(|at| model.fields[*at].ident).collect();
        let (key, key_value) = match key.as_slice() {
            [one] => (quote!(#column_type<#home::columns::#one>), quote!(#column_type::<#home::columns::#one>::new())),
            many => (
                quote!((#(#column_type<#home::columns::#many>,)*)),
                quote!((#(#column_type::<#home::columns::#many>::new(),)*)),
            ),
        };
        quote! {
            impl #krate::diesel_table::TableMarker for #home::columns::__table {
                type Model = #ident;
                type AllColumns = (#(#column_type<#home::columns::#names>,)*);
                type PrimaryKey = #key;
                const ALL_COLUMNS: Self::AllColumns = (#(#column_type::<#home::columns::#names>::new(),)*);
                const PRIMARY_KEY: Self::PrimaryKey = #key_value;
            }
            #(
                impl #krate::diesel_table::InTable for #home::columns::#names {
                    type Table = #home::columns::__table;
                }
            )*
        }
    });
    let keys = model.primary_key.iter().map(|at| {
        let (name, ty) = (model.fields[*at].ident, model.fields[*at].ty);
        let sql = quote_spanned!(ty.span()=> <#home::columns::#name as #krate::model::ModelColumn>::SqlType);
        let null = quote_spanned!(ty.span()=> <#sql as #krate::diesel::sql_types::SqlType>::IsNull);
        quote_spanned!(ty.span()=> #krate::__private::primary_key::<#null>();)
    });
    // Only where it is surely an `Option`; where it is not seen to be one, reading it says so.
    let options = model.fields.iter().filter(|field| is_option(field.ty)).filter_map(|field| {
        let sql = field.sql_type.as_ref()?;
        let null = quote_spanned!(sql.span()=> <#sql as #krate::diesel::sql_types::SqlType>::IsNull);
        Some(quote_spanned!(sql.span()=> #krate::__private::nullable::<#null>();))
    });
    let defaults = model.fields.iter().filter_map(|field| Some(default(krate, field.ty, field.default.as_ref()?)));
    quote!( #(#columns)* #(#defaults)* #diesel const _: fn() = || { #(#keys)* #(#options)* }; )
}

/// The check of a value against the limit of its field. It is located at the limit, where the compiler then points if the
/// field's type cannot have it.
fn check(krate: &Path, ty: &Type, limit: &Limit) -> TokenStream {
    let (kind, value) = (limit.kind(krate), limit.value(krate));
    let check = quote_spanned!(limit.span=> #krate::types::limit::Limited::<#kind>::check(value, #value));
    quote! {
        fn check(value: &#ty) -> ::core::result::Result<(), #krate::BoxError> {
            #check
        }
    }
}

/// The check of a default against the type of its field, located at the default.
fn default(krate: &Path, ty: &Type, default: &Default) -> TokenStream {
    located_at(default.check_of_type(krate, ty), default.span)
}
