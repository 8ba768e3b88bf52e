use orm_core::prelude::*;

#[derive(Model)]
struct Flight;

fn main() {}
