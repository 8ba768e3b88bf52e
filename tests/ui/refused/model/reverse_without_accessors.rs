use orm_core::prelude::*;

mod airports {
    use orm_core::prelude::*;

    #[derive(Model)]
    pub struct Airport {
        #[model(primary_key)]
        pub code: String,
    }
}
use airports::Airport;

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Airport, name = origin, reverse = departures))]
    origin_code: String,
}

fn main() {}
