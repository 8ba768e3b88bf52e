//! Steps back along a foreign key: from the row that is referred to, to those that refer to it.

use std::marker::PhantomData;

use super::{Join, Optional, Path, Required, shorten};
use crate::model::{ForeignKey, Model, Table};

/// From the end of `P` back along the foreign key `K`, to the rows that refer to the row there.
///
/// They are many, so they are never joined: a path that takes this step stands in a subquery, whose FROM is the table of
/// these rows, and what leads on from here is joined there.
#[derive(Debug)]
pub struct Back<P, K>(PhantomData<fn() -> (P, K)>);

/// From the end of `P` back along the foreign key `K`, which is unique, to the one row that refers to the row there, if
/// there is one.
#[derive(Debug)]
pub struct BackOne<P, K>(PhantomData<fn() -> (P, K)>);

/// From the end of `P`, which is a link's row, along its foreign key `K` to the row at its other end. A link that leads
/// to no row is none.
#[derive(Debug)]
pub struct Across<P, K>(PhantomData<fn() -> (P, K)>);

/// A path to many rows: one with a step [`Back`], and what leads on from there.
pub trait ManyPath: Path {
    /// The table of the subquery, and what binds it to the row that it is about.
    #[doc(hidden)]
    fn correlation() -> Correlation;
    /// Adds the joins without which there would be rows too many.
    #[doc(hidden)]
    fn required_joins(out: &mut Vec<Join>);
}

/// What a subquery begins with: its table, and the equality that binds its rows to one row outside.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Correlation {
    pub(crate) table: &'static Table,
    pub(crate) alias: String,
    pub(crate) column: &'static str,
    /// The alias of the row outside.
    pub(crate) outer: String,
    pub(crate) outer_column: &'static str,
}

/// The alias of the rows that a step back along `K` leads to.
fn alias_of<P: Path, K: ForeignKey>() -> String {
    let alias = P::alias();
    shorten(match K::REVERSE {
        Some(name) => format!("{alias}__{name}"),
        // A point, because no name of a relation has one.
        None => format!("{alias}__{}.{}", K::From::TABLE.name, K::NAME),
    })
}

impl<P: Path<Target = K::To>, K: ForeignKey<To: Model>> Path for Back<P, K> {
    type Root = P::Root;
    type Target = K::From;
    type Null = Required;

    fn alias() -> String {
        alias_of::<P, K>()
    }
    // The subquery begins here.
    fn joins(_: &mut Vec<Join>) {}
    fn presence() -> usize {
        K::FROM
    }
}

impl<P: Path<Target = K::To>, K: ForeignKey<To: Model>> ManyPath for Back<P, K> {
    fn correlation() -> Correlation {
        Correlation {
            table: K::From::TABLE,
            alias: Self::alias(),
            column: K::COLUMN,
            outer: P::alias(),
            outer_column: K::To::COLUMNS[K::TO].name,
        }
    }
    fn required_joins(_: &mut Vec<Join>) {}
}

impl<P: Path<Target = K::To>, K: ForeignKey<To: Model>> Path for BackOne<P, K> {
    type Root = P::Root;
    type Target = K::From;
    type Null = Optional;

    fn alias() -> String {
        alias_of::<P, K>()
    }
    fn joins(out: &mut Vec<Join>) {
        P::joins(out);
        Join {
            from: P::alias(),
            from_column: K::To::COLUMNS[K::TO].name,
            table: K::From::TABLE,
            alias: Self::alias(),
            to_column: K::COLUMN,
            outer: true,
        }
        .add_to(out);
    }
    fn presence() -> usize {
        K::FROM
    }
}

impl<P: ManyPath<Target = K::From>, K: ForeignKey<To: Model>> Path for Across<P, K> {
    type Root = P::Root;
    type Target = K::To;
    type Null = P::Null;

    fn alias() -> String {
        shorten(format!("{}__{}", P::alias(), K::NAME))
    }
    fn joins(out: &mut Vec<Join>) {
        P::joins(out);
        Join {
            from: P::alias(),
            from_column: K::COLUMN,
            table: K::To::TABLE,
            alias: Self::alias(),
            to_column: K::To::COLUMNS[K::TO].name,
            outer: false,
        }
        .add_to(out);
    }
    fn presence() -> usize {
        K::TO
    }
}

impl<P: ManyPath<Target = K::From>, K: ForeignKey<To: Model>> ManyPath for Across<P, K> {
    fn correlation() -> Correlation {
        P::correlation()
    }
    fn required_joins(out: &mut Vec<Join>) {
        P::required_joins(out);
        // Where every link leads to a row, the links need not be looked through.
        if <K::Null as super::Nullability>::OPTIONAL {
            Self::joins(out);
        }
    }
}
