//! Answers that no honest server gives, each written out; `hostile/` makes others up.

use std::io::{Cursor, Read, Result as IoResult, Write};

use super::*;
use crate::{
    database::{Settings, url::DatabaseUrl},
    net::socket::Socket,
    postgres::{Options, login::log_in_on},
};

/// Says what it says, whatever it is told.
struct Deaf(Cursor<Vec<u8>>);

impl Read for Deaf {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        self.0.read(buffer)
    }
}

impl Write for Deaf {
    fn write(&mut self, data: &[u8]) -> IoResult<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

const GREETING: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const COLUMNS: &[u8] = b"T\0\0\0\x1A\0\x01n\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xFF\xFF\xFF\xFF\0\x01";
const ROW: &[u8] = b"D\0\0\0\x0E\0\x01\0\0\0\x04\0\0\0\x01";
const BOUND: &[u8] = b"2\0\0\0\x04";
const PARSED: &[u8] = b"1\0\0\0\x04";
const TYPES: &[u8] = b"t\0\0\0\x06\0\0";
const SUSPENDED: &[u8] = b"s\0\0\0\x04";
const COMPLETE: &[u8] = b"C\0\0\0\x0DSELECT 1\0";
const READY: &[u8] = b"Z\0\0\0\x05I";
/// The answer to `SHOW statement_timeout`.
const SHOWN: [&[u8]; 4] = [COLUMNS, b"D\0\0\0\x0B\0\x01\0\0\0\x010", COMPLETE, READY];
/// An error that goes on without its last field's end.
const BROKEN_ERROR: &[u8] = b"E\0\0\0\x08Mbad";

fn wire(said: &[&[u8]]) -> Wire {
    let url = DatabaseUrl::parse("postgres://me@memory/db?sslmode=disable").expect("it is a URL");
    let options = Options::new(&url, &Settings::default()).expect("it is a server's");
    let said = [GREETING, &said.concat()].concat();
    let socket = Socket::in_memory(Box::new(Deaf(Cursor::new(said))));
    Wire::new(log_in_on(&options, Messages::new(socket)).expect("it lets everybody in"))
}

/// The rows of a statement up to its end, or the error instead.
fn rows(said: &[&[u8]]) -> Result<usize, Failure> {
    let mut wire = wire(said);
    let statement = Statement { id: StatementId::UNNAMED, columns: None };
    let executed = wire.execute(&statement, &Parameters { types: vec![], values: vec![] }, "SELECT n FROM t")?;
    let mut rows = 0;
    let ended = executed.failure.map_or(Ok(()), Err).and_then(|()| {
        while wire.next_row()? {
            rows += 1;
        }
        Ok(())
    });
    assert_eq!(wire.is_lost(), ended.is_err());
    ended.map(|()| rows)
}

fn rows_of_portal(said: &[&[u8]]) -> Result<usize, Failure> {
    let mut wire = wire(&[&SHOWN[..], said].concat());
    let portal = wire.open_portal("SELECT n FROM t", &Parameters { types: vec![], values: vec![] }, 4)?;
    let mut rows = 0;
    loop {
        match wire.next_of_portal(portal) {
            Ok(Step::Row) => rows += 1,
            Ok(Step::Done) => return Ok(rows),
            Err(failure) => {
                assert!(wire.is_lost());
                return Err(failure);
            }
        }
    }
}

fn is_lost<T>(answer: Result<T, Failure>) -> bool {
    matches!(answer, Err(Failure::Lost(_)))
}

#[test]
fn a_statement_ends_when_the_server_says_how_it_went() {
    let begin = [PARSED, TYPES, COLUMNS, BOUND, ROW];
    let with = |end: &[&'static [u8]]| rows(&[&begin[..], end].concat());
    assert!(with(&[COMPLETE, READY]).is_ok_and(|rows| rows == 1));
    assert!(is_lost(with(&[READY])), "these could be some of the rows");
    assert!(is_lost(with(&[COMPLETE, ROW, READY])), "a row after the last");
}

#[test]
fn a_portals_piece_ends_when_the_server_says_how_it_went() {
    // Four rows were asked for.
    let begin = [PARSED, BOUND, COLUMNS, ROW, ROW, ROW];
    let with = |end: &[&'static [u8]]| rows_of_portal(&[&begin[..], end].concat());
    assert!(with(&[ROW, SUSPENDED, READY, ROW, COMPLETE, READY]).is_ok_and(|rows| rows == 5));
    assert!(is_lost(with(&[READY, ROW, COMPLETE, READY])), "a piece without an end");
    assert!(is_lost(with(&[ROW, SUSPENDED, READY, READY, COMPLETE, READY])), "a piece of nothing");
    assert!(is_lost(with(&[ROW, SUSPENDED, ROW, READY, COMPLETE, READY])), "a row behind its piece");
    assert!(is_lost(with(&[SUSPENDED, READY, ROW, COMPLETE, READY])), "fewer rows than were asked for");
    assert!(is_lost(with(&[ROW, ROW, SUSPENDED, READY, COMPLETE, READY])), "more rows than were asked for");
    assert!(is_lost(with(&[ROW, SUSPENDED, READY, SUSPENDED, READY, COMPLETE, READY])), "no rows, and no end");
}

#[test]
fn an_error_that_cannot_be_read_ends_the_connection() {
    assert!(is_lost(rows(&[PARSED, TYPES, COLUMNS, BOUND, BROKEN_ERROR, READY])));
    let opened = [PARSED, BOUND, COLUMNS, ROW, ROW, ROW, ROW, SUSPENDED, READY];
    let mut wire = wire(&[&SHOWN[..], &opened, &[BROKEN_ERROR, READY, READY]].concat());
    let portal = wire.open_portal("SELECT n FROM t", &Parameters { types: vec![], values: vec![] }, 4);
    let portal = portal.expect("that is honest");
    assert!(wire.next_of_portal(portal).is_ok_and(|step| step == Step::Row));
    assert!(is_lost(wire.close_portal(portal)), "what was sent ahead has failed in a way that nobody can read");
    assert!(wire.is_lost());
}
