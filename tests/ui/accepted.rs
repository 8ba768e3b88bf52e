//! Programs that must keep compiling, one module each.

#[path = "accepted/newtypes.rs"]
mod newtypes;
