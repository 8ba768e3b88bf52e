//! A blocking connection to a server, with time limits, in the clear or encrypted.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};
#[cfg(unix)]
use std::{os::unix::net::UnixStream, path::Path};

use rustls::{ClientConnection, StreamOwned};
#[cfg(unix)]
use socket2::{Domain, SockAddr, Type};
use socket2::{SockRef, TcpKeepalive};

#[cfg(all(test, feature = "postgres"))]
use super::memory::Line;
use super::{
    address::Address,
    tls::{Proof, Tls},
};

/// What the system shall do about a TCP connection on which nothing is heard, and which of a name's addresses it goes
/// to. `None` leaves it to the system.
#[derive(Clone, Debug)]
pub(crate) struct TcpSettings {
    /// After how long a silence, and how often, the system asks whether the other side is still there. A stream may wait
    /// for its consumer for hours; a machine that has gone should be noticed before.
    pub(crate) keepalive: Option<TcpKeepalive>,
    /// How long what has been sent may stay without the other side's word that it has come; the system would wait for a
    /// quarter of an hour. Only Linux knows of it.
    pub(crate) unacknowledged: Option<Duration>,
    /// Whether the addresses of a name are tried in any order, to spread connections over them.
    pub(crate) any_order: bool,
}

impl TcpSettings {
    /// The silence after which the system asks first.
    pub(crate) const IDLE: Duration = Duration::from_secs(60);
    /// And how often it asks from then on.
    pub(crate) const INTERVAL: Duration = Duration::from_secs(15);
}

impl Default for TcpSettings {
    fn default() -> Self {
        let keepalive = TcpKeepalive::new().with_time(Self::IDLE).with_interval(Self::INTERVAL);
        TcpSettings { keepalive: Some(keepalive), unacknowledged: Some(Duration::from_secs(120)), any_order: false }
    }
}

/// How long to wait; `None` is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// For all of connecting: TCP, TLS and logging in; the name is looked up for as long as the system takes.
    pub(crate) connect: Option<Duration>,
    /// For each piece that is read.
    pub(crate) read: Option<Duration>,
    /// For each piece that is written.
    pub(crate) write: Option<Duration>,
}

/// A point in time by which something must have happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Deadline(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// What is left; an error when nothing is.
    pub(crate) fn left(self) -> io::Result<Option<Duration>> {
        let Some(at) = self.0 else { return Ok(None) };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(timed_out()) } else { Ok(Some(left)) }
    }

    /// What is left for one of so many tries.
    fn share(self, tries: usize) -> io::Result<Option<Duration>> {
        let tries = u32::try_from(tries).unwrap_or(u32::MAX).max(1);
        Ok(self.left()?.map(|left| (left / tries).max(Duration::from_millis(1))))
    }

    /// The deadline of one of so many tries.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_one(self, tries: usize) -> io::Result<Self> {
        self.share(tries).map(Deadline::after)
    }
}

/// How long to wait for the server's last message after a write has failed. It was sent before the connection was closed, so it
/// has come already, unless the network is slow.
pub(crate) const LAST_MESSAGE: Duration = Duration::from_millis(20);
/// How much is read to find it.
pub(crate) const MOST_BEFORE_LAST_MESSAGE: usize = 64 << 20;

/// What is said when a time limit has run out.
pub(crate) const TIMED_OUT: &str = "the server did not answer in time";

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, TIMED_OUT)
}

/// Why a host's addresses could not be found.
#[derive(Debug)]
struct UnknownHost(io::Error);

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for UnknownHost {}

/// What an error of [`Socket::connect`] means.
pub(crate) fn sentence(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if error.get_ref().is_some_and(|error| error.is::<UnknownHost>()) => "the server's host name is not known",
        io::ErrorKind::TimedOut => TIMED_OUT,
        _ => "the server cannot be reached",
    }
}

/// A connection to a server.
pub(crate) struct Socket {
    stream: Stream,
}

enum Stream {
    Clear(Plain),
    Encrypted(Box<Encrypted>),
    /// While it is being encrypted, and for ever where that failed.
    Gone,
}

