//! Where a server is.

#[cfg(feature = "postgres")]
use std::net::SocketAddr;
use std::{fmt, path::PathBuf};

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A host name or an IP address (IPv6 without brackets), and a port.
    Tcp { host: String, port: u16 },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    #[cfg(feature = "postgres")]
    pub(super) fn of_peer(address: SocketAddr) -> Self {
        let host = match address {
            // An address that counts on one of this machine's networks alone.
            SocketAddr::V6(address) if address.scope_id() != 0 => format!("{}%{}", address.ip(), address.scope_id()),
            address => address.ip().to_string(),
        };
        Address::Tcp { host, port: address.port() }
    }

    /// The name that a certificate must be for.
    #[cfg(feature = "mysql")]
    pub(crate) fn server_name(&self) -> &str {
        match self {
            Address::Tcp { host, .. } => host,
            Address::Unix(_) => "localhost",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => path.display().fmt(f),
        }
    }
}
