//! Changing what a server says: its bytes, its lengths and counts, and the order of its messages.
//!
//! A message is a kind, a length of 32 bits that counts itself and what follows, and a body, as in PostgreSQL's protocol.

use fastrand::Rng;

use super::feed::Batch;

const HEADER: usize = 5;

/// Numbers at which a length or a count may go wrong.
const NUMBERS: [i32; 14] = [0, 1, 2, 3, 4, 5, -1, -2, 255, 65_535, 30_000, 1 << 30, i32::MAX, i32::MIN];

/// Changes an answer, in one way or in a few.
pub(super) fn mutate(batch: &mut Batch, before: &[Batch], rng: &mut Rng) {
    for _ in 0..rng.usize(1..4) {
        if batch.is_empty() {
            return;
        }
        let at = rng.usize(..batch.len());
        match rng.u8(..12) {
            0 => drop(batch.remove(at)),
            1 => repeat(batch, at, rng),
            2 => {
                let other = rng.usize(..batch.len());
                batch.swap(at, other);
            }
            // What belongs elsewhere: in the same answer, or in one that was given before.
            3 => {
                let other = before.get(rng.usize(..before.len().max(1))).filter(|other| !other.is_empty());
                let message = other.map_or_else(|| batch[0].clone(), |other| other[rng.usize(..other.len())].clone());
                batch.insert(rng.usize(..=batch.len()), message);
            }
            4 => batch.insert(at, any_message(rng)),
            5 => batch.truncate(at),
            6 => {
                let kind = b"123ACDEGHINRSTZcdnst"[rng.usize(..20)];
                if let Some(first) = batch[at].first_mut() {
                    *first = kind;
                }
            }
            _ => change(&mut batch[at], rng),
        }
    }
}

/// Says a message again, at times so often that it seems to have no end.
fn repeat(batch: &mut Batch, at: usize, rng: &mut Rng) {
    let message = batch[at].clone();
    let times = if message.len() < 100 && rng.u8(..32) == 0 { 10_000 } else { rng.usize(1..4) };
    batch.splice(at..at, std::iter::repeat_n(message, times));
}

fn any_message(rng: &mut Rng) -> Vec<u8> {
    let kind = b"123ACDEGHINRSTZcdnst"[rng.usize(..20)];
    let body: Vec<u8> = (0..rng.usize(..24)).map(|_| if rng.bool() { rng.u8(..4) } else { rng.u8(..) }).collect();
    let mut message = [&[kind, 0, 0, 0, 0], &body[..]].concat();
    set_length(&mut message);
    message
}

/// Changes the bytes of a message; most of the time its length is then set right, so that what follows is read as it was.
fn change(message: &mut Vec<u8>, rng: &mut Rng) {
    if message.len() < HEADER {
        return;
    }
    let at = if rng.u8(..6) == 0 { rng.usize(..HEADER) } else { rng.usize(..message.len()) };
    match rng.u8(..7) {
        0 => message[at] ^= 1 << rng.u8(..8),
        1 => message[at] = rng.u8(..),
        2 => {
            let number = number(message, at, 4, rng).to_be_bytes();
            put(message, at, &number);
        }
        3 => {
            let [_, _, a, b] = number(message, at, 2, rng).to_be_bytes();
            put(message, at, &[a, b]);
        }
        4 => message.truncate(at.max(HEADER)),
        5 => {
            let some: Vec<u8> = (0..rng.usize(1..5)).map(|_| rng.u8(..)).collect();
            message.splice(at..at, some);
        }
        _ => {
            let end = rng.usize(at..=message.len());
            message.drain(at..end);
        }
    }
    if rng.u8(..4) != 0 && message.len() >= HEADER {
        set_length(message);
    }
}

/// An interesting number, or one beside that which stands there.
fn number(message: &[u8], at: usize, width: usize, rng: &mut Rng) -> i32 {
    if rng.bool() {
        return NUMBERS[rng.usize(..NUMBERS.len())];
    }
    let there = message.iter().skip(at).take(width).fold(0_i32, |sum, byte| sum << 8 | i32::from(*byte));
    if rng.bool() { there.wrapping_add(1) } else { there.wrapping_sub(1) }
}

/// Writes over what stands there, as far as it goes.
fn put(message: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in message[at..].iter_mut().zip(bytes) {
        *place = *byte;
    }
}

fn set_length(message: &mut [u8]) {
    let length = u32::try_from(message.len() - 1).unwrap_or(u32::MAX);
    message[1..HEADER].copy_from_slice(&length.to_be_bytes());
}
