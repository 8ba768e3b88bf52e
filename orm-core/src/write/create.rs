//! `create`: one new row, and what the database made of it.

use diesel::connection::Connection as _;

use super::{
    StoreTask,
    bulk_create::{check, given_columns, some_columns},
};
use crate::{
    backend::{Backend, Driver, PartsOf},
    error::{Error, ErrorKind, Result},
    model::{Insertable, Model, Stored},
    queryset::Whole,
    session::{Lease, Session},
    statement::{
        insert::{Conflict, Insert},
        one_row::{Action, OneRow, is_made},
    },
    stream::load::{self, in_statement},
    transaction::whole,
};

/// Inserts the row, and reads it.
pub(crate) struct Create<'r, R>(pub(crate) &'r R);

impl<B: Backend, R: Insertable> StoreTask<B, R> for Create<'_, R> {
    type Output = Result<R::Model>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<R::Model>
    where
        B: PartsOf<DB>,
        R: Stored<DB>,
    {
        let columns = some_columns::<R::Model>(given_columns::<R::Model>())?;
        check::<DB, R>(self.0, &columns, None)?;
        // A row that cannot be read as it is stored is an error, and is not to be found stored after that. So the first row on a
        // connection is inserted in a transaction; once one was read, the table's types are those of the model, or else the
        // server would refuse the prepared statement.
        if let Some(mut lease) = session.lease_that_commits()?
            && DB::returns_rows(&mut lease)
            && let Ok(sql) = DB::sql(&insert(self.0, &columns, true))
            && DB::was_read(&mut lease, &sql)
        {
            return create::<DB, R>(&mut lease, self.0, &columns).map_err(|error| match error.kind() {
                ErrorKind::Decode => error.noting("the row was stored"),
                _ => error,
            });
        }
        whole(session, |session| create::<DB, R>(&mut session.lease()?, self.0, &columns))
    }
}

fn insert<'r, R>(row: &'r R, columns: &'r [usize], returning: bool) -> Insert<'r, R> {
    Insert {
        rows: std::slice::from_ref(row),
        columns,
        conflict: &Conflict::Fail,
        text_keys: &[],
        returning,
        recurs: true,
    }
}

fn create<DB: Driver, R: Stored<DB>>(lease: &mut Lease<DB>, row: &R, columns: &[usize]) -> Result<R::Model> {
    let returning = DB::returns_rows(lease);
    if !returning {
        can_be_found_again::<R>().map_err(|error| error.on_backend(DB::KIND))?;
    }
    let insert = insert(row, columns, returning);
    let of_row = |error: Error| error.on_model(R::Model::TABLE.model).with_key(row.key());
    let stored = if returning {
        let sql = DB::sql(&insert);
        match load::read::<DB, Whole<R::Model>, _>(lease, insert) {
            Ok(rows) => {
                if let (Ok(sql), false) = (&sql, rows.is_empty()) {
                    DB::note_read(lease, sql);
                }
                Ok(rows)
            }
            Err(error) => Err(in_statement(error, sql)),
        }
    } else {
        lease
            .run(|connection| connection.execute_returning_count(&insert))
            .map_err(|error| in_statement(of_row(error), DB::sql(&insert)))?;
        let made = DB::made_key(lease);
        let action = if R::Model::PRIMARY_KEY.iter().any(|key| is_made::<R>(*key)) {
            Action::SelectMade(made)
        } else {
            Action::Select
        };
        match action {
            // Not by `LAST_INSERT_ID()`, which then tells of a row that was stored before.
            Action::SelectMade(0) => Err(Error::new(
                ErrorKind::InvalidQuery,
                "the server made no key for this row, and does not tell which one it has: the key is not AUTO_INCREMENT; make it \
                 in the program, or store the row with `bulk_create`",
            )
            .on_backend(DB::KIND)),
            action => load::rows::<DB, Whole<R::Model>, _>(lease, OneRow { row, action }),
        }
    };
    let stored = stored.and_then(|rows| {
        rows.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the database stored no row, and no error; a trigger may have dropped it")
                .on_backend(DB::KIND)
        })
    });
    stored.map_err(|error| {
        // Something has been stored perhaps, so a transaction does not go on as if nothing were.
        let is_none = returning && error.kind() == ErrorKind::NotFound;
        of_row(if is_none { error } else { lease.spoiled(error) })
    })
}

/// Whether a row can be found by its key after it was stored, where it is not returned.
fn can_be_found_again<R: Insertable>() -> Result<()> {
    let made: Vec<usize> =
        R::Model::PRIMARY_KEY.iter().copied().filter(|at| R::Model::COLUMNS[*at].generated).collect();
    match made.as_slice() {
        [] => Ok(()),
        [one] if R::Model::COLUMNS[*one].is_integer() => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidQuery,
            "MySQL tells of the keys that it makes only one integer, so this row could not be found again; make the key in \
             the program, or store the row with `bulk_create`",
        )
        .on_model(R::Model::TABLE.model)),
    }
}
