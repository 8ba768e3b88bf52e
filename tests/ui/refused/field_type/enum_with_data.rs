use orm_core::prelude::*;

#[derive(FieldType)]
enum Status {
    Landed,
    Late(u32),
}

fn main() {}
