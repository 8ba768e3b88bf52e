use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {
    #[field_type(rename = "a", rename = "b")]
    Landed,
}

fn main() {}
