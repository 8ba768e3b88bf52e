// The models and the rows of the examples in `from_django`. They include this file, so that each shows only what it is about.
use chrono::{DateTime, NaiveDate, Utc};
use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Blog {
    #[model(primary_key, generated)]
    pub id: i64,
    pub name: String,
    pub tagline: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Author {
    #[model(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
}

/// One for an author, or none.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Profile {
    #[model(primary_key, belongs_to(Author, name = author, reverse = profile, unique))]
    pub author_id: i64,
    pub city: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Entry {
    #[model(primary_key)]
    pub id: i64,
    #[model(belongs_to(Blog, reverse = entries))]
    pub blog_id: i64,
    pub headline: String,
    pub pub_date: NaiveDate,
    pub mod_time: DateTime<Utc>,
    pub comments: i32,
    pub pingbacks: i32,
    pub rating: Option<f64>,
}

/// Who has written an entry: Django's `ManyToManyField`, with the model between named.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "entry_authors", primary_key(entry_id, author_id), many_to_many(entry = entries, author = authors))]
pub struct EntryAuthor {
    #[model(belongs_to(Entry, reverse = author_links))]
    pub entry_id: i64,
    #[model(belongs_to(Author, reverse = entry_links))]
    pub author_id: i64,
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}

pub fn entry(id: i64, blog_id: i64, headline: &str, pub_date: &str) -> Entry {
    let pub_date = day(pub_date);
    let mod_time = pub_date.and_hms_opt(8, 30, 15).expect("it is a time").and_utc();
    Entry { id, blog_id, headline: headline.into(), pub_date, mod_time, comments: 0, pingbacks: 0, rating: None }
}

/// Three blogs, one of them without entries; three authors, one of them without an address.
pub fn open() -> orm_core::Result<Database> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Blog, Author, Profile, Entry, EntryAuthor)>()?;
    for (name, tagline) in [("Rust Notes", "What we learn"), ("Kitchen", "Bread and tea"), ("Silence", "")] {
        Blog::create(&db, NewBlog { name: name.into(), tagline: tagline.into() })?;
    }
    let author = |id, name: &str, email: Option<&str>| Author { id, name: name.into(), email: email.map(Into::into) };
    Author::bulk_create(&db, [
        author(1, "Ada", Some("ada@example.org")),
        author(2, "Ben", None),
        author(3, "Cleo", Some("cleo@example.com")),
    ])?;
    Profile::bulk_create(&db, [Profile { author_id: 1, city: "London".into() }])?;
    Entry::bulk_create(&db, [
        Entry { comments: 10, pingbacks: 5, rating: Some(4.5), ..entry(1, 1, "Streams at last", "2024-01-15") },
        Entry { comments: 3, pingbacks: 4, ..entry(2, 1, "100% macros", "2024-03-02") },
        Entry { rating: Some(3.0), ..entry(3, 2, "Über Brot", "2025-03-20") },
        Entry { comments: 7, pingbacks: 1, rating: Some(4.0), ..entry(4, 2, "Streams of tea", "2025-06-30") },
    ])?;
    let links = [(1, 1), (1, 2), (2, 1), (3, 3), (4, 3), (4, 1)];
    EntryAuthor::bulk_create(&db, links.map(|(entry_id, author_id)| EntryAuthor { entry_id, author_id }))?;
    Ok(db)
}
