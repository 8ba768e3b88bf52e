//! When the write-ahead log of a file is checkpointed.
//!
//! SQLite tries a checkpoint after each commit that leaves more than 1000 pages in the log. While somebody reads, the log
//! cannot begin anew, and the next commit tries again: to change a row at a time while a stream is open takes time that
//! grows with the square of the rows. So our connections switch that off (`wal_autocheckpoint = 0`). Instead, when a
//! connection goes back to its pool:
//!
//! - A log that is longer than 1000 pages is checkpointed, and once more whenever it has doubled since the last try.
//! - If streams or transactions of this process were open then, it is checkpointed once more when the last of them ends,
//!   and cut off.
//!
//! `journal_size_limit` makes the writer that begins the log anew cut it off at 1000 pages, so the length of the file tells
//! the length of the log. No checkpoint waits for anybody, and none makes readers wait.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use diesel::{
    QueryResult, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer},
};

use super::file::Identity;

/// SQLite's own number.
const PAGES: u64 = 1000;
/// Bytes of the log before its first frame, and of a frame before its page.
const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The write-ahead log of a file, as all connections of this process see it.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// The length from which on a checkpoint is tried, in bytes; 0 until the size of a page is known.
    next_try: AtomicU64,
    /// Streams and transactions that are open.
    readers: AtomicUsize,
    /// Some were open at the last try, so that the log could not begin anew.
    was_held: AtomicBool,
}

/// What is kept beside each connection.
#[doc(hidden)]
#[derive(Debug)]
pub struct Companion {
    /// `None` for a database in memory.
    log: Option<Arc<Log>>,
    /// The length of the log that needs no checkpoint, in bytes.
    limit: u64,
    may_write: bool,
    is_reading: bool,
}

impl Log {
    /// The log of a file; the same one for all pools.
    pub(super) fn of(identity: &Identity, file: &Path) -> Arc<Self> {
        static LOGS: Mutex<Option<HashMap<Identity, Weak<Log>>>> = Mutex::new(None);
        let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
        let logs = logs.get_or_insert_default();
        if let Some(log) = logs.get(identity).and_then(Weak::upgrade) {
            return log;
        }
        logs.retain(|_, log| log.strong_count() > 0);
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        let log = Arc::new(Log {
            path: path.into(),
            next_try: AtomicU64::new(0),
            readers: AtomicUsize::new(0),
            was_held: AtomicBool::new(false),
        });
        logs.insert(*identity, Arc::downgrade(&log));
        log
    }

    /// Whether it is time for a checkpoint; then it is up to this caller alone, and `true` if the log is also to be cut off.
    fn is_due(&self, limit: u64) -> Option<bool> {
        let length = fs::metadata(&self.path).map_or(0, |information| information.len());
        let next = self.next_try.load(SeqCst);
        if length <= limit {
            if next != limit {
                self.next_try.store(limit, SeqCst);
            }
            return None;
        }
        let readers = self.readers.load(SeqCst);
        if readers == 0 && self.was_held.swap(false, SeqCst) {
            self.next_try.store(length.saturating_mul(2), SeqCst);
            return Some(true);
        }
        let mine =
            length > next && self.next_try.compare_exchange(next, length.saturating_mul(2), SeqCst, SeqCst).is_ok();
        if mine {
            self.was_held.store(readers > 0, SeqCst);
        }
        mine.then_some(false)
    }
}

impl Companion {
    /// Gives a connection the policy.
    pub(super) fn of(connection: &mut SqliteConnection, log: Option<Arc<Log>>, may_write: bool) -> QueryResult<Self> {
        let mut companion = Companion { log, limit: 0, may_write, is_reading: false };
        if let Some(log) = &companion.log {
            let page: i64 = diesel::select(sql::<BigInt>("page_size FROM pragma_page_size")).get_result(connection)?;
            companion.limit = HEADER + PAGES * (u64::try_from(page).unwrap_or(4096) + FRAME_HEADER);
            log.next_try.fetch_max(companion.limit, SeqCst);
            connection.batch_execute(&format!("PRAGMA journal_size_limit = {}", companion.limit))?;
            connection.batch_execute(MANUAL)?;
        }
        Ok(companion)
    }

    pub(super) fn begin_reading(&mut self) {
        if let Some(log) = &self.log
            && !self.is_reading
        {
            self.is_reading = true;
            log.readers.fetch_add(1, SeqCst);
        }
    }

    fn end_reading(&mut self) {
        if let Some(log) = &self.log
            && std::mem::take(&mut self.is_reading)
        {
            log.readers.fetch_sub(1, SeqCst);
        }
    }

    /// Nothing is open on the connection any more.
    pub(super) fn release(&mut self, connection: &mut SqliteConnection) {
        self.end_reading();
        let Some(log) = self.log.as_ref().filter(|_| self.may_write && !std::thread::panicking()) else { return };
        if let Some(cut_off) = log.is_due(self.limit)
            && let Err(error) = checkpoint(connection, cut_off)
        {
            log::debug!("a checkpoint failed, and is tried again when the log has doubled: {error}");
        }
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.end_reading();
    }
}

/// Leaves checkpoints to SQLite, for statements of the program's own, which we do not see.
pub(super) const AUTOMATIC: &str = "PRAGMA wal_autocheckpoint = 1000";
/// Leaves them to us.
pub(super) const MANUAL: &str = "PRAGMA wal_autocheckpoint = 0";

/// What a checkpoint has done.
#[derive(QueryableByName)]
struct Outcome {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// Moves into the file what it can of the log, without waiting for anybody.
fn checkpoint(connection: &mut SqliteConnection, cut_off: bool) -> QueryResult<()> {
    let Outcome { log, checkpointed } = sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result(connection)?;
    if !cut_off || log != checkpointed {
        return Ok(());
    }
    // There is little left to move, but to cut off the log it waits for readers and writers, as for locks.
    let timeout: i32 = diesel::select(sql::<Integer>("timeout FROM pragma_busy_timeout")).get_result(connection)?;
    connection.batch_execute("PRAGMA busy_timeout = 0")?;
    let cut = connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
    connection.batch_execute(&format!("PRAGMA busy_timeout = {timeout}"))?;
    cut
}
