use orm_core::prelude::*;

#[derive(FieldType, Debug)]
#[field_type(rename = "code")]
struct Code(String);

fn main() {}
