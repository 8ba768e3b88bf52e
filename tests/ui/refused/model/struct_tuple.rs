use orm_core::prelude::*;

#[derive(Model)]
struct Flight(i64, i32);

fn main() {}
