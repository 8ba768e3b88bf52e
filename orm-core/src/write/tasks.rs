//! Which rows can be written to which backend, and how work on them finds the one that is really there.

use crate::{
    backend::{Any, Backend, Driver, Handle, PartsOf, RowOnEach, StoredOnEach, on_backend},
    model::{Insertable, Stored, ToRow},
    session::Session,
};

/// A row that can be written to a database of the backend `B`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to a database of the backend `{B}`",
    note = "a field's type must be one that this backend can write; `Any` needs every enabled backend to write it"
)]
pub trait WritableOn<B: Backend>: Insertable {
    /// Does `task` on the backend that is really there.
    #[doc(hidden)]
    fn write<T: WriteTask<B, Self>>(on: Handle<'_, B>, task: T) -> T::Output;
}

/// Work that writes rows, and is the same on every backend.
#[doc(hidden)]
pub trait WriteTask<B: Backend, R> {
    type Output;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Self::Output
    where
        B: PartsOf<DB>,
        R: ToRow<DB>;
}

#[diagnostic::do_not_recommend]
impl<DB, R> WritableOn<DB> for R
where
    DB: Driver + PartsOf<DB>,
    R: ToRow<DB>,
    for<'a> Session<'a, DB>: From<Handle<'a, DB>>,
{
    fn write<T: WriteTask<DB, R>>(on: Handle<'_, DB>, task: T) -> T::Output {
        task.on::<DB>(on.into())
    }
}

#[diagnostic::do_not_recommend]
impl<R: RowOnEach + Insertable> WritableOn<Any> for R {
    fn write<T: WriteTask<Any, R>>(on: Handle<'_, Any>, task: T) -> T::Output {
        on_backend!(on, DB, session => task.on::<DB>(session))
    }
}

/// A row that can be written to a database of the backend `B`, and read again as its model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a database of the backend `{B}`",
    note = "a field's type must be one that this backend can write and read; `Any` needs every enabled backend to do so"
)]
pub trait StorableOn<B: Backend>: Insertable {
    /// Does `task` on the backend that is really there.
    #[doc(hidden)]
    fn store<T: StoreTask<B, Self>>(on: Handle<'_, B>, task: T) -> T::Output;
}

/// Work that writes rows and reads them, and is the same on every backend.
#[doc(hidden)]
pub trait StoreTask<B: Backend, R> {
    type Output;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Self::Output
    where
        B: PartsOf<DB>,
        R: Stored<DB>;
}

#[diagnostic::do_not_recommend]
impl<DB, R> StorableOn<DB> for R
where
    DB: Driver + PartsOf<DB>,
    R: Stored<DB>,
    for<'a> Session<'a, DB>: From<Handle<'a, DB>>,
{
    fn store<T: StoreTask<DB, R>>(on: Handle<'_, DB>, task: T) -> T::Output {
        task.on::<DB>(on.into())
    }
}

#[diagnostic::do_not_recommend]
impl<R: StoredOnEach + Insertable> StorableOn<Any> for R {
    fn store<T: StoreTask<Any, R>>(on: Handle<'_, Any>, task: T) -> T::Output {
        on_backend!(on, DB, session => task.on::<DB>(session))
    }
}
