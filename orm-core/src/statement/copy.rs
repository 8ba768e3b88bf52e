//! `COPY … FROM STDIN`, and what is asked of its table before.

use diesel::{
    QueryResult,
    pg::{Pg, PgQueryBuilder},
    query_builder::{AstPass, QueryBuilder, QueryFragment},
};

use super::{insert::Batch, push_columns, push_table};
use crate::model::{Insertable, Model, ToRow};

/// A table and its columns, to be copied to.
pub(crate) struct Target<'c, M> {
    columns: &'c [usize],
    model: std::marker::PhantomData<fn() -> M>,
}

impl<'c, M: Insertable> Target<'c, M> {
    pub(crate) fn of(batch: &Batch<'c, M>) -> Self {
        Target { columns: batch.columns, model: std::marker::PhantomData }
    }

    /// `"schema"."table"`
    pub(crate) fn table(&self) -> QueryResult<String> {
        sql(|out| push_table(out, M::Model::TABLE))
    }

    /// `INSERT INTO … VALUES ($1, …)`: a row, with all its values as parameters.
    pub(crate) fn insert(&self) -> QueryResult<String> {
        let parameters: Vec<String> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
        sql(|out| {
            out.push_sql("INSERT INTO ");
            self.push_name_and_columns(out)?;
            out.push_sql(" VALUES (");
            out.push_sql(&parameters.join(", "));
            out.push_sql(")");
            Ok(())
        })
    }

    /// `SELECT … FROM …`: the columns, whose types its description tells.
    pub(crate) fn select(&self) -> QueryResult<String> {
        sql(|out| {
            out.push_sql("SELECT ");
            self.push_columns(out)?;
            out.push_sql(" FROM ");
            push_table(out, M::Model::TABLE)
        })
    }

    /// `COPY … FROM STDIN`.
    pub(crate) fn copy(&self) -> QueryResult<String> {
        sql(|out| {
            out.push_sql("COPY ");
            self.push_name_and_columns(out)?;
            out.push_sql(" FROM STDIN (FORMAT binary)");
            Ok(())
        })
    }

    fn push_name_and_columns(&self, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        push_table(out, M::Model::TABLE)?;
        out.push_sql(" (");
        self.push_columns(out)?;
        out.push_sql(")");
        Ok(())
    }

    fn push_columns(&self, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        push_columns(out, self.columns.iter().map(|at| M::Model::TABLE.columns[*at].name))
    }
}

/// The SQL that `push` writes.
fn sql(push: impl Fn(&mut AstPass<'_, '_, Pg>) -> QueryResult<()>) -> QueryResult<String> {
    struct Pushed<F>(F);
    impl<F: Fn(&mut AstPass<'_, '_, Pg>) -> QueryResult<()>> QueryFragment<Pg> for Pushed<F> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            (self.0)(&mut out)
        }
    }
    let mut out = PgQueryBuilder::default();
    Pushed(push).to_sql(&mut out, &Pg)?;
    Ok(out.finish())
}

/// The values of a row, as parameters.
pub(crate) struct Values<'r, M> {
    row: &'r M,
    columns: &'r [usize],
}

impl<'r, M> Values<'r, M> {
    /// Those of each row of a batch.
    pub(crate) fn of(batch: &Batch<'r, M>) -> impl Iterator<Item = Self> + use<'r, M> {
        let columns = batch.columns;
        batch.rows.iter().map(move |row| Values { row, columns })
    }
}

impl<M: ToRow<Pg>> QueryFragment<Pg> for Values<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.columns.iter().try_for_each(|column| self.row.bind(*column, out.reborrow()))
    }
}
