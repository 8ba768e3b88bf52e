#[path = "../models.rs"]
mod models;
use models::*;

struct Plane {
    id: i64,
}

fn mistake(_: QuerySet<'_, Plane>) {

}

fn main() {}
