//! "QuerySet API": each of its methods, and the statement that it becomes.

use std::collections::HashSet;

use orm_core::{BackendKind, dsl::count_star, field::Unit, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Author, Blog, Entry, NewBlog, Order, blog, day, entry, ids, instant, numbers, plain, shop};

on_each_backend! {
    filter_and_exclude, annotate, order_by_and_reverse, distinct, values, dates_and_datetimes, none, set_operations,
    select_related, only, select_for_update, raw, and_or_xor, get_or_create, update_or_create, bulk_create, bulk_update,
    count_and_exists, iterator, latest_and_earliest, first_and_last, contains, update_and_delete, in_other_querysets, explain,
}

/// The statement of a queryset of entries, from `FROM` on.
fn behind_from(entries: QuerySet<'_, Entry>) -> orm_core::Result<String> {
    let sql = plain(&entries.values(|e| e.id).sql()?);
    Ok(sql.trim_start_matches("SELECT entries.id FROM entries").trim_start().to_owned())
}

fn filter_and_exclude(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = || Entry::objects(&db);
    assert_eq!(
        behind_from(all().filter(|e| e.pub_date.gt(day("2024-01-03")).and(e.headline.eq("Parsers"))))?,
        "WHERE (((entries.pub_date > ?) AND (entries.headline = ?)))"
    );
    let both = all().exclude(|e| e.pub_date.gt(day("2024-06-01")).and(e.rating.gt(2)));
    assert_eq!(ids(&both)?, [1, 2, 3, 4, 6], "what is NULL is not excluded");
    let each = all().exclude(|e| e.pub_date.gt(day("2024-06-01"))).exclude(|e| e.rating.gt(3));
    assert_eq!(ids(&each)?, [2, 3]);
    // What is excluded and what is kept make the whole.
    let (kept, left) = (ids(&all().filter(|e| e.rating.gt(3)))?, ids(&all().exclude(|e| e.rating.gt(3)))?);
    assert_eq!(kept.iter().chain(&left).collect::<HashSet<_>>().len(), 6);
    assert_eq!(kept.len() + left.len(), 6);
    Ok(())
}

fn annotate(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let (blog, entries) =
        Blog::objects(&db).order_by(|b| b.id.asc()).annotate(|b| b.entries().count()).first()?.expect("there are four");
    assert_eq!((blog.name.as_str(), entries), ("Compilers", 2));
    let computed = Entry::objects(&db)
        .filter(|e| e.id.eq(4))
        .annotate(|e| (e.number_of_comments - e.number_of_pingbacks, e.blog().name));
    assert_eq!(computed.get()?.1, (11, "Birds".to_owned()));
    assert_eq!(plain(&computed.sql()?).matches("JOIN").count(), 1);
    Ok(())
}

fn order_by_and_reverse(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let ordered = Entry::objects(&db).order_by(|e| (e.pub_date.year().desc(), e.headline.length().asc(), e.id.asc()));
    let sql = bed.pick(Pick {
        postgres: "SELECT id FROM entries ORDER BY EXTRACT(YEAR FROM pub_date) DESC, CHAR_LENGTH(headline), id",
        mysql: "SELECT id FROM entries ORDER BY YEAR(pub_date) DESC, CHAR_LENGTH(headline), id",
        sqlite: "SELECT id FROM entries ORDER BY STRFTIME('%Y', pub_date) DESC, LENGTH(headline), id",
    });
    let expected = numbers(bed, sql);
    assert_eq!(ordered.clone().values(|e| e.id).load()?, expected);
    assert_eq!(ordered.reverse().values(|e| e.id).load()?, expected.into_iter().rev().collect::<Vec<_>>());
    let by_blog = Entry::objects(&db).order_by(|e| (e.blog().name.asc(), e.id.desc()));
    assert_eq!(by_blog.clone().values(|e| e.id).load()?, [5, 4, 3, 2, 1, 6]);
    assert_eq!(
        behind_from(by_blog.clone())?,
        "INNER JOIN blogs AS entries__blog ON entries__blog.id = entries.blog_id ORDER BY entries__blog.name ASC, entries.id DESC"
    );
    assert_eq!(by_blog.order_by(|e| e.id.asc()).values(|e| e.id).first()?, Some(1), "the last order counts");
    let ratings = Entry::objects(&db).order_by(|e| (e.rating.asc().nulls_last(), e.id.asc())).values(|e| e.id);
    assert_eq!(ratings.load()?, [3, 5, 1, 4, 2, 6]);
    Ok(())
}

