//! What `create_tables` makes is what `check_schema` wants, for every type, key and relation.

use diesel::sql_types;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Airline, Everything, EverythingElse, Flight, Maybe};

on_each_backend! {
    every_type, keys_of_every_type, diesels_own_types, relations_and_composite_keys, in_a_transaction, an_empty_key_of_text,
    twice_the_same_model,
}

fn every_type(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything, EverythingElse, Maybe, Airline, Flight)>()?;
    db.check_schema::<(Everything, EverythingElse, Maybe, Airline, Flight)>()?;
    db.check_schema_for_reading::<(Flight, Maybe)>()?;
    Ok(())
}

/// A model whose key, and a reference to it, are of a type; and the same checked by a model of another width fails.
macro_rules! keys {
    ($($name:ident: $type:ty;)*) => {
        $( mod $name {
            use orm_core::prelude::*;
            #[derive(Model)]
            #[model(table = "parents")]
            pub(super) struct Parent {
                #[model(primary_key)]
                id: $type,
                #[model(belongs_to(Parent, name = next))]
                next_id: Option<$type>,
            }
        } )*
        fn keys_of_every_type(bed: &Bed) -> TestResult {
            let db = bed.db()?;
            $(
                db.create_tables::<($name::Parent,)>()?;
                db.check_schema::<($name::Parent,)>().map_err(|error| format!("{}: {error}", stringify!($type)))?;
                db.batch_execute("DROP TABLE parents")?;
            )*
            Ok(())
        }
    };
}

keys! {
    of_i8: i8; of_i16: i16; of_i32: i32; of_i64: i64; of_u8: u8; of_u16: u16; of_u32: u32; of_u64: u64;
    of_bool: bool; of_text: String; of_bytes: Vec<u8>; of_date: chrono::NaiveDate; of_time: chrono::NaiveTime;
    of_timestamp: chrono::NaiveDateTime; of_instant: chrono::DateTime<chrono::Utc>; of_uuid: uuid::Uuid;
    of_decimal: bigdecimal::BigDecimal; of_status: crate::models::Status;
}

/// Those that every backend reads.
fn diesels_own_types(bed: &Bed) -> TestResult {
    #[derive(Model)]
    struct Plain {
        #[model(primary_key, sql_type = sql_types::BigInt)]
        id: i64,
        #[model(sql_type = sql_types::Bool)]
        yes: bool,
        #[model(sql_type = sql_types::SmallInt)]
        small: i16,
        #[model(sql_type = sql_types::Integer)]
        number: i32,
        #[model(sql_type = sql_types::Float)]
        single: f32,
        #[model(sql_type = sql_types::Double)]
        double: f64,
        #[model(sql_type = sql_types::Nullable<sql_types::Text>)]
        text: Option<String>,
        #[model(sql_type = sql_types::Binary)]
        bytes: Vec<u8>,
        #[model(sql_type = sql_types::Date)]
        date: chrono::NaiveDate,
        #[model(sql_type = sql_types::Time)]
        time: chrono::NaiveTime,
        #[model(sql_type = sql_types::Timestamp)]
        at: chrono::NaiveDateTime,
        #[model(sql_type = sql_types::Json)]
        json: serde_json::Value,
    }
    let db = bed.db()?;
    db.create_tables::<(Plain,)>()?;
    db.check_schema::<(Plain,)>()?;
    Ok(())
}

fn relations_and_composite_keys(bed: &Bed) -> TestResult {
    #[derive(Model)]
    #[model(primary_key(year, number))]
    struct Invoice {
        number: i32,
        year: i16,
        slug: String,
        #[model(belongs_to(Customer, key = email))]
        customer_id: String,
    }
    #[derive(Model)]
    struct Customer {
        #[model(primary_key)]
        id: i64,
        /// The other table refers to it.
        email: String,
        #[model(belongs_to(Customer, name = adviser))]
        adviser_id: Option<i64>,
    }
    let db = bed.db()?;
    db.create_tables::<(Invoice, Customer)>()?;
    db.check_schema::<(Invoice, Customer)>()?;
    db.check_schema::<(Invoice,)>()?;
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airline, Flight)>()?;
    db.transaction(|tx| {
        tx.check_schema::<(Airline, Flight)>()?;
        tx.check_schema_for_reading::<(Airline, Flight)>()?;
        Airline::bulk_create(tx, [Airline { code: "UA".into(), name: "United".into() }])?;
        // What differs is no failure of the transaction's.
        let error = tx.check_schema::<(Everything,)>().expect_err("there is none");
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        assert_eq!(Airline::objects(tx).count()?, 1);
        ok(())
    })?;
    db.build_transaction().read_only().run(|tx| tx.check_schema::<(Airline, Flight)>())?;
    Ok(())
}

fn an_empty_key_of_text(bed: &Bed) -> TestResult {
    #[derive(Model)]
    struct Tag {
        #[model(primary_key)]
        name: String,
    }
    let db = bed.db()?;
    db.create_tables::<(Tag,)>()?;
    db.check_schema::<(Tag,)>()?;
    Ok(())
}

fn twice_the_same_model(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airline,)>()?;
    db.check_schema::<(Airline, Airline)>()?;
    Ok(())
}
