use orm_core::prelude::*;

#[derive(Model)]
pub struct User {
    #[model(primary_key, generated)]
    pub id: i64,
    pub name: String,
}

pub struct NewUser {
    pub name: String,
}

fn main() {}
