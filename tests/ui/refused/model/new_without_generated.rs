use orm_core::prelude::*;

#[derive(Model)]
#[model(new = FreshAirport)]
struct Airport {
    #[model(primary_key)]
    code: String,
}

fn main() {}
