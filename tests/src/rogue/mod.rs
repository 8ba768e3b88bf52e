//! Servers that do not behave: each says, piece by piece, what its test wants. Here is what their protocols have in common.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[cfg(feature = "mysql")]
pub use self::mysql::{END, NONCE, PREPARED, column, greeting, packet};
#[cfg(feature = "postgres")]
pub use self::postgres::{Instead, OID_OF_TEXT, data_row, error_response, message, row_description, stream_begun};

/// A server that listens on a port of its own for as long as the process lives.
#[derive(Debug)]
pub struct Rogue {
    address: String,
    heard: Heard,
}

/// All that clients have sent, of all connections; what came encrypted stands here decrypted.
type Heard = Arc<Mutex<Vec<u8>>>;

impl Rogue {
    /// Serves each connection by `script`, and then closes it.
    ///
    /// # Panics
    ///
    /// If no port can be had.
    pub fn new(script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let address = listener.local_addr().expect("it is bound").to_string();
        let heard = Heard::default();
        let accept = move || {
            let (stream, _) = listener.accept()?;
            // Small packets shall not wait for one another.
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        };
        serve(accept, script, heard.clone());
        Rogue { address, heard }
    }

    /// The same on a Unix socket of this path.
    ///
    /// # Panics
    ///
    /// If there can be none.
    pub fn on_socket(path: &Path, script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).expect("a socket can be made there");
        let heard = Heard::default();
        serve(move || listener.accept().map(|(stream, _)| Stream::Unix(stream)), script, heard.clone());
        Rogue { address: "localhost".to_owned(), heard }
    }

    /// A URL of this server for MySQL's protocol, for a user `me` with the password `s3cr3t`.
    pub fn url(&self, options: &str) -> String {
        format!("mysql://me:s3cr3t@{}/db?{options}", self.address)
    }

    /// The same for PostgreSQL's protocol.
    pub fn postgres_url(&self, options: &str) -> String {
        format!("postgres://me:s3cr3t@{}/db?{options}", self.address)
    }

    /// All that clients have sent until now.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether clients have sent this text.
    pub fn has_heard(&self, text: &str) -> bool {
        self.heard().windows(text.len()).any(|window| window == text.as_bytes())
    }
}

fn serve(
    accept: impl Fn() -> io::Result<Stream> + Send + 'static,
    script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static,
    heard: Heard,
) {
    let script = Arc::new(script);
    thread::spawn(move || {
        while let Ok(stream) = accept() {
            let (script, mut client) = (script.clone(), Client { stream, packet: 0, heard: heard.clone() });
            // A client that goes away is what most of the tests are about.
            thread::spawn(move || script(&mut client));
        }
    });
}

/// A client of such a server.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    /// The number of the next packet, in MySQL's protocol.
    packet: u8,
    heard: Heard,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Client {
    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(buffer)?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buffer);
        Ok(())
    }

    /// Receives until the client has no more to say.
    pub fn listen(&mut self) -> io::Result<()> {
        let mut byte = [0];
        while self.stream.read(&mut byte)? == 1 {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(byte[0]);
        }
        Ok(())
    }

    /// Encrypts the connection, which the client has asked for.
    pub fn encrypt(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let Stream::Tcp(stream) = &self.stream else { return Err(io::Error::other("only TCP is encrypted here")) };
        let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream.try_clone()?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Stream::Tls(Box::new(stream));
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Unix(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
