//! How many rows the next fetch asks for.
//!
//! The first fetch is small: the first row comes at once, and then the width of a row is known. From there it grows to
//! the chunk size, and shrinks where rows are wide. SQLAlchemy's row buffer grows like this, and pgjdbc's adaptive
//! fetch shrinks like this.

use std::num::NonZeroUsize;

use super::source::{Fetched, Limit};

/// How many rows the first fetch asks for.
const FIRST: usize = 4;
/// How much more each fetch asks for than the one before.
const GROWTH: usize = 8;
/// The servers count rows in 32 bits.
const MOST: usize = i32::MAX as usize;
/// Room that is made before rows come, in rows: a huge chunk size must not allocate for rows that may never come.
const MOST_RESERVED: usize = 4096;

#[derive(Debug)]
pub(crate) struct ChunkSize {
    most_rows: usize,
    most_bytes: usize,
    next: usize,
}

impl ChunkSize {
    pub(crate) fn new(chunk_size: usize, fetch_bytes: NonZeroUsize) -> Self {
        let most_rows = chunk_size.clamp(1, MOST);
        ChunkSize { most_rows, most_bytes: fetch_bytes.get(), next: most_rows.min(FIRST) }
    }

    pub(crate) fn next(&self) -> Limit {
        Limit { rows: self.next, bytes: self.most_bytes }
    }

    /// Room to make for the next fetch.
    pub(crate) fn capacity(&self) -> usize {
        self.next.min(MOST_RESERVED)
    }

    pub(crate) fn learn(&mut self, fetched: &Fetched, rows: usize) {
        if rows == 0 {
            return;
        }
        let by_growth = self.next.saturating_mul(GROWTH);
        let by_bytes = self.most_bytes / fetched.widest.max(1);
        self.next = by_growth.min(by_bytes).clamp(1, self.most_rows);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::source::End, *};

    fn sizes(chunk_size: usize, bytes: usize, widths: &[usize]) -> Vec<usize> {
        let mut size = ChunkSize::new(chunk_size, NonZeroUsize::new(bytes).unwrap_or(NonZeroUsize::MIN));
        let mut all = vec![size.next().rows];
        for width in widths {
            size.learn(&Fetched { widest: *width, end: End::More }, 1);
            all.push(size.next().rows);
        }
        all
    }

    #[test]
    fn it_grows_to_the_chunk_size() {
        assert_eq!(sizes(2000, 8 << 20, &[100; 4]), [4, 32, 256, 2000, 2000]);
        assert_eq!(sizes(3, 8 << 20, &[100; 2]), [3, 3, 3]);
    }

    #[test]
    fn wide_rows_shrink_it_and_narrow_ones_let_it_grow_again() {
        assert_eq!(sizes(2000, 8 << 20, &[1 << 20, 1 << 20, 100, 100]), [4, 8, 8, 64, 512]);
    }

    #[test]
    fn a_row_over_the_budget_comes_alone() {
        assert_eq!(sizes(2000, 1000, &[5000]), [4, 1]);
    }

    #[test]
    fn no_chunk_size_is_too_large() {
        let size = ChunkSize::new(usize::MAX, NonZeroUsize::MAX);
        assert_eq!((size.most_rows, size.capacity()), (i32::MAX as usize, 4));
    }
}