fn distinct(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let blogs = Entry::objects(&db).values(|e| e.blog_id).distinct();
    assert_eq!(plain(&blogs.sql()?), "SELECT DISTINCT entries.blog_id FROM entries");
    assert_eq!((blogs.count()?, blogs.order_by(|e| e.blog_id.asc()).load()?), (3, vec![1, 2, 3]));
    let newest = Entry::objects(&db).distinct_on(|e| e.blog_id).order_by(|e| (e.blog_id.asc(), e.pub_date.desc()));
    match newest.load() {
        Ok(rows) => assert_eq!(rows.into_iter().map(|e| e.id).collect::<Vec<_>>(), [2, 5, 6]),
        Err(error) => {
            assert_ne!(bed.backend(), BackendKind::Postgres);
            assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        }
    }
    Ok(())
}

fn values(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let pairs: Vec<(i64, String)> =
        Blog::objects(&db).order_by(|b| b.id.asc()).values(|b| (b.id, b.name.lower())).limit(2).load()?;
    assert_eq!(pairs, [(1, "compilers".to_owned()), (2, "birds".to_owned())]);
    let flat: Vec<i64> = Blog::objects(&db).order_by(|b| b.id.asc()).values(|b| b.id).load()?;
    assert_eq!(flat, [1, 2, 3, 4]);
    let across =
        Entry::objects(&db).order_by(|e| e.id.asc()).values(|e| (e.blog().name, e.detail().details)).offset(3).limit(2);
    assert_eq!(across.load()?, [("Birds".to_owned(), Some("long".to_owned())), ("Birds".to_owned(), None)]);
    Ok(())
}

fn dates_and_datetimes(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let of = |unit| {
        Entry::objects(&db)
            .values(move |e| e.pub_date.trunc(unit))
            .distinct()
            .order_by(move |e| e.pub_date.trunc(unit).asc())
    };
    assert_eq!(of(Unit::Year).load()?, ["2023-01-01", "2024-01-01", "2025-01-01"].map(day));
    let months = ["2023-01-01", "2024-03-01", "2024-05-01", "2025-02-01", "2025-12-01"].map(day);
    assert_eq!(of(Unit::Month).load()?, months);
    assert_eq!(of(Unit::Month).reverse().load()?, months.into_iter().rev().collect::<Vec<_>>());
    let db = shop(bed)?;
    let days = Order::objects(&db)
        .values(|o| o.placed_at.trunc(Unit::Day))
        .distinct()
        .order_by(|o| o.placed_at.trunc(Unit::Day).asc());
    let midnight = |text: &str| instant(&format!("{text}T00:00:00Z"));
    assert_eq!(days.load()?, ["2025-01-03", "2025-02-14", "2025-02-15", "2025-07-01"].map(midnight));
    Ok(())
}

fn none(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let none = Entry::objects(&db).none();
    assert_eq!((none.count()?, none.exists()?, none.first()?), (0, false, None));
    assert!(none.filter(|e| e.id.eq(1)).load()?.is_empty());
    Ok(())
}

fn set_operations(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let (of_2024, what) = (
        || Entry::objects(&db).filter(|e| e.pub_date.in_year(2024)),
        || Entry::objects(&db).filter(|e| e.headline.starts_with("What")),
    );
    assert_eq!(ids(&of_2024().union([what()]))?, [2, 3, 4, 6]);
    assert_eq!(ids(&of_2024().union_all([what()]))?, [2, 2, 3, 4, 6]);
    assert_eq!(ids(&of_2024().intersection([what()]))?, [2]);
    assert_eq!(ids(&of_2024().difference([what()]))?, [3, 4]);
    // Of values of different models.
    let names = Author::objects(&db).values(|a| a.name).union([Author::objects(&db).values(|a| a.name.left(1))]);
    assert_eq!(names.order_by(|name| name.asc()).limit(2).load()?, ["M", "Mia"]);
    Ok(())
}

fn select_related(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let rows = Entry::objects(&db).filter(|e| e.pub_date.gt(day("2025-01-01"))).order_by(|e| e.id.asc());
    let rows = rows.select_related(|e| (e.blog(), e.detail()));
    let shown: Vec<_> = rows.load()?.into_iter().map(|(e, b, d)| (e.id, b.name, d.is_some())).collect();
    assert_eq!(shown, [(5, "Birds".to_owned(), false), (6, "Tea_time".to_owned(), false)]);
    let sql = plain(&rows.sql()?);
    assert!(
        sql.contains("INNER JOIN blogs AS entries__blog") && sql.contains("LEFT JOIN entry_details AS entries__detail"),
        "{sql}"
    );
    // A condition on what is joined already joins nothing more.
    let again = plain(&rows.filter(|e| e.blog().name.eq("Birds")).sql()?);
    assert_eq!(again.matches("JOIN").count(), 2, "{again}");
    Ok(())
}

#[derive(PartialModel, Debug, PartialEq)]
#[model(of = Entry)]
struct Headline {
    headline: String,
    #[model(path = blog.name)]
    blog: String,
}

