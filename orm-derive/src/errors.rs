//! Collects mistakes, so that all those of a struct are reported at once.

use std::cell::RefCell;

use proc_macro2::{Span, TokenStream};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(RefCell<Option<syn::Error>>);

impl Errors {
    /// Adds a mistake, at the user's own token.
    pub(crate) fn at(&self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
    }

    pub(crate) fn add(&self, error: syn::Error) {
        let mut all = self.0.borrow_mut();
        match &mut *all {
            Some(all) => all.combine(error),
            None => *all = Some(error),
        }
    }

    /// Keeps the value, or the mistake.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// The mistakes as `compile_error!`s.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_inner().map(|error| error.into_compile_error()).unwrap_or_default()
    }

    /// The messages, in the order in which they were found.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0.into_inner().into_iter().flatten().map(|error| error.to_string()).collect()
    }
}
