#[path = "../models.rs"]
mod models;
use models::*;

fn mistake() {
    let _ = Flight::objects(&5);
}

fn main() {}
