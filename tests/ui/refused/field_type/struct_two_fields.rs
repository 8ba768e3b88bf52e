use orm_core::prelude::*;

#[derive(FieldType, Debug)]
struct Code(String, String);

fn main() {}
