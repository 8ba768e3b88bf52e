use orm_core::prelude::*;

#[derive(FieldType)]
#[field_type(rename = "code")]
struct Code(String);

fn main() {}
