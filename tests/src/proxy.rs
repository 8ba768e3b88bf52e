//! A proxy between a test and its server, which counts bytes and round trips, and cuts connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Listens on a port of its own for as long as the process lives, and passes everything on.
#[derive(Clone, Debug)]
pub struct Proxy {
    url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Where new connections go.
    server: Mutex<String>,
    /// A text that clients send, and what the server gets instead, of the same length.
    replaced: Mutex<Option<(Vec<u8>, Vec<u8>)>>,
    /// All that clients have sent, where that is kept.
    sent: Option<Mutex<Vec<u8>>>,
    /// How long a client has to send nothing before it gets what the server has answered, where round trips are counted.
    quiet: Option<Duration>,
    /// Round trips so far.
    round_trips: AtomicU64,
    /// Bytes from the server so far.
    received: AtomicU64,
    /// Bytes to the server so far.
    passed_up: AtomicU64,
    /// A connection is cut when this many bytes have gone to the server.
    cut_after_sent: AtomicU64,
    /// A connection is cut when this many bytes have come from the server.
    cut_after: AtomicU64,
    /// Nothing more is passed on when this many bytes have come from the server, until that changes.
    hold_after: AtomicU64,
}

impl Proxy {
    /// A proxy to the server of this URL.
    ///
    /// # Panics
    ///
    /// If the URL names no host, or no port can be had here.
    pub fn to(url: &str) -> Self {
        Proxy::new(url, None, None)
    }

    /// A proxy that counts round trips: how often a client waits for the server, having sent something.
    ///
    /// An answer is passed on when the client has sent nothing for this long. So requests that are sent without waiting for
    /// answers are one round trip, as they are on a slow network, however fast the server is. A client that takes longer than
    /// this between two requests of one round trip makes them two, so noise can only add to the number.
    ///
    /// # Panics
    ///
    /// As [`Proxy::to`].
    pub fn counting_round_trips(url: &str, quiet: Duration) -> Self {
        Proxy::new(url, None, Some(quiet))
    }

    /// A proxy that keeps all that clients send.
    ///
    /// # Panics
    ///
    /// As [`Proxy::to`].
    pub fn listening_in(url: &str) -> Self {
        Proxy::new(url, Some(Mutex::default()), None)
    }

