use orm_core::prelude::*;

mod schema {
    diesel::table! {
        flights (id) {
            id -> BigInt,
            number -> Text,
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

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    for flight in Flight::objects(&db).filter(|f| f.number.gt(5)).order_by(|f| f.id.asc()).iterator(10)? {
        println!("{:?}", flight.id);
    }
    Ok(())
}
