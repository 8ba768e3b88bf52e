//! What a rogue says in MySQL's protocol.

use std::{io, sync::Arc};

use rustls::ServerConfig;

use super::Client;

/// The bits of the server's capabilities, as in "Capabilities Flags" of MySQL's internals manual.
const PROTOCOL: u32 = 1 // long passwords
    | 1 << 3 // a database to begin with
    | 1 << 9 // protocol 4.1
    | 1 << 13 // transactions
    | 1 << 15 // passwords since 4.1
    | 1 << 16 // multiple statements
    | 1 << 17 // and results
    | 1 << 19 // ways to log in
    | 1 << 24; // no EOF packets
const TLS: u32 = 1 << 11;

/// The challenge of every rogue's greeting.
pub const NONCE: &[u8; 20] = b"abcdefghijklmnopqrst";

impl Client {
    /// Sends a packet.
    pub fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let packet = packet(self.packet, payload);
        self.packet = self.packet.wrapping_add(1);
        self.raw(&packet)
    }

    /// Receives a packet.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.read_exact(&mut header)?;
        let [a, b, c, number] = header;
        self.packet = number.wrapping_add(1);
        let mut payload = vec![0; u32::from_le_bytes([a, b, c, 0]) as usize];
        self.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// The greeting, in which the server prefers this way to log in.
    pub fn greet(&mut self, plugin: &str, has_tls: bool) -> io::Result<()> {
        self.send(&greeting(plugin, has_tls))
    }

    /// Lets any client in, encrypted if there is a certificate and the client wants it; says whether it did.
    pub fn log_in(&mut self, tls: Option<&Arc<ServerConfig>>) -> io::Result<bool> {
        self.greet("mysql_native_password", tls.is_some())?;
        let mut response = self.receive()?;
        let wants_tls = response.get(1).is_some_and(|byte| u32::from(*byte) << 8 & TLS != 0);
        if let Some(tls) = tls.filter(|_| wants_tls) {
            self.encrypt(tls)?;
            response = self.receive()?;
        }
        if response.len() < 32 {
            return Err(io::Error::other("this is no answer to a greeting"));
        }
        self.ok()?;
        self.set_up()?;
        Ok(wants_tls)
    }

    /// Says OK.
    pub fn ok(&mut self) -> io::Result<()> {
        self.send(&[0, 0, 0, 2, 0, 0, 0])
    }

    /// Answers the statements by which a client makes its session what it wants, and asks for the server's settings and for
    /// where the connection is seen.
    pub fn set_up(&mut self) -> io::Result<()> {
        self.receive()?;
        self.set_up_answer()
    }

    /// Answers those statements, which come as one text.
    pub fn set_up_answer(&mut self) -> io::Result<()> {
        self.send(&[0, 0, 0, 0x0A, 0, 0, 0])?; // OK, and more follows
        self.row(&["67108864", "8.4.0-rogue", "db"], &[0xFE, 0, 0, 0x0A, 0, 0, 0])?;
        self.place_answer()
    }

    /// Answers the query for a connection's own process number and address.
    pub fn place_answer(&mut self) -> io::Result<()> {
        self.row(&["7", "127.0.0.1:1", "Query"], END)
    }

    /// A result of one row, in text, with this end.
    fn row(&mut self, values: &[&str], end: &[u8]) -> io::Result<()> {
        let length = |text: &str| u8::try_from(text.len()).unwrap_or(0);
        self.send(&[u8::try_from(values.len()).unwrap_or(0)])?;
        values.iter().try_for_each(|_| self.send(&column("c", 0xFD)))?;
        let row: Vec<u8> = values.iter().flat_map(|value| [&[length(value)], value.as_bytes()].concat()).collect();
        self.send(&row)?;
        self.send(end)
    }

    /// Answers the next command with these packets.
    pub fn answer(&mut self, packets: &[Vec<u8>]) -> io::Result<Vec<u8>> {
        let command = self.receive()?;
        for packet in packets {
            self.send(packet)?;
        }
        Ok(command)
    }

    /// Answers all commands: preparing by a statement without parameters, executing by a result, the rest by OK. What
    /// it gives as the rows is anything.
    pub fn serve(&mut self, result: &[Vec<u8>]) -> io::Result<()> {
        loop {
            match self.receive()?.first() {
                Some(0x01) | None => return Ok(()),
                Some(0x16) => self.send(PREPARED)?,
                Some(0x17) => result.iter().try_for_each(|packet| self.send(packet))?,
                Some(0x19) => {} // forgetting a statement has no answer
                Some(_) => self.ok()?,
            }
        }
    }
}

/// A statement that has been prepared: number 1, without columns and parameters.
pub const PREPARED: &[u8] = &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The end of a result.
pub const END: &[u8] = &[0xFE, 0, 0, 2, 0, 0, 0];

/// A packet with its header.
pub fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&[a, b, c, number], payload].concat()
}

/// The greeting of a server, in which it prefers this way to log in.
pub fn greeting(plugin: &str, has_tls: bool) -> Vec<u8> {
    let [a, b, c, d] = (PROTOCOL | if has_tls { TLS } else { 0 }).to_le_bytes();
    let (first, second) = NONCE.split_at(8);
    [
        &[10][..],
        b"8.4.0-rogue\0",
        &[7, 0, 0, 0],
        first,
        &[0, a, b, 45, 2, 0, c, d, 21],
        &[0; 10],
        second,
        &[0],
        plugin.as_bytes(),
        &[0],
    ]
    .concat()
}

/// The definition of a column of a result.
pub fn column(name: &str, code: u8) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(0);
    [&b"\x03def\0\0\0"[..], &[length], name.as_bytes(), &[0, 0x0C, 45, 0, 255, 0, 0, 0, code, 0, 0, 0, 0, 0]].concat()
}
