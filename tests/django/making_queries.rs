//! "Making queries".

use orm_core::{
    dsl::{BoxedCondition, any_of, condition, not},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Author, Blog, Entry, EntryAuthor, NewBlog, blog, day, entry, ids, numbers, plain};

on_each_backend! {
    creating_objects, saving_changes_to_objects, saving_foreign_keys_and_many_to_many, retrieving_all_objects,
    retrieving_specific_objects_with_filters, chaining_filters, filtered_querysets_are_unique, querysets_are_lazy,
    retrieving_a_single_object, limiting_querysets, field_lookups, lookups_that_span_relationships,
    spanning_multi_valued_relationships, filters_can_reference_fields, the_pk_lookup, escaping_percent_signs,
    complex_lookups, comparing_objects, deleting_objects, copying_model_instances, updating_multiple_objects,
    related_objects_one_to_many, related_objects_many_to_many, related_objects_one_to_one,
}

fn creating_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let made = Blog::create(&db, NewBlog { name: "Stars'\\ \"%_".into(), tagline: "é".into() })?;
    assert_eq!(made.id, bed.number("SELECT MAX(id) FROM blogs"));
    assert_eq!(bed.texts("SELECT name FROM blogs WHERE tagline = 'é'"), [Some("Stars'\\ \"%_".to_owned())]);
    Ok(())
}

fn saving_changes_to_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let mut birds = Blog::objects(&db).filter(|b| b.name.eq("Birds")).get()?;
    birds.name = "Fowl".into();
    birds.save(&db)?;
    assert_eq!(numbers(bed, "SELECT id FROM blogs WHERE name = 'Fowl'"), [birds.id]);
    assert_eq!(bed.number("SELECT COUNT(*) FROM blogs"), 4);
    Ok(())
}

fn saving_foreign_keys_and_many_to_many(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let tea = Blog::objects(&db).filter(|b| b.name.eq("Tea_time")).get()?;
    let mut first = Entry::objects(&db).filter(|e| e.id.eq(1)).get()?;
    first.blog_id = tea.id;
    first.save_fields(&db, |e| e.blog_id)?;
    assert_eq!(bed.number("SELECT blog_id FROM entries WHERE id = 1"), tea.id);
    for author_id in [2, 3, 3] {
        EntryAuthor { entry_id: 1, author_id }.save(&db)?; // a second time changes nothing
    }
    assert_eq!(numbers(bed, "SELECT author_id FROM entry_authors WHERE entry_id = 1 ORDER BY author_id"), [1, 2, 3]);
    Ok(())
}

fn retrieving_all_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = Blog::objects(&db);
    assert_eq!(plain(&all.sql()?), "SELECT blogs.id, blogs.name, blogs.tagline FROM blogs");
    assert_eq!(all.load()?.len(), 4);
    Ok(())
}

fn retrieving_specific_objects_with_filters(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let of_2024 = Entry::objects(&db).filter(|e| e.pub_date.in_year(2024));
    let sql = "SELECT id FROM entries WHERE pub_date BETWEEN '2024-01-01' AND '2024-12-31' ORDER BY id";
    assert_eq!(ids(&of_2024)?, numbers(bed, sql));
    assert!(!plain(&of_2024.sql()?).contains("YEAR"), "an index can serve it: {of_2024:?}");
    Ok(())
}

fn chaining_filters(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let chained = Entry::objects(&db)
        .filter(|e| e.headline.starts_with("What"))
        .exclude(|e| e.pub_date.ge(day("2025-01-01")))
        .filter(|e| e.number_of_comments.gt(1));
    assert_eq!(ids(&chained)?, [2]);
    let sql = plain(&chained.values(|e| e.id).sql()?);
    assert_eq!((sql.matches("SELECT").count(), sql.matches("JOIN").count()), (1, 0), "{sql}");
    Ok(())
}

fn filtered_querysets_are_unique(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let what = Entry::objects(&db).filter(|e| e.headline.starts_with("What"));
    let early = what.clone().exclude(|e| e.pub_date.ge(day("2025-01-01")));
    let late = what.clone().filter(|e| e.pub_date.ge(day("2025-01-01")));
    assert_eq!((ids(&what)?, ids(&early)?, ids(&late)?), (vec![2, 6], vec![2], vec![6]));
    Ok(())
}

