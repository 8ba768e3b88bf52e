use orm_core::prelude::*;

#[derive(FieldType, Debug)]
struct Code {
    text: String,
}

fn main() {}
