//! Reading one row, column by column, from any backend.

use diesel::{
    backend::Backend,
    result::UnexpectedEndOfRow,
    row::{Field as _, Row},
};

use crate::{error::BoxError, types::Codec};

/// A cursor over the columns of one row.
#[derive(Debug)]
pub struct RowReader<'a, R> {
    row: &'a R,
    next: usize,
    width: usize,
}

/// A column whose value does not fit.
#[derive(Debug)]
pub struct ColumnError {
    /// The position of the column in the row.
    pub(crate) column: usize,
    pub(crate) source: BoxError,
}

/// Whose a column is, for error messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnName {
    /// The model, where the column is a model's.
    pub(crate) model: Option<&'static str>,
    /// Its field.
    pub(crate) field: Option<&'static str>,
}

impl<'a, R> RowReader<'a, R> {
    pub(crate) fn new(row: &'a R) -> Self {
        RowReader { row, next: 0, width: 0 }
    }

    /// The row itself.
    pub(crate) fn row(&self) -> &'a R {
        self.row
    }

    /// The bytes that the values read so far hold beyond their own size.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Reads the next column by the codec `K`.
    ///
    /// # Errors
    ///
    /// If the value does not fit.
    #[inline]
    pub fn read<'r, K, T, DB>(&mut self) -> Result<T, ColumnError>
    where
        DB: Backend,
        R: Row<'r, DB>,
        K: Codec<T, DB>,
    {
        let column = self.next;
        self.next += 1;
        let value = match self.row.get(column) {
            Some(field) => K::decode(field.value()),
            None => Err(Box::new(UnexpectedEndOfRow) as BoxError),
        };
        match value {
            Ok(value) => {
                self.width += K::width(&value);
                Ok(value)
            }
            Err(source) => Err(ColumnError { column, source }),
        }
    }

    /// Whether the column `ahead` of the next one is NULL.
    pub(crate) fn is_null<'r, DB>(&self, ahead: usize) -> bool
    where
        DB: Backend,
        R: Row<'r, DB>,
    {
        self.row.get(self.next + ahead).is_none_or(|field| field.is_null())
    }

    /// Passes over columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }
}

/// Reads one column of a row outside of the row's order; for naming the row in an error.
pub fn peek<'r, K, T, DB, R>(row: &R, column: usize) -> Option<T>
where
    DB: Backend,
    R: Row<'r, DB>,
    K: Codec<T, DB>,
{
    K::decode(row.get(column)?.value()).ok()
}
