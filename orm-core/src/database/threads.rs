//! The threads that all pools of the process share.
//!
//! r2d2 wants a thread pool for each connection pool, and keeps its three threads for half a minute after that was dropped.
//! Connections are made by the threads that need them (see `entry.rs`), so little is left to do: an entry is added to a
//! pool, and connections that nobody has used for long are closed. Two threads do that for all pools; they end with the
//! process.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use scheduled_thread_pool::ScheduledThreadPool;

use crate::error::{Error, ErrorKind, Result};

/// Closing a connection may take a moment, which must not keep all pools waiting.
const THREADS: usize = 2;

/// The shared threads, which are started for the first pool.
///
/// # Errors
///
/// [`ErrorKind::Connection`] if the system starts no more threads for this process.
pub(super) fn shared() -> Result<Arc<ScheduledThreadPool>> {
    static SHARED: Mutex<Option<Arc<ScheduledThreadPool>>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(threads) = &*shared {
        return Ok(threads.clone());
    }
    let threads = Arc::new(start()?);
    *shared = Some(threads.clone());
    Ok(threads)
}

fn start() -> Result<ScheduledThreadPool> {
    let refused = |source: io::Error| {
        Error::new(
            ErrorKind::Connection,
            "the connection pool needs a thread, and the system starts no more of them for this process",
        )
        .with_source(source)
    };
    // `ScheduledThreadPool` panics if it cannot start a thread, so the same number is started before.
    rehearse().map_err(refused)?;
    let builder = ScheduledThreadPool::builder().num_threads(THREADS).thread_name_pattern("orm-core-pool-{}");
    panic::catch_unwind(AssertUnwindSafe(|| builder.build()))
        .map_err(|_| refused(io::Error::other("a thread could not be started")))
}

/// Starts as many threads at one time, and ends them.
fn rehearse() -> io::Result<()> {
    let mut started = Vec::new();
    for _ in 0..THREADS {
        let (end, ended) = mpsc::channel::<()>();
        started.push((thread::Builder::new().spawn(move || ended.recv().is_ok())?, end));
    }
    for (thread, end) in started {
        drop(end);
        let _ = thread.join();
    }
    Ok(())
}
