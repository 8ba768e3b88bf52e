//! Plain Diesel beside it: the generated tables, tables of Diesel's own, and models in Diesel's queries.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok};

use crate::models::{Number, number};

diesel::table! {
    #[sql_name = "stock"]
    items (code) {
        code -> Text,
        amount -> Integer,
        price -> Nullable<Double>,
        #[sql_name = "the place"]
        place -> Nullable<Text>,
    }
}

#[derive(Model, diesel::Insertable, Clone, Debug, PartialEq)]
#[model(table = "stock", table_module = items)]
#[diesel(table_name = items)]
struct Item {
    #[model(primary_key)]
    code: String,
    amount: i32,
    price: Option<f64>,
    #[model(column = "the place")]
    place: Option<String>,
}

fn item(code: &str, amount: i32) -> Item {
    Item { code: code.into(), amount, price: Some(0.5).filter(|_| amount > 1), place: None }
}

/// The same for each backend's own connection.
macro_rules! on_backend {
    ($module:ident, $backend:ty, $bed:expr) => {
        mod $module {
            use diesel::{Connection, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

            use super::*;
            use crate::models::numbers;

            #[test]
            fn the_generated_table() -> TestResult {
                let bed = $bed;
                let db = Database::<$backend>::connect(bed.url())?;
                db.create_tables::<(Number,)>()?;
                let connection = &mut *db.connection()?;
                let inserted = diesel::insert_into(numbers::table)
                    .values((numbers::id.eq(1_i64), numbers::name.eq(Some("one"))))
                    .execute(connection)?;
                assert_eq!(inserted, 1);
                diesel::insert_into(numbers::table)
                    .values(
                        [
                            (numbers::id.eq(2_i64), numbers::name.eq("two")),
                            (numbers::id.eq(3_i64), numbers::name.eq("three")),
                        ]
                        .to_vec(),
                    )
                    .execute(connection)?;
                let read: Vec<Number> =
                    numbers::table.filter(numbers::id.gt(1)).order(numbers::id.desc()).load(connection)?;
                assert_eq!(read.iter().map(|n| n.name.as_deref()).collect::<Vec<_>>(), [Some("three"), Some("two")]);
                assert_eq!(
                    numbers::table.find(2).select(numbers::name).first::<Option<String>>(connection)?.as_deref(),
                    Some("two")
                );
                assert_eq!(numbers::table.find(9).first::<Number>(connection).optional()?, None);
                assert_eq!(numbers::table.count().get_result::<i64>(connection)?, 3);
                assert_eq!(
                    diesel::update(numbers::table.find(2)).set(numbers::name.eq(None::<String>)).execute(connection)?,
                    1
                );
                assert_eq!(
                    diesel::update(numbers::table)
                        .set(numbers::id.eq(12_i64))
                        .filter(numbers::name.is_null())
                        .execute(connection)?,
                    1
                );
                assert_eq!(diesel::delete(numbers::table.filter(numbers::id.eq_any([1, 3]))).execute(connection)?, 2);
                assert_eq!(numbers::table.load::<Number>(connection)?, [Number { id: 12, name: None }]);
                assert_eq!(diesel::delete(numbers::table).execute(connection)?, 1);
                Ok(())
            }

            #[test]
            fn a_table_of_diesels() -> TestResult {
                let bed = $bed;
                let db = Database::<$backend>::connect(bed.url())?;
                db.create_tables::<(Item,)>()?;
                let rows = [item("a", 1), item("b", 2), item("c", 3)];
                diesel::insert_into(items::table).values(rows.to_vec()).execute(&mut *db.connection()?)?;
                let all = || Item::objects(&db).order_by(|i| i.code.asc());
                assert_eq!(all().iterator(2)?.collect::<Vec<_>>(), rows);
                assert_eq!(all().filter(|i| i.price.gt(0.1).and(i.place.is_null())).load()?, rows[1..]);
                assert_eq!(Item::bulk_create(&db, [item("d", 4)])?, 1);
                let read: Vec<Item> = items::table.order(items::code).load(&mut *db.connection()?)?;
                assert_eq!(read, [&rows[..], &[item("d", 4)]].concat());
                Ok(())
            }

            #[test]
            fn diesel_and_querysets_share_a_transaction() -> TestResult {
                let bed = $bed;
                let db = Database::<$backend>::connect(bed.url())?;
                db.create_tables::<(Number,)>()?;
                db.transaction(|tx| {
                    Number::bulk_create(tx, [number(1)])?;
                    let seen = tx.with_connection(|connection| {
                        diesel::insert_into(numbers::table).values(numbers::id.eq(2_i64)).execute(connection)?;
                        numbers::table.count().get_result::<i64>(connection)
                    })?;
                    assert_eq!((seen, Number::objects(tx).count()?), (2, 2));
                    let failed = tx.transaction(|inner| {
                        inner.with_connection(|connection| {
                            diesel::insert_into(numbers::table).values(numbers::id.eq(2_i64)).execute(connection)
                        })
                    });
                    assert_eq!(failed.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
                    ok(())
                })?;
                assert_eq!(Number::objects(&db).count()?, 2);
                Ok(())
            }

            #[test]
            fn diesels_own_transaction_on_a_connection() -> TestResult {
                let bed = $bed;
                let db = Database::<$backend>::builder().pool_size(1).connect(bed.url())?;
                db.create_tables::<(Number,)>()?;
                let answer: Result<(), diesel::result::Error> = db.connection()?.transaction(|connection| {
                    diesel::insert_into(numbers::table).values(numbers::id.eq(2_i64)).execute(connection)?;
                    Err(diesel::result::Error::RollbackTransaction)
                });
                assert!(answer.is_err());
                assert_eq!(Number::objects(&db).count()?, 0);
                Ok(())
            }
        }
    };
}

#[cfg(feature = "postgres")]
on_backend! { postgres, Pg, Bed::postgres() }
#[cfg(feature = "mysql")]
on_backend! { mysql, Mysql, Bed::mysql() }
#[cfg(feature = "sqlite")]
on_backend! { sqlite, Sqlite, Bed::sqlite() }
