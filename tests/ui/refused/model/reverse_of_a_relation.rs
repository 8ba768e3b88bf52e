use orm_core::prelude::*;

#[derive(Model)]
struct Airport {
    #[model(primary_key)]
    code: String,
    #[model(belongs_to(Airport, name = hub))]
    hub_code: Option<String>,
}

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Airport, name = origin, reverse = hub))]
    origin_code: String,
}

fn main() {}
