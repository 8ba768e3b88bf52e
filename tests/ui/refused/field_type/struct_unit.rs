use orm_core::prelude::*;

#[derive(FieldType)]
struct Code;

fn main() {}
