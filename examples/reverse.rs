//! Questions to the rows that refer to a row: a blog's entries, a place's restaurant, an author's entries across a link.
//!
//! Each is a subquery about one row, so no blog comes twice for having two entries, and counting entries does not disturb
//! counting followers beside them.
//!
//! `cargo run --example reverse [-- URL]`

use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model)]
#[model(table = "example_blogs")]
struct Blog {
    #[model(primary_key)]
    id: i64,
    name: String,
}

/// What a blog looks like; no blog has two of them.
#[derive(Model)]
#[model(table = "example_themes")]
struct Theme {
    #[model(primary_key, belongs_to(Blog, name = blog, reverse = theme, unique))]
    blog_id: i64,
    color: String,
}

#[derive(Model)]
#[model(table = "example_entries")]
struct Entry {
    #[model(primary_key)]
    id: i64,
    headline: String,
    rating: Option<i32>,
    #[model(belongs_to(Blog, reverse = entries))]
    blog_id: i64,
}

#[derive(Model)]
#[model(table = "example_authors")]
struct Author {
    #[model(primary_key)]
    id: i64,
    name: String,
}

/// Who wrote what: an author's `entries()`, an entry's `authors()`.
#[derive(Model)]
#[model(table = "example_entry_authors", primary_key(entry_id, author_id))]
#[model(many_to_many(entry = entries, author = authors))]
struct EntryAuthor {
    #[model(belongs_to(Entry))]
    entry_id: i64,
    #[model(belongs_to(Author))]
    author_id: i64,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Blog, Theme, Entry, Author, EntryAuthor)>()?;
    write(&db)?;

    let blogs = Blog::objects(&db).order_by(|b| b.name.asc());
    let praised = blogs.clone().filter(|b| b.entries().any(|e| e.rating.ge(4)));
    println!("with a praised entry: {}", praised.values(|b| b.name).load()?.iter().format(", "));
    // An entry without a rating is not praised.
    let only_praised = blogs.clone().filter(|b| b.entries().exists().and(b.entries().all(|e| e.rating.ge(4))));
    println!("with nothing else: {}", only_praised.values(|b| b.name).load()?.iter().format(", "));

    let report = blogs.clone().order_by(|b| (b.entries().count().desc(), b.name.asc())).values(|b| {
        let joint = b.entries().filter(|e| e.authors().count().gt(1));
        (b.name, b.entries().count(), b.entries().avg(|e| e.rating), joint.first(|e| e.id.desc(), |e| e.headline))
    });
    for (blog, entries, rating, last_joint) in report.iterator(2000)? {
        println!("{blog}: {entries} entries, rated {rating:?}, by several: {last_joint:?}");
    }

    for (blog, theme) in blogs.select_related(|b| b.theme()).iterator(2000)? {
        println!("{} is {}", blog.name, theme.map_or("plain".into(), |theme| theme.color));
    }

    let partners = Author::objects(&db)
        .filter(|a| a.entries().any(|e| e.authors().any(|b| b.name.eq("Paul").and(b.id.ne(a.id)))))
        .order_by(|a| a.name.asc());
    println!("wrote with Paul: {}", partners.values(|a| a.name).load()?.iter().format(", "));
    drop_tables(&db)
}

fn write(db: &Database) -> orm_core::Result<()> {
    let blogs = ["Beatles", "Cooking", "Drafts"];
    Blog::bulk_create(db, (1..).zip(blogs).map(|(id, name)| Blog { id, name: name.into() }))?;
    Theme::bulk_create(db, [Theme { blog_id: 1, color: "yellow".into() }])?;
    let entries = [("Help!", Some(5), 1), ("Michelle", Some(2), 1), ("Yesterday", None, 1), ("Soup", Some(4), 2)];
    let entries = (1..).zip(entries).map(|(id, (headline, rating, blog_id))| Entry {
        id,
        headline: headline.into(),
        rating,
        blog_id,
    });
    Entry::bulk_create(db, entries)?;
    let authors = ["John", "Paul", "Ringo"];
    Author::bulk_create(db, (1..).zip(authors).map(|(id, name)| Author { id, name: name.into() }))?;
    let links = [(1, 1), (1, 2), (2, 2), (2, 1), (3, 2), (4, 3)];
    EntryAuthor::bulk_create(db, links.map(|(entry_id, author_id)| EntryAuthor { entry_id, author_id }))?;
    Ok(())
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    ["entry_authors", "authors", "entries", "themes", "blogs"]
        .iter()
        .try_for_each(|table| db.batch_execute(&format!("DROP TABLE IF EXISTS example_{table}")))
}
