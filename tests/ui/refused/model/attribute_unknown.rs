use orm_core::prelude::*;

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    number: i32,
    #[model(defualt = 5)]
    seats: i32,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    println!("{}", Flight::objects(&db).filter(|f| f.number.gt(5)).order_by(|f| f.id.asc()).sql()?);
    Ok(())
}
