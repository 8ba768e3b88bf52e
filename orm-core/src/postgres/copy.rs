//! Storing many rows by `COPY … FROM STDIN`, where that means what INSERT means.
//!
//! INSERT converts each value to its column's type. COPY takes the bytes for those of the column's type, whatever they are:
//! those of an `int4` are a `float4` as well. So the server is asked for the columns' types before each COPY, in the same
//! transaction, and under the lock that keeps others from changing them; nothing is remembered from one COPY to the next. Where
//! a value was written as another type than its column has, and wherever else COPY is not the same as INSERT, INSERT it is:
//!
//! - The types must be equal. A domain counts as the type it is over: its constraints are checked either way. Text may
//!   go to `varchar` and `char(n)`, which are the same bytes.
//! - A column with a type modifier, such as `varchar(9)`, must be of a type of which we know that reading its bytes applies the
//!   modifier in the way that INSERT does.
//! - Only plain tables, without rules and row-level security; columns that are generated always are refused by the INSERT that
//!   is analyzed first. Triggers, defaults and constraints are the same for both.

use bytes::{BufMut, BytesMut};
use diesel::{
    QueryResult,
    connection::StrQueryHelper,
    pg::{Pg, PgTypeMetadata},
    query_builder::{QueryFragment, bind_collector::RawBytesBindCollector},
    result::Error as DieselError,
};

use super::{
    PgConnection,
    column::Column,
    error::{Failure, ServerWord},
    wire::{INFERRED, Status},
};

/// Where rows are to be copied to.
pub(crate) struct CopyTarget {
    /// The table's name, without its schema and without quotes.
    pub(crate) name: &'static str,
    /// Its name with both.
    pub(crate) table: String,
    /// The INSERT of a row, with all its values as parameters.
    pub(crate) insert: String,
    /// The SELECT of the same columns.
    pub(crate) select: String,
    /// The COPY.
    pub(crate) copy: String,
}

/// What has come of a COPY.
pub(crate) enum Copied {
    /// So many rows are stored.
    Stored(usize),
    Failed {
        error: DieselError,
        /// The position of the row at which it failed, if the server said so.
        row: Option<usize>,
    },
    /// It would not be the same as INSERT; nothing was done.
    ByInsert,
}

impl PgConnection {
    /// Copies rows to a table in the transaction that is open, if that is the same as to insert them.
    pub(crate) fn copy_in<R: QueryFragment<Pg>>(
        &mut self,
        target: &CopyTarget,
        rows: impl Iterator<Item = R>,
    ) -> QueryResult<Copied> {
        self.finish();
        // Outside of a transaction nothing keeps the table as it is.
        if self.wire.status() != Status::Open {
            return Ok(Copied::ByInsert);
        }
        let mut rows = rows.peekable();
        let Some(first) = rows.peek() else { return Ok(Copied::Stored(0)) };
        let mut binds = RawBytesBindCollector::<Pg>::new();
        let types = self.types_of(first, &mut binds)?;
        let columns = match self.wire.look_at(target, &types) {
            Ok(columns) => self.checked(Ok(columns))?,
            Err(failure) => {
                let insert = StrQueryHelper::new(&target.insert);
                return self.observed(&insert, |connection| connection.checked(Err(failure)));
            }
        };
        let fits = |columns: &[Column]| {
            columns.len() == types.len() && columns.iter().zip(&types).all(|(column, oid)| takes(column, *oid))
        };
        if !columns.is_some_and(|columns| fits(&columns)) {
            return Ok(Copied::ByInsert);
        }
        let mut encoded = Rows::new(types.len());
        for row in rows {
            if self.types_of(&row, &mut binds)? != types || !encoded.push(&binds.binds) {
                return Ok(Copied::ByInsert);
            }
        }
        self.send_rows(target, encoded)
    }