struct Encrypted {
    stream: StreamOwned<ClientConnection, Plain>,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL asks"))]
    proof: Proof,
}

struct Plain {
    link: Link,
    /// How many bytes the system has taken to send.
    written: u64,
    /// By when all that is read and written must have happened.
    deadline: Option<Deadline>,
}

enum Link {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// A server that is played in memory.
    #[cfg(all(test, feature = "postgres"))]
    Memory(Box<dyn Line>),
}

impl Socket {
    #[cfg(all(test, feature = "postgres"))]
    pub(crate) fn in_memory(line: Box<dyn Line>) -> Self {
        Socket { stream: Stream::Clear(Plain { link: Link::Memory(line), written: 0, deadline: None }) }
    }

    /// Connects. Until [`Socket::set_timeouts`], reads and writes end at the deadline, all of them together.
    pub(crate) fn connect(address: &Address, settings: &TcpSettings, deadline: Deadline) -> io::Result<Self> {
        let link = match address {
            Address::Tcp { host, port } => Link::Tcp(connect_tcp(host, *port, settings, deadline)?),
            #[cfg(unix)]
            Address::Unix(path) => Link::Unix(connect_unix(path, deadline)?),
            #[cfg(not(unix))]
            Address::Unix(_) => {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"));
            }
        };
        Ok(Socket { stream: Stream::Clear(Plain { link, written: 0, deadline: Some(deadline) }) })
    }

