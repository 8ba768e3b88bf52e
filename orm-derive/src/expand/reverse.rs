//! Ways back: methods of the accessors of the models that relations lead to.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Path, ext::IdentExt};

use super::located_at;
use crate::model::{Crossing, Model, Relation};

pub(super) fn reverse(model: &Model<'_>) -> TokenStream {
    let plain = model.relations.iter().filter_map(|relation| Some(one(model, relation, relation.reverse.as_ref()?)));
    let crossings = model.crossings.iter().map(|crossing| across(model, crossing));
    plain.chain(crossings).collect()
}

/// Back along one relation.
fn one(model: &Model<'_>, relation: &Relation, reverse: &Ident) -> TokenStream {
    let (krate, home, ident) = (&model.krate, &model.home, model.ident);
    let name = &relation.name;
    let key = quote!(#home::relations::#name);
    let target = path_text(&relation.target);
    let (doc, returns, function) = if relation.unique {
        (
            format!("The [`{ident}`] whose `{}` is this [`{target}`], if there is one.", name.unraw()),
            quote!(<#ident as #krate::model::Model>::Fields<#krate::path::BackOne<__P, #key>>),
            quote!(one::<#key, Self>),
        )
    } else {
        (
            format!("Each [`{ident}`] whose `{}` is this [`{target}`].", name.unraw()),
            quote!(#krate::reverse::Many<#krate::path::Back<__P, #key>>),
            quote!(many::<#key, Self>),
        )
    };
    method(model, &relation.target, reverse, &doc, &returns, &function)
}

/// Back along one relation, and on along another.
fn across(model: &Model<'_>, crossing: &Crossing) -> TokenStream {
    let (krate, home, ident) = (&model.krate, &model.home, model.ident);
    let (back, across) = (&model.relations[crossing.back], &model.relations[crossing.across]);
    let (back_name, across_name) = (&back.name, &across.name);
    let keys = [quote!(#home::relations::#back_name), quote!(#home::relations::#across_name)];
    let [back_key, across_key] = &keys;
    let doc = format!(
        "Each [`{}`] that a [`{ident}`] links with this [`{}`].",
        path_text(&across.target),
        path_text(&back.target)
    );
    let returns = quote!(#krate::reverse::Many<#krate::path::Across<#krate::path::Back<__P, #back_key>, #across_key>>);
    let function = quote!(through::<#back_key, #across_key, Self>);
    method(model, &back.target, &crossing.name, &doc, &returns, &function)
}

/// A method of the target's accessors. All of it is located at its name, where the compiler then points if the target
/// belongs to another crate, has such a method already, or has no accessors in scope.
fn method(
    model: &Model<'_>,
    target: &Path,
    name: &Ident,
    doc: &str,
    returns: &TokenStream,
    function: &TokenStream,
) -> TokenStream {
    let (krate, vis, accessors) = (&model.krate, model.vis, accessors_of(model, target));
    let code = quote! {
        #[allow(non_local_definitions)]
        impl<__P: #krate::path::Path<Target = #target>> #accessors<__P> {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis fn #name(&self) -> #returns {
                #krate::reverse::#function(self)
            }
        }
    };
    located_at(code, name.span())
}

/// The target's accessors, which are named as the target and stand beside it.
fn accessors_of(model: &Model<'_>, target: &Path) -> Path {
    if target.is_ident(model.ident) {
        return model.path_of_accessors();
    }
    let mut path = target.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = format_ident!("{}Fields", last.ident.unraw(), span = last.ident.span());
    }
    path
}

fn path_text(path: &Path) -> String {
    quote!(#path).to_string().replace(' ', "")
}
