use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(unique(email, id))]
    email: String,
}

fn main() {}
