//! Logging in: from the server's greeting to its OK.
//!
//! Read by "Connection Phase" in MySQL's internals manual and "Connecting" in MariaDB's client/server protocol.

use std::collections::HashMap;

use mysql_common::{
    constants::{CapabilityFlags, MariadbCapabilities},
    io::ParseBuf,
    packets::{
        AuthPlugin, CommonOkPacket, ErrPacket, HandshakePacket, HandshakeResponse, OkPacketDeserializer, SslRequest,
    },
    proto::MySerialize,
};

use super::{
    error::{Failure, ServerWord},
    options::Options,
    packets::Packets,
};
use crate::{
    backend::BackendKind,
    error::{Error, ErrorKind, Text},
    net::{
        socket::{Deadline, Socket, TIMED_OUT, TcpSettings, sentence},
        tls::{Tls, TlsMode},
    },
};

/// utf8mb4_general_ci, which MySQL and MariaDB both have; what texts are compared by is the columns' own collation.
const UTF8MB4: u8 = 45;

/// What both sides can do.
pub(super) struct Greeted {
    pub(super) packets: Packets,
    pub(super) capabilities: CapabilityFlags,
    /// What MariaDB has besides.
    pub(super) extended: MariadbCapabilities,
    /// The server's number for this connection, by which it is killed.
    pub(super) id: u32,
    /// As the server writes it, such as `8.4.3` or `10.11.19-MariaDB`.
    pub(super) version: String,
}

/// Without these there is nothing to talk with: every server since MySQL 5.6 and MariaDB 10 has them.
const NEEDED: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_MULTI_STATEMENTS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS);

/// What we can do. CLIENT_LOCAL_FILES is not among it, so a server that asks for a file breaks the protocol.
const OURS: CapabilityFlags = NEEDED
    // Both name the ordinary protocol; MariaDB takes the lack of the first for its own extended one.
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_LONG_FLAG)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(CapabilityFlags::CLIENT_CONNECT_ATTRS)
    .union(CapabilityFlags::CLIENT_CONNECT_WITH_DB)
    // An UPDATE counts the rows that it found, as on the other backends, and not those that it changed.
    .union(CapabilityFlags::CLIENT_FOUND_ROWS)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF);

/// Connects and logs in.
pub(super) fn log_in(options: &Options, tls: Option<&Tls>, deadline: Deadline) -> Result<Greeted, Error> {
    let socket = Socket::connect(&options.address, &TcpSettings::default(), deadline)
        .map_err(|error| refusal(sentence(&error)).with_source(Text(format!("{}: {error}", options.address))))?;
    let mut packets = Packets::new(socket);
    packets.next().map_err(|failure| failed(failure, options))?;
    let greeting = greeting(packets.packet()).map_err(|failure| failed(failure, options))?;

    let mut wanted = OURS;
    if options.compress {
        wanted |= CapabilityFlags::CLIENT_COMPRESS;
    }
    if options.database.is_none() {
        wanted -= CapabilityFlags::CLIENT_CONNECT_WITH_DB;
    }
    if !greeting.capabilities().contains(NEEDED) {
        return Err(refusal(
            "the server, or what stands before it, lacks what every MySQL since 5.7 and MariaDB since 10.2 can do",
        ));
    }
    let mut capabilities = greeting.capabilities() & wanted;
    // A server that names the ordinary protocol has no other.
    let extended = match capabilities.contains(CapabilityFlags::CLIENT_LONG_PASSWORD) {
        true => MariadbCapabilities::empty(),
        false => greeting.mariadb_ext_capabilities() & MariadbCapabilities::MARIADB_CLIENT_STMT_BULK_OPERATIONS,
    };
    if let Some(tls) = tls
        // What stays on this machine is not encrypted unless that is asked for.
        && (options.tls.mode > TlsMode::Preferred || !packets.socket().is_private())
    {
        if greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL) {
            capabilities |= CapabilityFlags::CLIENT_SSL;
            packets.put(&serialized(
                &SslRequest::new(capabilities, u32::MAX, UTF8MB4).with_mariadb_capabilities(extended),
            ));
            encrypt(&mut packets, tls, options).map_err(|failure| {
                refusal("the connection to the server cannot be encrypted").with_source(Text(failure.to_string()))
            })?;
        } else if options.tls.mode > TlsMode::Preferred {
            return Err(refusal(
                "the server has no TLS, and the URL's `ssl_mode` asks for it; no user name and no password were sent",
            ));
        }
    }
    authenticate(&mut packets, &greeting, (capabilities, extended), options)?;
    if capabilities.contains(CapabilityFlags::CLIENT_COMPRESS) {
        packets.compress();
    }
    Ok(Greeted {
        packets,
        capabilities,
        extended,
        id: greeting.connection_id(),
        // MariaDB calls itself 5.5.5 first, for the sake of old replicas.
        version: greeting.server_version_str().trim_start_matches("5.5.5-").to_owned(),
    })
}

