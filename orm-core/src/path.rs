//! Where a model stands relative to the model that the query is rooted at.
//!
//! A path decides the alias of its table and the joins that lead there, so that two keys to one table,
//! self-references and any depth need nothing from the user.

mod back;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use diesel::sql_types::{IntoNullable, SqlType, is_nullable};

pub use self::back::{Across, Back, BackOne, Correlation, ManyPath};
use crate::model::{ForeignKey, Model, Table};

/// PostgreSQL cuts longer identifiers off without a word, so that two aliases could become one. MySQL refuses them: names
/// of more than 64 characters.
const LONGEST_ALIAS: usize = 63;

/// A route from the root model to `Target`, known at compile time.
pub trait Path: 'static {
    /// The model that the query is rooted at.
    type Root: Model;
    /// The model at the end.
    type Target: Model;
    /// [`Optional`] once any step may find no row.
    type Null: Nullability;

    /// The alias of the target's table.
    fn alias() -> String;
    /// Adds the joins that lead to the target, in order.
    fn joins(out: &mut Vec<Join>);
    /// The position of a column of the target that is NULL only where no row was found.
    fn presence() -> usize;
}

/// The model that the query is rooted at.
#[derive(Debug)]
pub struct Root<M>(PhantomData<fn() -> M>);

/// One step further: from the end of `P` along the foreign key `K`.
#[derive(Debug)]
pub struct Via<P, K>(PhantomData<fn() -> (P, K)>);

/// One join of a statement.
#[derive(Clone, Debug)]
pub struct Join {
    /// The alias that the step starts from.
    pub(crate) from: String,
    pub(crate) from_column: &'static str,
    pub(crate) table: &'static Table,
    pub(crate) alias: String,
    pub(crate) to_column: &'static str,
    /// LEFT JOIN, because the step may find no row.
    pub(crate) outer: bool,
}

impl Join {
    /// Adds it, unless it is there.
    pub(crate) fn add_to(self, out: &mut Vec<Join>) {
        if out.iter().all(|join| join.alias != self.alias) {
            out.push(self);
        }
    }
}

impl<M: Model> Path for Root<M> {
    type Root = M;
    type Target = M;
    type Null = Required;

    fn alias() -> String {
        M::TABLE.name.to_owned()
    }
    fn joins(_: &mut Vec<Join>) {}
    fn presence() -> usize {
        M::PRIMARY_KEY[0]
    }
}

impl<P: Path<Target = K::From>, K: ForeignKey<To: Model>> Path for Via<P, K> {
    type Root = P::Root;
    type Target = K::To;
    type Null = <P::Null as Nullability>::And<K::Null>;

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
            outer: <Self::Null as Nullability>::OPTIONAL,
        }
        .add_to(out);
    }
    fn presence() -> usize {
        K::TO
    }
}

/// An alias that is too long keeps its end, which says most, behind a hash of the whole.
pub(crate) fn shorten(alias: String) -> String {
    if alias.len() <= LONGEST_ALIAS {
        return alias;
    }
    // The hash only has to differ within one statement; `DefaultHasher::new` has fixed keys.
    let mut hasher = DefaultHasher::new();
    alias.hash(&mut hasher);
    let mut start = alias.len() - (LONGEST_ALIAS - 18);
    while !alias.is_char_boundary(start) {
        start += 1;
    }
    format!("{:016x}__{}", hasher.finish(), &alias[start..])
}

/// Whether a key that is declared so may find no row.
#[doc(hidden)]
pub trait KeyNullability {
    type Null: Nullability;
}
impl KeyNullability for is_nullable::NotNull {
    type Null = Required;
}
impl KeyNullability for is_nullable::IsNullable {
    type Null = Optional;
}

/// Every step of a path finds a row.
#[derive(Debug)]
pub struct Required;
/// Some step of a path may find no row.
#[derive(Debug)]
pub struct Optional;

/// Whether a path may find no row: [`Required`] or [`Optional`].
pub trait Nullability: 'static {
    /// Whether it may.
    const OPTIONAL: bool;
    /// The same after one more step.
    type And<N: Nullability>: Nullability;
    /// What a whole model becomes when it is selected along such a path.
    type Row<M>;
}

impl Nullability for Required {
    const OPTIONAL: bool = false;
    type And<N: Nullability> = N;
    type Row<M> = M;
}

impl Nullability for Optional {
    const OPTIONAL: bool = true;
    type And<N: Nullability> = Optional;
    type Row<M> = Option<M>;
}

/// What an SQL type becomes along a path of such a nullability.
pub trait Wrap<ST>: Nullability {
    /// The SQL type.
    type SqlType: SqlType;
}

impl<ST: SqlType> Wrap<ST> for Required {
    type SqlType = ST;
}

impl<ST: IntoNullable<Nullable: SqlType>> Wrap<ST> for Optional {
    type SqlType = ST::Nullable;
}

/// Collects the joins of every path that a closure touches. A subquery has one of its own.
// Mutexes and not cells, so that accessors, and what is built of them, can cross threads.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    joins: Arc<Mutex<Vec<Join>>>,
    /// The aliases of the subqueries whose closures are running, in all scopes of one query.
    open: Arc<Mutex<Vec<String>>>,
}

impl Scope {
    /// Adds the joins that lead to the end of `P`.
    pub fn enter<P: Path>(&self) {
        P::joins(&mut locked(&self.joins));
    }

    pub(crate) fn take(&self) -> Vec<Join> {
        std::mem::take(&mut locked(&self.joins))
    }

    /// A scope for a subquery.
    pub(crate) fn inner(&self) -> Scope {
        Scope { joins: Arc::default(), open: self.open.clone() }
    }

    /// Calls the closure of the subquery with this alias; also says whether it was called in a closure of the same
    /// alias.
    pub(crate) fn within<T>(&self, alias: &str, f: impl FnOnce() -> T) -> (T, bool) {
        let nested = locked(&self.open).iter().any(|open| open == alias);
        locked(&self.open).push(alias.to_owned());
        let value = f();
        locked(&self.open).pop();
        (value, nested)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn a_long_alias_is_cut_to_63_bytes_and_stays_unique() {
        let long = |tail: &str| format!("{}__{tail}", "table_with_quite_a_long_name__relation".repeat(2));
        let (a, b) = (shorten(long("origin")), shorten(format!("x{}", long("origin"))));
        assert_eq!((a.len(), b.len()), (63, 63));
        assert_ne!(a, b);
        assert!(a.ends_with("__origin"));
        assert_eq!(shorten(long("origin")), a);
    }

    #[test]
    fn an_alias_is_cut_between_characters() {
        assert!(shorten("é".repeat(60)).len() <= 63);
    }

    #[test]
    fn a_short_alias_is_left_alone() {
        assert_eq!(shorten("flights__origin".into()), "flights__origin");
    }
}