    /// The types that a row's values are written as; the values are then in `binds`.
    fn types_of(
        &mut self,
        row: &impl QueryFragment<Pg>,
        binds: &mut RawBytesBindCollector<Pg>,
    ) -> QueryResult<Vec<u32>> {
        binds.metadata.clear();
        binds.binds.clear();
        row.collect_binds(binds, self, &Pg)?;
        let types = binds.metadata.iter().map(PgTypeMetadata::oid).collect::<Result<_, _>>();
        types.map_err(|error| DieselError::SerializationError(Box::new(error)))
    }

    fn send_rows(&mut self, target: &CopyTarget, rows: Rows) -> QueryResult<Copied> {
        let mut row = None;
        let stored = self.observed(&StrQueryHelper::new(&target.copy), |connection| {
            let copied = connection.wire.copy_in(&target.copy, rows);
            if let Err(Failure::Server(word)) = &copied {
                row = failed_row(word, target.name);
            }
            connection.checked(copied)?;
            Ok(usize::try_from(connection.wire.affected().unwrap_or(0)).unwrap_or(usize::MAX))
        });
        Ok(stored.map_or_else(|error| Copied::Failed { error, row }, Copied::Stored))
    }
}

/// The numbers of types, from PostgreSQL's `pg_type.dat`.
mod oid {
    pub(super) const TEXT: u32 = 25;
    pub(super) const BPCHAR: u32 = 1042;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const TIME: u32 = 1083;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const INTERVAL: u32 = 1186;
    pub(super) const NUMERIC: u32 = 1700;
}

/// Whether a column takes the bytes of a value that was written as this type for what INSERT would make of it.
fn takes(column: &Column, written: u32) -> bool {
    use oid::{BPCHAR, INTERVAL, NUMERIC, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, VARCHAR};
    let oid = column.oid.get();
    let is_same = oid == written || (matches!(written, TEXT | INFERRED) && matches!(oid, TEXT | VARCHAR | BPCHAR));
    let knows_modifier = matches!(oid, BPCHAR | VARCHAR | TIME | TIMESTAMP | TIMESTAMPTZ | INTERVAL | NUMERIC);
    is_same && (column.modifier == -1 || knows_modifier)
}

/// Rows in COPY's binary format, as the body of one message ("COPY", "File Formats", in PostgreSQL's documentation).
pub(super) struct Rows {
    message: BytesMut,
    columns: usize,
}

/// The signature, no flags, and no extension of the header.
const BEGINNING: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a row's number of values.
const END: i16 = -1;
/// In place of a value's length.
const NULL: i32 = -1;
/// The kind of a message and its length.
const HEADER: usize = 1 + 4;
/// The server reads messages of up to 1 GiB.
const LONGEST: usize = (1 << 30) - (1 << 10);

impl Rows {
    fn new(columns: usize) -> Self {
        let mut message = BytesMut::new();
        message.put_u8(b'd'); // CopyData
        message.put_i32(0); // its length, once it is known
        message.put_slice(BEGINNING);
        Rows { message, columns }
    }

