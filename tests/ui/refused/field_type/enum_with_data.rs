use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum Status {
    Landed,
    Late(u32),
}

fn main() {}
