//! Rows as they came: the fields' names, OIDs and bytes, of any connection to PostgreSQL.

use diesel::{
    QueryResult,
    connection::{DefaultLoadingMode, LoadConnection},
    pg::{Pg, PgMetadataLookup},
    query_builder::{Query, QueryFragment, QueryId},
    row::{Field as _, Row},
    sql_types::TypeMetadata,
};
use orm_core::diesel;

/// A field of a row; its type is told with a value alone.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Option<String>,
    pub(super) value: Option<(u32, Vec<u8>)>,
}

/// All rows of a query.
pub(super) fn rows<C, Q>(connection: &mut C, query: Q) -> QueryResult<Vec<Vec<Field>>>
where
    C: LoadConnection<DefaultLoadingMode, Backend = Pg>,
    Q: Query + QueryFragment<Pg> + QueryId,
    Pg: diesel::expression::QueryMetadata<Q::SqlType> + TypeMetadata<MetadataLookup = dyn PgMetadataLookup>,
{
    let mut rows = Vec::new();
    for row in connection.load(query)? {
        let row = row?;
        let field = |index| {
            let field = row.get(index)?;
            let value = field.value().map(|value| (value.get_oid().get(), value.as_bytes().to_vec()));
            Some(Field { name: field.field_name().map(str::to_owned), value })
        };
        rows.push((0..row.field_count()).filter_map(field).collect());
    }
    Ok(rows)
}

/// Writes the values of a type to a table and reads them again, by two connections: what the server has then is the
/// text, as the witness sees it; both connections read the same bytes and the same values, of what either has written
/// and of what the witness has, and of what comes back as it is.
macro_rules! round_trip {
    ($bed:expr, $column:literal, $sql:ty, $rust:ty, $values:expr, $texts:expr) => {{
        use diesel::{
            Connection, RunQueryDsl,
            dsl::sql,
            sql_query,
            sql_types::{Integer, Nullable},
        };
        use $crate::postgres::raw;

        let (bed, values, texts): (&orm_tests::Bed, Vec<Option<$rust>>, Vec<Option<String>>) = ($bed, $values, $texts);
        for table in ["ours", "libpqs", "theirs"] {
            bed.execute(&format!("CREATE TABLE {table} (n INT PRIMARY KEY, v {})", $column));
        }
        for (n, text) in texts.iter().enumerate() {
            let text =
                text.as_ref().map_or_else(|| "NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")));
            bed.execute(&format!("INSERT INTO theirs VALUES ({n}, {text})"));
        }
        let ours = &mut $crate::postgres::PgConnection::establish(bed.url())?;
        let libpqs = &mut diesel::PgConnection::establish(bed.url())?;
        macro_rules! write {
            ($table:literal, $connection:expr) => {
                for (n, value) in (0..).zip(&values) {
                    let insert = sql_query(concat!("INSERT INTO ", $table, " VALUES ($1, $2)")).bind::<Integer, _>(n);
                    assert_eq!(insert.bind::<Nullable<$sql>, _>(value.clone()).execute($connection)?, 1, "{value:?}");
                }
                assert_eq!(bed.texts(concat!("SELECT v FROM ", $table, " ORDER BY n")), texts, $table);
            };
        }
        write!("ours", ours);
        write!("libpqs", libpqs);
        for table in ["ours", "libpqs", "theirs"] {
            let query = || sql_query(format!("SELECT v, n, v AS again FROM {table} ORDER BY n"));
            assert_eq!(raw::rows(ours, query())?, raw::rows(libpqs, query())?, "{table}");
            let query = || sql::<Nullable<$sql>>(&format!("SELECT v FROM {table} ORDER BY n"));
            let read: Vec<Option<$rust>> = query().load(ours)?;
            // As text, for NaN is not equal to itself.
            assert_eq!(format!("{read:?}"), format!("{values:?}"), "{table}");
            let read: Vec<Option<$rust>> = query().load(libpqs)?;
            assert_eq!(format!("{read:?}"), format!("{values:?}"), "{table}, by libpq");
        }
        // A value that is bound comes back as it is, and is the one that is stored.
        for (n, value) in (0..).zip(&values) {
            let query = || {
                sql_query("SELECT $1 AS v, v::text IS NOT DISTINCT FROM $1::text AS same FROM ours WHERE n = $2")
                    .bind::<Nullable<$sql>, _>(value.clone())
                    .bind::<Integer, _>(n)
            };
            let read = raw::rows(ours, query())?;
            assert_eq!(read, raw::rows(libpqs, query())?, "{value:?}");
            assert_eq!(read[0][1].value, Some((16, vec![1])), "{value:?}");
        }
        orm_tests::TestResult::Ok(())
    }};
}
pub(super) use round_trip;

/// A function for each type, on values and their texts; NULL is one of the values of each.
macro_rules! round_trips {
    ($($name:ident: $column:literal, $sql:ty, $rust:ty = [$($value:expr => $text:expr),+ $(,)?];)+) => { $(
        fn $name(bed: &orm_tests::Bed) -> orm_tests::TestResult {
            let values = vec![None, $(Some($value)),+];
            let texts = vec![None, $(Some($text.to_string())),+];
            $crate::postgres::raw::round_trip!(bed, $column, $sql, $rust, values, texts)
        }
    )+ };
}
pub(super) use round_trips;
