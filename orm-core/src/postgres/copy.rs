//! Storing many rows by `COPY … FROM STDIN`, where that means what INSERT means.
//!
//! INSERT converts each value to its column's type. COPY takes the bytes for those of the column's type, whatever they are:
//! those of an `int4` are a `float4` as well. So the server is asked for the columns' types before the first COPY of a bulk
//! operation, in the same transaction, and under the lock that keeps others from changing them; and once more before a COPY
//! that follows any other statement of the transaction. Where a value was written as another type than its column has, and wherever else COPY is not the same as INSERT, INSERT it is:
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
    connection::{InstrumentationEvent, StrQueryHelper},
    pg::{Pg, PgTypeMetadata},
    query_builder::{QueryFragment, bind_collector::RawBytesBindCollector},
    result::Error as DieselError,
};

use super::{
    PgConnection,
    column::Column,
    error::ServerWord,
    statement::Ticket,
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

/// What has become of rows that were to be copied.
pub(crate) enum Copied {
    /// A COPY was begun with them.
    Begun(Ticket),
    /// They have gone with the COPY that was begun last.
    WithTheLast,
    /// They were not sent: it is not the same as to insert them, or no transaction is open.
    No,
}

/// What is known of a table from one COPY of a bulk operation to the next.
#[derive(Debug, Default)]
#[doc(hidden)]
pub enum Lookup {
    /// Nothing: the server is to be asked.
    #[default]
    None,
    /// COPY means the same as INSERT for values of these types, unless something else was sent since.
    Copy {
        generation: u64,
        types: Vec<u32>,
        /// Whether the COPY may go on until there are more rows: with a limit, it would end a statement that waits for them.
        may_wait: bool,
    },
    /// It does not.
    Insert,
}

impl PgConnection {
    /// Copies rows to a table in the transaction that is open, without waiting for the answer, if that is the same as to insert
    /// them. Rows of one bulk operation go in one COPY, up to a size, unless something else is sent in between.
    ///
    /// The server is asked once about the table. It keeps the table as it is for others; what else is sent in the transaction,
    /// may change it, so the server is asked again after that.
    pub(crate) fn copy_ahead<R: QueryFragment<Pg>>(
        &mut self,
        lookup: &mut Lookup,
        target: &CopyTarget,
        rows: impl Iterator<Item = R>,
    ) -> QueryResult<Copied> {
        self.finish();
        // Outside of a transaction nothing keeps the table as it is.
        if self.wire.status() != Status::Open {
            return Ok(Copied::No);
        }
        let mut rows = rows.peekable();
        let Some(first) = rows.peek() else { return Ok(Copied::No) };
        let mut binds = RawBytesBindCollector::<Pg>::new();
        self.bind(first, &mut binds)?;
        let types = binds.metadata.iter().map(PgTypeMetadata::oid).collect::<Result<Vec<_>, _>>();
        let types = types.map_err(|error| DieselError::SerializationError(Box::new(error)))?;
        if !self.may_copy(lookup, target, &types)? {
            return Ok(Copied::No);
        }
        let mut encoded = Rows::new(types.len());
        for row in rows {
            self.bind(&row, &mut binds)?;
            let is_alike = binds.metadata.len() == types.len()
                && binds
                    .metadata
                    .iter()
                    .zip(&types)
                    .all(|(written, oid)| written.oid().is_ok_and(|written| written == *oid));
            if !is_alike || !encoded.push(&binds.binds) {
                return Ok(Copied::No);
            }
        }
        // It is of this operation, because others have looked up their tables since they began; and a value's type may have been
        // looked up, which ends it.
        if self.wire.open_copy().is_some_and(|bytes| bytes < MOST_OF_COPY) {
            let sent = self.wire.go_on_copying(encoded);
            return self.checked(sent).map(|()| Copied::WithTheLast);
        }
        let event = StrQueryHelper::new(&target.copy);
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(&event));
        let mut sent = self.wire.begin_copy(&target.copy, encoded);
        if !matches!(lookup, Lookup::Copy { may_wait: true, .. }) {
            sent = sent.and_then(|id| self.wire.end_copy().map(|()| id));
        }
        let id = self.checked(sent)?;
        let sql = target.copy.clone();
        Ok(Copied::Begun(Ticket { id, sql, hides_value: false, copied_to: Some(target.name) }))
    }

    /// Whether values of these types may be copied; asks the server where that is not known.
    fn may_copy(&mut self, lookup: &mut Lookup, target: &CopyTarget, types: &[u32]) -> QueryResult<bool> {
        match lookup {
            Lookup::Insert => return Ok(false),
            Lookup::Copy { generation, types: known, .. } if *generation == self.wire.generation() => {
                return Ok(*known == types);
            }
            Lookup::Copy { .. } | Lookup::None => {}
        }
        let table = match self.wire.look_at(target, types) {
            Ok(table) => self.checked(Ok(table))?,
            Err(failure) => {
                let insert = StrQueryHelper::new(&target.insert);
                return self.observed(&insert, |connection| connection.checked(Err(failure)));
            }
        };
        let fits = |columns: &[Column]| {
            columns.len() == types.len() && columns.iter().zip(types).all(|(column, oid)| takes(column, *oid))
        };
        *lookup = match table.filter(|table| fits(&table.columns)) {
            Some(table) => {
                Lookup::Copy { generation: self.wire.generation(), types: types.to_vec(), may_wait: table.may_wait }
            }
            None => Lookup::Insert,
        };
        Ok(matches!(lookup, Lookup::Copy { .. }))
    }

    /// Writes a row's values to `binds`.
    fn bind(&mut self, row: &impl QueryFragment<Pg>, binds: &mut RawBytesBindCollector<Pg>) -> QueryResult<()> {
        binds.metadata.clear();
        binds.binds.clear();
        row.collect_binds(binds, self, &Pg)
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

/// Rows in COPY's binary format, as a message ("COPY", "File Formats", in PostgreSQL's documentation).
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
/// About the most bytes of a COPY: until it is answered, its rows are kept to say which has failed.
const MOST_OF_COPY: usize = 4 << 20;
/// The server reads messages of up to 1 GiB.
const LONGEST: usize = (1 << 30) - (1 << 10);

impl Rows {
    fn new(columns: usize) -> Self {
        let mut message = BytesMut::new();
        message.put_u8(b'd'); // CopyData
        message.put_i32(0); // its length, once it is known
        Rows { message, columns }
    }

    /// The message before the rows of a COPY.
    pub(super) fn beginning() -> BytesMut {
        let mut rows = Rows::new(0);
        rows.message.put_slice(BEGINNING);
        rows.into_message()
    }

    /// The message after them.
    pub(super) fn end() -> BytesMut {
        let mut rows = Rows::new(0);
        rows.message.put_i16(END);
        rows.into_message()
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
        // It is at most `LONGEST`.
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
pub(super) fn failed_row(word: &ServerWord, table: &str) -> Option<usize> {
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
        assert_eq!(Rows::beginning(), &b"d\0\0\0\x17PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0"[..]);
        assert_eq!(rows.into_message(), &b"d\0\0\0\x10\0\x02\0\0\0\x02\x07\x08\xFF\xFF\xFF\xFF"[..]);
        assert_eq!(Rows::end(), &b"d\0\0\0\x06\xFF\xFF"[..]);
    }
}
