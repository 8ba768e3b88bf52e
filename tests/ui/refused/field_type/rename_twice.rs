use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {
    Landed,
    #[field_type(rename = "landed")]
    Arrived,
}

fn main() {}
