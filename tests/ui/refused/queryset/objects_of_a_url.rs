#[path = "../models.rs"]
mod models;
use models::*;

fn mistake() {
    let _ = Flight::objects("sqlite::memory:");
}

fn main() {}
