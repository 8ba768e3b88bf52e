//! Which types made by users are read as text: enums, and types such as `citext` whose values are sent as text is.
//!
//! The binary form of any other type (`ltree`, `hstore`, a composite type) is not text, and its OID does not tell. So the
//! catalog is asked once for each OID and connection; the OIDs of PostgreSQL's own types are fixed and not looked up.

use std::{borrow::Cow, num::NonZeroU32, sync::Arc};

use diesel::{
    Connection, OptionalExtension, QueryResult, QueryableByName, RunQueryDsl,
    connection::{DefaultLoadingMode, LoadConnection},
    pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgMetadataCacheKey},
    query_builder::QueryFragment,
    sql_query,
    sql_types::{Array, Bool, Oid, Text},
};

use super::{PgConnection, PgCursor, Portal, column::Column, row::PgRow};

/// The first OID that the server gives to types made by users.
const FIRST_USER_TYPE: u32 = 16_384;
/// The OID of `text`, in place of that of a type which is read as text.
const TEXT: NonZeroU32 = NonZeroU32::new(25).unwrap();

/// The functions of a text's binary form; that of `citext` is one of them under another name.
const QUERY: &str = "SELECT t.oid, p.prosrc IN ('textsend', 'varcharsend', 'bpcharsend', 'namesend', 'enum_send')
        AND p.prolang = (SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname = 'internal') AS is_text
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typsend
    WHERE t.oid = ANY($1)";

#[derive(QueryableByName)]
struct UserType {
    #[diesel(sql_type = Oid)]
    oid: u32,
    #[diesel(sql_type = Bool)]
    is_text: bool,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A connection that can look types up: ours, or Diesel's.
pub(crate) trait LooksUp:
    Connection<Backend = Pg> + LoadConnection<DefaultLoadingMode> + GetPgMetadataCache
{
}
impl<C: Connection<Backend = Pg> + LoadConnection<DefaultLoadingMode> + GetPgMetadataCache> LooksUp for C {}

/// Those of the OIDs whose values are text.
pub(crate) fn texts_among(connection: &mut impl LooksUp, oids: &[u32]) -> QueryResult<Vec<u32>> {
    let mut known: Vec<(u32, Option<bool>)> =
        oids.iter().map(|oid| (*oid, is_known_text(connection.get_metadata_cache(), *oid))).collect();
    let unknown: Vec<u32> = known.iter().filter(|(_, is_text)| is_text.is_none()).map(|(oid, _)| *oid).collect();
    if !unknown.is_empty() {
        for UserType { oid, is_text } in sql_query(QUERY).bind::<Array<Oid>, _>(unknown).load::<UserType>(connection)? {
            connection.get_metadata_cache().store_type(key(oid), (u32::from(is_text), 0));
            known.iter_mut().filter(|(of, _)| *of == oid).for_each(|(_, known)| *known = Some(is_text));
        }
    }
    Ok(known.into_iter().filter(|(_, is_text)| *is_text == Some(true)).map(|(oid, _)| oid).collect())
}

/// The name of a type, for an error.
pub(crate) fn name_of(connection: &mut impl LooksUp, oid: u32) -> QueryResult<Option<String>> {
    let query = sql_query("SELECT pg_catalog.format_type($1, NULL) AS name").bind::<Oid, _>(oid);
    Ok(query.get_result::<Name>(connection).optional()?.map(|found| found.name))
}

/// What is kept of a type with the connection's other types: `1` in place of its OID if it is text.
fn key(oid: u32) -> PgMetadataCacheKey<'static> {
    PgMetadataCacheKey::new(Some(Cow::Borrowed("orm_core: is read as text")), Cow::Owned(oid.to_string()))
}

fn is_known_text(types: &PgMetadataCache, oid: u32) -> Option<bool> {
    let known = types.lookup_type(&key(oid))?;
    Some(known.oid().is_ok_and(|is_text| is_text == 1))
}

/// The OIDs of users' types among these.
pub(crate) fn users_among(oids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut users: Vec<u32> = oids.filter(|oid| *oid >= FIRST_USER_TYPE).collect();
    users.sort_unstable();
    users.dedup();
    users
}

fn users_of(columns: &[Column]) -> Vec<u32> {
    users_among(columns.iter().map(|column| column.oid.get()))
}

/// The columns, with the type `text` in place of these types.
fn with_texts(columns: &[Column], texts: &[u32]) -> Arc<[Column]> {
    let as_text = |column: &Column| {
        let oid = if texts.contains(&column.oid.get()) { TEXT } else { column.oid };
        Column { name: column.name.clone(), oid, modifier: column.modifier }
    };
    columns.iter().map(as_text).collect()
}

#[cfg(feature = "libpq")]
impl PgRow {
    /// The row, with the type `text` in place of these types.
    pub(crate) fn with_texts(self, texts: &[u32]) -> Self {
        if texts.is_empty() { self } else { PgRow { columns: with_texts(&self.columns, texts), ..self } }
    }
}

/// Rows whose columns of users' types are known to be text or not.
pub(crate) enum Loaded<'conn> {
    Read(std::vec::IntoIter<PgRow>),
    Reading(PgCursor<'conn>),
}

impl PgConnection {
    /// Executes a statement whose rows are read by [`Decode`](crate::types::Decode).
    ///
    /// If types have to be looked up, the rows are read first, because another statement cannot run while they are read.
    pub(crate) fn load_known<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<Loaded<'_>> {
        self.execute_observed(source)?;
        let users = users_of(self.wire.row().columns);
        if users.is_empty() {
            return Ok(Loaded::Reading(PgCursor::new(self)));
        }
        let mut rows = PgCursor::new(self).collect::<QueryResult<Vec<_>>>()?;
        if let Some(first) = rows.first() {
            let texts = texts_among(self, &users)?;
            let columns = with_texts(&first.columns, &texts);
            rows.iter_mut().for_each(|row| row.columns = Arc::clone(&columns));
        }
        Ok(Loaded::Read(rows.into_iter()))
    }

    /// The users' types among a portal's columns that have not been looked up yet.
    pub(super) fn unknown_types_of(&mut self, portal: &Portal) -> Option<Vec<u32>> {
        let mut users = self.wire.columns_of(portal.id).map(|columns| users_of(&columns)).unwrap_or_default();
        users.retain(|oid| is_known_text(&self.types, *oid).is_none());
        (!users.is_empty()).then_some(users)
    }

    /// Looks up types, so that they are known.
    pub(super) fn look_up_types(&mut self, oids: &[u32]) -> QueryResult<()> {
        texts_among(self, oids).map(drop)
    }

    /// Has a portal's columns of users' types read as what they are known to be, before the first row is read.
    pub(super) fn set_types_of(&mut self, portal: &Portal) {
        let Some(columns) = self.wire.columns_of(portal.id) else { return };
        let mut texts = users_of(&columns);
        texts.retain(|oid| is_known_text(&self.types, *oid) == Some(true));
        if !texts.is_empty() {
            self.wire.set_columns_of(portal.id, with_texts(&columns, &texts));
        }
    }
}
