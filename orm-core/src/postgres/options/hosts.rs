//! The servers that are tried: hosts, ports, addresses.

use std::net::IpAddr;

use super::given::Given;
use crate::{
    database::{authority::port_number, disclosure::check_host, url::configuration},
    error::Result,
    net::address::Address,
};

const PORT: u16 = 5432;

/// A server that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// As it is called; a Unix socket by its folder. A certificate must be for this name.
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) address: Address,
}

impl Host {
    /// Whether the server is reached by a Unix socket.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.address, Address::Unix(_))
    }

    /// As libpq's password file calls it.
    pub(crate) fn name_in_password_file(&self, usual_host: &str) -> &str {
        if self.name == usual_host { "localhost" } else { &self.name }
    }
}

/// The servers in the order in which they are named ("Specifying Multiple Hosts" in PostgreSQL's documentation).
pub(super) fn read(given: &Given<'_>) -> Result<Vec<Host>> {
    let list = |name| given.text(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
    let (names, addresses) = (list("host"), list("hostaddr"));
    let count = names.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if addresses.as_ref().is_some_and(|addresses| addresses.len() != count) {
        return Err(configuration("`host` and `hostaddr` name different numbers of servers"));
    }
    let ports = list("port").unwrap_or_default();
    if ports.len() > 1 && ports.len() != count {
        return Err(configuration(format!(
            "{} ports are named for {count} servers; name one for each, or one for all",
            ports.len()
        )));
    }
    let of = |list: &Option<Vec<String>>, index: usize| {
        list.as_ref().and_then(|list| list.get(index)).filter(|text| !text.is_empty()).cloned()
    };
    (0..count)
        .map(|index| {
            let port = match ports.get(index).or(ports.first()).map(|port| port.trim()) {
                None | Some("") => PORT,
                Some(port) => port_number(port)?,
            };
            let (name, address) = (of(&names, index), of(&addresses, index));
            if address.as_ref().is_some_and(|address| address.parse::<IpAddr>().is_err()) {
                return Err(configuration(
                    "`hostaddr` is an IP address, such as `10.0.0.7` or `::1`; names go to `host`",
                ));
            }
            let name = name.or_else(|| address.clone()).unwrap_or_else(|| given.environment.host());
            let address = match address {
                Some(host) => Address::Tcp { host, port },
                None if name.starts_with('/') => {
                    check_host(&name)?;
                    Address::Unix(format!("{name}/.s.PGSQL.{port}").into())
                }
                None if name.starts_with('@') => {
                    return Err(configuration(
                        "Unix sockets without a file (hosts that begin with `@`) are not supported; name the folder of \
                         the server's socket",
                    ));
                }
                None => {
                    check_host(&name)?;
                    Address::Tcp { host: name.clone(), port }
                }
            };
            Ok(Host { name, port, address })
        })
        .collect()
}
