use orm_core::prelude::*;

#[derive(Model)]
#[model(index(email))]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(index)]
    email: String,
}

fn main() {}
