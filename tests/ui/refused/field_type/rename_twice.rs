use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {
    Landed,
    #[field_type(rename = "landed")]
    Arrived,
}

fn main() {}
