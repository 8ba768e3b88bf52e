//! Who and where, in a server's URL: `//user:password@host:port/database`.

use super::url::{DatabaseUrl, configuration, decode};
use crate::error::Result;

/// What stands between a URL's scheme and its options, decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
}

impl Authority {
    pub(crate) fn of(url: &DatabaseUrl) -> Result<Self> {
        let rest = url.base().split_once("//").map_or("", |(_, rest)| rest);
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (some(user)?, some(password)?),
            None => (None, None),
        };
        let (host, port) = match address.strip_prefix('[') {
            Some(address) => {
                let Some((host, port)) = address.split_once(']') else {
                    return Err(configuration("the database URL's IPv6 address has no closing `]`"));
                };
                (host, port.strip_prefix(':'))
            }
            None => match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                configuration("the database URL's port, after the host's `:`, is a number from 1 to 65535")
            })?),
        };
        Ok(Authority { user, password, host: some(host)?, port, database: some(database)? })
    }
}

/// The text decoded; `None` where there is none.
fn some(text: &str) -> Result<Option<String>> {
    if text.is_empty() { Ok(None) } else { decode(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rest: &str) -> std::result::Result<[String; 5], String> {
        let authority = DatabaseUrl::parse(&format!("{}://{rest}", if cfg!(feature = "mysql") { "mysql" } else { "postgres" }))
            .and_then(|url| Authority::of(&url))
            .map_err(|error| error.to_string())?;
        let Authority { user, password, host, port, database } = authority;
        Ok([user, password, host, port.map(|port| port.to_string()), database].map(Option::unwrap_or_default))
    }

    #[test]
    fn each_part_is_found_and_decoded() {
        let all = ["me@home", "s:c/ret", "db.example.com", "3307", "my db"].map(str::to_owned);
        assert_eq!(parts("me%40home:s%3Ac%2Fret@db.example.com:3307/my%20db?x=y"), Ok(all));
        assert_eq!(parts(""), Ok(["", "", "", "", ""].map(str::to_owned)));
        assert_eq!(parts("me@[::1]:3307/d"), Ok(["me", "", "::1", "3307", "d"].map(str::to_owned)));
        assert_eq!(parts("localhost/d"), Ok(["", "", "localhost", "", "d"].map(str::to_owned)));
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        for port in ["0", "65536", "x"] {
            assert!(parts(&format!("host:{port}/d")).is_err_and(|error| error.contains("from 1 to 65535")), "{port}");
        }
        assert!(parts("[::1/d").is_err_and(|error| error.contains("closing `]`")));
    }
}
