//! `create_tables`: the tables of a list of models.

use diesel::connection::Connection as _;

use crate::{
    backend::{Backend, Driver, Handle, PartsOf, Task},
    database::Database,
    error::Result,
    model::{Model, Table},
    session::Session,
    statement::schema::definitions,
    stream::load::in_statement,
    transaction::{Transaction, atomically, nested},
};

/// A tuple of up to 16 models: `(Airline, Airport, Flight)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of models",
    label = "no tuple of up to 16 models",
    note = "name the models in a tuple, one alone as `(Flight,)`; each of them has `#[derive(Model)]`"
)]
pub trait Models {
    #[doc(hidden)]
    fn tables() -> Vec<&'static Table>;
}

macro_rules! tuples {
    ($($($T:ident)+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($T: Model),+> Models for ($($T,)+) {
            fn tables() -> Vec<&'static Table> {
                vec![$($T::TABLE),+]
            }
        }
    )* };
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; A B C D E F G H I;
    A B C D E F G H I J; A B C D E F G H I J K; A B C D E F G H I J K L; A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N; A B C D E F G H I J K L M N O; A B C D E F G H I J K L M N O P;
}

impl<B: Backend> Database<B> {
    /// Creates the tables of these models: columns, primary keys, foreign keys, and an index on each column that
    /// refers to another table. All are created or none.
    ///
    /// A relation declared `optional` gets an index and no foreign key, because its key may refer to nothing. The
    /// models may be named in any order and refer to each other. For changing tables that exist there are migrations.
    ///
    /// # Errors
    ///
    /// Where a table is there already, or the database refuses one.
    pub fn create_tables<T: Models>(&self) -> Result<()> {
        let transaction = B::begin(&self.inner)?;
        atomically::<B, _, _>(Handle::Transaction(&transaction), |tx| B::run(tx, Create(T::tables())))
    }
}

impl<B: Backend> Transaction<B> {
    /// As [`Database::create_tables`], in this transaction.
    ///
    /// # Errors
    ///
    /// As [`Database::create_tables`].
    pub fn create_tables<T: Models>(&self) -> Result<()> {
        nested::<B, _, _>(Handle::Transaction(&self.inner), |tx| B::run(tx, Create(T::tables())))
    }
}

struct Create(Vec<&'static Table>);

impl<B: Backend> Task<B> for Create {
    type Output = Result<()>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        for definition in definitions::<DB>(&self.0) {
            session
                .lease()?
                .run(|connection| connection.execute_returning_count(&definition))
                .map_err(|error| in_statement(error.on_model(definition.table().model), DB::sql(&definition)))?;
        }
        Ok(())
    }
}
