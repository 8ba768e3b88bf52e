//! Rows.

use std::ops::Range;

use diesel::{
    mysql::{Mysql, MysqlValue},
    row::{Field as DieselField, PartialRow, Row as DieselRow, RowIndex, RowSealed},
};

/// A row.
#[derive(Debug)]
pub struct Row;

impl RowSealed for Row {}

impl RowIndex<usize> for Row {
    fn idx(&self, index: usize) -> Option<usize> {
        Some(index)
    }
}

impl RowIndex<&str> for Row {
    fn idx(&self, _name: &str) -> Option<usize> {
        None
    }
}

impl<'a> DieselRow<'a, Mysql> for Row {
    type Field<'f>
        = Field<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        0
    }

    fn get<'b, I>(&'b self, _index: I) -> Option<Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        None
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

/// A field.
#[derive(Debug)]
pub struct Field<'f>(std::marker::PhantomData<&'f ()>);

impl<'f> DieselField<'f, Mysql> for Field<'f> {
    fn field_name(&self) -> Option<&str> {
        None
    }

    fn value(&self) -> Option<MysqlValue<'_>> {
        None
    }
}
