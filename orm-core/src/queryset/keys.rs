//! Primary keys as conditions, and rows with their keys.

use std::{fmt, marker::PhantomData};

use diesel::{
    QueryResult,
    backend::Backend as DieselBackend,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::Row,
};

use super::shape::{Shape, ShapeOn, Whole};
use crate::{
    backend::{BackendKind, Driver},
    field::collation::push_compared,
    model::{FromRow, Model, ReadColumn, ToRow, WriteColumn},
    stream::row::{ColumnError, ColumnName, RowReader},
};

/// A model whose key's columns are known as types; implemented by `#[derive(Model)]`.
pub trait HasKey: Model {
    /// The columns of the primary key, as a tuple.
    type KeyColumns: 'static;
}

/// That a row has the primary key of this model.
#[doc(hidden)]
pub struct KeyIs<'m, M>(pub(super) &'m M);

impl<M: Model> fmt::Debug for KeyIs<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyIs({})", M::TABLE.model)
    }
}

impl<DB: Driver, M: ToRow<DB> + Model> QueryFragment<DB> for KeyIs<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (i, at) in M::PRIMARY_KEY.iter().enumerate() {
            if i > 0 {
                out.push_sql(" AND ");
            }
            push_compared(&mut out, M::TABLE.name, M::TABLE, M::COLUMNS[*at].name)?;
            out.push_sql(" = ");
            self.0.bind(*at, out.reborrow())?;
        }
        Ok(())
    }
}

/// That a row has one of these primary keys.
#[doc(hidden)]
pub struct KeysAre<M: Model>(pub(super) Vec<M::Key>);

impl<M: Model> fmt::Debug for KeysAre<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeysAre({} of {})", self.0.len(), M::TABLE.model)
    }
}
impl<M: Model> QueryId for KeysAre<M> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, M: HasKey<KeyColumns: WriteKey<M::Key, DB>>> QueryFragment<DB> for KeysAre<M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let several = M::PRIMARY_KEY.len() > 1;
        out.push_sql(if several { "(" } else { "" });
        for (i, at) in M::PRIMARY_KEY.iter().enumerate() {
            if i > 0 {
                out.push_sql(", ");
            }
            push_compared(&mut out, M::TABLE.name, M::TABLE, M::COLUMNS[*at].name)?;
        }
        // SQLite takes a list of rows only so.
        let values = several && DB::KIND == BackendKind::Sqlite;
        out.push_sql(if several { ") IN (" } else { " IN (" });
        out.push_sql(if values { "VALUES " } else { "" });
        for (i, key) in self.0.iter().enumerate() {
            if i > 0 {
                out.push_sql(", ");
            }
            out.push_sql(if several { "(" } else { "" });
            M::KeyColumns::bind(key, &mut out)?;
            out.push_sql(if several { ")" } else { "" });
        }
        out.push_sql(")");
        Ok(())
    }
}

/// Columns of a key that can be written to the backend `DB`.
#[doc(hidden)]
pub trait WriteKey<K, DB: DieselBackend> {
    fn bind<'b>(key: &'b K, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// Columns of a key that can be read from the backend `DB`.
#[doc(hidden)]
pub trait ReadKey<K, DB: DieselBackend> {
    /// The key of a row whose model has been read, so that its columns can be.
    fn peek<'r, R: Row<'r, DB>>(row: &R, at: &[usize]) -> Option<K>;
}

impl<C: WriteColumn<K, DB>, K, DB: DieselBackend> WriteKey<K, DB> for (C,) {
    fn bind<'b>(key: &'b K, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        C::bind(key, out)
    }
}
impl<C: ReadColumn<K, DB>, K, DB: DieselBackend> ReadKey<K, DB> for (C,) {
    fn peek<'r, R: Row<'r, DB>>(row: &R, at: &[usize]) -> Option<K> {
        C::peek(row, *at.first()?)
    }
}

macro_rules! tuples {
    (($C:ident $K:ident 0)) => {}; // a key of one column is none of a tuple
    ($(($C:ident $K:ident $at:tt))+) => {
        impl<DB: DieselBackend, $($K, $C: WriteColumn<$K, DB>),+> WriteKey<($($K,)+), DB> for ($($C,)+) {
            fn bind<'b>(key: &'b ($($K,)+), out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
                $(
                    if $at > 0 {
                        out.push_sql(", ");
                    }
                    $C::bind(&key.$at, out)?;
                )+
                Ok(())
            }
        }
        impl<DB: DieselBackend, $($K, $C: ReadColumn<$K, DB>),+> ReadKey<($($K,)+), DB> for ($($C,)+) {
            fn peek<'r, R: Row<'r, DB>>(row: &R, at: &[usize]) -> Option<($($K,)+)> {
                Some(($($C::peek(row, *at.get($at)?)?,)+))
            }
        }
    };
}
crate::tuples::for_each_tuple!(8 tuples);

/// A model with its primary key.
#[doc(hidden)]
#[derive(Debug)]
pub struct Keyed<M>(PhantomData<fn() -> M>);

impl<M: Model> Shape for Keyed<M> {
    type Row = (M::Key, M);
    fn names(out: &mut Vec<ColumnName>) {
        Whole::<M>::names(out);
    }
}

impl<M, DB> ShapeOn<DB> for Keyed<M>
where
    M: FromRow<DB> + HasKey<KeyColumns: ReadKey<M::Key, DB>>,
    DB: DieselBackend,
{
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        let model = M::from_row(row)?;
        match M::KeyColumns::peek(row.row(), M::PRIMARY_KEY) {
            Some(key) => Ok((key, model)),
            None => Err(ColumnError {
                column: M::PRIMARY_KEY.first().copied().unwrap_or_default(),
                source: "the key was read once, and not again".into(),
            }),
        }
    }
    fn key<'r, R: Row<'r, DB>>(row: &R) -> Option<String> {
        M::describe_key(row, 0)
    }
}
