//! Panics that a test expects.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The message with which `f` panics.
///
/// # Panics
///
/// If `f` does not.
pub fn message<T>(f: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("a panic was expected"),
        Err(payload) => text(payload.as_ref()),
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_default()
}
