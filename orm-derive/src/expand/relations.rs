//! Relations: a type for each, a method of the accessors, and the checks of its key.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, ext::IdentExt, spanned::Spanned};

use crate::model::{Model, Relation};

pub(super) fn relations(model: &Model<'_>) -> TokenStream {
    model.relations.iter().map(|relation| one(model, relation)).collect()
}

fn one(model: &Model<'_>, relation: &Relation) -> TokenStream {
    let (krate, home, ident, vis) = (&model.krate, &model.home, model.ident, model.vis);
    let (accessors, name, target) = (model.path_of_accessors(), &relation.name, &relation.target);
    let field = &model.fields[relation.field];
    let (field_name, ty, column) = (field.ident, field.ty, &field.column);
    let text = name.unraw().to_string();
    // On the user's words, because they may name no model.
    let target_model = quote_spanned!(target.span()=> <#target as #krate::model::Model>);
    let fields = quote_spanned! {target.span()=>
        #target_model::Fields<#krate::path::Via<__P, #home::relations::#name>>
    };
    let scope = Ident::new("__scope", target.span());
    let call = quote_spanned!(target.span()=> #target_model::fields(#scope));
    let to_type = quote_spanned!(target.span()=> type To = #target;);
    let null = if relation.optional {
        quote!(#krate::path::Optional)
    } else {
        quote_spanned! {ty.span()=>
            <<<#home::columns::#field_name as #krate::model::ModelColumn>::SqlType
                as #krate::diesel::sql_types::SqlType>::IsNull as #krate::path::KeyNullability>::Null
        }
    };
    let from = relation.field;
    let reverse = match &relation.reverse {
        Some(reverse) => {
            let text = reverse.unraw().to_string();
            quote!(::core::option::Option::Some(#text))
        }
        None => quote!(::core::option::Option::None),
    };
    let unique = relation.unique.then(|| {
        quote! {
            impl #krate::reverse::UniqueKey for #home::relations::#name {}
        }
    });
    let to = match &relation.key {
        None => quote!(#target_model::PRIMARY_KEY[0]),
        Some(key) => {
            let key = key.unraw().to_string();
            quote!(#krate::__private::position(#target_model::COLUMNS, #key))
        }
    };
    let check = match &relation.key {
        None => quote_spanned!(target.span()=> #krate::__private::refers_to::<#ty, #target_model::Key>()),
        Some(key) => {
            let field = quote_spanned!(key.span()=> to.#key);
            let check = quote_spanned!(ty.span()=> column.is_referred_to_by::<#ty>());
            quote! {
                let _ = |to: #target_model::Fields<#krate::path::Root<#target>>| {
                    let column = #krate::__private::referred(#field);
                    #check
                };
            }
        }
    };
    let doc =
        format!("The [`{}`] that `{}` refers to.", quote!(#target).to_string().replace(' ', ""), field_name.unraw());
    quote! {
        impl #krate::model::ForeignKey for #home::relations::#name {
            type From = #ident;
            #to_type
            type Null = #null;
            const NAME: &'static str = #text;
            const REVERSE: ::core::option::Option<&'static str> = #reverse;
            const COLUMN: &'static str = #column;
            const FROM: usize = #from;
            const TO: usize = #to;
        }

        #unique

        impl<__P: #krate::path::Path<Target = #ident>> #accessors<__P> {
            #[doc = #doc]
            #[allow(dead_code)]
            #[must_use]
            #vis fn #name(
                &self,
            ) -> #fields {
                let #scope = &self.__scope;
                #call
            }
        }

        const _: fn() = || { #check };
    }
}
