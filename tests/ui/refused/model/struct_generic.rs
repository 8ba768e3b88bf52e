use orm_core::prelude::*;

#[derive(Model)]
struct Flight<T> {
    #[model(primary_key)]
    id: i64,
    number: T,
}

fn main() {}
