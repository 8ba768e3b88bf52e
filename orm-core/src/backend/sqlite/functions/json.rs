//! JSON documents, which are text here.

use diesel::{
    QueryResult, SqliteConnection,
    sql_types::{Nullable, Text},
};

#[diesel::declare_sql_function]
extern "SQL" {
    /// The form of a document in which those that say the same are equal.
    #[sql_name = "orm_json"]
    fn equal_form(document: Nullable<Text>) -> Nullable<Text>;
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    equal_form_utils::register_impl(connection, |document: Option<String>| {
        document.and_then(|document| crate::types::equal_form(&document))
    })
}
