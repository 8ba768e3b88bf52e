use orm_core::prelude::*;

#[derive(FieldType, Debug)]
struct Code<T>(T);

fn main() {}