    /// Adds a row; `false` if that cannot be.
    fn push(&mut self, values: &[Option<Vec<u8>>]) -> bool {
        let length: usize = 2 + values.iter().map(|value| 4 + value.as_ref().map_or(0, Vec::len)).sum::<usize>();
        let Ok(count) = i16::try_from(values.len()) else { return false };
        if values.len() != self.columns || self.message.len() + length > LONGEST {
            return false;
        }
        self.message.reserve(length);
        self.message.put_i16(count);
        for value in values {
            match value {
                None => self.message.put_i32(NULL),
                Some(bytes) => {
                    let Ok(length) = i32::try_from(bytes.len()) else { return false };
                    self.message.put_i32(length);
                    self.message.put_slice(bytes);
                }
            }
        }
        true
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn into_message(mut self) -> BytesMut {
        self.message.put_i16(END);
        // It is at most `LONGEST`, and a little more.
        let length = u32::try_from(self.message.len() - 1).unwrap_or(u32::MAX);
        self.message[1..HEADER].copy_from_slice(&length.to_be_bytes());
        self.message
    }
}

/// The position of the row at which a COPY to this table failed.
///
/// It is told by the outermost line of the context: `COPY flights, line 7, column id`; in another language than English it
/// is not. The server writes rows to the table several at a time, and names the last of them if that fails: so it is
/// believed where it does not like a value, or a constraint or a trigger does not, which is found row by row.
fn failed_row(word: &ServerWord, table: &str) -> Option<usize> {
    if !["22", "23", "P0"].iter().any(|class| word.sqlstate.starts_with(class)) {
        return None;
    }
    let beginning = format!("COPY {table}, line ");
    let context = word.context.as_deref()?;
    // The name may have line breaks in it.
    let (at, _) = context.rmatch_indices(&beginning).find(|(at, _)| *at == 0 || context[..*at].ends_with('\n'))?;
    let rest = &context[at + beginning.len()..];
    let (line, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let is_last = after.is_empty() || (after.starts_with(", column ") && !after.contains('\n'));
    if is_last { line.parse::<usize>().ok()?.checked_sub(1) } else { None }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn column(oid: u32, modifier: i32) -> Column {
        Column { name: "c".into(), oid: NonZeroU32::new(oid).expect("types have numbers"), modifier }
    }

    #[test]
    fn only_bytes_of_the_columns_own_type_are_taken() {
        const INT4: u32 = 23;
        const FLOAT4: u32 = 700;
        assert!(takes(&column(INT4, -1), INT4));
        assert!(!takes(&column(FLOAT4, -1), INT4), "as long, and another number");
        for text in [oid::TEXT, oid::VARCHAR, oid::BPCHAR] {
            assert!(takes(&column(text, -1), oid::TEXT));
        }
        assert!(!takes(&column(oid::TEXT, -1), oid::VARCHAR));
        assert!(takes(&column(oid::VARCHAR, 9), oid::TEXT));
        assert!(!takes(&column(70_000, 5), 70_000), "what an extension makes of its modifier is not known");
    }

    #[test]
    fn a_row_is_told_by_the_outermost_line_of_the_context_alone() {
        let told = |table, context: &str| {
            let word = |sqlstate: &str| ServerWord {
                context: Some(context.into()),
                sqlstate: sqlstate.into(),
                ..ServerWord::default()
            };
            assert_eq!(failed_row(&word("54000"), table), None, "a row that is too large may be any of several");
            failed_row(&word("23505"), table)
        };
        assert_eq!(told("flights", "COPY flights, line 7"), Some(6));
        assert_eq!(told("flights", "COPY flights, line 7, column id"), Some(6));
        assert_eq!(told("flights", "PL/pgSQL function f() line 3 at RAISE\nCOPY flights, line 12"), Some(11));
        assert_eq!(told("a, line 3", "COPY a, line 3, line 12"), Some(11));
        assert_eq!(told("a\nCOPY b", "COPY a\nCOPY b, line 12"), Some(11));
        assert_eq!(told("flights", "COPY flights, line 3\nPL/pgSQL function f() line 3 at SQL statement"), None);
        assert_eq!(told("flights", "COPY flights, line 3, column a\nSQL statement \"x\""), None);
        for other in ["", "COPY flights", "COPY flights, Zeile 3", "COPY others, line 3", "COPY flights, line 0"] {
            assert_eq!(told("flights", other), None, "{other}");
        }
    }

    #[test]
    fn rows_are_written_as_the_documentation_says() {
        let mut rows = Rows::new(2);
        assert!(rows.push(&[Some(vec![7, 8]), None]));
        assert!(!rows.push(&[None]), "of another number of values");
        let expected = [
            &b"d\0\0\0\x25PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0"[..],
            b"\0\x02\0\0\0\x02\x07\x08\xFF\xFF\xFF\xFF",
            b"\xFF\xFF",
        ];
        assert_eq!(rows.into_message(), expected.concat());
    }
}
