use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {
    #[field_type(rename = "a", rename = "b")]
    Landed,
}

fn main() {}
