//! What the rows of a raw statement read as: a model, by the names of columns, or values, by their positions.

use std::marker::PhantomData;

use diesel::{
    backend::Backend as DieselBackend,
    row::{Field as _, Row},
};

use crate::{
    backend::{BackendKind, Driver},
    error::{Error, ErrorKind, Result},
    model::{Column, FromRow, Model},
    queryset::shape::{Shape, ShapeOn, Whole},
    stream::row::{ColumnError, ColumnName, RowReader},
    types::{Codec, FieldType, Native},
};

/// A model, whose columns are found by their names.
#[derive(Debug)]
pub struct ByName<M>(PhantomData<fn() -> M>);

/// Values, by their positions.
#[derive(Debug)]
pub struct ByPosition<T>(PhantomData<fn() -> T>);

impl<M: Model> Shape for ByName<M> {
    type Row = M;
    const ARRANGED: bool = true;
    fn names(out: &mut Vec<ColumnName>) {
        Whole::<M>::names(out);
    }
}

impl<M: FromRow<DB>, DB: DieselBackend> ShapeOn<DB> for ByName<M> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<M, ColumnError> {
        M::from_row(row)
    }
    fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
        M::describe_key(row, 0)
    }
    fn arrange<'r, R: Row<'r, DB>>(row: &R) -> Result<Vec<usize>>
    where
        DB: Driver,
    {
        let names = names_of(row);
        M::COLUMNS
            .iter()
            .map(|column| find(column, &names, DB::KIND))
            .collect::<Result<_>>()
            .map_err(|error| error.on_backend(DB::KIND).on_model(M::TABLE.model))
    }
}

fn names_of<'r, DB: DieselBackend, R: Row<'r, DB>>(row: &R) -> Vec<String> {
    (0..row.field_count())
        .map(|at| row.get(at).and_then(|field| field.field_name().map(str::to_owned)).unwrap_or_default())
        .collect()
}

/// The only column of this name.
fn find(column: &Column, names: &[String], backend: BackendKind) -> Result<usize> {
    let is_it = |name: &str| match backend {
        BackendKind::Postgres => name == column.name,
        BackendKind::Sqlite => name.eq_ignore_ascii_case(column.name),
        BackendKind::Mysql => name.to_lowercase() == column.name.to_lowercase(),
    };
    let mut found = names.iter().enumerate().filter(|(_, name)| is_it(name)).map(|(at, _)| at);
    let why = match (found.next(), found.count()) {
        (Some(at), 0) => return Ok(at),
        (Some(_), more) => format!(
            "the statement gives {} columns that are called `{}`, and which one is the field's is not known; call the others \
             something else by `AS`",
            more + 1,
            column.name
        ),
        (None, _) => format!("the statement gives no column `{}`; it gives {}", column.name, list(names)),
    };
    Err(Error::new(ErrorKind::Decode, why).on_field(column.field))
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What a row of [`raw_values`](crate::Database::raw_values) may be read as: a type that a field may have, or a tuple of up
/// to 16.
#[diagnostic::on_unimplemented(
    message = "a row of a raw statement cannot be read as `{Self}`",
    label = "neither a type that a field of a model may have nor a tuple of up to 16 of them",
    note = "rows that are models are read by `Model::raw`"
)]
pub trait RawRow: 'static {
    /// How many columns it has.
    const COLUMNS: usize;
}

/// A [`RawRow`] that can be read from the backend `DB`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be read from `{DB}`")]
pub trait ReadRow<DB: DieselBackend>: RawRow + Sized {
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError>;
}

impl<T: RawRow> Shape for ByPosition<T> {
    type Row = T;
    const ARRANGED: bool = true;
    fn names(_: &mut Vec<ColumnName>) {}
}

impl<T: ReadRow<DB>, DB: DieselBackend> ShapeOn<DB> for ByPosition<T> {
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<T, ColumnError> {
        T::read(row)
    }
    fn arrange<'r, R: Row<'r, DB>>(row: &R) -> Result<Vec<usize>>
    where
        DB: Driver,
    {
        if row.field_count() == T::COLUMNS {
            return Ok((0..T::COLUMNS).collect());
        }
        Err(Error::new(
            ErrorKind::Decode,
            format!(
                "the statement gives {} columns ({}), and a row is to be read as {} values",
                row.field_count(),
                list(&names_of(row)),
                T::COLUMNS
            ),
        )
        .on_backend(DB::KIND))
    }
}

#[diagnostic::do_not_recommend]
impl<T: FieldType> RawRow for T {
    const COLUMNS: usize = 1;
}

#[diagnostic::do_not_recommend]
impl<T: FieldType, DB: DieselBackend> ReadRow<DB> for T
where
    Native: Codec<T, DB>,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError> {
        row.read::<Native, _, _>()
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<$($T: RawRow),+> RawRow for ($($T,)+) {
            const COLUMNS: usize = 0 $( + $T::COLUMNS )+;
        }
        #[diagnostic::do_not_recommend]
        impl<DB: DieselBackend, $($T: ReadRow<DB>),+> ReadRow<DB> for ($($T,)+) {
            #[inline]
            fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError> {
                Ok(($($T::read(row)?,)+))
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);
