//! Packets of every size in either direction, and bytes that are none.

use std::{
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::net::{
    address::Address,
    random,
    received::LARGE,
    socket::{Deadline, TcpSettings},
};

/// Packets, and the other end of their wire.
fn pair() -> (Packets, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let port = listener.local_addr().expect("it is bound").port();
    let address = Address::Tcp { host: "127.0.0.1".into(), port };
    let socket = Socket::connect(&address, &TcpSettings::default(), Deadline::after(Some(Duration::from_secs(60))))
        .expect("it listens");
    (Packets::new(socket), listener.accept().expect("somebody has connected").0)
}

/// Packets that receive these bytes and then the end.
fn receiving(bytes: Vec<u8>) -> Packets {
    let (packets, mut other) = pair();
    thread::spawn(move || other.write_all(&bytes));
    packets
}

/// What no piece of it is like another one of.
fn payload(length: usize) -> Vec<u8> {
    let piece: Vec<u8> = (0..=255).flat_map(|high| (0..=250).map(move |low| low ^ high)).collect();
    let mut payload = piece.repeat(length / piece.len() + 1);
    payload.truncate(length);
    payload
}

fn header(length: usize, number: u8) -> [u8; 4] {
    let [a, b, c, ..] = length.to_le_bytes();
    [a, b, c, number]
}

/// As the manual says it: parts of 0xFFFFFF bytes, and one that is shorter.
fn by_hand(payload: &[u8], first_number: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut rest, mut number) = (payload, first_number);
    loop {
        let (part, after) = rest.split_at(rest.len().min(0xFF_FFFF));
        bytes.extend(header(part.len(), number));
        bytes.extend(part);
        (rest, number) = (after, number.wrapping_add(1));
        if part.len() < 0xFF_FFFF {
            return bytes;
        }
    }
}

const SIZES: [usize; 8] = [0, 1, 65_535, 65_536, 0xFF_FFFE, 0xFF_FFFF, 0x100_0000, 2 * 0xFF_FFFF];

#[test]
fn packets_of_every_size_are_sent() {
    for size in SIZES {
        let (mut packets, mut other) = pair();
        let payload = payload(size);
        let expected = by_hand(&payload, 0);
        let reading = thread::spawn(move || {
            let mut bytes = Vec::new();
            other.read_to_end(&mut bytes).map(|_| bytes)
        });
        packets.begin().expect("nothing is in line");
        packets.put(&payload);
        packets.flush().expect("it is sent");
        packets.close();
        let sent = reading.join().expect("it does not panic").expect("it is received");
        assert!(sent == expected, "a packet of {size} bytes");
    }
}

#[test]
fn packets_of_every_size_are_received() {
    let bytes: Vec<u8> = SIZES.iter().zip(0_u8..).flat_map(|(size, at)| by_hand(&payload(*size), at * 2)).collect();
    let mut packets = receiving(bytes);
    for (size, at) in SIZES.into_iter().zip(0_u8..) {
        packets.number = at * 2;
        packets.next().expect("it is there");
        assert!(packets.packet() == payload(size), "a packet of {size} bytes");
    }
    assert!(packets.received.size() <= 0x200_0000, "{} bytes of buffer", packets.received.size());
    assert!(matches!(packets.next(), Err(Failure::Lost(_))));
}

#[test]
fn after_a_large_packet_its_memory_is_given_back() {
    let large = by_hand(&payload(8 << 20), 0);
    let small: Vec<u8> = (1..=255).flat_map(|number| by_hand(&payload(2_000), number)).collect();
    let mut packets = receiving([large, small].concat());
    for _ in 0..=255 {
        packets.next().expect("it is there");
    }
    assert!(packets.received.size() <= KEPT, "{} bytes", packets.received.size());
}

/// Whoever says that a lot will come, and sends nothing, gets no memory for it.
#[test]
fn a_length_alone_takes_no_memory() {
    let mut packets = receiving([&header(0xFF_FFFE, 0)[..], &[7; 100]].concat());
    assert!(matches!(packets.next(), Err(Failure::Lost(_))));
    assert!(packets.received.size() <= 2 * LARGE, "{} bytes", packets.received.size());
}

#[test]
fn packets_out_of_order_are_refused_unless_they_are_errors() {
    let mut packets = receiving(by_hand(b"a", 1));
    assert!(packets.next().is_err());
    let mut packets = receiving(by_hand(b"\xFFb", 9));
    assert!(packets.next().is_ok());
    assert_eq!(packets.packet(), b"\xFFb");
}

