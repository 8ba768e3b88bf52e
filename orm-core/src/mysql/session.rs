//! What a session is made when it begins, and again when somebody has had it who may have changed it.

use std::time::{Duration, Instant};

use super::{MysqlConnection, error::Failure, options::Options, row::text_value, wire::Wire};

/// What tells a session from all others, besides its number.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// Where the server sees it come from: a host and a port, or `localhost` for every Unix socket.
    pub(super) host: String,
    /// For a Unix socket: when its server was started. The next one gives the same numbers again.
    server: Option<Start>,
}

/// When a server was started, by how long it ran at some time.
#[derive(Clone, Copy, Debug)]
struct Start {
    uptime: Duration,
    at: Instant,
}

/// The server counts whole seconds.
const TOLERANCE: Duration = Duration::from_secs(3);

impl PartialEq for Start {
    fn eq(&self, other: &Self) -> bool {
        let (first, second) = if self.at <= other.at { (self, other) } else { (other, self) };
        let expected = first.uptime + (second.at - first.at);
        expected.abs_diff(second.uptime) < TOLERANCE
    }
}

/// Makes the session what the documentation says, and returns where another connection finds it; in one round trip. `None`
/// if it cannot be found again by its number.
pub(super) fn set_up(wire: &mut Wire, options: &Options) -> Result<Option<Place>, Failure> {
    apply(wire, options, &format!("; {}", seen_as("CONNECTION_ID()")))?;
    let seen = match wire.skip() {
        Ok(()) => seen_row(wire)?,
        Err(failure) => unseen(failure)?,
    };
    // Where a proxy has given us a number of its own, it is another connection's on the server.
    Ok(seen.filter(|seen| seen.id == wire.id().to_string()).map(|seen| seen.place))
}

/// Sends the settings and what stands behind them, and returns the database that names without one are looked up in.
fn apply(wire: &mut Wire, options: &Options, behind: &str) -> Result<Option<String>, Failure> {
    wire.query(&format!("{}; SELECT @@max_allowed_packet, VERSION(), DATABASE(){behind}", settings(options)))?;
    wire.skip()?;
    let [size, version, database] = next_row(wire)?;
    let size = size.and_then(|size| size.parse().ok());
    wire.set_max_allowed_packet(size.ok_or_else(|| Failure::protocol("it has no max_allowed_packet"))?);
    if let Some(version) = version {
        wire.set_version(version); // a proxy may have greeted us with one of its own
    }
    Ok(database)
}

fn settings(options: &Options) -> String {
    let mut sql = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
                   sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO')"
        .to_owned();
    if let Some(limit) = options.lock_timeout {
        // Of rows, and of whole tables.
        let limit = seconds(limit).min(100_000_000);
        sql.push_str(&format!(", innodb_lock_wait_timeout = {limit}, lock_wait_timeout = {}", limit.min(31_536_000)));
    }
    if let Some(limit) = options.statement_timeout {
        // The first comment is only read by MariaDB, and the second by MySQL.
        sql.push_str(&format!(
            "/*M!100101 , max_statement_time = {} *//*!50708 , max_execution_time = {} */",
            limit.as_secs_f64().clamp(0.001, 31_536_000.0),
            crate::database::milliseconds(limit)
        ));
    }
    sql
}

fn seconds(limit: Duration) -> u64 {
    limit.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX).max(1)
}

/// A connection, as the server shows it to another one.
pub(super) struct Seen {
    id: String,
    pub(super) place: Place,
    /// What it is doing.
    pub(super) command: String,
}

/// The connection with this number.
pub(super) fn seen(wire: &mut Wire, id: &str) -> Result<Option<Seen>, Failure> {
    match wire.query(&seen_as(id)) {
        Ok(_) => seen_row(wire),
        Err(failure) => unseen(failure),
    }
}

fn seen_as(id: &str) -> String {
    format!("SELECT ID, HOST, COMMAND FROM information_schema.PROCESSLIST WHERE ID = {id}")
}

/// MySQL may do without this table one day; then connections are not found again.
fn unseen(failure: Failure) -> Result<Option<Seen>, Failure> {
    if failure.number().is_some() { Ok(None) } else { Err(failure) }
}

