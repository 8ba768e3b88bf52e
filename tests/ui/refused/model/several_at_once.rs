use orm_core::prelude::*;

#[derive(Model)]
struct Flight {
    id: i64,
    #[model(column)]
    number: i32,
    #[model(belongs_to(Airport))]
    origin_code: String,
    #[model(generatde)]
    seats: i32,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    println!("{}", Flight::objects(&db).filter(|f| f.number.gt(5)).order_by(|f| f.id.asc()).sql()?);
    Ok(())
}
