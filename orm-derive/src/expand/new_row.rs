//! The struct for rows that are new, whose generated columns are not known yet.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::model::Model;

/// `NewFlight`; nothing where the database fills no column.
pub(super) fn structure(model: &Model<'_>) -> TokenStream {
    if !model.has_generated() {
        return TokenStream::new();
    }
    let (vis, name, derives) = (model.vis, &model.new, &model.new_derive);
    let title = format!("A new row of [`{}`]: all fields but those that the database fills.", model.ident);
    let fields = model.fields.iter().filter(|field| !field.generated).map(|field| {
        let (ident, vis, ty) = (field.ident, field.vis, field.ty);
        let doc = format!("The field `{}`.", ident.unraw());
        quote! { #[doc = #doc] #vis #ident: #ty, }
    });
    quote! {
        #[doc = #title]
        #[derive(Debug, #(#derives),*)]
        #[allow(dead_code, clippy::pedantic)]
        #vis struct #name {
            #(#fields)*
        }
    }
}