fn refusal(sentence: &str) -> Error {
    Error::new(ErrorKind::Connection, sentence).on_backend(BackendKind::Mysql)
}

fn failed(failure: Failure, options: &Options) -> Error {
    let sentence = match failure.number() {
        Some(1045 | 1698 | 1862 | 3118 | 4151) => "the server refused the user name or the password",
        Some(1044 | 1049 | 1142) => "the server has no such database, or the user may not use it",
        Some(1040 | 1203 | 1226) => "the server has no room for another connection",
        Some(1129 | 1130) => "the server accepts no connection from this address",
        Some(1251) => "the server has no way to log in that is known here",
        _ if matches!(&failure, Failure::Lost(loss) if loss.why == TIMED_OUT) => TIMED_OUT,
        _ => "no connection to the server could be made",
    };
    let mut text = failure.to_string();
    // Should a server tell it. A shorter one stands in ordinary words, and would be told by what is missing of them.
    if options.password.len() >= 4 {
        text = text.replace(&options.password, "…");
    }
    refusal(sentence).with_source(Text(text))
}

pub(super) fn greeting(packet: &[u8]) -> Result<HandshakePacket<'static>, Failure> {
    if packet.first() == Some(&0xFF) {
        return Err(error_packet(packet, CapabilityFlags::empty()));
    }
    let other = || Failure::protocol("this is no greeting of a MySQL server");
    if packet.first() != Some(&10) {
        return Err(other());
    }
    // The challenge has 21 bytes on every server, and `HandshakePacket` counts with what stands here unchecked.
    let version = packet.iter().position(|byte| *byte == 0).ok_or_else(other)?;
    if packet.get(version + CHALLENGE_LENGTH).is_none_or(|length| *length > 0x7F) {
        return Err(other());
    }
    let greeting: HandshakePacket<'_> = ParseBuf(packet).parse(()).map_err(|_| other())?;
    Ok(greeting.into_owned())
}

/// Where the length of a greeting's challenge stands, from the end of the server's version.
const CHALLENGE_LENGTH: usize = 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2;

/// The way to log in that a server asks for, and its challenge ("Protocol::AuthSwitchRequest").
pub(super) fn switch_request(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    // The oldest way is asked for by one byte. A challenge may hold any byte, zero at its end, too.
    let (name, challenge) = packet.get(1..)?.split_at(packet.iter().skip(1).position(|byte| *byte == 0)?);
    Some((name, &challenge[1..]))
}

/// The server's word from an error packet.
pub(super) fn error_packet(packet: &[u8], capabilities: CapabilityFlags) -> Failure {
    match ParseBuf(packet).parse::<ErrPacket<'_>>(capabilities) {
        Ok(ErrPacket::Error(error)) => Failure::Server(ServerWord::from(&error)),
        _ => Failure::protocol("an error packet cannot be read"),
    }
}

fn serialized(packet: &impl MySerialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    bytes
}

fn encrypt(packets: &mut Packets, tls: &Tls, options: &Options) -> Result<(), Failure> {
    packets.socket_to_encrypt()?.encrypt(tls, options.address.server_name())?;
    Ok(())
}

