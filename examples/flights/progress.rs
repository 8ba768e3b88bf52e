//! Progress bars: on a terminal, on standard error, and nothing in a pipe.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `rows` rows; it is gone from the terminal when it is dropped.
pub(crate) fn bar(what: &'static str, rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{wide_bar}] {human_pos}/{human_len} {per_sec} {eta}")
        .expect("the template above is right")
        .progress_chars("=> ");
    ProgressBar::new(rows).with_style(style).with_message(what).with_finish(indicatif::ProgressFinish::AndClear)
}
