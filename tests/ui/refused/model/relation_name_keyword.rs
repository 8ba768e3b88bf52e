use orm_core::prelude::*;

#[derive(Model)]
struct Node {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Node, name = self))]
    parent_id: Option<i64>,
}

fn main() {}
