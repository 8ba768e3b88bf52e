//! How many statements are sent: one for each terminal. Seen by Diesel's instrumentation of the connection, which is the
//! program's own.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::{
    Connection, SqliteConnection,
    connection::InstrumentationEvent,
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
};
use orm_core::{
    dsl::{count_star, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult};

use crate::models::{self, Blog, Entry, NewBlog, entry};

#[derive(Clone, Debug, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Sent {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let sent = self.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                sent.0.lock().unwrap_or_else(PoisonError::into_inner).push(query.to_string());
            }
        });
        Ok(())
    }
}

impl Sent {
    /// What was sent since the last call, but for what begins and ends transactions.
    fn take(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let of_transactions = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"];
        sent.into_iter().filter(|sql| !of_transactions.iter().any(|word| sql.starts_with(word))).collect()
    }
}

fn watched(bed: &Bed) -> Result<(Database<Sqlite>, Sent), Box<dyn std::error::Error>> {
    let path = bed.url().strip_prefix("sqlite://").and_then(|path| path.split('?').next()).ok_or("no path")?.to_owned();
    let sent = Sent::default();
    let pool = Pool::builder()
        .max_size(2)
        .connection_customizer(Box::new(sent.clone()))
        .build(ConnectionManager::<SqliteConnection>::new(path))?;
    Ok((Database::from(pool), sent))
}

#[test]
fn one_for_each_terminal() -> TestResult {
    let bed = Bed::sqlite();
    models::blog(&bed)?;
    let (db, sent) = watched(&bed)?;
    // In a transaction: what a pool asks of a connection that it hands out is asked once.
    db.transaction(|tx| terminals(tx, &sent))?;
    Ok(())
}

fn terminals(tx: &Transaction<Sqlite>, sent: &Sent) -> orm_core::Result<()> {
    Entry::objects(tx).count()?;
    sent.take();
    let one = |what: &str| {
        let statements = sent.take();
        assert_eq!(statements.len(), 1, "{what}: {statements:?}");
    };
    let all = Entry::objects(tx).order_by(|e| e.id.asc());
    let first = all.first()?.expect("there are six");
    one("first");
    all.load()?;
    one("load");
    all.last()?;
    one("last");
    all.clone().filter(|e| e.id.eq(1)).get()?;
    one("get");
    all.clone().filter(|e| e.id.eq(99)).get_or_none()?;
    one("get_or_none");
    all.latest(|e| e.pub_date)?;
    one("latest");
    all.count()?;
    one("count");
    all.exists()?;
    one("exists");
    all.contains(&first)?;
    one("contains");
    all.in_bulk([1, 2, 3])?;
    one("in_bulk");
    all.aggregate(|e| (count_star(), sum(e.rating)))?;
    one("aggregate");
    all.clone().select_related(|e| (e.blog(), e.detail())).load()?;
    one("select_related");
    all.clone().annotate(|e| (e.authors().count(), e.blog().name)).load()?;
    one("annotate");
    all.clone().group_by(|e| e.blog().name).aggregate(|_| count_star()).load()?;
    one("group_by");
    all.clone().union([Entry::objects(tx).filter(|e| e.id.gt(3))]).load()?;
    one("union");
    all.clone().filter(|e| e.blog_id.is_in(Blog::objects(tx).filter(|b| b.id.gt(1)).values(|b| b.id))).load()?;
    one("in another queryset");
    all.filter(|e| e.blog().name.eq("Birds")).update(|e| e.rating.set(1))?;
    one("update");
    Entry::objects(tx).order_by(|e| e.id.desc()).limit(1).delete()?;
    one("delete");
    Ok(())
}

#[test]
fn one_for_each_row_that_is_written() -> TestResult {
    let bed = Bed::sqlite();
    models::blog(&bed)?;
    let (db, sent) = watched(&bed)?;
    db.transaction(|tx| writes(tx, &sent))?;
    Ok(())
}

fn writes(tx: &Transaction<Sqlite>, sent: &Sent) -> orm_core::Result<()> {
    Entry::objects(tx).count()?;
    sent.take();
    let one = |what: &str| {
        let statements = sent.take();
        assert_eq!(statements.len(), 1, "{what}: {statements:?}");
    };
    let blog = Blog::create(tx, NewBlog { name: "New".into(), tagline: String::new() })?;
    one("create");
    Entry::bulk_create(tx, (20..60).map(|id| entry(id, blog.id, "Draft", "2026-01-01")))?;
    one("bulk_create");
    let mut draft = entry(20, blog.id, "Changed", "2026-01-01");
    draft.save(tx)?;
    one("save of a row that is there");
    draft.save_fields(tx, |e| e.headline)?;
    one("save_fields");
    draft.refresh(tx)?;
    one("refresh");
    Entry::bulk_update(tx, (20..60).map(|id| entry(id, blog.id, "Final", "2026-01-01")), |e| e.headline)?;
    one("bulk_update");
    draft.delete(tx)?;
    one("delete");
    Blog::objects(tx)
        .filter(|b| b.name.eq("New"))
        .get_or_create(|| NewBlog { name: "New".into(), tagline: String::new() })?;
    one("get_or_create of a row that is there");
    Ok(())
}

/// Nothing is joined, ordered or looked up that the answer does not need.
#[test]
fn the_least_that_answers() -> TestResult {
    let bed = Bed::sqlite();
    models::blog(&bed)?;
    let (db, sent) = watched(&bed)?;
    db.transaction(|tx| least(tx, &sent))?;
    Ok(())
}

fn least(tx: &Transaction<Sqlite>, sent: &Sent) -> orm_core::Result<()> {
    Entry::objects(tx).count()?;
    sent.take();
    let lacks = |words: &[&str]| {
        let sql = sent.take().join("; ");
        assert!(!sql.is_empty() && !words.iter().any(|word| sql.contains(word)), "{sql}");
    };
    let rows = Entry::objects(tx).select_related(|e| e.detail()).order_by(|e| e.headline.asc());
    rows.count()?;
    lacks(&["JOIN", "ORDER BY", "headline"]);
    rows.exists()?;
    lacks(&["JOIN", "ORDER BY", "headline"]);
    rows.aggregate(|_| count_star())?;
    lacks(&["JOIN", "ORDER BY", "headline"]);
    Entry::objects(tx).annotate(|e| (e.detail().details, e.authors().count())).count()?;
    lacks(&["JOIN", "author"]);
    Entry::objects(tx).filter(|e| e.blog_id.eq(2)).order_by(|e| e.blog().name.asc()).update(|e| e.rating.set(2))?;
    lacks(&["ORDER BY"]);
    Entry::objects(tx).filter(|e| e.id.gt(1)).update(|e| e.rating.set(2))?;
    lacks(&["JOIN", "SELECT"]);
    // One way, used in a condition, an order and a value, is one join.
    let sql = Entry::objects(tx)
        .filter(|e| e.blog().name.ne("x"))
        .order_by(|e| e.blog().tagline.asc())
        .values(|e| (e.id, e.blog().name))
        .sql()?;
    assert_eq!(sql.matches("JOIN").count(), 1, "{sql}");
    Ok(())
}
