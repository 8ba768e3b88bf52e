//! Picking rows: the last, the earliest, those of certain keys, and the first of each set.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use diesel::expression::{AppearsOnTable, ValidGrouping};

use super::{
    Annotated, Condition, QuerySet, ReadableOn, Selected, Shape, Use, Whole,
    building::GivesFields,
    condition::{Filter, NoAggregate},
    group_keys::OneKey,
    keys::{HasKey, KeyIs, Keyed, KeysAre},
};
use crate::{
    backend::{Backend, IntoPart},
    error::{Error, ErrorKind, Result},
    field::{Expr, Nulls, OneOf, OrderKey, RootedAt, order::Direction},
    model::Model,
    path::Root,
};

/// How many keys one statement of `in_bulk` asks for: far below every backend's limit of parameters, whatever else the
/// queryset has, and few enough for a plan by index.
const BATCH: usize = 1000;

impl<'a, M: Model, B: Backend, S: Shape> QuerySet<'a, M, B, S> {
    /// The last row, if there is one: the first one in the order turned round.
    ///
    /// Without an order it is the one with the greatest primary key. Of a queryset with a [`limit`](Self::limit) it is the
    /// last of those rows.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`ErrorKind::InvalidQuery`] where the order cannot be turned round, or there is neither an
    /// order nor a key, as of expressions and distinct values.
    pub fn last(&self) -> Result<Option<S::Row>>
    where
        S: ReadableOn<B>,
    {
        let (order, reversed) = (self.order.clone(), self.reversed);
        let mut rows = self.clone().settled();
        if !order.is_empty() {
            (rows.order, rows.reversed) = (order, !reversed);
            return Ok(rows.load_up_to(Some(1), false)?.pop());
        }
        let keyless = match self.columns {
            Selected::Tables(_) | Selected::Annotated(..) => false,
            Selected::Fields(_) => self.distinct,
            Selected::Expressions(_) | Selected::Groups(_) | Selected::Combined => true,
        };
        if keyless || reversed {
            return Err(self.invalid("there is no last row without an order; call `order_by` first"));
        }
        Ok(rows.load_up_to(Some(1), true)?.pop())
    }

