use orm_core::prelude::*;

#[derive(Model)]
#[model(new_derive = Clone)]
struct Airport {
    #[model(primary_key, generated)]
    id: i64,
    code: String,
}

fn main() {}
