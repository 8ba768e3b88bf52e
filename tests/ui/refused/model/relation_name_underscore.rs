use orm_core::prelude::*;

#[derive(Model)]
struct Airport {
    #[model(primary_key)]
    code: String,
}

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Airport, name = _origin, reverse = _departures))]
    origin_code: String,
}

fn main() {}