/// The row of that query.
fn seen_row(wire: &mut Wire) -> Result<Option<Seen>, Failure> {
    let [Some(id), Some(host), Some(command)] = next_row(wire)? else { return Ok(None) };
    let server = if host.contains(':') { None } else { Some(start(wire)?) };
    Ok(Some(Seen { id, place: Place { host, server }, command }))
}

fn start(wire: &mut Wire) -> Result<Start, Failure> {
    wire.query("SHOW GLOBAL STATUS LIKE 'Uptime'")?;
    let [_, uptime] = next_row(wire)?;
    let uptime = uptime.and_then(|uptime| uptime.parse().ok()).map(Duration::from_secs);
    Ok(Start { uptime: uptime.ok_or_else(|| Failure::protocol("it has no uptime"))?, at: Instant::now() })
}

/// The row of a result in text, which is read to its end; all NULL if there is none.
fn next_row<const N: usize>(wire: &mut Wire) -> Result<[Option<String>; N], Failure> {
    let mut row = [const { None }; N];
    if wire.next_row()? {
        for (position, value) in row.iter_mut().enumerate() {
            *value = text_value(wire.text_row(), position)?;
        }
        while wire.next_row()? {}
    }
    Ok(row)
}

/// A server gives up a client that takes nothing for `net_write_timeout` (a minute, by default), in the middle of the
/// result; the consumer of a stream may take longer than that for a row. Connector/J raises it for its streams, too.
/// A day; a client that has gone is noticed by TCP, long before.
const BE_PATIENT: &str =
    "SET @orm_core_net_write_timeout = @@SESSION.net_write_timeout, SESSION net_write_timeout = 86400";
const BE_AS_BEFORE: &str = "SET SESSION net_write_timeout = @orm_core_net_write_timeout";

impl MysqlConnection {
    /// Makes the session as new, for the next who has the connection: what somebody has set, locked, prepared or left
    /// open in it is gone.
    pub(crate) fn renew(&mut self) -> diesel::QueryResult<()> {
        self.finish();
        self.rolled_back = false;
        drop(self.statements.clear()); // the server does so by itself
        let renewed = self.within_connect_timeout(|connection| {
            connection.wire.reset()?;
            let chosen = apply(&mut connection.wire, &connection.options, "")?;
            match &connection.options.database {
                Some(database) => connection.wire.choose_database(database),
                None if chosen.is_some() => Err(Failure::Lost("a database was chosen, and the URL names none".into())),
                None => Ok(()),
            }
        });
        self.checked(renewed)
    }

    /// Has the server wait for a reader of the next statement as long as he takes.
    pub(crate) fn be_patient(&mut self) {
        if !self.wire.take_back(BE_AS_BEFORE) {
            self.wire.execute_with_next(BE_PATIENT.into());
        }
    }

    /// Runs SQL without rows together with the next statement.
    pub(crate) fn execute_with_next(&mut self, sql: &'static str) {
        self.wire.execute_with_next(sql.into());
    }

    /// Undoes [`be_patient`](Self::be_patient), with the next statement.
    pub(crate) fn be_as_before(&mut self) {
        if !self.wire.take_back(BE_PATIENT) {
            self.wire.execute_with_next(BE_AS_BEFORE.into());
        }
    }

    /// Does what a user does not know of, and shall not wait for on a server that hangs.
    pub(super) fn within_connect_timeout<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.wire.set_deadline(crate::net::socket::Deadline::after(self.options.timeouts.connect));
        let answer = f(self);
        if !self.wire.is_lost() {
            self.wire.set_timeouts(&self.options.timeouts)?;
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_was_started_again_is_another_one() {
        let now = Instant::now();
        let start =
            |uptime, later| Start { uptime: Duration::from_secs(uptime), at: now + Duration::from_millis(later) };
        assert_eq!(start(100, 0), start(100, 900));
        assert_eq!(start(100, 0), start(160, 60_000));
        assert_eq!(start(160, 60_000), start(100, 0));
        assert_ne!(start(100, 0), start(5, 60_000));
        assert_ne!(start(100, 0), start(100, 10_000));
    }
}
