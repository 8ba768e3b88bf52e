use orm_core::prelude::*;

#[derive(Model)]
#[model(unique(email))]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(unique)]
    email: String,
}

fn main() {}
