use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(default = "2013-01-31 10:00:00")]
    seen: chrono::DateTime<chrono::Utc>,
}

fn main() {}