    /// Goes on in TLS with the server of this name: the handshake is done when this returns.
    pub(crate) fn encrypt(&mut self, tls: &Tls, server: &str) -> io::Result<()> {
        let Stream::Clear(plain) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::Error::other("this connection is encrypted already, or lost"));
        };
        let (connection, proof) = tls.begin(server)?;
        let mut stream = StreamOwned::new(connection, plain);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Stream::Encrypted(Box::new(Encrypted { stream, proof }));
        Ok(())
    }

    /// The server's certificate, of which it has proven to have the key.
    #[cfg(feature = "postgres")]
    pub(crate) fn proven_certificate(&self) -> Option<&[u8]> {
        match &self.stream {
            Stream::Encrypted(encrypted) if encrypted.proof.is_given() => {
                Some(encrypted.stream.conn.peer_certificates()?.first()?)
            }
            _ => None,
        }
    }

    /// The protocol within TLS that the server has agreed to.
    #[cfg(feature = "postgres")]
    pub(crate) fn agreed_protocol(&self) -> Option<&[u8]> {
        match &self.stream {
            Stream::Encrypted(encrypted) => encrypted.stream.conn.alpn_protocol(),
            _ => None,
        }
    }

    /// Where the other side of a TCP connection is.
    #[cfg(feature = "postgres")]
    pub(crate) fn peer(&self) -> Option<Address> {
        let plain = match &self.stream {
            Stream::Clear(plain) => plain,
            Stream::Encrypted(encrypted) => &encrypted.stream.sock,
            Stream::Gone => return None,
        };
        match &plain.link {
            Link::Tcp(stream) => Some(Address::of_peer(stream.peer_addr().ok()?)),
            #[cfg(unix)]
            Link::Unix(_) => None,
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(_) => None,
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Encrypted(_))
    }

    /// Whether nobody on the way can read along: it is encrypted, or does not leave the machine.
    pub(crate) fn is_private(&self) -> bool {
        match &self.stream {
            Stream::Encrypted(_) => true,
            #[cfg(unix)]
            Stream::Clear(Plain { link: Link::Unix(_), .. }) => true,
            _ => false,
        }
    }

    /// Limits for each read and write from here on.
    pub(crate) fn set_timeouts(&mut self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        match self.plain_mut() {
            Some(plain) => {
                plain.deadline = None;
                plain.link.set_timeouts(read, write)
            }
            None => Ok(()),
        }
    }

    /// The limit of each write.
    #[cfg(feature = "postgres")]
    pub(crate) fn write_timeout(&mut self) -> io::Result<Option<Duration>> {
        match self.plain_mut().map(|plain| &plain.link) {
            Some(Link::Tcp(stream)) => stream.write_timeout(),
            #[cfg(unix)]
            Some(Link::Unix(stream)) => stream.write_timeout(),
            #[cfg(test)]
            Some(Link::Memory(_)) => Ok(None),
            None => Ok(None),
        }
    }

    /// Sets the limit of each write alone.
    #[cfg(feature = "postgres")]
    pub(crate) fn set_write_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        match self.plain_mut().map(|plain| &plain.link) {
            Some(Link::Tcp(stream)) => stream.set_write_timeout(limit),
            #[cfg(unix)]
            Some(Link::Unix(stream)) => stream.set_write_timeout(limit),
            #[cfg(test)]
            Some(Link::Memory(_)) => Ok(()),
            None => Ok(()),
        }
    }

    /// A deadline for all that is read and written from here on, until [`Socket::set_timeouts`].
    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        if let Some(plain) = self.plain_mut() {
            plain.deadline = Some(deadline);
        }
    }

    /// How many bytes the system has taken to send, in all.
    pub(crate) fn written(&self) -> u64 {
        match &self.stream {
            Stream::Clear(plain) => plain.written,
            Stream::Encrypted(encrypted) => encrypted.stream.sock.written,
            Stream::Gone => 0,
        }
    }

    /// Sets whether reads wait for data, or fail with `TimedOut` where there is none; `false` where that cannot be set.
    pub(crate) fn set_waiting(&mut self, waits: bool) -> io::Result<bool> {
        let Some(plain) = self.plain_mut() else { return Ok(false) };
        match &plain.link {
            Link::Tcp(stream) => stream.set_nonblocking(!waits)?,
            #[cfg(unix)]
            Link::Unix(stream) => stream.set_nonblocking(!waits)?,
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Ends the connection at once, unread data and all.
    pub(crate) fn close(&mut self) {
        if let Some(plain) = self.plain_mut() {
            match &plain.link {
                Link::Tcp(stream) => drop(stream.shutdown(Shutdown::Both)),
                #[cfg(unix)]
                Link::Unix(stream) => drop(stream.shutdown(Shutdown::Both)),
                #[cfg(all(test, feature = "postgres"))]
                Link::Memory(_) => {}
            }
        }
        self.stream = Stream::Gone;
    }

    fn plain_mut(&mut self) -> Option<&mut Plain> {
        match &mut self.stream {
            Stream::Clear(plain) => Some(plain),
            Stream::Encrypted(encrypted) => Some(&mut encrypted.stream.sock),
            Stream::Gone => None,
        }
    }
}

impl Link {
    fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        match self {
            Link::Tcp(stream) => {
                stream.set_read_timeout(read)?;
                stream.set_write_timeout(write)
            }
            #[cfg(unix)]
            Link::Unix(stream) => {
                stream.set_read_timeout(read)?;
                stream.set_write_timeout(write)
            }
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(_) => Ok(()),
        }
    }
}

impl Plain {
    /// Reads or writes a piece, before the deadline. A signal is no reason to give up: with a time limit on a socket,
    /// even one that stops the process and lets it go on again interrupts.
    fn patiently(&mut self, mut f: impl FnMut(&mut Link) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            if let Some(deadline) = self.deadline {
                // Anew for each piece: who says a byte now and then is too slow, too.
                let left = deadline.left()?;
                self.link.set_timeouts(left, left)?;
            }
            match f(&mut self.link) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(in_words),
            }
        }
    }
}

