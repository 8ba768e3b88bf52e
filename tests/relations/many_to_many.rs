//! Across links: models whose rows connect two others.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::plain;

on_each_backend! {
    both_directions, counts_go_by_links, the_links_own_columns, to_oneself, links_that_lead_nowhere, onward_from_there,
    without_a_name, rows_are_never_multiplied, the_other_end_is_joined_where_it_is_used,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Author {
    #[model(primary_key)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Entry {
    #[model(primary_key)]
    id: i64,
    headline: String,
    rating: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(entry_id, author_id), many_to_many(entry = entries, author = authors))]
struct EntryAuthor {
    #[model(belongs_to(Entry, reverse = author_links))]
    entry_id: i64,
    #[model(belongs_to(Author, reverse = entry_links))]
    author_id: i64,
    role: String,
}

struct Rows {
    authors: Vec<Author>,
    entries: Vec<Entry>,
    links: Vec<EntryAuthor>,
}

impl Rows {
    fn entries(&self, author: &Author) -> Vec<&Entry> {
        let links = self.links.iter().filter(|l| l.author_id == author.id);
        links.filter_map(|l| self.entries.iter().find(|e| e.id == l.entry_id)).collect()
    }
    fn authors(&self, entry: &Entry) -> Vec<&Author> {
        let links = self.links.iter().filter(|l| l.entry_id == entry.id);
        links.filter_map(|l| self.authors.iter().find(|a| a.id == l.author_id)).collect()
    }
}

fn blog(db: &Database) -> orm_core::Result<Rows> {
    let authors: Vec<_> = [(1, "John"), (2, "Paul"), (3, "George"), (4, "Ringo")]
        .map(|(id, name)| Author { id, name: name.into() })
        .into();
    let entry = |id, headline: &str, rating| Entry { id, headline: headline.into(), rating };
    let entries = vec![
        entry(1, "Help!", Some(5)),
        entry(2, "100% new", None),
        entry(3, "Für Elise", Some(2)),
        entry(4, "Nobody's", None),
    ];
    let link = |entry_id, author_id, role: &str| EntryAuthor { entry_id, author_id, role: role.into() };
    let links = vec![
        link(1, 1, "text"),
        link(1, 2, "photo"),
        link(2, 2, "text"),
        link(3, 2, "text"),
        link(3, 3, "photo"),
        link(2, 3, "photo"),
    ];
    db.create_tables::<(Author, Entry, EntryAuthor)>()?;
    Author::bulk_create(db, authors.clone())?;
    Entry::bulk_create(db, entries.clone())?;
    EntryAuthor::bulk_create(db, links.clone())?;
    Ok(Rows { authors, entries, links })
}

fn both_directions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = blog(&db)?;
    for needle in ["%", "ü", "'", "e"] {
        let found = Author::objects(&db)
            .filter(|a| a.entries().any(|e| e.headline.contains(needle)))
            .order_by(|a| a.id.asc())
            .load()?;
        let expected = rows.authors.iter().filter(|a| rows.entries(a).iter().any(|e| e.headline.contains(needle)));
        assert_eq!(found, expected.cloned().collect::<Vec<_>>(), "{needle}");
    }
    let found =
        Entry::objects(&db).filter(|e| e.authors().none(|a| a.name.eq("Paul"))).order_by(|e| e.id.asc()).load()?;
    let expected = rows.entries.iter().filter(|e| rows.authors(e).iter().all(|a| a.name != "Paul"));
    assert_eq!(found, expected.cloned().collect::<Vec<_>>());
    let all = Author::objects(&db).filter(|a| a.entries().all(|e| e.rating.gt(1))).order_by(|a| a.id.asc()).load()?;
    let expected = rows.authors.iter().filter(|a| rows.entries(a).iter().all(|e| e.rating > Some(1)));
    assert_eq!(all, expected.cloned().collect::<Vec<_>>());
    Ok(())
}

fn counts_go_by_links(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = blog(&db)?;
    let found: Vec<(i64, Option<i64>, Option<String>)> = Author::objects(&db)
        .order_by(|a| (a.entries().count().desc(), a.id.asc()))
        .values(|a| {
            (a.entries().count(), a.entries().sum(|e| e.rating), a.entries().first(|e| e.id.desc(), |e| e.headline))
        })
        .load()?;
    let mut expected: Vec<_> = rows
        .authors
        .iter()
        .map(|a| {
            let entries = rows.entries(a);
            let ratings: Vec<i64> = entries.iter().filter_map(|e| e.rating).map(i64::from).collect();
            (
                i64::try_from(entries.len()).expect("they are few"),
                if ratings.is_empty() { None } else { Some(ratings.iter().sum()) },
                entries.iter().max_by_key(|e| e.id).map(|e| e.headline.clone()),
            )
        })
        .collect();
    expected.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    assert_eq!(found, expected);
    Ok(())
}

fn the_links_own_columns(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    blog(&db)?;
    let photographers = Author::objects(&db)
        .filter(|a| a.entry_links().any(|l| l.role.eq("photo").and(l.entry().rating.gt(3))))
        .values(|a| a.name);
    assert_eq!(photographers.load()?, ["Paul"]);
    let with =
        Entry::objects(&db).order_by(|e| e.id.asc()).values(|e| e.author_links().filter(|l| l.role.eq("text")).count());
    assert_eq!(with.load()?, [1, 1, 1, 0]);
    Ok(())
}

/// Both ends are one model.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "people")]
struct Person {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(from_id, to_id), many_to_many(from = followers, to = followed))]
struct Follow {
    #[model(belongs_to(Person))]
    from_id: i64,
    #[model(belongs_to(Person))]
    to_id: i64,
}

