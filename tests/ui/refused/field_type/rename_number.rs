use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {
    #[field_type(rename = 5)]
    Landed,
}

fn main() {}
