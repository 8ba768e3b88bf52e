//! Rows as Diesel reads them, from a message as it was received.

use std::sync::Arc;

use diesel::{
    pg::{Pg, PgValue},
    row::Field as DieselField,
};

use super::{column::Column, error::Failure};
use crate::diesel_row::diesel_row;

/// Where the values of a row lie in its message.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Vec<Span>);

/// From where to where; a NULL ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

const NULL: Span = Span { start: 1, end: 0 };

impl Spans {
    /// Finds the values of a DataRow.
    #[inline]
    pub(super) fn find(&mut self, columns: usize, body: &[u8]) -> Result<(), Failure> {
        self.0.clear();
        let Some((count, mut rest)) = body.split_first_chunk() else { return Err(broken()) };
        if usize::from(u16::from_be_bytes(*count)) != columns {
            return Err(Failure::protocol("a row has another number of columns than was said"));
        }
        for _ in 0..columns {
            let Some((length, after)) = rest.split_first_chunk() else { return Err(broken()) };
            rest = after;
            let length = i32::from_be_bytes(*length);
            if length == -1 {
                self.0.push(NULL);
                continue;
            }
            let start = body.len() - rest.len();
            let Some((_, after)) = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) else {
                return Err(broken());
            };
            rest = after;
            let end = body.len() - rest.len();
            // A message is as long as 31 bits count.
            #[allow(clippy::cast_possible_truncation)]
            self.0.push(Span { start: start as u32, end: end as u32 });
        }
        if rest.is_empty() { Ok(()) } else { Err(broken()) }
    }
}

#[cold]
fn broken() -> Failure {
    Failure::protocol("a row's values are longer or shorter than the row")
}

/// A row that lies where it was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef<'a> {
    pub(super) columns: &'a [Column],
    pub(super) body: &'a [u8],
    pub(super) spans: &'a Spans,
}

/// A row of its own, which can be kept while others are read.
#[derive(Clone, Debug)]
pub struct PgRow {
    pub(super) columns: Arc<[Column]>,
    pub(super) body: Box<[u8]>,
    pub(super) spans: Spans,
}

impl PgRow {
    fn as_ref(&self) -> RowRef<'_> {
        RowRef { columns: &self.columns, body: &self.body, spans: &self.spans }
    }

    /// A copy of a row of Diesel's own connection.
    #[cfg(feature = "libpq")]
    pub(crate) fn copy_of<'r>(row: &impl diesel::row::Row<'r, Pg>) -> Self {
        use std::num::NonZeroU32;
        // What stands for the type of a NULL, which is not told: `unknown`, in `pg_type`.
        const UNKNOWN: NonZeroU32 = NonZeroU32::new(705).unwrap();

        let (mut columns, mut spans, mut body) = (Vec::new(), Vec::new(), Vec::new());
        for field in (0..row.field_count()).map_while(|index| row.get(index)) {
            let (oid, span) = match field.value() {
                None => (UNKNOWN, NULL),
                Some(value) => {
                    let start = body.len();
                    body.extend_from_slice(value.as_bytes());
                    // A row is as long as 31 bits count.
                    #[allow(clippy::cast_possible_truncation)]
                    (value.get_oid(), Span { start: start as u32, end: body.len() as u32 })
                }
            };
            let name = field.field_name().unwrap_or_default().to_owned();
            columns.push(Column { name, oid, modifier: -1 });
            spans.push(span);
        }
        PgRow { columns: columns.into(), body: body.into(), spans: Spans(spans) }
    }
}

impl<'a> RowRef<'a> {
    #[inline(always)]
    fn field(&self, index: usize) -> Option<PgField<'a>> {
        let column = self.columns.get(index)?;
        let Span { start, end } = *self.spans.0.get(index)?;
        Some(PgField { column, value: self.body.get(start as usize..end as usize) })
    }
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub struct PgField<'a> {
    column: &'a Column,
    /// `None` is NULL.
    value: Option<&'a [u8]>,
}

impl<'a> DieselField<'a, Pg> for PgField<'a> {
    fn field_name(&self) -> Option<&str> {
        Some(&self.column.name)
    }

    #[inline(always)]
    fn value(&self) -> Option<PgValue<'_>> {
        Some(PgValue::new(self.value?, &self.column.oid))
    }

    #[inline]
    fn is_null(&self) -> bool {
        self.value.is_none()
    }
}

diesel_row!(Pg, PgField: RowRef<'_>, row => row);
diesel_row!(Pg, PgField: PgRow, row => row.as_ref());

#[cfg(test)]
mod tests {
    use super::*;

    fn values(columns: usize, body: &[u8]) -> Option<Vec<Option<&[u8]>>> {
        let mut spans = Spans::default();
        spans.find(columns, body).ok()?;
        Some(spans.0.iter().map(|span| body.get(span.start as usize..span.end as usize)).collect())
    }

    #[test]
    fn values_are_found_where_they_lie() {
        let body = b"\0\x03\0\0\0\x02ab\xFF\xFF\xFF\xFF\0\0\0\0";
        assert_eq!(values(3, body), Some(vec![Some(&b"ab"[..]), None, Some(b"")]));
        assert_eq!(values(0, b"\0\0"), Some(vec![]));
    }

    #[test]
    fn a_row_that_is_too_short_or_too_long_is_an_error() {
        let body = b"\0\x01\0\0\0\x02ab";
        for length in 0..body.len() {
            assert_eq!(values(1, &body[..length]), None, "{length} bytes");
        }
        assert_eq!(values(1, b"\0\x01\0\0\0\x02abc"), None);
        assert_eq!(values(2, body), None);
        assert_eq!(values(1, b"\0\x01\xFF\xFF\xFF\xFE"), None);
        assert_eq!(values(1, b"\0\x01\x7F\xFF\xFF\xFFab"), None);
    }
}