fn querysets_are_lazy(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let lazy =
        Entry::objects(&db).filter(|e| e.headline.starts_with("What")).exclude(|e| e.body_text.icontains("food"));
    assert!(lazy.count().is_err(), "there is no such table yet");
    let db = blog(bed)?;
    assert_eq!(ids(&lazy)?, [2, 6]);
    entry(7, 1, "What else", "2026-01-01").save(&db)?;
    assert_eq!(ids(&lazy)?, [2, 6, 7], "nothing is kept");
    Ok(())
}

fn retrieving_a_single_object(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    assert_eq!(Entry::objects(&db).filter(|e| e.id.eq(4)).get()?.headline, "Owls: a 100% guide");
    let none = Entry::objects(&db).filter(|e| e.id.eq(99)).get().expect_err("there is none");
    assert_eq!((none.kind(), none.model()), (ErrorKind::NotFound, Some("Entry")));
    assert_eq!(Entry::objects(&db).get().expect_err("there are six").kind(), ErrorKind::MultipleRows);
    Ok(())
}

fn limiting_querysets(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let keys = || Entry::objects(&db).order_by(|e| e.headline.asc()).values(|e| e.id);
    assert!(plain(&keys().limit(5).sql()?).ends_with("FROM entries ORDER BY entries.headline ASC LIMIT 5"));
    assert!(plain(&keys().offset(5).limit(5).sql()?).ends_with("LIMIT 5 OFFSET 5"));
    let by_id = Entry::objects(&db).order_by(|e| e.id.asc());
    assert_eq!(by_id.clone().limit(2).offset(3).values(|e| e.id).load()?, [4, 5]);
    assert_eq!(by_id.clone().limit(2).values(|e| e.id).load()?, [1, 2]);
    assert_eq!(by_id.offset(4).values(|e| e.id).load()?, [5, 6], "an offset alone");
    Ok(())
}

fn field_lookups(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = || Entry::objects(&db);
    assert_eq!(ids(&all().filter(|e| e.pub_date.le(day("2024-05-20"))))?, [1, 2, 3]);
    assert_eq!(ids(&all().filter(|e| e.blog_id.eq(2)))?, [3, 4, 5]);
    assert_eq!(ids(&all().filter(|e| e.headline.eq("Parsers")))?, [1]);
    assert_eq!(Blog::objects(&db).filter(|b| b.name.iexact("tEA_TIME")).count()?, 1);
    assert_eq!(ids(&all().filter(|e| e.headline.contains("owls")))?, [5], "case counts on every backend");
    assert_eq!(ids(&all().filter(|e| e.headline.icontains("owls")))?, [4, 5]);
    assert_eq!(ids(&all().filter(|e| e.headline.istarts_with("OWLS")))?, [4, 5]);
    assert_eq!(ids(&all().filter(|e| e.headline.ends_with("März")))?, [3]);
    Ok(())
}

fn lookups_that_span_relationships(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let of_birds = Entry::objects(&db).filter(|e| e.blog().name.eq("Birds"));
    assert_eq!(ids(&of_birds)?, [3, 4, 5]);
    assert_eq!(
        plain(&of_birds.values(|e| e.id).sql()?),
        "SELECT entries.id FROM entries INNER JOIN blogs AS entries__blog ON entries__blog.id = entries.blog_id \
         WHERE ((entries__blog.name = ?))"
    );
    // The key is in the row itself.
    let by_key = Entry::objects(&db).filter(|e| e.blog_id.eq(2)).values(|e| e.id);
    assert_eq!(plain(&by_key.sql()?), "SELECT entries.id FROM entries WHERE ((entries.blog_id = ?))");
    // Back: each blog once, however many of its entries are about owls.
    let of_owls = Blog::objects(&db).filter(|b| b.entries().any(|e| e.headline.icontains("owls")));
    assert_eq!(of_owls.values(|b| b.name).load()?, ["Birds"]);
    let by_noor = Blog::objects(&db).filter(|b| b.entries().any(|e| e.authors().any(|a| a.name.eq("Noor"))));
    let sql = "SELECT DISTINCT b.id FROM blogs b JOIN entries e ON e.blog_id = b.id \
               JOIN entry_authors l ON l.entry_id = e.id JOIN authors a ON a.id = l.author_id WHERE a.name = 'Noor' ORDER BY b.id";
    assert_eq!(by_noor.order_by(|b| b.id.asc()).values(|b| b.id).load()?, numbers(bed, sql));
    // No author, or one without an address.
    let without = Entry::objects(&db).filter(|e| e.authors().none(|a| a.email.is_not_null()));
    assert_eq!(ids(&without)?, [3, 5, 6]);
    Ok(())
}

