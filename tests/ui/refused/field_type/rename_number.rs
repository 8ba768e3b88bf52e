use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {
    #[field_type(rename = 5)]
    Landed,
}

fn main() {}
