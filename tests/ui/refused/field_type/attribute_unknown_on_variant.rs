use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {
    #[field_type(name = "landed")]
    Landed,
}

fn main() {}
