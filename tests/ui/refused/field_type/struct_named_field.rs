use orm_core::prelude::*;

#[derive(FieldType)]
struct Code {
    text: String,
}

fn main() {}
