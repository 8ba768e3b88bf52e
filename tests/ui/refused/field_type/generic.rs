use orm_core::prelude::*;

#[derive(FieldType)]
struct Code<T>(T);

fn main() {}
