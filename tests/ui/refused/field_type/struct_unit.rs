use orm_core::prelude::*;

#[derive(FieldType, Debug)]
struct Code;

fn main() {}
