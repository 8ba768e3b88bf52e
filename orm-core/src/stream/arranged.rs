//! Rows of statements that we have not written: whose columns come in any order.

use std::ops::Range;

use diesel::{
    backend::Backend,
    row::{PartialRow, Row, RowIndex, RowSealed},
};

/// A row whose columns are those at these positions of another one.
pub(crate) struct Arranged<'m, R> {
    pub(crate) row: &'m R,
    pub(crate) columns: &'m [usize],
}

impl<R> RowSealed for Arranged<'_, R> {}

impl<R> RowIndex<usize> for Arranged<'_, R> {
    #[inline]
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.columns.len()).then_some(index)
    }
}

// Diesel asks for it; nothing here does.
impl<R> RowIndex<&str> for Arranged<'_, R> {
    fn idx(&self, _: &str) -> Option<usize> {
        None
    }
}

impl<'r, DB: Backend, R: Row<'r, DB>> Row<'r, DB> for Arranged<'_, R> {
    type Field<'f>
        = R::Field<'f>
    where
        'r: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.columns.len()
    }

    #[inline]
    fn get<'f, I>(&'f self, index: I) -> Option<R::Field<'f>>
    where
        'r: 'f,
        Self: RowIndex<I>,
    {
        self.row.get(*self.columns.get(self.idx(index)?)?)
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}
