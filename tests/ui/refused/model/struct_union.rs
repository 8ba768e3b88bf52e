use orm_core::prelude::*;

#[derive(Model)]
union Flight {
    id: i64,
    number: i32,
}

fn main() {}
