//! Connections whose other end is played within a test.

use std::io::{Read, Write};

/// What is read from it is what the server says, and what is written to it is what the server hears.
pub(crate) trait Line: Read + Write + Send + Sync {}

impl<T: Read + Write + Send + Sync> Line for T {}
