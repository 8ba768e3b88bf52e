//! Who and where, in a server's URL: `//user:password@host:port,host:port/database`.

use super::{
    disclosure,
    url::{DatabaseUrl, configuration, decode},
};
use crate::error::Result;

/// What stands between a URL's scheme and its options, decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// At least one, of which nothing may be said.
    pub(crate) hosts: Vec<Host>,
    pub(crate) database: Option<String>,
}

/// One of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host {
    /// Without the brackets of an IPv6 address.
    pub(crate) name: Option<String>,
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn of(url: &DatabaseUrl) -> Result<Self> {
        let rest = url.base().split_once("//").map_or("", |(_, rest)| rest);
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let has_user_info = user.is_some();
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (some(user)?, some(password)?),
            None => (None, None),
        };
        if let Some(user) = &user {
            disclosure::check_user(user, password.is_some())?;
        }
        let hosts = hosts.split(',').map(Host::parse).collect::<Result<_>>()?;
        let database = some(database)?;
        if let Some(name) = &database {
            disclosure::check_database(name)?;
            if !has_user_info {
                // A password with a `/` in it, before an `@` that is escaped.
                disclosure::check_database(&format!("{authority}/{name}"))?;
            }
        }
        Ok(Authority { user, password, hosts, database })
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(address) => {
                let Some((host, port)) = address.split_once(']') else {
                    return Err(configuration("the database URL's IPv6 address has no closing `]`"));
                };
                if !port.is_empty() && !port.starts_with(':') {
                    return Err(configuration("only a port may follow the `]` of the database URL's IPv6 address"));
                }
                (host, port.strip_prefix(':'))
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.filter(|port| !port.is_empty()).map(port_number).transpose()?;
        let name = some(name)?;
        if let Some(name) = &name {
            disclosure::check_host(name)?;
        }
        Ok(Host { name, port })
    }
}

/// A port, in digits.
pub(crate) fn port_number(text: &str) -> Result<u16> {
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| configuration("a port in the database URL is a number from 1 to 65535"))
}

/// The text decoded; `None` where there is none.
fn some(text: &str) -> Result<Option<String>> {
    if text.is_empty() { Ok(None) } else { decode(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rest: &str) -> std::result::Result<[String; 5], String> {
        let authority =
            DatabaseUrl::parse(&format!("{}://{rest}", if cfg!(feature = "mysql") { "mysql" } else { "postgres" }))
                .and_then(|url| Authority::of(&url))
                .map_err(|error| error.to_string())?;
        let Authority { user, password, hosts, database } = authority;
        let ports: Vec<_> =
            hosts.iter().map(|host| host.port.map(|port| port.to_string()).unwrap_or_default()).collect();
        let names: Vec<_> = hosts.into_iter().map(|host| host.name.unwrap_or_default()).collect();
        let some = Option::unwrap_or_default;
        Ok([some(user), some(password), names.join(","), ports.join(","), some(database)])
    }

    #[test]
    fn each_part_is_found_and_decoded() {
        let all = ["me@home", "s:c/ret", "db.example.com", "3307", "my db"].map(str::to_owned);
        assert_eq!(parts("me%40home:s%3Ac%2Fret@db.example.com:3307/my%20db?x=y"), Ok(all));
        assert_eq!(parts(""), Ok(["", "", "", "", ""].map(str::to_owned)));
        assert_eq!(parts("me@[::1]:3307/d"), Ok(["me", "", "::1", "3307", "d"].map(str::to_owned)));
        assert_eq!(parts("localhost/d"), Ok(["", "", "localhost", "", "d"].map(str::to_owned)));
        assert_eq!(parts("me@a:1,[::1],%2Frun:3/d"), Ok(["me", "", "a,::1,/run", "1,,3", "d"].map(str::to_owned)));
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        for port in ["0", "65536", "x"] {
            assert!(parts(&format!("host:{port}/d")).is_err_and(|error| error.contains("from 1 to 65535")), "{port}");
        }
        assert!(parts("[::1/d").is_err_and(|error| error.contains("closing `]`")));
        assert!(parts("[::1]5432/d").is_err_and(|error| error.contains("only a port may follow")));
    }
}
