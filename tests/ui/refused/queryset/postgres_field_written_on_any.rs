#[path = "../models.rs"]
mod models;
use models::*;

#[derive(Model)]
struct Route {
    #[model(primary_key)]
    id: i64,
    #[model(sql_type = diesel::sql_types::Array<diesel::sql_types::Text>)]
    stops: Vec<String>,
}

fn mistake(db: &Database) {
    let _ = Route::bulk_create(db, [Route { id: 1, stops: Vec::new() }]);
}

fn main() {}
