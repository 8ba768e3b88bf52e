//! Relations: a type for each, a method of the accessors, and the checks of its key.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{Model, Relation};

pub(super) fn relations(model: &Model<'_>) -> TokenStream {
    model.relations.iter().map(|relation| one(model, relation)).collect()
}

fn one(model: &Model<'_>, relation: &Relation) -> TokenStream {
    let (krate, module, ident, vis) = (&model.krate, &model.module, model.ident, model.vis);
    let (accessors, name, target) = (model.accessors(), &relation.name, &relation.target);
    let field = &model.fields[relation.field];
    let (field_name, ty, column) = (field.ident, field.ty, &field.column);
    let text = name.to_string();
    let null = if relation.optional {
        quote!(#krate::path::Optional)
    } else {
        let sql = quote!(<#module::columns::#field_name as #krate::model::ModelColumn>::SqlType);
        let is_null = quote!(<#sql as #krate::diesel::sql_types::SqlType>::IsNull);
        quote!(<#is_null as #krate::path::KeyNullability>::Null)
    };
    let to = match &relation.key {
        None => quote!(<#target as #krate::model::Model>::PRIMARY_KEY[0]),
        Some(key) => {
            let key = syn::ext::IdentExt::unraw(key).to_string();
            quote!(#krate::__private::position(<#target as #krate::model::Model>::COLUMNS, #key))
        }
    };
    let check = match &relation.key {
        None => {
            let check = quote_spanned!(ty.span()=> check::<#ty, <#target as #krate::model::Model>::Key>());
            quote! {
                fn check<K: #krate::model::RefersTo<T>, T>() {}
                #check
            }
        }
        Some(key) => {
            let check = quote_spanned!(key.span()=> |to: Accessors| check::<#ty, _, _>(to.#key));
            quote! {
                type Accessors =
                    <#target as #krate::model::Model>::Fields<#krate::path::Root<#target>>;
                fn check<K: #krate::model::RefersTo<C::Rust>, P, C: #krate::model::ModelColumn>(
                    _: #krate::field::Field<P, C>,
                ) {
                }
                let _ = #check;
            }
        }
    };
    let doc = format!("The [`{}`] that `{field_name}` refers to.", quote!(#target).to_string().replace(' ', ""));
    quote! {
        impl #krate::model::ForeignKey for #module::relations::#name {
            type From = #ident;
            type To = #target;
            type Null = #null;
            const NAME: &'static str = #text;
            const COLUMN: &'static str = #column;
            const TO: usize = #to;
        }

        impl<__P: #krate::path::Path<Target = #ident>> #accessors<__P> {
            #[doc = #doc]
            #[allow(dead_code)]
            #[must_use]
            #vis fn #name(
                &self,
            ) -> <#target as #krate::model::Model>::Fields<#krate::path::Via<__P, #module::relations::#name>> {
                <#target as #krate::model::Model>::fields(&self.__scope)
            }
        }

        const _: fn() = || { #check };
    }
}
