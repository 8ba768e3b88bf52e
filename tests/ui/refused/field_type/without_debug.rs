use orm_core::prelude::*;

#[derive(FieldType)]
struct Code(String);

fn main() {}
