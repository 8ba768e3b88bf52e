//! FOR UPDATE and its relatives.

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::select::Select;
use crate::backend::{BackendKind, Driver};

/// How a statement locks the rows that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) strength: Strength,
    pub(crate) held: Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    Update,
    NoKeyUpdate,
    Share,
}

/// What happens where another transaction has locked a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Wait,
    Fail,
    Skip,
}

/// A SELECT that may lock the rows of its root.
pub(crate) struct Locked<'q, DB: Driver> {
    pub(crate) select: Select<'q, DB>,
    pub(crate) lock: Option<Lock>,
}

impl<DB: Driver> Query for Locked<'_, DB> {
    type SqlType = Untyped;
}
impl<DB: Driver> QueryId for Locked<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Locked<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.select.write(out.reborrow())?;
        match self.lock {
            Some(lock) => push_lock(&mut out, &self.select, lock),
            None => Ok(()),
        }
    }
}

/// ` FOR UPDATE OF "flights"`, behind the SELECT.
pub(super) fn push_lock<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    select: &Select<'_, DB>,
    Lock { strength, held }: Lock,
) -> QueryResult<()> {
    let held = match held {
        Held::Wait => "",
        Held::Fail => " NOWAIT",
        Held::Skip => " SKIP LOCKED",
    };
    let of_root = !select.joins.is_empty();
    match (DB::KIND, strength) {
        // MariaDB has the words of older servers for this, and MySQL takes no options behind those. Each reads its own, in a
        // comment that the other skips.
        (BackendKind::Mysql, Strength::Share) => {
            out.push_sql(" /*!80000 FOR SHARE");
            if of_root {
                out.push_sql(" OF ");
                out.push_identifier(select.alias)?;
            }
            out.push_sql(held);
            out.push_sql(" */ /*M! LOCK IN SHARE MODE");
            out.push_sql(held);
            out.push_sql(" */");
        }
        (backend, strength) => {
            out.push_sql(match strength {
                Strength::Update => " FOR UPDATE",
                Strength::NoKeyUpdate => " FOR NO KEY UPDATE",
                Strength::Share => " FOR SHARE",
            });
            if of_root {
                // MariaDB cannot say so, and skips it.
                let skipped = backend == BackendKind::Mysql;
                out.push_sql(if skipped { " /*!80000 OF " } else { " OF " });
                out.push_identifier(select.alias)?;
                out.push_sql(if skipped { " */" } else { "" });
            }
            out.push_sql(held);
        }
    }
    Ok(())
}
