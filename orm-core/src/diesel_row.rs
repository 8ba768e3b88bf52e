//! A row of a connection of our own, as Diesel asks for one.

/// Makes a type Diesel's row of the backend: `diesel_row!(Pg, PgField: PgRow, row => row.as_ref())`, where the expression
/// is something with `columns`, each with a `name`, and a method `field` that gives the field at a position.
macro_rules! diesel_row {
    ($backend:ty, $field:ident: $row:ty, $this:ident => $as_ref:expr) => {
        impl ::diesel::row::RowSealed for $row {}

        impl ::diesel::row::RowIndex<usize> for $row {
            #[inline]
            fn idx(&self, index: usize) -> Option<usize> {
                (index < self.columns.len()).then_some(index)
            }
        }

        impl ::diesel::row::RowIndex<&str> for $row {
            fn idx(&self, name: &str) -> Option<usize> {
                self.columns.iter().position(|column| column.name == name)
            }
        }

        impl<'r> ::diesel::row::Row<'r, $backend> for $row {
            type Field<'f>
                = $field<'f>
            where
                'r: 'f,
                Self: 'f;
            type InnerPartialRow = Self;

            fn field_count(&self) -> usize {
                self.columns.len()
            }

            #[inline(always)]
            fn get<'f, I>(&'f self, index: I) -> Option<$field<'f>>
            where
                'r: 'f,
                Self: ::diesel::row::RowIndex<I>,
            {
                let $this = self;
                $as_ref.field(::diesel::row::RowIndex::idx(self, index)?)
            }

            fn partial_row(&self, range: ::std::ops::Range<usize>) -> ::diesel::row::PartialRow<'_, Self> {
                ::diesel::row::PartialRow::new(self, range)
            }
        }
    };
}
pub(crate) use diesel_row;