/// What the server sees of us in its tables of connections.
fn attributes(options: &Options) -> HashMap<String, String> {
    let program = options.program.clone().or_else(|| {
        let program = std::env::args_os().next()?;
        Some(std::path::Path::new(&program).file_name()?.to_string_lossy().into_owned())
    });
    [
        ("_client_name", "orm-core".to_owned()),
        ("_client_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("_pid", std::process::id().to_string()),
        ("program_name", program.unwrap_or_default()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn authenticate(
    packets: &mut Packets,
    greeting: &HandshakePacket<'_>,
    (capabilities, extended): (CapabilityFlags, MariadbCapabilities),
    options: &Options,
) -> Result<(), Error> {
    // 20 bytes and a NUL.
    let mut nonce = [greeting.scramble_1_ref(), greeting.scramble_2_ref().unwrap_or_default()].concat();
    nonce.truncate(20);
    // The way that the server prefers, if it is one that gives nothing away to whoever asks for it.
    let first = match greeting.auth_plugin() {
        Some(plugin @ AuthPlugin::CachingSha2Password) => plugin,
        _ => AuthPlugin::MysqlNativePassword,
    };
    let login = Login { packets, options, capabilities, plugin: first.into_owned(), nonce };
    let answer = login.scramble();
    let response = HandshakeResponse::new(
        answer,
        (8, 0, 0), // by which the collation is chosen: utf8mb4's, since MySQL 5.5
        Some(options.user.as_bytes()),
        options.database.as_deref().map(str::as_bytes),
        Some(login.plugin.borrow()),
        capabilities,
        capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS).then(|| attributes(options)),
        u32::MAX,
    )
    .with_mariadb_ext_capabilities(extended);
    let response = serialized(&response);
    login.packets.put(&response);
    login.finish()
}

/// The exchange that proves who we are.
struct Login<'a> {
    packets: &'a mut Packets,
    options: &'a Options,
    capabilities: CapabilityFlags,
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
}

/// A server that changes its mind about the way again and again is none.
const MOST_PACKETS: usize = 8;

impl Login<'_> {
    /// What proves that we know the password, without telling it.
    fn scramble(&self) -> Option<Vec<u8>> {
        match self.plugin {
            AuthPlugin::CachingSha2Password | AuthPlugin::MysqlNativePassword | AuthPlugin::Ed25519 => {
                self.plugin.gen_data(Some(&self.options.password), &self.nonce).map(|data| data.to_vec())
            }
            _ => None,
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        for _ in 0..MOST_PACKETS {
            let packet = self.exchange().map_err(|failure| failed(failure, self.options))?;
            match packet.as_slice() {
                [0x00, ..] => {
                    return ParseBuf(&packet)
                        .parse::<OkPacketDeserializer<'_, CommonOkPacket>>(self.capabilities)
                        .map(drop)
                        .map_err(|_| failed(Failure::protocol("its OK cannot be read"), self.options));
                }
                [0xFF, ..] => return Err(failed(error_packet(&packet, self.capabilities), self.options)),
                [0xFE, ..] => self.switch(&packet)?,
                // MySQL's caching_sha2_password: 3, it knew the scramble; 4, it wants the password itself.
                [0x01, 0x03] if self.plugin == AuthPlugin::CachingSha2Password => {}
                [0x01, 0x04] if self.plugin == AuthPlugin::CachingSha2Password => self.put_password()?,
                _ => break,
            }
        }
        Err(failed(Failure::protocol("its answers to the login cannot be understood"), self.options))
    }

    fn exchange(&mut self) -> Result<Vec<u8>, Failure> {
        self.packets.flush()?;
        self.packets.next()?;
        Ok(self.packets.packet().to_vec())
    }

    /// The server wants to be convinced in another way.
    fn switch(&mut self, packet: &[u8]) -> Result<(), Error> {
        let unknown = |name: &str| {
            refusal("the server wants a way to log in that is not known here")
                .with_source(Text(format!("the account's plugin is `{name}`")))
        };
        let Some((name, challenge)) = switch_request(packet) else {
            return Err(unknown("mysql_old_password")); // the only one that asks in another form
        };
        self.plugin = AuthPlugin::from_bytes(name).into_owned();
        self.nonce = challenge.to_vec();
        match self.plugin {
            AuthPlugin::CachingSha2Password | AuthPlugin::MysqlNativePassword => {
                self.nonce.truncate(20);
                let answer = self.scramble().unwrap_or_default();
                self.packets.put(&answer);
            }
            AuthPlugin::Ed25519 => {
                self.nonce.truncate(32);
                let answer = self.scramble().unwrap_or_default();
                self.packets.put(&answer);
            }
            AuthPlugin::MysqlClearPassword => {
                if !self.options.cleartext {
                    return Err(refusal(
                        "the server wants the password itself (its plugin mysql_clear_password); if it may have it, \
                         add `enable_cleartext_plugin=true` to the URL",
                    ));
                }
                self.put_password()?;
            }
            ref other => return Err(unknown(&String::from_utf8_lossy(other.as_bytes()))),
        }
        Ok(())
    }

    /// Sends the password as it is, where nobody can read along.
    fn put_password(&mut self) -> Result<(), Error> {
        if !self.packets.socket().is_private() {
            return Err(refusal(
                "the server wants the password itself, and this connection is not encrypted; add \
                 `ssl_mode=required`, or better `verify_identity`, to the URL",
            ));
        }
        let mut password = self.options.password.clone().into_bytes();
        password.push(0);
        self.packets.put(&password);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_may_end_with_zero() {
        let challenge = [[7; 31].as_slice(), &[0]].concat();
        let packet = [b"\xFEclient_ed25519\0", &challenge[..]].concat();
        assert_eq!(switch_request(&packet), Some((&b"client_ed25519"[..], &challenge[..])));
        assert_eq!(switch_request(&[0xFE]), None);
        assert_eq!(switch_request(b"\xFEname"), None);
    }
}