fn spanning_multi_valued_relationships(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let names = |blogs: QuerySet<'_, Blog>| blogs.order_by(|b| b.id.asc()).values(|b| b.name).load();
    // One entry that is both: of 2024, and about parsers.
    let one = Blog::objects(&db)
        .filter(|b| b.entries().any(|e| e.headline.contains("Parsers").and(e.pub_date.in_year(2024))));
    assert_eq!(names(one)?, Vec::<String>::new());
    // One entry that is the one, and one, perhaps another, that is the other.
    let each = Blog::objects(&db)
        .filter(|b| b.entries().any(|e| e.headline.contains("Parsers")))
        .filter(|b| b.entries().any(|e| e.pub_date.in_year(2024)));
    assert_eq!(names(each)?, ["Compilers"]);
    // Without an entry that is both.
    let without =
        Blog::objects(&db).filter(|b| b.entries().none(|e| e.headline.contains("Owls").and(e.pub_date.in_year(2024))));
    assert_eq!(names(without)?, ["Compilers", "Tea_time", "Void"]);
    Ok(())
}

fn filters_can_reference_fields(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = || Entry::objects(&db);
    let more = all().filter(|e| e.number_of_comments.gt(e.number_of_pingbacks));
    assert_eq!(
        ids(&more)?,
        numbers(bed, "SELECT id FROM entries WHERE number_of_comments > number_of_pingbacks ORDER BY id")
    );
    let twice = all().filter(|e| e.number_of_comments.gt(e.number_of_pingbacks * 2));
    assert_eq!(ids(&twice)?, [1, 4, 6]);
    let rated = all().filter(|e| e.rating.lt((e.number_of_comments + e.number_of_pingbacks).nullable()));
    assert_eq!(
        ids(&rated)?,
        numbers(bed, "SELECT id FROM entries WHERE rating < number_of_comments + number_of_pingbacks ORDER BY id")
    );
    assert_eq!(all().filter(|e| e.authors().any(|a| a.name.eq(e.blog().name))).count()?, 0);
    let same_year = all().filter(|e| e.pub_date.year().eq(e.mod_time.year()));
    assert_eq!(same_year.count()?, 6);
    let later = all().filter(|e| e.mod_time.gt(e.mod_time.earlier(chrono::TimeDelta::days(3))));
    assert_eq!(later.count()?, 6);
    Ok(())
}

fn the_pk_lookup(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    assert_eq!(Blog::objects(&db).filter(|b| b.id.is_in([1, 4, 7])).count()?, 2);
    assert_eq!(Blog::objects(&db).filter(|b| b.id.gt(2)).count()?, 2);
    let mut found = Blog::objects(&db).in_bulk([2, 3, 9])?.into_iter().map(|(id, b)| (id, b.name)).collect::<Vec<_>>();
    found.sort_unstable();
    assert_eq!(found, [(2, "Birds".to_owned()), (3, "Tea_time".to_owned())]);
    Ok(())
}

fn escaping_percent_signs(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    assert_eq!(ids(&Entry::objects(&db).filter(|e| e.headline.contains("%")))?, [4]);
    assert_eq!(Blog::objects(&db).filter(|b| b.name.contains("_")).values(|b| b.name).load()?, ["Tea_time"]);
    assert_eq!(Blog::objects(&db).filter(|b| b.tagline.contains("o'c")).count()?, 1);
    Ok(())
}

fn complex_lookups(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let all = || Entry::objects(&db);
    let either = all().filter(|e| e.headline.starts_with("What").or(e.headline.starts_with("Owls")));
    assert_eq!(ids(&either)?, [2, 4, 6]);
    let or_not = all().filter(|e| e.headline.starts_with("What").or(not(e.pub_date.in_year(2024))));
    assert_eq!(ids(&or_not)?, [1, 2, 5, 6]);
    let of_days = all()
        .filter(|e| e.headline.starts_with("What"))
        .filter(|e| e.pub_date.eq(day("2024-05-20")).or(e.pub_date.eq(day("2024-05-21"))));
    assert_eq!(ids(&of_days)?, [2]);
    let built = all().filter(|e| {
        let conditions: Vec<BoxedCondition<'_, Entry>> = vec![
            condition(e.rating.is_null()),
            condition(e.number_of_comments.gt(10)),
            condition(e.headline.contains("ö")),
        ];
        any_of(conditions)
    });
    assert_eq!(ids(&built)?, [2, 3, 4, 6]);
    Ok(())
}

