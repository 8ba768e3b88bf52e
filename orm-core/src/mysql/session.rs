//! What a session is made when it begins, and again when somebody has had it who may have changed it.

use std::time::{Duration, Instant};

use super::{
    MysqlConnection,
    error::Failure,
    options::Options,
    row::text_value,
    wire::{Answer, Wire},
};

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

/// Makes the session what the documentation says; returns the database that names without one are looked up in.
pub(super) fn set_up(wire: &mut Wire, options: &Options) -> Result<Option<String>, Failure> {
    wire.query(&format!("{}; SELECT @@max_allowed_packet, VERSION(), DATABASE()", settings(options)))?;
    wire.skip()?;
    let [size, version, database] = one_row(wire)?;
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

/// The place of this connection; `None` where it cannot be found again by its number.
pub(super) fn own_place(wire: &mut Wire) -> Result<Option<Place>, Failure> {
    // Where a proxy has given us a number of its own, it is another connection's on the server.
    let seen = seen(wire, "CONNECTION_ID()")?;
    Ok(seen.filter(|seen| seen.id == wire.id().to_string()).map(|seen| seen.place))
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
    let sql = format!("SELECT ID, HOST, COMMAND FROM information_schema.PROCESSLIST WHERE ID = {id}");
    let found = match wire.query(&sql) {
        Ok(_) => one_row(wire)?,
        // MySQL may do without this table one day; then connections are not found again.
        Err(failure) if failure.number().is_some() => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let [Some(id), Some(host), Some(command)] = found else { return Ok(None) };
    let server = if host.contains(':') { None } else { Some(start(wire)?) };
    Ok(Some(Seen { id, place: Place { host, server }, command }))
}

fn start(wire: &mut Wire) -> Result<Start, Failure> {
    wire.query("SHOW GLOBAL STATUS LIKE 'Uptime'")?;
    let [_, uptime] = one_row(wire)?;
    let uptime = uptime.and_then(|uptime| uptime.parse().ok()).map(Duration::from_secs);
    Ok(Start { uptime: uptime.ok_or_else(|| Failure::protocol("it has no uptime"))?, at: Instant::now() })
}

/// The row of a result in text; all NULL if there is none.
fn one_row<const N: usize>(wire: &mut Wire) -> Result<[Option<String>; N], Failure> {
    let mut row = [const { None }; N];
    if wire.next_row()? {
        for (position, value) in row.iter_mut().enumerate() {
            *value = text_value(wire.text_row(), position)?;
        }
    }
    wire.skip_all()?;
    Ok(row)
}

impl MysqlConnection {
    /// Makes the session as new, for the next who has the connection: what somebody has set, locked, prepared or left
    /// open in it is gone.
    pub(crate) fn renew(&mut self) -> diesel::QueryResult<()> {
        self.finish();
        self.rolled_back = false;
        drop(self.statements.clear()); // the server does so by itself
        let renewed = self.within_connect_timeout(|connection| {
            connection.wire.reset()?;
            let chosen = set_up(&mut connection.wire, &connection.options)?;
            match &connection.options.database {
                Some(database) => connection.wire.choose_database(database),
                None if chosen.is_some() => Err(Failure::Lost("a database was chosen, and the URL names none".into())),
                None => Ok(()),
            }
        });
        self.checked(renewed)
    }

    /// Runs a SET, which has nothing to do with a transaction and may run in whatever state one is.
    pub(crate) fn set_session(&mut self, sql: &str) -> diesel::QueryResult<()> {
        self.finish();
        let set = self.within_connect_timeout(|connection| match connection.wire.query(sql)? {
            Answer::Done { .. } => Ok(()),
            Answer::Rows => connection.wire.skip_all().map(drop),
        });
        self.checked(set)
    }

    /// Gives the connection up, because it cannot be made what the next who has it expects.
    pub(crate) fn discard(&mut self, why: diesel::result::Error) {
        log::debug!("a connection is given up, because it cannot be made as it was: {why}");
        self.give_up(&Failure::Lost(why.to_string().into()));
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
