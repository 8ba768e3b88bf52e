use orm_core::prelude::*;

#[derive(Model)]
enum Flight {
    Scheduled,
    Landed,
}

fn main() {}
