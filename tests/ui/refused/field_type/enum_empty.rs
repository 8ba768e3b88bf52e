use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {}

fn main() {}
