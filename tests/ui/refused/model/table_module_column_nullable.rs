use orm_core::prelude::*;

mod schema {
    diesel::table! {
        flights (id) {
            id -> BigInt,
            number -> Nullable<Integer>,
        }
    }
}

#[derive(Model)]
#[model(table_module = schema::flights)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    number: i32,
}

fn main() {}