fn only(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let lines = Entry::objects(&db).filter(|e| e.id.eq(3)).only::<Headline>();
    assert_eq!(lines.get()?, Headline { headline: "Vögel im März".into(), blog: "Birds".into() });
    assert!(
        plain(&lines.sql()?).starts_with("SELECT entries.headline, entries__blog.name FROM entries INNER JOIN"),
        "{lines:?}"
    );
    Ok(())
}

fn select_for_update(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let locked = db.transaction(|tx| Entry::objects(tx).filter(|e| e.id.eq(1)).for_update().nowait().load());
    if bed.backend() == BackendKind::Sqlite {
        assert_eq!(locked.expect_err("it locks no rows").kind(), ErrorKind::InvalidQuery);
    } else {
        assert_eq!(locked?.len(), 1);
    }
    let outside = Entry::objects(&db).for_update().load().expect_err("there is no transaction");
    assert_eq!(outside.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

fn raw(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let sql = "SELECT id, name, tagline FROM blogs WHERE name LIKE ? ORDER BY id DESC";
    let found = Blog::raw(&db, sql).bind("%i%").load()?;
    assert_eq!(found.into_iter().map(|b| b.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(
        db.raw_values::<(i64, String)>("SELECT id, name FROM blogs WHERE id = ?").bind(2_i64).get()?,
        (2, "Birds".to_owned())
    );
    Ok(())
}

fn and_or_xor(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = || Entry::objects(&db);
    assert_eq!(ids(&all().filter(|e| e.number_of_comments.gt(4)).filter(|e| e.number_of_pingbacks.gt(2)))?, [1, 5]);
    assert_eq!(ids(&all().filter(|e| e.number_of_comments.gt(4).or(e.number_of_pingbacks.gt(2))))?, [1, 3, 4, 5]);
    let xor = all().filter(|e| {
        let (a, b) = (e.number_of_comments.gt(4), e.number_of_pingbacks.gt(2));
        a.and(orm_core::dsl::not(b)).or(b.and(orm_core::dsl::not(a)))
    });
    assert_eq!(ids(&xor)?, [3, 4]);
    Ok(())
}

fn get_or_create(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let named = Blog::objects(&db).filter(|b| b.name.eq("Rivers"));
    let new = || NewBlog { name: "Rivers".into(), tagline: "Along them".into() };
    let (made, is_new) = named.get_or_create(new)?;
    let (found, again) = named.get_or_create(new)?;
    assert_eq!((is_new, again, found), (true, false, made));
    assert_eq!(bed.number("SELECT COUNT(*) FROM blogs WHERE name = 'Rivers'"), 1);
    Ok(())
}

fn update_or_create(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let author = |id| Author::objects(&db).filter(move |a| a.id.eq(id));
    let new = |id| Author { id, name: "Pia".into(), email: None };
    let (changed, is_new) = author(2).update_or_create(|a| a.email.set("noor@example.org"), || new(2))?;
    assert_eq!((changed.name.as_str(), changed.email.as_deref(), is_new), ("Noor", Some("noor@example.org"), false));
    let (made, is_new) = author(9).update_or_create(|a| a.email.set("x"), || new(9))?;
    assert_eq!((made, is_new), (new(9), true));
    Ok(())
}

fn bulk_create(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let drafts = || (100..1100).map(|id| entry(id, 4, "Draft", "2026-01-01"));
    assert_eq!(Entry::bulk_create(&db, drafts())?, 1000);
    assert_eq!(bed.number("SELECT COUNT(*) FROM entries WHERE blog_id = 4"), 1000);
    assert_eq!(Entry::bulk_create(&db, drafts()).expect_err("they are there").kind(), ErrorKind::UniqueViolation);
    assert_eq!(Entry::insert_into(&db).ignore_conflicts().bulk_create(drafts())?, 0);
    let changed = drafts().map(|e| Entry { headline: format!("Draft {}", e.id), ..e });
    Entry::insert_into(&db).update_conflicts(|e| e.id, |e| e.headline).bulk_create(changed)?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM entries WHERE headline = 'Draft 777' AND id = 777"), 1);
    Ok(())
}

fn bulk_update(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let mut entries = Entry::objects(&db).load()?;
    for entry in &mut entries {
        entry.rating = entry.rating.map(|rating| rating * 10);
        entry.headline.push('!');
    }
    assert_eq!(Entry::bulk_update(&db, &entries, |e| e.rating)?, 6);
    assert_eq!(bed.number("SELECT SUM(rating) FROM entries"), 150);
    assert_eq!(bed.number("SELECT COUNT(*) FROM entries WHERE headline LIKE '%!'"), 0, "only what was named");
    Ok(())
}

fn count_and_exists(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let what = Entry::objects(&db).filter(|e| e.headline.contains("What"));
    assert_eq!(what.count()?, u64::try_from(bed.number("SELECT COUNT(*) FROM entries WHERE headline LIKE '%What%'"))?);
    assert!(what.exists()? && !what.clone().filter(|e| e.id.gt(6)).exists()?);
    // What is joined only to be read is not joined to be counted.
    assert_eq!(Entry::objects(&db).select_related(|e| (e.blog(), e.detail())).count()?, 6);
    Ok(())
}

fn iterator(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let read: Vec<i64> = Entry::objects(&db).order_by(|e| e.id.asc()).iterator(2)?.map(|e| e.id).collect();
    assert_eq!(read, numbers(bed, "SELECT id FROM entries ORDER BY id"));
    Ok(())
}

fn latest_and_earliest(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    assert_eq!(Entry::objects(&db).latest(|e| e.pub_date)?.map(|e| e.id), Some(6));
    assert_eq!(Entry::objects(&db).earliest(|e| (e.pub_date.year(), e.headline))?.map(|e| e.id), Some(1));
    assert_eq!(Entry::objects(&db).none().latest(|e| e.pub_date)?, None);
    Ok(())
}

fn first_and_last(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let by_title = Entry::objects(&db).filter(|e| e.blog_id.eq(1)).order_by(|e| (e.headline.asc(), e.pub_date.asc()));
    assert_eq!((by_title.first()?.map(|e| e.id), by_title.last()?.map(|e| e.id)), (Some(1), Some(2)));
    assert_eq!(Entry::objects(&db).last()?.map(|e| e.id), Some(6), "without an order, by the key");
    Ok(())
}

fn contains(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let some = Entry::objects(&db).filter(|e| e.blog().name.eq("Birds"));
    let (inside, outside) = (entry(3, 2, "whatever", "2020-01-01"), entry(1, 1, "Parsers", "2023-01-09"));
    assert!(some.contains(&inside)?, "it is the key that counts");
    assert!(!some.contains(&outside)?);
    Ok(())
}

fn update_and_delete(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let closed = Entry::objects(&db)
        .filter(|e| e.pub_date.year().eq(2023))
        .update(|e| (e.number_of_comments.set(0), e.rating.set(None)))?;
    assert_eq!((closed, bed.number("SELECT COUNT(*) FROM entries WHERE rating IS NULL")), (1, 3));
    let two = Entry::objects(&db).order_by(|e| e.pub_date.desc()).limit(2);
    assert_eq!(two.update(|e| e.body_text.set("new"))?, 2);
    assert_eq!(numbers(bed, "SELECT id FROM entries WHERE body_text = 'new' ORDER BY id"), [5, 6]);
    assert_eq!(Entry::objects(&db).filter(|e| e.authors().is_empty().and(e.blog().name.eq("Birds"))).delete()?, 1);
    assert_eq!(numbers(bed, "SELECT id FROM entries ORDER BY id"), [1, 2, 4, 5, 6]);
    Ok(())
}

/// `__in` of a queryset: a subquery, with its limit, and nothing that is read.
fn in_other_querysets(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let inner = Blog::objects(&db).filter(|b| b.name.contains("e")).values(|b| b.id);
    let entries = Entry::objects(&db).filter(|e| e.blog_id.is_in(inner));
    assert_eq!(
        behind_from(entries.clone())?,
        bed.pick(Pick {
            postgres: "WHERE ((entries.blog_id IN (SELECT blogs.id FROM blogs WHERE ((blogs.name LIKE ? ESCAPE '!')))))",
            mysql: "WHERE ((entries.blog_id IN (SELECT blogs.id FROM blogs WHERE ((blogs.name LIKE ? COLLATE utf8mb4_bin ESCAPE '!')))))",
            sqlite: "WHERE ((entries.blog_id IN (SELECT blogs.id FROM blogs WHERE ((blogs.name GLOB ?)))))",
        })
    );
    assert_eq!(ids(&entries)?, numbers(bed, "SELECT id FROM entries WHERE blog_id IN (1, 3) ORDER BY id"));
    let first_two = Blog::objects(&db).order_by(|b| b.id.asc()).limit(2).values(|b| b.id);
    assert_eq!(Entry::objects(&db).filter(|e| e.blog_id.is_in(first_two)).aggregate(|_| count_star())?, 5);
    Ok(())
}

fn explain(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let plan = Entry::objects(&db).filter(|e| e.id.eq(1)).explain()?;
    let key = bed.pick(Pick { postgres: "entries", mysql: "PRIMARY", sqlite: "SEARCH entries" });
    assert!(plan.contains(key), "{plan}");
    Ok(())
}
