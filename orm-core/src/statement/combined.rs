//! UNION, INTERSECT and EXCEPT.

use diesel::{QueryResult, query_builder::AstPass};

use super::{
    more::{Source, push_list},
    select::{NARROWED, Select},
};
use crate::backend::{BackendKind, Driver};

/// How the rows of several statements become one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Union,
    UnionAll,
    Intersection,
    Difference,
}

impl Operation {
    fn sql(self) -> &'static str {
        match self {
            Operation::Union => " UNION ",
            Operation::UnionAll => " UNION ALL ",
            Operation::Intersection => " INTERSECT ",
            Operation::Difference => " EXCEPT ",
        }
    }
}

/// Statements of the same columns, joined by one operation.
pub(crate) struct Combined<'q, DB: Driver> {
    pub(crate) operation: Operation,
    pub(crate) operands: Vec<Select<'q, DB>>,
}

/// The name of the whole where it is no table's.
pub(crate) const COMBINED: &str = "__combined";

/// What its columns are called there.
pub(crate) fn combined_name(at: usize) -> String {
    format!("__c{}", at + 1)
}

impl<'q, DB: Driver> Combined<'q, DB> {
    pub(super) fn write<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                out.push_sql(self.operation.sql());
            }
            let simple = operand.order.is_empty()
                && operand.limit.is_none()
                && operand.offset == 0
                && !matches!(operand.more.source, Source::Listed(..));
            if simple {
                operand.write(out.reborrow())?;
                continue;
            }
            // SQLite knows no brackets there; the others know no subquery without a name, and some no two columns in one
            // that are called alike.
            out.push_sql(if DB::KIND == BackendKind::Sqlite { "SELECT * FROM (" } else { "(" });
            // MariaDB takes no WITH between brackets that are not a subquery's.
            let is_wrapped = DB::KIND == BackendKind::Mysql && operand.hidden_columns() > 0;
            if is_wrapped {
                out.push_sql("SELECT * FROM (");
            }
            operand.write_narrow(out.reborrow(), operand.columns.number()?)?;
            if is_wrapped {
                out.push_sql(") AS ");
                out.push_identifier(NARROWED)?;
            }
            out.push_sql(")");
        }
        Ok(())
    }

    /// `WITH "__combined" ("__c1", …) AS (…)`
    pub(super) fn push_list<'b>(&self, out: &mut AstPass<'_, 'b, DB>, columns: usize) -> QueryResult<()>
    where
        'q: 'b,
    {
        out.push_sql("WITH ");
        out.push_identifier(COMBINED)?;
        out.push_sql(" (");
        push_list(out, columns, |out, at| out.push_identifier(&combined_name(at)))?;
        out.push_sql(") AS (");
        self.write(out)?;
        out.push_sql(") ");
        Ok(())
    }
}
