//! Storing many rows, of which some may be there already, or which are wanted back.

use std::marker::PhantomData;

use super::{
    StorableOn, StoreTask, WritableOn,
    bulk_create::{Batches, bulk_create, in_one_transaction, of_rows},
};
use crate::{
    backend::{Any, Backend, BackendKind, Driver, Handle, PartsOf},
    database::Kind,
    error::{Error, ErrorKind, Result},
    field::list::GivesFieldsOf,
    model::{Insertable, Model, Stored, columns_of},
    path::Root,
    queryset::Whole,
    session::Session,
    statement::insert::{Conflict, returned},
};

/// How new rows are stored; made by [`Model::insert_into`].
///
/// Rows are [consumed and sent](Model::bulk_create) in batches, all or none, whatever is said here. They are models, or
/// structs for new rows such as `NewFlight`.
///
/// # Which rows are in conflict
///
/// A row conflicts with one that is there, or that came before it, where both have the same values in fields that a primary
/// key or a unique index keeps apart. The fields that are named must be those of one such key; others are an error, before
/// anything is stored. (MySQL and MariaDB are asked for the table's keys: a view has none there.) MySQL
/// and MariaDB find conflicts by all keys at once: there the values are compared, and a conflict by another key is an error
/// ([`ErrorKind::UniqueViolation`]), as it is on the others. NULL is in conflict with nothing. On SQLite, times, decimals and
/// documents are the same values however they are [spelled](crate::sql_types#comparisons-on-sqlite).
///
/// A field that is `generated` is written nevertheless where it is named, if the rows are models.
#[must_use = "nothing is stored before `bulk_create` or `bulk_create_returning` is called"]
pub struct Insertion<'a, M, B: Backend = Any> {
    on: Handle<'a, B>,
    conflict: Conflict,
    model: PhantomData<fn() -> M>,
}

impl<M, B: Backend> std::fmt::Debug for Insertion<'_, M, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Insertion").field("conflict", &self.conflict).finish_non_exhaustive()
    }
}

impl<'a, M: Model, B: Backend> Insertion<'a, M, B> {
    pub(crate) fn new(on: Handle<'a, B>) -> Self {
        Insertion { on, conflict: Conflict::Fail, model: PhantomData }
    }

