use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {
    #[field_type(name = "landed")]
    Landed,
}

fn main() {}
