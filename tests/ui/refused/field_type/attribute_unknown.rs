use orm_core::prelude::*;

#[derive(FieldType, Debug)]
#[field_type(rename_all = "snake_case")]
enum Status {
    Landed,
}

fn main() {}