fn comparing_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let (one, again) =
        (Entry::objects(&db).filter(|e| e.id.eq(1)).get()?, Entry::objects(&db).order_by(|e| e.id.asc()).first()?);
    assert_eq!(Some(&one), again.as_ref());
    assert!(Entry::objects(&db).contains(&one)?);
    Ok(())
}

fn deleting_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let old = Entry::objects(&db).filter(|e| e.pub_date.in_year(2025));
    let refused = old.delete().expect_err("an entry has an author");
    assert_eq!(refused.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(EntryAuthor::objects(&db).filter(|l| l.entry().pub_date.in_year(2025)).delete()?, 1);
    assert_eq!(old.delete()?, 2);
    assert_eq!(numbers(bed, "SELECT id FROM entries ORDER BY id"), [1, 2, 3, 4]);
    let tea = Blog::objects(&db).filter(|b| b.name.eq("Tea_time")).get()?;
    assert!(tea.delete(&db)? && !tea.delete(&db)?);
    Ok(())
}

fn copying_model_instances(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let Blog { name, tagline, .. } = Blog::objects(&db).filter(|b| b.id.eq(2)).get()?;
    let copy = Blog::create(&db, NewBlog { name, tagline })?;
    assert_ne!(copy.id, 2);
    assert_eq!(bed.number("SELECT COUNT(*) FROM blogs WHERE name = 'Birds'"), 2);
    Ok(())
}

fn updating_multiple_objects(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let changed = Entry::objects(&db).filter(|e| e.pub_date.in_year(2024)).update(|e| e.headline.set("The same"))?;
    assert_eq!(changed, 3);
    assert_eq!(numbers(bed, "SELECT id FROM entries WHERE headline = 'The same' ORDER BY id"), [2, 3, 4]);
    assert_eq!(Entry::objects(&db).update(|e| e.number_of_pingbacks.set(e.number_of_pingbacks + 1))?, 6);
    assert_eq!(bed.number("SELECT SUM(number_of_pingbacks) FROM entries"), 23);
    let of_birds = Entry::objects(&db).filter(|e| e.blog().name.eq("Birds"));
    assert_eq!(of_birds.update(|e| e.blog_id.set(4))?, 3);
    assert_eq!(bed.number("SELECT COUNT(*) FROM entries WHERE blog_id = 4"), 3);
    Ok(())
}

fn related_objects_one_to_many(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let rows = Entry::objects(&db).filter(|e| e.id.gt(4)).order_by(|e| e.id.asc()).select_related(|e| e.blog());
    let names: Vec<(i64, String)> = rows.load()?.into_iter().map(|(e, b)| (e.id, b.name)).collect();
    assert_eq!(names, [(5, "Birds".to_owned()), (6, "Tea_time".to_owned())]);
    assert_eq!(plain(&rows.sql()?).matches("JOIN").count(), 1);
    let birds = Blog::objects(&db).filter(|b| b.name.eq("Birds")).get()?;
    let of_birds = Entry::objects(&db).filter(|e| e.blog_id.eq(birds.id).and(e.headline.contains("Owls")));
    assert_eq!(ids(&of_birds)?, [4]);
    Ok(())
}

fn related_objects_many_to_many(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let authors = Author::objects(&db).filter(|a| a.entries().any(|e| e.id.eq(4))).order_by(|a| a.id.asc());
    assert_eq!(
        authors.values(|a| a.id).load()?,
        numbers(bed, "SELECT author_id FROM entry_authors WHERE entry_id = 4 ORDER BY author_id")
    );
    let of_noor = Entry::objects(&db).filter(|e| e.authors().any(|a| a.name.contains("oo")));
    assert_eq!(ids(&of_noor)?, [2, 4, 5]);
    Ok(())
}

fn related_objects_one_to_one(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let rows =
        Entry::objects(&db).filter(|e| e.id.between(3, 4)).order_by(|e| e.id.asc()).select_related(|e| e.detail());
    let details: Vec<_> = rows.load()?.into_iter().map(|(e, detail)| (e.id, detail.map(|d| d.details))).collect();
    assert_eq!(details, [(3, None), (4, Some("long".to_owned()))]);
    assert_eq!(ids(&Entry::objects(&db).filter(|e| e.detail().details.eq("long")))?, [4]);
    assert_eq!(ids(&Entry::objects(&db).filter(|e| e.detail().entry_id.is_null()))?, [1, 2, 3, 5, 6]);
    Ok(())
}
