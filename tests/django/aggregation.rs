//! "Aggregation".

use bigdecimal::BigDecimal;
use orm_core::{
    dsl::{avg, coalesce, count, count_star, max, min, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Author, Blog, Customer, Entry, Item, Order, Product, blog, decimal, numbers, plain, shop};

on_each_backend! {
    aggregates_over_a_queryset, aggregates_for_each_item, combining_multiple_aggregations, joins_and_aggregates,
    following_relationships_backwards, aggregates_and_filters, filtering_on_annotations, conditional_aggregates,
    order_by_annotations, values_and_groups, aggregating_annotations, empty_querysets_or_groups,
}

fn aggregates_over_a_queryset(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    assert_eq!(Product::objects(&db).count()?, 4);
    let (average, greatest, least) = Product::objects(&db).aggregate(|p| (avg(p.price), max(p.price), min(p.price)))?;
    assert_eq!((average, greatest, least), (Some(decimal("76.035")), Some(decimal("249.99")), Some(decimal("4.25"))));
    let spread: Option<BigDecimal> = Product::objects(&db).aggregate(|p| max(p.price) - min(p.price))?;
    assert_eq!(spread, Some(decimal("245.74")));
    assert_eq!(Item::objects(&db).aggregate(|i| sum(i.quantity))?, Some(bed.number("SELECT SUM(quantity) FROM items")));
    Ok(())
}

fn aggregates_for_each_item(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let rows = Blog::objects(&db).order_by(|b| b.id.asc()).annotate(|b| b.entries().count());
    let counts: Vec<i64> = rows.load()?.into_iter().map(|(_, count)| count).collect();
    let sql = "SELECT COUNT(e.id) FROM blogs b LEFT JOIN entries e ON e.blog_id = b.id GROUP BY b.id ORDER BY b.id";
    assert_eq!(counts, numbers(bed, sql));
    assert_eq!(
        plain(&rows.sql()?),
        "SELECT blogs.id, blogs.name, blogs.tagline, (SELECT COUNT(*) FROM entries AS blogs__entries \
         WHERE (blogs__entries.blog_id = blogs.id)) FROM blogs ORDER BY blogs.id ASC"
    );
    Ok(())
}

/// Two counts of what is related in two ways: joins would multiply the one with the other.
fn combining_multiple_aggregations(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let both = Author::objects(&db).order_by(|a| a.id.asc()).values(|a| {
        (a.entries().count(), a.entries().sum(|e| e.number_of_comments), a.entries().count_distinct(|e| e.blog_id))
    });
    assert_eq!(both.load()?, [(2, Some(10), 1), (3, Some(19), 2), (1, Some(12), 1)]);
    let db = shop(bed)?;
    let both = Product::objects(&db)
        .order_by(|p| p.id.asc())
        .values(|p| (p.items().count(), p.orders().count_distinct(|o| o.customer_id)));
    assert_eq!(both.load()?, [(2, 2), (3, 2), (1, 1), (0, 0)]);
    Ok(())
}

fn joins_and_aggregates(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let prices = Order::objects(&db)
        .order_by(|o| o.id.asc())
        .values(|o| (o.items().min(|i| i.product().price), o.items().max(|i| i.product().price)));
    let price = |text: &str| Some(decimal(text));
    assert_eq!(
        prices.load()?,
        [
            (price("4.25"), price("39.90")),
            (price("4.25"), price("4.25")),
            (price("10"), price("10")),
            (price("4.25"), price("39.90"))
        ]
    );
    // Over all: one statement with one join.
    let of_joined = Item::objects(&db).aggregate(|i| (min(i.product().price), count(i.order().shipped_at)))?;
    assert_eq!(of_joined, (price("4.25"), 5));
    Ok(())
}

fn following_relationships_backwards(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let bought = Customer::objects(&db).order_by(|c| c.id.asc()).values(|c| {
        (c.orders().count(), c.orders().max(|o| o.placed_at.date()), c.orders().any(|o| o.shipped_at.is_null()))
    });
    let date = |text: &str| Some(crate::models::day(text));
    assert_eq!(
        bought.load()?,
        [
            (2, date("2025-02-14"), false),
            (1, date("2025-02-15"), true),
            (1, date("2025-07-01"), false),
            (0, None, false)
        ]
    );
    Ok(())
}

fn aggregates_and_filters(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let early =
        Entry::objects(&db).filter(|e| e.headline.starts_with("What")).aggregate(|e| avg(e.number_of_comments))?;
    assert_eq!(early, Some(1.5));
    let of_blogs = Blog::objects(&db)
        .filter(|b| b.name.starts_with("B"))
        .values(|b| b.entries().filter(|e| e.rating.gt(3)).count());
    assert_eq!(of_blogs.load()?, [1]);
    Ok(())
}

fn filtering_on_annotations(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let busy = Blog::objects(&db).filter(|b| b.entries().count().gt(1)).order_by(|b| b.id.asc());
    let sql = "SELECT blog_id FROM entries GROUP BY blog_id HAVING COUNT(*) > 1 ORDER BY blog_id";
    assert_eq!(busy.values(|b| b.id).load()?, numbers(bed, sql));
    // Which of the two stands first matters in Django; here a condition on related rows stands where it counts.
    let of_rated = Blog::objects(&db).filter(|b| b.entries().filter(|e| e.rating.is_not_null()).count().gt(1));
    assert_eq!(of_rated.values(|b| b.name).load()?, ["Birds"]);
    Ok(())
}

fn conditional_aggregates(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let (good, poor, of_2024) = Entry::objects(&db).aggregate(|e| {
        (
            count_star().filter(e.rating.gt(3)),
            count_star().filter(e.rating.le(3)),
            sum(e.number_of_comments).filter(e.pub_date.in_year(2024)),
        )
    })?;
    assert_eq!((good, poor, of_2024), (2, 2, Some(14)));
    Ok(())
}

fn order_by_annotations(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let blogs = Blog::objects(&db).order_by(|b| (b.entries().count().desc(), b.id.asc())).values(|b| b.name);
    assert_eq!(blogs.load()?, ["Birds", "Compilers", "Tea_time", "Void"]);
    Ok(())
}

fn values_and_groups(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let by_blog = Entry::objects(&db)
        .group_by(|e| e.blog_id)
        .aggregate(|e| (count_star(), avg(e.rating)))
        .order_by(|blog, _| blog.asc());
    assert_eq!(by_blog.load()?.into_iter().map(|(b, (n, _))| (b, n)).collect::<Vec<_>>(), [(1, 2), (2, 3), (3, 1)]);
    assert_eq!(
        bed.texts("SELECT COUNT(*) FROM entries GROUP BY blog_id ORDER BY blog_id").len(),
        usize::try_from(by_blog.count()?)?
    );
    // By what the group's rows refer to: one join.
    let by_name = Entry::objects(&db)
        .filter(|e| e.number_of_comments.gt(0))
        .group_by(|e| e.blog().name)
        .aggregate(|e| sum(e.number_of_comments))
        .having(|_, comments| comments.gt(1))
        .order_by(|_, comments| comments.desc());
    assert_eq!(by_name.load()?, [("Birds".to_owned(), Some(17)), ("Compilers".to_owned(), Some(10))]);
    let sql = plain(&by_name.sql()?);
    assert_eq!((sql.matches("SELECT").count(), sql.matches("JOIN").count()), (1, 1), "{sql}");
    let by_month = Entry::objects(&db)
        .group_by(|e| (e.pub_date.year(), e.pub_date.month()))
        .aggregate(|_| count_star())
        .having(|_, n| n.gt(1))
        .load()?;
    assert_eq!(by_month, [((2024, 5), 2)]);
    Ok(())
}

/// An aggregate of aggregates: Django's subquery of an annotated queryset.
fn aggregating_annotations(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let greatest =
        Blog::objects(&db).values(|b| b.entries().count()).order_by(|b| b.entries().count().desc()).first()?;
    assert_eq!(greatest, Some(3));
    let counts = Entry::objects(&db).group_by(|e| e.blog_id).aggregate(|_| count_star());
    assert_eq!(counts.order_by(|_, n| n.desc()).first()?, Some((2, 3)));
    Ok(())
}

fn empty_querysets_or_groups(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let none = Entry::objects(&db).filter(|e| e.id.lt(0));
    assert_eq!(
        none.aggregate(|e| (count_star(), sum(e.rating), avg(e.rating), max(e.headline)))?,
        (0, None, None, None)
    );
    assert_eq!(none.aggregate(|e| coalesce((sum(e.number_of_comments), 0)))?, 0);
    assert_eq!(none.group_by(|e| e.blog_id).aggregate(|_| count_star()).load()?, []);
    let of_none = Blog::objects(&db)
        .filter(|b| b.name.eq("Void"))
        .values(|b| (b.entries().count(), b.entries().sum(|e| e.rating)));
    assert_eq!(of_none.get()?, (0, None));
    Ok(())
}