    /// Leaves out rows that are in conflict by any key. Other failures, such as a foreign key without a row, are errors all
    /// the same.
    ///
    /// On MySQL and MariaDB it is done by an update that changes nothing, because `INSERT IGNORE` would leave out failures,
    /// too. So a row that is there is locked, and its table's UPDATE triggers run, for each row that is left out; and keys are
    /// used up (as they are on PostgreSQL).
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let jfk = || Airport { code: "JFK".into(), city: "New York".into() };
    /// assert_eq!(Airport::insert_into(&db).ignore_conflicts().bulk_create([jfk(), jfk()])?, 1);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn ignore_conflicts(mut self) -> Self {
        self.conflict = Conflict::Ignore { keys: Vec::new() };
        self
    }

    /// Leaves out rows that are in conflict by these unique fields; by others it is an error. On MySQL and MariaDB UPDATE
    /// triggers run, as with [`ignore_conflicts`](Self::ignore_conflicts).
    pub fn ignore_conflicts_on<U>(
        mut self,
        unique: impl FnOnce(M::Fields<Root<M>>) -> U + GivesFieldsOf<M, U>,
    ) -> Self {
        self.conflict = Conflict::Ignore { keys: columns_of(unique) };
        self
    }

    /// Writes `fields` of a row to the one that is there, where they are in conflict by the `unique` fields; by others it is
    /// an error.
    ///
    /// The last of several rows with one key stays, and each of them is counted. Keys that differ here, and that the column takes
    /// for the same (`citext`, collations without case), are an error on PostgreSQL if they are given together.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport { code: "JFK".into(), city: "Queens".into() }.save(&db)?;
    /// let airports = [("JFK", "New York"), ("EWR", "Newark")];
    /// let airports = airports.map(|(code, city)| Airport { code: code.into(), city: city.into() });
    /// Airport::insert_into(&db).update_conflicts(|a| a.code, |a| a.city).bulk_create(airports)?;
    /// assert_eq!(Airport::objects(&db).order_by(|a| a.code.asc()).values(|a| a.city).load()?, ["Newark", "New York"]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn update_conflicts<U, F>(
        mut self,
        unique: impl FnOnce(M::Fields<Root<M>>) -> U + GivesFieldsOf<M, U>,
        fields: impl FnOnce(M::Fields<Root<M>>) -> F + GivesFieldsOf<M, F>,
    ) -> Self {
        self.conflict = Conflict::Update { keys: columns_of(unique), columns: columns_of(fields) };
        self
    }

    /// Stores the rows, and returns how many were stored, or have changed one that was there; those that were left out are not
    /// counted.
    ///
    /// On PostgreSQL and SQLite it is what the database counts, so rows that a trigger drops are not in it. MySQL and MariaDB
    /// count in another way, so there it is counted here: all rows but those left out.
    ///
    /// # Errors
    ///
    /// As [`Model::bulk_create`]; [`ErrorKind::InvalidQuery`], before anything is sent, where one field is both unique and
    /// written, or a unique one is not in the rows.
    pub fn bulk_create<R>(self, rows: impl IntoIterator<Item = R>) -> Result<u64>
    where
        R: WritableOn<B> + Insertable<Model = M>,
    {
        self.check::<R>()?;
        bulk_create(self.on, &mut rows.into_iter(), &self.conflict)
    }

    /// Stores the rows, and returns them as they are stored: with the keys that the database made, and whatever else it filled.
    ///
    /// All of them are in memory then; they come in the order of the rows given. Those that were left out are not among them,
    /// and of those that have changed one that was there, it is that one.
    ///
    /// Each is as it was when it was stored. Where several of the rows given have one key, and conflicts update, the later ones
    /// change what the earlier ones have stored: then each of these is in the list, and only the last is what the database
    /// holds in the end.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key, generated)] id: i64, carrier: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// let new = ["UA", "AA"].map(|carrier| NewFlight { carrier: carrier.into() });
    /// let flights: Vec<Flight> = Flight::insert_into(&db).bulk_create_returning(new)?;
    /// assert_eq!(flights.iter().map(|flight| flight.id).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`bulk_create`](Self::bulk_create). [`ErrorKind::InvalidQuery`], before anything is sent, on MySQL, which returns no
    /// rows (use [`Model::create`] for each), and on MariaDB before 10.5; and on every MariaDB where conflicts are ignored, because it would
    /// return rows that were there before.
    pub fn bulk_create_returning<R>(self, rows: impl IntoIterator<Item = R>) -> Result<Vec<M>>
    where
        R: StorableOn<B> + Insertable<Model = M>,
    {
        struct InsertReturning<'r, R>(&'r mut dyn Iterator<Item = R>, &'r Conflict);
        impl<B: Backend, R: Insertable> StoreTask<B, R> for InsertReturning<'_, R> {
            type Output = Result<Vec<R::Model>>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
                R: Stored<DB>,
            {
                can_return::<DB, R::Model>(&session, self.1)?;
                let mut stored = Vec::new();
                let mut batches = Batches::new(self.0, self.1)?;
                batches.look_up_keys::<DB>(&mut session.lease()?, self.1)?;
                loop {
                    let rows = batches.gather::<DB>()?;
                    if rows.is_empty() {
                        return Ok(stored);
                    }
                    let batch = batches.batch(&rows, batches.before, self.1);
                    returned::<DB, R, Whole<R::Model>>(&mut session.lease()?, &batch, &mut stored)
                        .map_err(|error| of_rows::<DB, R>(error, &batch))?;
                }
            }
        }
        self.check::<R>()?;
        let mut rows = rows.into_iter();
        in_one_transaction::<B, _>(self.on, |tx| R::store(tx, InsertReturning(&mut rows, &self.conflict)))
    }

    /// Refuses what no database could do.
    fn check<R: Insertable>(&self) -> Result<()> {
        let invalid = |column: usize, why: &str| {
            Err(Error::new(ErrorKind::InvalidQuery, why)
                .on_backend(B::run(self.on, Kind))
                .on_model(M::TABLE.model)
                .on_field(M::COLUMNS[column].field))
        };
        let (keys, written) = match &self.conflict {
            Conflict::Fail => return Ok(()),
            Conflict::Ignore { keys } => (keys, &[][..]),
            Conflict::Update { keys, columns } => (keys, &columns[..]),
        };
        if let Some(column) = written.iter().find(|column| keys.contains(column)) {
            return invalid(
                *column,
                "rows are in conflict by this field, so it cannot be written as well; it is the same already",
            );
        }
        let whole = std::any::TypeId::of::<R>() == std::any::TypeId::of::<M>();
        let is_missing = |column: &&usize| M::COLUMNS[**column].generated && !(whole && keys.contains(column));
        match keys.iter().chain(written).find(is_missing) {
            Some(column) => invalid(*column, "the database fills this field, so the rows do not have it"),
            None => Ok(()),
        }
    }
}

/// Refuses where the database could not say which rows are new.
fn can_return<DB: Driver, M: Model>(session: &Session<'_, DB>, conflict: &Conflict) -> Result<()> {
    let refused =
        |why: &str| Err(Error::new(ErrorKind::InvalidQuery, why).on_backend(DB::KIND).on_model(M::TABLE.model));
    if !DB::returns_rows(&mut *session.lease()?) {
        return refused(
            "this server does not return the rows that it stores; use `create` for each, or `bulk_create` and read them",
        );
    }
    if DB::KIND == BackendKind::Mysql && matches!(conflict, Conflict::Ignore { .. }) {
        return refused(
            "MariaDB would return rows that were there before, too; use `bulk_create` and read the rows, or update conflicts",
        );
    }
    Ok(())
}
