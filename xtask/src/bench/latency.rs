//! A network between a program and its server, with a round trip time of its own.
//!
//! It listens on a port of this machine and passes everything on, each byte half a round trip after it came. It delays, and
//! limits nothing: how much may be on its way is what the buffers of a fast network's two ends hold.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use crate::failure::Failure;

/// The most bytes that are read at once.
const PIECE: usize = 64 << 10;
/// The most pieces on their way in one direction. A piece is mostly smaller than it could be.
const MOST_PIECES: usize = 256;

/// Starts a network before the server of a URL, which lasts as long as the process, and returns the URL of its near end.
pub(super) fn network_before(url: &str, round_trip: Duration) -> Result<String, Failure> {
    let bad = |error: io::Error| Failure::Other(format!("could not open a port for the delaying proxy: {error}"));
    let (before, server, after) = parts(url)
        .ok_or_else(|| Failure::Other("the server's URL names no host and port to put a proxy before".to_owned()))?;
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").map_err(bad)?;
    let here = listener.local_addr().map_err(bad)?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client learns that the server is gone by the end of its connection.
            let _ = TcpStream::connect(&server).and_then(|server| connect(client, server, round_trip / 2));
        }
    });
    Ok(format!("{before}{here}{after}"))
}

/// What stands before the host and port in a URL, these two, and the rest.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    let host = url[authority..end].rfind('@').map_or(authority, |at| authority + at + 1);
    let (before, rest) = url.split_at(host);
    let (server, after) = rest.split_at(end - host);
    server.contains(':').then_some((before, server, after))
}

fn connect(client: TcpStream, server: TcpStream, delay: Duration) -> io::Result<()> {
    for (from, to) in [(&client, &server), (&server, &client)] {
        from.set_nodelay(true)?;
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = sync_channel(MOST_PIECES);
        thread::spawn(move || receive(from, &sender, delay));
        thread::spawn(move || send(&receiver, to));
    }
    Ok(())
}

/// A piece, and when it arrives at the other end; without bytes it is the end of the direction.
type Piece = (Instant, Vec<u8>);

fn receive(mut from: TcpStream, on_their_way: &SyncSender<Piece>, delay: Duration) {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        if on_their_way.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
            // The other end takes no more.
            let _ = from.shutdown(Shutdown::Both);
            return;
        }
        if read == 0 {
            return;
        }
    }
}

fn send(on_their_way: &Receiver<Piece>, mut to: TcpStream) {
    for (arrives, bytes) in on_their_way {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if bytes.is_empty() {
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
        if to.write_all(&bytes).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_the_near_end_differs_by_host_and_port_alone() {
        assert_eq!(
            parts("postgres://me:p@ss@127.0.0.1:5433/flights?sslmode=disable"),
            Some(("postgres://me:p@ss@", "127.0.0.1:5433", "/flights?sslmode=disable"))
        );
        assert_eq!(parts("mysql://localhost:3306"), Some(("mysql://", "localhost:3306", "")));
        assert_eq!(parts("sqlite:flights.db"), None);
    }

    #[test]
    fn every_byte_arrives_in_order_and_not_before_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let server = format!("test://{}", listener.local_addr().expect("it is bound"));
        let echo = thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("the proxy connects");
            let mut received = Vec::new();
            client.read_to_end(&mut received).expect("the proxy passes on the end");
            client.write_all(&received).expect("the proxy takes the answer");
        });
        let round_trip = Duration::from_millis(40);
        let near = network_before(&server, round_trip).expect("a port can be had");
        let sent: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let began = Instant::now();
        let mut stream = TcpStream::connect(near.trim_start_matches("test://")).expect("the proxy listens");
        stream.write_all(&sent).expect("the proxy reads");
        stream.shutdown(Shutdown::Write).expect("it is connected");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("the proxy passes on the end");
        assert!(began.elapsed() >= round_trip, "an answer cannot come before");
        assert!(received == sent, "{} bytes came back, of {}", received.len(), sent.len());
        echo.join().expect("nothing failed there");
    }
}