fn compressed(content: &[u8], unpacked: Option<usize>, number: u8) -> Vec<u8> {
    let body = match unpacked {
        None => content.to_vec(),
        Some(_) => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory does not fail")
        }
    };
    let [a, b, c, _] = header(body.len(), 0);
    let [d, e, f, _] = header(unpacked.unwrap_or(0), 0);
    [&[a, b, c, number, d, e, f], &body[..]].concat()
}

/// Packets begin and end anywhere in those that are compressed.
#[test]
fn compressed_packets_are_read_across_their_bounds() {
    let inner: Vec<u8> = (0..20).flat_map(|at| by_hand(&payload(usize::from(at) * 700), at)).collect();
    for cut in [1, 2, 3, 5, 700, 7_000, 100_000] {
        let outer = inner
            .chunks(cut)
            .zip((0..=255).cycle())
            .flat_map(|(piece, at)| compressed(piece, (at % 2 == 0).then_some(piece.len()), at));
        let mut packets = receiving(outer.collect());
        packets.compress();
        for at in 0..20 {
            packets.next().expect("it is there");
            assert!(packets.packet() == payload(at * 700), "packet {at} in pieces of {cut}");
        }
    }
}

#[test]
fn what_a_compressed_packet_says_of_its_length_is_held_against_it() {
    // As a bomb is: 16 MiB of nothing, said to be ten bytes.
    for (content, said) in [(vec![0; 1 << 24], 10), (vec![1; 10], 0xFF_FFFF), (vec![1; 10], 11), (vec![1; 10], 9)] {
        let mut packets = receiving(compressed(&content, Some(said), 0));
        packets.compress();
        assert!(packets.next().is_err(), "{said}");
        assert!(packets.received.size() <= 2 * LARGE);
    }
    let mut broken = compressed(&[1; 100], Some(100), 0);
    broken[10..].fill(0xAA);
    let mut packets = receiving(broken);
    packets.compress();
    assert!(packets.next().is_err());
}

/// What is compressed here is what the manual says, by another reading of it.
#[test]
fn what_is_sent_compressed_can_be_read() {
    for size in [0, 40, 50, 100_000, 0x100_0010] {
        let (mut packets, mut other) = pair();
        packets.compress();
        packets.begin().expect("nothing is in line");
        packets.put(&payload(size));
        let sending = thread::spawn(move || packets.flush());
        let (mut inner, mut outer) = (Vec::new(), Vec::new());
        other.read_to_end(&mut outer).expect("it is received");
        sending.join().expect("it does not panic").expect("it is sent");
        let (mut rest, mut numbers) = (&outer[..], 0..);
        while let [a, b, c, number, d, e, f, after @ ..] = rest {
            assert_eq!(numbers.next(), Some(*number));
            let (body, after) = after.split_at(length([*a, *b, *c]));
            match length([*d, *e, *f]) {
                0 => inner.extend(body),
                unpacked => {
                    let before = inner.len();
                    ZlibDecoder::new(body).read_to_end(&mut inner).expect("it is zlib's");
                    assert_eq!(inner.len() - before, unpacked);
                }
            }
            rest = after;
        }
        assert!(inner == by_hand(&payload(size), 0), "{size} bytes");
    }
}

proptest! {
    #![proptest_config(random::config(300))]

    /// Bytes that nobody thought of are packets or an error; they are no panic, and take no more room than they have.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..2_000), compress: bool) {
        let count = bytes.len();
        let mut packets = receiving(bytes);
        if compress {
            packets.compress();
        }
        let mut received = 0;
        while packets.next().is_ok() {
            received += packets.packet().len() + if compress { 0 } else { HEADER };
        }
        prop_assert!(compress || received <= count);
        prop_assert!(packets.received.size() <= 2 * LARGE);
    }
}

/// A server may send a compressed packet with nothing in it, but not for ever.
#[test]
fn empty_compressed_packets() {
    let empty = |number: u8| [0, 0, 0, number, 0, 0, 0];
    let hello = [&[9, 0, 0, 3, 0, 0, 0][..], &header(5, 0), b"hello"].concat();
    let mut packets = receiving([&empty(0)[..], &empty(1), &empty(2), &hello].concat());
    packets.compress();
    assert!(packets.next().is_ok());
    assert_eq!(packets.packet(), b"hello");
    let (mut packets, mut other) = pair();
    packets.compress();
    thread::spawn(move || {
        let mut number = 0_u8;
        while other.write_all(&empty(number)).is_ok() {
            number = number.wrapping_add(1);
        }
    });
    let error = packets.next().expect_err("there is no end").to_string();
    assert!(error.contains("empty compressed packets"), "{error}");
}