/// Tries every address that the name has, until one answers.
fn connect_tcp(host: &str, port: u16, settings: &TcpSettings, deadline: Deadline) -> io::Result<TcpStream> {
    let mut failure = None;
    // The system's own limit for looking a name up goes before the deadline.
    let mut addresses: Vec<_> =
        (host, port).to_socket_addrs().map_err(|error| io::Error::other(UnknownHost(error)))?.collect();
    if settings.any_order {
        shuffle(&mut addresses);
    }
    for (index, address) in addresses.iter().enumerate() {
        match connect_to(address, settings, deadline.share(addresses.len() - index)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host name has no address")))
}

fn connect_to(address: &SocketAddr, settings: &TcpSettings, limit: Option<Duration>) -> io::Result<TcpStream> {
    let stream = match limit {
        Some(limit) => TcpStream::connect_timeout(address, limit)?,
        None => TcpStream::connect(address)?,
    };
    // Without it a request of two small pieces waits for an acknowledgement between them.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if let Some(keepalive) = &settings.keepalive {
        socket.set_tcp_keepalive(keepalive)?;
    }
    #[cfg(target_os = "linux")]
    if let Some(limit) = settings.unacknowledged {
        socket.set_tcp_user_timeout(Some(limit))?;
    }
    Ok(stream)
}

/// Puts things into any order (Fisher and Yates), by what the standard library's hash maps are seeded with.
pub(crate) fn shuffle<T>(things: &mut [T]) {
    let hasher = RandomState::new();
    for last in (1..things.len()).rev() {
        let random = usize::try_from(hasher.hash_one(last) % (last as u64 + 1)).unwrap_or(0);
        things.swap(last, random);
    }
}

#[cfg(unix)]
fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<UnixStream> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    match deadline.left()? {
        // Where the server takes no more, the standard library's would wait for ever.
        Some(limit) => socket.connect_timeout(&address, limit)?,
        None => socket.connect(&address)?,
    }
    Ok(socket.into())
}

impl Encrypted {
    /// Reads what the server sent, and writes nothing: what it said last can still be read when it listens no more.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let StreamOwned { conn, sock } = &mut self.stream;
        let mut received = 0;
        loop {
            match conn.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other.map_err(closed),
            }
            if received > MOST_WITHOUT_DATA {
                return Err(io::Error::other("the server sends TLS records without data in them, again and again"));
            }
            received += conn.read_tls(sock)?;
            if let Err(error) = conn.process_new_packets() {
                // So that the server learns of it, if it can.
                let _ = conn.write_tls(sock);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
    }
}

/// How many bytes of TLS may come before there is data in them. A record has 16 KiB at most; there may be session tickets and
/// new keys before it.
const MOST_WITHOUT_DATA: usize = 256 << 10;

impl Read for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Clear(plain) => plain.read(buffer),
            Stream::Encrypted(encrypted) => encrypted.read(buffer),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Clear(plain) => plain.write(data),
            Stream::Encrypted(encrypted) => encrypted.stream.write(data),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(plain) => plain.flush(),
            Stream::Encrypted(encrypted) => encrypted.stream.flush(),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// An end that TLS has not told comes with a text that helps nobody.
#[cold]
fn closed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::UnexpectedEof, "the server has closed it"),
        _ => error,
    }
}

/// A time limit that ran out is `WouldBlock` on Unix, with a text that helps nobody.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => timed_out(),
        _ => error,
    }
}

impl Read for Plain {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|link| match link {
            Link::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Link::Unix(stream) => stream.read(buffer),
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(line) => line.read(buffer),
        })
    }
}

impl Write for Plain {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.patiently(|link| match link {
            Link::Tcp(stream) => stream.write(data),
            #[cfg(unix)]
            Link::Unix(stream) => stream.write(data),
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(line) => line.write(data),
        })?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.link {
            Link::Tcp(stream) => stream.flush(),
            #[cfg(unix)]
            Link::Unix(stream) => stream.flush(),
            #[cfg(all(test, feature = "postgres"))]
            Link::Memory(line) => line.flush(),
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.stream {
            Stream::Clear(Plain { link: Link::Tcp(_), .. }) => "TCP",
            #[cfg(unix)]
            Stream::Clear(Plain { link: Link::Unix(_), .. }) => "Unix socket",
            #[cfg(all(test, feature = "postgres"))]
            Stream::Clear(Plain { link: Link::Memory(_), .. }) => "memory",
            Stream::Encrypted(_) => "TLS",
            Stream::Gone => "closed",
        })
    }
}
