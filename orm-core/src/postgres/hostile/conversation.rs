//! Uses a connection as its users do, in ways that a seed chooses.

use std::sync::{Arc, OnceLock};

use fastrand::Rng;

use super::{
    server::row,
    witness::{Witness, must},
};
use crate::{
    database::{Settings, url::DatabaseUrl},
    fuzz::Shared,
    net::socket::Socket,
    postgres::{
        Options,
        column::Column,
        error::Failure,
        login::log_in_on,
        messages::Messages,
        wire::{OpenedStream, Parameters, PortalId, Statement, StatementId, Status, Step, Wire},
    },
};

/// More than any answer has here.
const MOST: usize = 64 << 20;

pub(super) struct Conversation {
    rng: Rng,
    feed: Shared,
    wire: Wire,
    witness: Witness,
    /// The statement that was prepared, and its SQL.
    prepared: Option<(StatementId, String, Arc<[Column]>)>,
    made: u64,
}

fn options() -> &'static Options {
    static READ: OnceLock<Options> = OnceLock::new();
    READ.get_or_init(|| {
        let url = DatabaseUrl::parse("postgres://me:s3cret@memory/db?sslmode=disable").expect("it is a URL");
        Options::new(&url, &Settings::default()).expect("it is a server's")
    })
}

/// How far something came.
enum End {
    Good,
    /// It has failed, and the connection is fine.
    Bad,
    Lost,
}

impl Conversation {
    pub(super) fn begin(seed: u64, feed: &Shared) -> Result<Self, String> {
        feed.lock().be_honest(true);
        let greeted = log_in_on(options(), Messages::new(Socket::in_memory(Box::new(feed.clone()))))?;
        feed.lock().be_honest(false);
        let wire = Wire::new(greeted);
        let witness = Witness::new(feed, &wire);
        let rng = Rng::with_seed(seed.rotate_left(32));
        Ok(Conversation { rng, feed: feed.clone(), wire, witness, prepared: None, made: 0 })
    }

    pub(super) fn go_on(mut self) -> Result<(), String> {
        for _ in 0..self.rng.usize(1..5) {
            self.step()?;
            if self.wire.is_lost() {
                return self.check_lost();
            }
            must(!self.wire.is_busy(), "a result is being read after its end")?;
        }
        // After whatever it was, honest answers are read right, unless something was said that nobody has asked for.
        let is_silent = self.feed.lock().is_silent() && self.wire.messages().held().0 == 0 && self.wire.is_settled();
        self.feed.lock().be_honest(true);
        if !is_silent {
            return Ok(());
        }
        must(self.query("ROLLBACK").is_ok_and(|end| matches!(end, End::Good)), "the connection does not roll back")?;
        let mut rows = 0;
        let end =
            self.execute(&Statement { id: StatementId::UNNAMED, columns: None }, "ROWS 5", usize::MAX, &mut rows)?;
        must(matches!(end, End::Good) && rows == 5, "the connection does not read an honest answer")
    }

    fn check_lost(&mut self) -> Result<(), String> {
        let again = self.wire.query("ROWS 1");
        must(matches!(again, Err(Failure::Lost(_))), "a connection that is lost is used")
    }

    /// Judges an error, and says what it means.
    fn failed(&mut self, failure: &Failure) -> Result<End, String> {
        self.witness.look(&self.wire)?;
        if self.wire.is_lost() {
            return Ok(End::Lost);
        }
        must(!matches!(failure, Failure::Lost(_)), "a connection that is lost is not given up")?;
        Ok(End::Bad)
    }

    /// Complains unless an honest server was treated so.
    fn if_honest(&self, is_so: bool, what: &str) -> Result<(), String> {
        must(is_so || !self.feed.lock().was_honest(), what)
    }

    fn step(&mut self) -> Result<(), String> {
        if self.wire.status() == Status::Failed {
            let sql = if self.rng.bool() { "ROLLBACK" } else { "COMMIT" };
            let end = self.query(sql)?;
            return self.if_honest(matches!(end, End::Good) == (sql == "ROLLBACK"), "a failed transaction");
        }
        match self.rng.u8(..8) {
            0 | 1 => {
                let statements = [
                    "",
                    "ROWS 3",
                    "UPDATE 4",
                    "FAIL 2",
                    "BEGIN",
                    "ROLLBACK",
                    "COPY IN",
                    "COPY OUT",
                    "UPDATE 1; ROWS 2",
                ];
                let sql = statements[self.rng.usize(..statements.len())];
                let end = self.query(sql)?;
                let is_good = !(sql.starts_with("FAIL") || sql.starts_with("COPY"));
                self.if_honest(matches!(end, End::Good) == is_good, "a simple query")
            }
            2 | 3 => self.statement(),
            _ => self.portal(),
        }
    }

    /// A simple query.
    fn query(&mut self, sql: &str) -> Result<End, String> {
        match self.wire.query(sql) {
            Ok(()) => {
                self.witness.look(&self.wire)?;
                self.witness.good_end(true, self.wire.affected())?;
                Ok(End::Good)
            }
            Err(failure) => {
                let end = self.failed(&failure)?;
                if matches!(end, End::Bad) {
                    self.witness.bad_end()?;
                }
                Ok(end)
            }
        }
    }

