use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {}

fn main() {}
