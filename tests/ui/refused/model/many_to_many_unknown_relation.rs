use orm_core::prelude::*;

#[derive(Model)]
struct Entry {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
struct Author {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
#[model(primary_key(entry_id, author_id), many_to_many(entries = entry, author = authors))]
struct EntryAuthor {
    #[model(belongs_to(Entry, reverse = links))]
    entry_id: i64,
    #[model(belongs_to(Author))]
    author_id: i64,
}

fn main() {}
