//! What is logged in this process, kept to be searched.

use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
    fn flush(&self) {}
}

/// Begins to keep what is logged, at every level.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if log::set_logger(&Keeper).is_ok() {
            log::set_max_level(log::LevelFilter::Trace);
        }
    });
}

/// All that was logged since [`keep`].
pub fn all() -> String {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}
