//! Writing the code. One file for each part; this one puts them together.

mod accessors;
mod columns;
mod new_row;
mod relations;
mod reverse;
mod rows;
#[cfg(test)]
mod snapshot;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{DeriveInput, Visibility, parse_quote};

use crate::{errors::Errors, model::Model};

/// All that `#[derive(Model)]` writes: the mistakes, and as much of the model as can be made out, so that a mistake
/// here does not become many where the model is used.
pub(crate) fn model(input: &DeriveInput) -> TokenStream {
    let errors = Errors::default();
    let code = Model::new(input, &errors).map(|model| {
        let parts = [columns::module(&model), new_row::structure(&model)];
        let hidden = [
            columns::columns(&model),
            relations::relations(&model),
            reverse::reverse(&model),
            accessors::model(&model),
            rows::rows(&model),
        ];
        quote! {
            #(#parts)*
            #[doc(hidden)]
            #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, unused_qualifications)]
            const _: () = { #(#hidden)* };
        }
    });
    let errors = errors.into_tokens();
    quote!(#errors #code)
}

/// The visibility that an item needs, `depth` modules further in, to be seen as widely as `vis` says.
fn vis_inside(vis: &Visibility, depth: usize) -> Visibility {
    let up = |levels: usize| -> Visibility {
        let supers = std::iter::repeat_n(quote!(super), levels);
        parse_quote!(pub(in #(#supers)::*))
    };
    match vis {
        Visibility::Inherited => up(depth),
        Visibility::Public(_) => vis.clone(),
        Visibility::Restricted(restricted) => {
            let path = &restricted.path;
            if path.is_ident("self") {
                up(depth)
            } else if path.is_ident("super") {
                up(depth + 1)
            } else if path.segments.first().is_some_and(|first| first.ident == "super") {
                up(depth + path.segments.len())
            } else {
                vis.clone()
            }
        }
    }
}

/// The same code at another place: its names mean what they did.
fn located_at(code: TokenStream, place: Span) -> TokenStream {
    let moved = code.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            token = TokenTree::Group(Group::new(group.delimiter(), located_at(group.stream(), place)));
        }
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}
