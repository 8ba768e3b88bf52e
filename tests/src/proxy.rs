//! A proxy between a test and its server, which counts bytes and cuts connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Listens on a port of its own for as long as the process lives, and passes everything on.
#[derive(Clone, Debug)]
pub struct Proxy {
    url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Bytes from the server so far.
    received: AtomicU64,
    /// A connection is cut when this many bytes have come from the server.
    cut_after: AtomicU64,
}

impl Proxy {
    /// A proxy to the server of this URL.
    ///
    /// # Panics
    ///
    /// If the URL names no host, or no port can be had here.
    pub fn to(url: &str) -> Self {
        let (before, after) = url.split_once("://").expect("a URL has a scheme");
        let authority_end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(authority_end);
        let (user, server) = authority.rsplit_once('@').map_or(("", authority), |(user, server)| (user, server));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let here = listener.local_addr().expect("it is bound");
        let url = format!("{before}://{user}{}{here}{rest}", if user.is_empty() { "" } else { "@" });
        let state = Arc::new(State { received: AtomicU64::new(0), cut_after: AtomicU64::new(u64::MAX) });
        let (server, shared) = (with_port(before, server), state.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&server).expect("the server of the URL can be reached");
                let (upward, downward) = (clone(&client), clone(&server));
                thread::spawn(move || copy(upward, downward, None));
                let state = shared.clone();
                thread::spawn(move || copy(server, client, Some(&state)));
            }
        });
        Proxy { url, state }
    }

    /// The URL by which the server is reached through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bytes that have come from the server.
    pub fn received(&self) -> u64 {
        self.state.received.load(Ordering::SeqCst)
    }

    /// Cuts every connection, mid-message, when so many more bytes have come from the server.
    pub fn cut_after(&self, bytes: u64) {
        self.state.cut_after.store(self.received() + bytes, Ordering::SeqCst);
    }

    /// Cuts no more connections.
    pub fn heal(&self) {
        self.state.cut_after.store(u64::MAX, Ordering::SeqCst);
    }
}

/// The host with its port, which a URL may leave out.
fn with_port(scheme: &str, host: &str) -> String {
    let port = if scheme.starts_with("postgres") { 5432 } else { 3306 };
    // An IPv6 address stands in brackets.
    if host.rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket can be cloned")
}

fn copy(mut from: TcpStream, mut to: TcpStream, counted: Option<&State>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let mut pass = bytes;
        if let Some(state) = counted {
            let before = state.received.fetch_add(bytes as u64, Ordering::SeqCst);
            let room = state.cut_after.load(Ordering::SeqCst).saturating_sub(before);
            pass = usize::try_from(room).unwrap_or(usize::MAX).min(bytes);
        }
        if to.write_all(&buffer[..pass]).is_err() || pass < bytes {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
