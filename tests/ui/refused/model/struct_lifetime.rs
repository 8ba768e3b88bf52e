use orm_core::prelude::*;

#[derive(Model)]
struct Flight<'a> {
    #[model(primary_key)]
    id: i64,
    carrier: &'a str,
}

fn main() {}
