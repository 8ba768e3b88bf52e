//! Programs that must keep compiling, one module each.