    fn new(url: &str, sent: Option<Mutex<Vec<u8>>>, quiet: Option<Duration>) -> Self {
        let (before, user, server, rest) = parts(url);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let here = listener.local_addr().expect("it is bound");
        let url = format!("{before}://{user}{}{here}{rest}", if user.is_empty() { "" } else { "@" });
        let state = Arc::new(State {
            server: Mutex::new(with_port(before, server)),
            replaced: Mutex::default(),
            sent,
            quiet,
            round_trips: AtomicU64::new(0),
            received: AtomicU64::new(0),
            passed_up: AtomicU64::new(0),
            cut_after_sent: AtomicU64::new(u64::MAX),
            cut_after: AtomicU64::new(u64::MAX),
            hold_after: AtomicU64::new(u64::MAX),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let address = shared.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A server that is gone is told by closing.
                let Ok(server) = TcpStream::connect(&address) else { continue };
                for stream in [&client, &server] {
                    // What is small shall not wait here for what follows it.
                    stream.set_nodelay(true).expect("every socket of TCP knows that");
                }
                let asked = Arc::new(Mutex::new(None));
                let (upward, downward, state) = (clone(&client), clone(&server), shared.clone());
                let last = asked.clone();
                thread::spawn(move || {
                    copy(upward, downward, |bytes, to| {
                        state.note_request(&last);
                        state.pass_up(bytes, to)
                    });
                });
                let state = shared.clone();
                thread::spawn(move || {
                    copy(server, client, |bytes, to| {
                        state.await_quiet(&asked);
                        state.pass_down(bytes, to)
                    });
                });
            }
        });
        Proxy { url, state }
    }

    /// The URL by which the server is reached through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leads new connections to the server of another URL.
    ///
    /// # Panics
    ///
    /// If the URL names no host.
    pub fn redirect(&self, url: &str) {
        let (scheme, _, server, _) = parts(url);
        *self.state.server.lock().unwrap_or_else(PoisonError::into_inner) = with_port(scheme, server);
    }

    /// Whether clients have sent this text.
    ///
    /// # Panics
    ///
    /// If the proxy does not listen in.
    pub fn has_heard(&self, text: &str) -> bool {
        let sent = self.state.sent.as_ref().expect("it was made by `listening_in`");
        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// All that clients have sent.
    ///
    /// # Panics
    ///
    /// If the proxy does not listen in.
    pub fn heard(&self) -> Vec<u8> {
        let sent = self.state.sent.as_ref().expect("it was made by `listening_in`");
        sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The round trips so far, where the proxy counts them; connecting is none.
    pub fn round_trips(&self) -> u64 {
        self.state.round_trips.load(Ordering::SeqCst)
    }

    /// Passes a text on as another one of the same length, wherever a client sends it in one piece, until [`heal`](Self::heal).
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn replace(&self, text: &str, by: &str) {
        assert_eq!(text.len(), by.len(), "the messages' lengths stay as they are");
        *self.state.replaced.lock().unwrap_or_else(PoisonError::into_inner) = Some((text.into(), by.into()));
    }

    /// The bytes that have come from the server.
    pub fn received(&self) -> u64 {
        self.state.received.load(Ordering::SeqCst)
    }

    /// Cuts every connection, mid-message, when so many more bytes have come from the server.
    pub fn cut_after(&self, bytes: u64) {
        self.state.cut_after.store(self.received() + bytes, Ordering::SeqCst);
    }

    /// The bytes that have come from the clients.
    pub fn sent(&self) -> u64 {
        self.state.passed_up.load(Ordering::SeqCst)
    }

    /// Cuts every connection, mid-message, when so many more bytes have come from the clients; the server gets no more of them.
    pub fn cut_after_sent(&self, bytes: u64) {
        self.state.cut_after_sent.store(self.sent() + bytes, Ordering::SeqCst);
    }

    /// Holds back what comes from the server, mid-message, when so many more bytes have come, as a server does that
    /// hangs; the connections stay.
    pub fn hold_after(&self, bytes: u64) {
        self.state.hold_after.store(self.received() + bytes, Ordering::SeqCst);
    }

    /// Cuts no more connections, replaces nothing, and passes on what was held back.
    pub fn heal(&self) {
        *self.state.replaced.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.state.cut_after.store(u64::MAX, Ordering::SeqCst);
        self.state.cut_after_sent.store(u64::MAX, Ordering::SeqCst);
        self.state.hold_after.store(u64::MAX, Ordering::SeqCst);
    }
}

/// A URL's scheme, user, server and the rest.
fn parts(url: &str) -> (&str, &str, &str, &str) {
    let (scheme, after) = url.split_once("://").expect("a URL has a scheme");
    let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
    let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    (scheme, user, server, rest)
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

/// When a client sent something that has not been answered.
type Asked = Mutex<Option<Instant>>;

impl State {
    /// A client sends something.
    fn note_request(&self, asked: &Asked) {
        if self.quiet.is_some() {
            *asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Waits until the client has been quiet for long enough to be waiting for an answer, and counts that.
    fn await_quiet(&self, asked: &Asked) {
        let Some(quiet) = self.quiet else { return };
        loop {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(last) = *asked else { return };
            match quiet.checked_sub(last.elapsed()) {
                Some(left) if !left.is_zero() => {
                    drop(asked);
                    thread::sleep(left);
                }
                _ => {
                    *asked = None;
                    self.round_trips.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
        }
    }

    /// Whether it goes on.
    fn pass_up(&self, bytes: &[u8], to: &mut TcpStream) -> bool {
        if let Some(sent) = &self.sent {
            sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
        let before = self.passed_up.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        let room = self.cut_after_sent.load(Ordering::SeqCst).saturating_sub(before);
        let passed = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let mut bytes = bytes.to_vec();
        if let Some((text, by)) = &*self.replaced.lock().unwrap_or_else(PoisonError::into_inner) {
            while let Some(at) = bytes.windows(text.len()).position(|window| window == text) {
                bytes[at..at + text.len()].copy_from_slice(by);
            }
        }
        to.write_all(&bytes[..passed]).is_ok() && passed == bytes.len()
    }

    /// Whether it goes on.
    fn pass_down(&self, bytes: &[u8], to: &mut TcpStream) -> bool {
        let before = self.received.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        let up_to = |limit: &AtomicU64| {
            let room = limit.load(Ordering::SeqCst).saturating_sub(before);
            usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len())
        };
        let free = up_to(&self.hold_after);
        if to.write_all(&bytes[..free.min(up_to(&self.cut_after))]).is_err() {
            return false;
        }
        while up_to(&self.hold_after) < bytes.len() {
            thread::sleep(Duration::from_millis(2));
        }
        let passed = up_to(&self.cut_after);
        let rest = bytes.get(free..passed).unwrap_or_default();
        to.write_all(rest).is_ok() && passed == bytes.len()
    }
}

/// Passes on until `pass` says that it is over.
fn copy(mut from: TcpStream, mut to: TcpStream, pass: impl Fn(&[u8], &mut TcpStream) -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        if !pass(&buffer[..bytes], &mut to) {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
