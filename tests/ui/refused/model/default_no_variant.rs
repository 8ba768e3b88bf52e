use orm_core::prelude::*;

#[derive(FieldType, Debug)]
enum State {
    New,
    Trusted,
}

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(default = "old")]
    state: State,
}

fn main() {}
