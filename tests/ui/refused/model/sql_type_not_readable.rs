use orm_core::prelude::*;

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    number: i32,
    #[model(sql_type = orm_core::diesel::sql_types::Text)]
    seats: i64,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    Flight::objects(&db).first()?;
    Ok(())
}
