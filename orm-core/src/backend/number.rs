//! Numbers as servers send them: so many bytes, and no others.

use diesel::deserialize::Result;

/// The bytes of a number, if they are as many as it has.
#[inline]
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| wrong_length(bytes.len(), N))
}

#[cold]
fn wrong_length(found: usize, due: usize) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the server sent {found} bytes where {due} were due").into()
}