    /// An extended one, which is prepared perhaps, read to its end or left before.
    fn statement(&mut self) -> Result<(), String> {
        let count = self.rng.usize(..12);
        let sql = match self.rng.u8(..9) {
            0 => "UPDATE 3".to_owned(),
            1 => format!("FAIL {count}"),
            2 => "COPY IN".to_owned(),
            3 => "COPY OUT".to_owned(),
            4 => String::new(),
            _ => format!("ROWS {count}"),
        };
        let (statement, sql) = match &self.prepared {
            Some((id, sql, columns)) if self.rng.bool() => {
                (Statement { id: *id, columns: Some(columns.clone()) }, sql.clone())
            }
            _ => {
                self.made += 1;
                let id = if self.rng.bool() { StatementId::UNNAMED } else { StatementId::new(self.made) };
                (Statement { id, columns: None }, sql)
            }
        };
        let most = if self.rng.bool() { usize::MAX } else { self.rng.usize(..8) };
        let mut rows = 0;
        let end = self.execute(&statement, &sql, most, &mut rows)?;
        let count = sql.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        match sql.split(' ').next() {
            Some("ROWS") => {
                self.if_honest(matches!(end, End::Good) && rows == count.min(most), "a statement with rows")
            }
            Some("FAIL") if most > count => {
                self.if_honest(matches!(end, End::Bad) && rows == count, "a statement that fails behind its rows")
            }
            Some("UPDATE") => {
                let is_right = rows == 0 && (most == 0 || self.wire.affected() == Some(3));
                self.if_honest(matches!(end, End::Good) && is_right, "a statement without rows")
            }
            Some("" | "COPY") => self.if_honest(matches!(end, End::Bad), "a statement that cannot be"),
            _ => Ok(()),
        }
    }

    /// Reads so many rows of a statement, and throws the others away.
    fn execute(&mut self, statement: &Statement, sql: &str, most: usize, rows: &mut usize) -> Result<End, String> {
        let parameters = Parameters { types: vec![23], values: vec![Some(vec![0, 0, 0, 1])] };
        let executed = match self.wire.execute(statement, &parameters, sql) {
            Ok(executed) => executed,
            Err(failure) => return self.failed(&failure),
        };
        if let Some(columns) = executed.prepared
            && statement.id != StatementId::UNNAMED
        {
            self.prepared = Some((statement.id, sql.to_owned(), columns));
        }
        let mut ended = executed.failure.map_or(Ok(()), Err);
        let mut is_read = false;
        while ended.is_ok() && *rows < most {
            match self.wire.next_row() {
                Ok(true) => {
                    self.witness.look(&self.wire)?;
                    self.witness.row("", &self.wire.owned_row())?;
                    *rows += 1;
                }
                Ok(false) => {
                    is_read = true;
                    break;
                }
                Err(failure) => ended = Err(failure),
            }
        }
        if ended.is_ok() && !is_read {
            ended = match self.rng.u8(..3) {
                0 => self.wire.skip_all(),
                1 => self.wire.discard_in_flight(MOST),
                _ => match self.wire.discard_received(&mut { MOST }) {
                    Ok(true) => Ok(()),
                    Ok(false) => self.wire.discard_in_flight(MOST),
                    Err(failure) if self.wire.is_lost() || self.wire.is_settled() => Err(failure),
                    Err(_) => self.wire.discard_in_flight(MOST),
                },
            };
        }
        match ended {
            Ok(()) => {
                self.witness.look(&self.wire)?;
                if is_read {
                    self.witness.good_end(false, self.wire.affected())?;
                }
                Ok(End::Good)
            }
            Err(failure) => {
                let end = self.failed(&failure)?;
                if matches!(end, End::Bad) {
                    self.witness.bad_end()?;
                }
                Ok(end)
            }
        }
    }