    /// The row in which an expression is least, if there is any row: `earliest(|f| f.scheduled_at)`.
    ///
    /// Of a tuple of up to four, the first is the most significant. Rows in which it is NULL come last. An order that the
    /// queryset has does not count.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn earliest<E>(
        &self,
        f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesMoments<'a, M, B, E>,
    ) -> Result<Option<S::Row>>
    where
        S: ReadableOn<B>,
    {
        self.foremost(f, false)
    }

    /// The row in which an expression is greatest, if there is any row; as [`earliest`](Self::earliest) besides.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn latest<E>(
        &self,
        f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesMoments<'a, M, B, E>,
    ) -> Result<Option<S::Row>>
    where
        S: ReadableOn<B>,
    {
        self.foremost(f, true)
    }

    fn foremost<E, F>(&self, f: F, descending: bool) -> Result<Option<S::Row>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesMoments<'a, M, B, E>,
        S: ReadableOn<B>,
    {
        let mut rows = self.clone().settled();
        let moments = rows.scoped(Use::Order, f);
        let mut parts = Vec::new();
        F::parts(moments, &mut parts);
        let direction = Direction::Ours { descending, nulls: Some(Nulls::Last) };
        rows.order = parts.into_iter().map(|part| OrderKey { part, direction }).collect();
        rows.reversed = false;
        rows.first()
    }

    /// The only row, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MultipleRows`] where there are several; as [`load`](Self::load).
    pub fn get_or_none(&self) -> Result<Option<S::Row>>
    where
        S: ReadableOn<B>,
    {
        match self.get() {
            Ok(row) => Ok(Some(row)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the first row of each set of rows that are equal in an expression, or in each of a tuple of up to four: on
    /// PostgreSQL alone, whose `DISTINCT ON` it is.
    ///
    /// Which row is the first, [`order_by`](Self::order_by) says, which has to begin with the same expressions.
    ///
    /// ```no_run
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, carrier: String, delay: Option<i32> }
    /// # fn worst(db: &Database) -> orm_core::Result<Vec<Flight>> {
    /// // of each carrier the flight with the greatest delay
    /// let worst = Flight::objects(db).distinct_on(|f| f.carrier);
    /// worst.order_by(|f| (f.carrier.asc(), f.delay.desc().nulls_last())).load()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Of the terminals, [`ErrorKind::InvalidQuery`], before anything is sent: on another backend, and where the order begins
    /// with something else.
    pub fn distinct_on<E>(mut self, f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesMoments<'a, M, B, E>) -> Self {
        self.keep_first_of_each(f);
        self
    }

    fn keep_first_of_each<E, F>(&mut self, f: F)
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesMoments<'a, M, B, E>,
    {
        let expressions = self.scoped(Use::Condition, f);
        self.more.distinct_on.clear();
        F::parts(expressions, &mut self.more.distinct_on);
    }
}

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// Whether the row with this model's primary key is one of the rows.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn contains<'m>(&self, model: &'m M) -> Result<bool>
    where
        KeyIs<'m, M>: IntoPart<'m, B>,
    {
        self.clone().settled().exists_with(Some(KeyIs(model).into_part()))
    }

    /// The rows of these primary keys, as a map by key; keys that have no row are not in it. A key is in the map as the row has
    /// it, which is another text where the column takes both for the same (`citext`, `char(n)`, collations without case).
    ///
    /// The keys may be more than a statement can have: they are asked for in batches, a statement each. For one snapshot of
    /// them all, call it in a transaction of the isolation level that gives one.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # let airport = |code: &str, city: &str| Airport { code: code.into(), city: city.into() };
    /// # Airport::bulk_create(&db, [airport("JFK", "New York"), airport("DEN", "Denver")])?;
    /// let airports = Airport::objects(&db).in_bulk(["JFK".to_owned(), "XXX".to_owned()])?;
    /// assert_eq!(airports["JFK"].city, "New York");
    /// assert_eq!(airports.len(), 1);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn in_bulk(&self, keys: impl IntoIterator<Item = M::Key>) -> Result<HashMap<M::Key, M>>
    where
        M: HasKey<Key: Eq + Hash>,
        Keyed<M>: ReadableOn<B, Row = (M::Key, M)>,
        KeysAre<M>: IntoPart<'a, B>,
    {
        let mut keys = keys.into_iter();
        let mut found = HashMap::new();
        let rows = self.clone().settled();
        loop {
            let batch: Vec<M::Key> = keys.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(found);
            }
            let mut rows = rows.clone();
            rows.filters.push(Filter { part: KeysAre(batch).into_part(), negated: false });
            let columns = rows.columns.clone();
            found.extend(rows.selecting::<Keyed<M>>(columns).load()?);
        }
    }

    /// The rows in which an expression is one of these values, as a map by its value: `in_bulk_by(|f| f.code, codes)`. It
    /// has to be unique.
    ///
    /// As [`in_bulk`](Self::in_bulk) besides.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MultipleRows`] where two rows have the same value; as [`load`](Self::load).
    pub fn in_bulk_by<E, T, I, K>(
        &self,
        f: impl Fn(M::Fields<Root<M>>) -> E + GivesFields<'a, M, B, E> + Copy,
        values: impl IntoIterator<Item = T>,
    ) -> Result<HashMap<E::Row, M>>
    where
        E: OneKey<Row: Eq + Hash>,
        Vec<T>: OneOf<E, K, In = I>,
        Expr<I>: Condition<'a, M, B>,
        Annotated<Whole<M>, E>: ReadableOn<B, Row = (M, E::Row)>,
    {
        let mut values = values.into_iter();
        let mut found = HashMap::new();
        let rows = self.clone().settled();
        loop {
            let batch: Vec<T> = values.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(found);
            }
            let mut rows = rows.clone();
            let condition = Expr(batch.any(rows.scoped(Use::Condition, f)));
            rows.filters.push(Filter { part: condition.into_part(), negated: false });
            for (model, value) in rows.annotate(f).load()? {
                if found.contains_key(&value) {
                    return Err(Error::new(
                        ErrorKind::MultipleRows,
                        "two rows have the same value of what `in_bulk_by` names, which has to be unique; name a unique \
                         field, or load the rows and group them",
                    )
                    .on_model(M::TABLE.model));
                }
                found.insert(value, model);
            }
        }
    }
}

/// A closure that gives expressions; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this takes fields of `{M}`, or what is computed of them, and this closure does not give any",
    label = "gives neither a field nor a tuple of up to four"
)]
pub trait GivesMoments<'a, M, B: Backend, E> {
    fn parts(expressions: E, out: &mut Vec<Arc<B::Part<'a>>>);
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, E, F> GivesMoments<'a, M, B, E> for F
where
    E: Moments<'a, M, B>,
{
    fn parts(expressions: E, out: &mut Vec<Arc<B::Part<'a>>>) {
        expressions.parts(out);
    }
}

/// Expressions one by one.
#[doc(hidden)]
pub trait Moments<'a, M, B: Backend> {
    fn parts(self, out: &mut Vec<Arc<B::Part<'a>>>);
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, E> Moments<'a, M, B> for E
where
    E: OneKey + AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: NoAggregate> + IntoPart<'a, B>,
{
    fn parts(self, out: &mut Vec<Arc<B::Part<'a>>>) {
        out.push(self.into_part());
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        #[diagnostic::do_not_recommend]
        impl<'a, M, B: Backend, $($T: Moments<'a, M, B>),+> Moments<'a, M, B> for ($($T,)+) {
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn parts(self, out: &mut Vec<Arc<B::Part<'a>>>) {
                let ($($T,)+) = self;
                $( $T.parts(out); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(4 tuples);
