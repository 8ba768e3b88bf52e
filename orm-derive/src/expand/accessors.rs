//! The typed accessors, and `Model` itself.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Visibility, ext::IdentExt, spanned::Spanned};

use super::vis_inside;
use crate::model::Model;

/// The struct whose values closures are given, in a module that is two deep.
pub(super) fn accessors(model: &Model<'_>) -> TokenStream {
    let (krate, vis, name) = (&model.krate, vis_inside(model.vis, 2), model.accessors());
    let title = format!(
        "The fields and relations of [`{0}`](super::super::{0}), for conditions, orders and values.",
        model.ident.unraw()
    );
    let own = vis_inside(&Visibility::Inherited, 2);
    let fields = model.fields.iter().map(|field| {
        let (ident, vis) = (field.ident, vis_inside(field.vis, 2));
        let doc = format!("The field `{}`: the column `{}`.", ident.unraw(), field.column);
        quote! { #[doc = #doc] #vis #ident: #krate::field::Field<__P, super::columns::#ident>, }
    });
    quote! {
        #[doc = #title]
        #[derive(Clone, Debug)]
        #[allow(dead_code, clippy::pedantic)]
        #vis struct #name<__P: #krate::path::Path> {
            #(#fields)*
            #own __scope: #krate::path::Scope,
        }
    }
}

/// `impl Model`, and the methods of the accessors.
pub(super) fn model(model: &Model<'_>) -> TokenStream {
    let (krate, home, ident, accessors) = (&model.krate, &model.home, model.ident, model.path_of_accessors());
    let (table, schema) = (&model.table, option(model.schema.as_ref()));
    let (unique, indexes) = (&model.constraints.unique, &model.constraints.indexes);
    let model_name = ident.unraw().to_string();
    let names: Vec<_> = model.fields.iter().map(|field| field.ident).collect();
    let columns = model.fields.iter().map(|field| {
        let (name, column, generated) = (field.ident, &field.column, field.generated);
        let text = name.unraw().to_string();
        // On the user's type, because it may be none that a column can have.
        let sql = quote_spanned!(field.ty.span()=> <#home::columns::#name as #krate::model::ModelColumn>::SqlType);
        let sql = quote_spanned!(field.ty.span()=> <#sql as #krate::sql_types::ColumnSql>);
        let limit = option(field.limit.as_ref().map(|limit| limit.value(krate)));
        let default = option(field.default.as_ref().map(|default| default.value(krate)));
        quote! {
            #krate::model::Column {
                field: #text,
                name: #column,
                sql: #sql::COLUMN,
                nullable: #sql::NULLABLE,
                generated: #generated,
                integers: #sql::INTEGERS,
                limit: #limit,
                default: #default,
            }
        }
    });
    let key = &model.primary_key;
    let key_types: Vec<_> = key.iter().map(|at| model.fields[*at].ty).collect();
    let key_type = match key_types.as_slice() {
        [one] => quote!(#one),
        many => quote!((#(#many,)*)),
    };
    let key_columns = key.iter().map(|at| model.fields[*at].ident);
    let new = if model.has_generated() { &model.new } else { ident };
    let relations = model.relations.iter().map(|relation| {
        let (name, at) = (&relation.name, relation.field);
        let text = name.unraw().to_string();
        let (target, optional, unique) = (&relation.target, relation.optional, relation.unique);
        let table = quote_spanned!(target.span()=> <#target as #krate::model::Model>::TABLE);
        quote! {
            #krate::model::Relation {
                name: #text,
                column: #at,
                to: || #table,
                to_column: <#home::relations::#name as #krate::model::ForeignKey>::TO,
                may_dangle: #optional,
                unique: #unique,
            }
        }
    });
    quote! {
        impl #krate::model::Model for #ident {
            type Fields<__P: #krate::path::Path<Target = Self>> = #accessors<__P>;
            type Key = #key_type;
            type New = #new;
            const COLUMNS: &'static [#krate::model::Column] = &[#(#columns),*];
            const PRIMARY_KEY: &'static [usize] = &[#(#key),*];
            const TABLE: &'static #krate::model::Table = &#krate::model::Table {
                model: #model_name,
                schema: #schema,
                name: #table,
                columns: <Self as #krate::model::Model>::COLUMNS,
                primary_key: <Self as #krate::model::Model>::PRIMARY_KEY,
                relations: &[#(#relations),*],
                unique: &[#(&[#(#unique),*]),*],
                indexes: &[#(&[#(#indexes),*]),*],
            };
            fn fields<__P: #krate::path::Path<Target = Self>>(scope: &#krate::path::Scope) -> #accessors<__P> {
                scope.enter::<__P>();
                #accessors {
                    #( #names: #krate::field::Field::new(), )*
                    __scope: ::core::clone::Clone::clone(scope),
                }
            }
        }

        impl #krate::queryset::HasKey for #ident {
            type KeyColumns = (#(#home::columns::#key_columns,)*);
        }

        impl<__P: #krate::path::Path> #krate::model::Accessors for #accessors<__P> {
            type Path = __P;
            fn __scope(&self) -> &#krate::path::Scope {
                &self.__scope
            }
        }
    }
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
