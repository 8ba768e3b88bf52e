//! Requests to stop: Ctrl-C, SIGTERM and a closed terminal are noted here and looked at by whatever waits.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::Failure;

/// The last signal that nobody has taken yet; 0 is none.
static RECEIVED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Makes requests to stop be noted instead of ending xtask at once, so that what it has started can be ended first.
pub(crate) fn listen() -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(&RECEIVED), number)
            .map_err(|error| Failure::Other(format!("could not listen for signal {signal}: {error}")))?;
    }
    Ok(())
}

/// The signal that has come since the last call, if one has.
pub(crate) fn take() -> Option<i32> {
    i32::try_from(RECEIVED.swap(0, Ordering::SeqCst)).ok().filter(|&signal| signal != 0)
}

/// Fails once xtask has been asked to stop: for loops that wait for something else.
pub(crate) fn check() -> Result<(), Failure> {
    take().map_or(Ok(()), |signal| Err(Failure::Interrupted(signal)))
}