    /// A stream, in a transaction of its own or in one that is open, with other things between its rows perhaps.
    fn portal(&mut self) -> Result<(), String> {
        let is_own = self.wire.status() == Status::Idle;
        let all = self.rng.usize(..60);
        let fails = self.rng.u8(..6) == 0;
        let sql = format!("{} {all}", if fails { "FAIL" } else { "ROWS" });
        let most = self.rng.i32(1..20);
        let parameters = Parameters { types: vec![], values: vec![] };
        let opened = if is_own {
            self.wire.open_stream(&sql, &parameters, most)
        } else {
            self.wire.open_portal(&sql, &parameters, most).map(OpenedStream::InPieces)
        };
        let (first, is_whole) = match opened {
            Ok(OpenedStream::Whole(id)) => (id, true),
            Ok(OpenedStream::InPieces(id)) => (id, false),
            Ok(OpenedStream::Limited(id)) => {
                self.witness.look(&self.wire)?;
                return self.close(id, true);
            }
            Err(failure) => {
                self.if_honest(false, "a stream does not open")?;
                if matches!(self.failed(&failure)?, End::Bad) && is_own {
                    let _ = self.wire.discard_in_flight(MOST);
                    self.witness.look(&self.wire)?;
                    if !self.wire.is_lost() && self.wire.status() != Status::Idle {
                        let _ = self.query("ROLLBACK")?;
                    }
                }
                return Ok(());
            }
        };
        self.witness.look(&self.wire)?;
        let wanted = if self.rng.bool() { usize::MAX } else { self.rng.usize(..all + 1) };
        let mut rows = 0;
        let end = loop {
            if rows == wanted {
                break None;
            }
            if !fails && !is_whole && self.rng.u8(..16) == 0 {
                self.between()?;
                if self.wire.is_lost() {
                    return Ok(());
                }
            }
            match self.row_of(first)? {
                Ok(Step::Row) => {
                    self.if_honest(self.is_row(rows), "a row is not that of the table")?;
                    rows += 1;
                }
                Ok(Step::Done) => break Some(Ok(())),
                Err(failure) => break Some(Err(failure)),
            }
        };
        let end = match end {
            Some(read) if is_whole => {
                let committed = self.wire.end_stream(first);
                self.witness.look(&self.wire)?;
                Some(read.and(committed))
            }
            end => end,
        };
        match &end {
            None => {}
            Some(Ok(())) => {
                self.witness.good_end_of_portal(&name(first))?;
                self.if_honest(!fails && rows == all, "a stream ends well")?;
            }
            Some(Err(failure)) => {
                self.if_honest(fails && rows == all, "a stream fails")?;
                if matches!(self.failed(failure)?, End::Lost) {
                    return Ok(());
                }
            }
        }
        if is_whole && end.is_some() {
            return Ok(());
        }
        self.close(first, is_own)
    }

    fn close(&mut self, id: PortalId, is_own: bool) -> Result<(), String> {
        let closed = if self.wire.is_committing() {
            self.wire.drop_portal(id);
            self.wire.discard_in_flight(MOST)
        } else if is_own || self.wire.status() == Status::Failed {
            self.wire.drop_portal(id);
            self.wire.send_command("ROLLBACK").and_then(|()| self.wire.discard_in_flight(MOST))
        } else {
            self.wire.close_portal(id)
        };
        if let Err(failure) = closed {
            self.failed(&failure)?;
        }
        self.witness.look(&self.wire)
    }

    /// Reads a row of a portal, and judges it.
    fn row_of(&mut self, id: PortalId) -> Result<Result<Step, Failure>, String> {
        let step = self.wire.next_of_portal(id);
        self.witness.look(&self.wire)?;
        if let Ok(Step::Row) = step {
            self.witness.row(&name(id), &self.wire.owned_row())?;
        }
        Ok(step)
    }

    fn is_row(&self, index: usize) -> bool {
        let body = self.wire.owned_row().body;
        let values = row(index);
        let flat: Vec<u8> = values.iter().flatten().flatten().copied().collect();
        let length = 2 + 4 * values.len() + flat.len();
        body.len() == length && values.iter().flatten().all(|value| contains(&body, value))
    }

    /// Something else on the connection, while a stream is open.
    fn between(&mut self) -> Result<(), String> {
        match self.rng.u8(..3) {
            0 => {
                let end = self.query("ROWS 2")?;
                self.if_honest(matches!(end, End::Good), "a query within a stream")
            }
            1 => {
                let mut rows = 0;
                let statement = Statement { id: StatementId::UNNAMED, columns: None };
                let end = self.execute(&statement, "ROWS 4", usize::MAX, &mut rows)?;
                self.if_honest(matches!(end, End::Good) && rows == 4, "a statement within a stream")
            }
            _ => self.second(),
        }
    }

    /// Another stream within one.
    fn second(&mut self) -> Result<(), String> {
        let parameters = Parameters { types: vec![], values: vec![] };
        let id = match self.wire.open_portal("ROWS 9", &parameters, 3) {
            Ok(id) => id,
            Err(failure) => {
                self.if_honest(false, "a stream within a stream")?;
                return self.failed(&failure).map(drop);
            }
        };
        self.witness.look(&self.wire)?;
        for index in 0..self.rng.usize(..12) {
            match self.row_of(id)? {
                Ok(Step::Row) => self.if_honest(self.is_row(index), "a row within a stream")?,
                Ok(Step::Done) => {
                    self.if_honest(index == 9, "the end of a stream within a stream")?;
                    self.witness.good_end_of_portal(&name(id))?;
                    break;
                }
                Err(failure) => {
                    self.if_honest(false, "a failure within a stream")?;
                    if matches!(self.failed(&failure)?, End::Lost) {
                        return Ok(());
                    }
                    break;
                }
            }
        }
        self.close(id, false)
    }
}

fn contains(body: &[u8], value: &[u8]) -> bool {
    value.is_empty() || body.windows(value.len()).any(|window| window == value)
}

/// As the portal is called on the wire.
fn name(id: PortalId) -> String {
    id.name()
}