fn to_oneself(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person, Follow)>()?;
    Person::bulk_create(&db, (1..=4).map(|id| Person { id }))?;
    Follow::bulk_create(
        &db,
        [(1, 2), (3, 2), (2, 1), (4, 1), (4, 2)].map(|(from_id, to_id)| Follow { from_id, to_id }),
    )?;
    let rows: Vec<(i64, i64, i64)> = Person::objects(&db)
        .order_by(|p| p.id.asc())
        .values(|p| (p.id, p.followers().count(), p.followed().count()))
        .load()?;
    assert_eq!(rows, [(1, 2, 1), (2, 3, 1), (3, 0, 1), (4, 0, 2)]);
    let mutual = Person::objects(&db).filter(|p| p.followed().any(|q| q.followed().any(|r| r.id.eq(p.id))));
    assert_eq!(mutual.order_by(|p| p.id.asc()).values(|p| p.id).load()?, [1, 2]);
    Ok(())
}

/// A link of which one end may be missing, in two ways.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(many_to_many(tag = tags, entry = tagged))]
struct Tagging {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Entry, reverse = taggings))]
    entry_id: Option<i64>,
    #[model(belongs_to(Tag, optional))]
    tag_id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Tag {
    #[model(primary_key)]
    id: i64,
    word: Option<String>,
}

fn links_that_lead_nowhere(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    blog(&db)?;
    db.create_tables::<(Tag, Tagging)>()?;
    Tag::bulk_create(&db, [Tag { id: 1, word: None }, Tag { id: 2, word: Some("pop".into()) }])?;
    let tagging = |id, entry_id, tag_id| Tagging { id, entry_id, tag_id };
    Tagging::bulk_create(
        &db,
        [
            tagging(1, Some(1), 1),
            tagging(2, Some(1), 99),
            tagging(3, None, 2),
            tagging(4, Some(2), 2),
            tagging(5, Some(3), 99),
        ],
    )?;
    let tags = Entry::objects(&db).order_by(|e| e.id.asc()).values(|e| (e.tags().count(), e.taggings().count()));
    assert_eq!(tags.load()?, [(1, 2), (1, 1), (0, 1), (0, 0)]);
    let tagged = Tag::objects(&db).order_by(|t| t.id.asc()).values(|t| (t.tagged().count(), t.tagged().exists()));
    assert_eq!(tagged.load()?, [(1, true), (1, true)]);
    // What is there has the type of a row that is there; a word that is NULL is no missing tag.
    let unnamed = Entry::objects(&db).filter(|e| e.tags().any(|t| t.word.is_null()));
    assert_eq!(unnamed.order_by(|e| e.id.asc()).values(|e| e.id).load()?, [1]);
    let empty = Entry::objects(&db).filter(|e| e.tags().is_empty()).order_by(|e| e.id.asc()).values(|e| e.id);
    assert_eq!(empty.load()?, [3, 4]);
    assert_eq!(
        plain(&empty.sql()?),
        "SELECT entries.id FROM entries WHERE ((NOT EXISTS (SELECT 1 FROM taggings AS entries__taggings \
         INNER JOIN tags AS entries__taggings__tag ON entries__taggings__tag.id = entries__taggings.tag_id \
         WHERE (entries__taggings.entry_id = entries.id)))) ORDER BY entries.id ASC"
    );
    Ok(())
}

fn onward_from_there(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = blog(&db)?;
    // Those who have written an entry with each author.
    let found: Vec<(i64, i64)> = Author::objects(&db)
        .order_by(|a| a.id.asc())
        .values(|a| (a.id, a.entries().filter(|e| e.authors().count().gt(1)).count()))
        .load()?;
    let expected = rows.authors.iter().map(|a| {
        let shared = rows.entries(a).iter().filter(|e| rows.authors(e).len() > 1).count();
        (a.id, i64::try_from(shared).expect("they are few"))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let with_ringo = Author::objects(&db)
        .filter(|a| a.entries().any(|e| e.authors().any(|b| b.name.eq("George").and(b.id.ne(a.id)))));
    assert_eq!(with_ringo.values(|a| a.name).load()?, ["Paul"]);
    Ok(())
}

fn without_a_name(bed: &Bed) -> TestResult {
    use entry_authors::relations::{author, entry};
    use orm_core::reverse::through;

    let db = bed.db()?;
    blog(&db)?;
    let counts = Author::objects(&db).order_by(|a| a.id.asc()).values(|a| through::<author, entry, _>(&a).count());
    assert_eq!(counts.load()?, [1, 3, 2, 0]);
    Ok(())
}

fn rows_are_never_multiplied(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = blog(&db)?;
    let all = Author::objects(&db).filter(|a| a.entries().exists().or(a.entries().is_empty()));
    assert_eq!(all.clone().order_by(|a| a.id.asc()).load()?, rows.authors);
    assert_eq!(all.count()?, 4);
    Ok(())
}

fn the_other_end_is_joined_where_it_is_used(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    blog(&db)?;
    let counted = Author::objects(&db).values(|a| a.entries().count());
    assert_eq!(
        plain(&counted.sql()?),
        "SELECT (SELECT COUNT(*) FROM entry_authors AS authors__entry_links \
         WHERE (authors__entry_links.author_id = authors.id)) FROM authors"
    );
    let rated = Author::objects(&db).filter(|a| a.entries().any(|e| e.rating.eq(5))).values(|a| a.id);
    assert_eq!(
        plain(&rated.sql()?),
        "SELECT authors.id FROM authors WHERE (EXISTS (SELECT 1 FROM entry_authors AS authors__entry_links \
         INNER JOIN entries AS authors__entry_links__entry ON authors__entry_links__entry.id = authors__entry_links.entry_id \
         WHERE (authors__entry_links.author_id = authors.id) AND ((authors__entry_links__entry.rating = ?))))"
    );
    Ok(())
}
