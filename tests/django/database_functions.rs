//! "Database functions".

use orm_core::{
    dsl::{coalesce, concat, count_star, dense_rank, greatest, lag, least, now, rank, row_number, sum},
    field::Unit,
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Author, Blog, Customer, Entry, Item, Order, Product, blog, day, decimal, instant, numbers, shop};

on_each_backend! {
    cast, coalesce_, greatest_and_least, nullif, extract, extracts_as_lookups, now_, trunc, grouped_by_trunc, mathematics,
    concat_, lengths_and_cases, parts_of_text, windows,
}

fn cast(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let rows = Item::objects(&db).filter(|i| i.order_id.eq(1)).order_by(|i| i.product_id.asc());
    assert_eq!(rows.clone().values(|i| i.quantity.cast::<f64>() / 4.0).load()?, [0.25, 1.5]);
    // What the order costs: integers become decimals, and nothing is rounded.
    let cost = rows.aggregate(|i| sum(i.unit_price * i.quantity.cast::<bigdecimal::BigDecimal>()))?;
    assert_eq!(cost, Some(decimal("63.90")));
    Ok(())
}

fn coalesce_(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let addresses = Author::objects(&db).order_by(|a| a.id.asc()).values(|a| coalesce((a.email, a.name)));
    assert_eq!(addresses.load()?, ["mia@example.org", "Noor", "o@example.net"]);
    let none = Entry::objects(&db).filter(|e| e.id.lt(0)).aggregate(|e| coalesce((sum(e.number_of_comments), 0)))?;
    assert_eq!(none, 0);
    Ok(())
}

fn greatest_and_least(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let pairs = Entry::objects(&db)
        .order_by(|e| e.id.asc())
        .values(|e| (greatest((e.number_of_comments, e.number_of_pingbacks)), least((e.rating, e.number_of_comments))));
    assert_eq!(pairs.load()?, [(8, Some(4)), (2, None), (6, Some(0)), (12, Some(5)), (5, Some(3)), (1, None)]);
    Ok(())
}

fn nullif(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let lines = Blog::objects(&db).order_by(|b| b.id.desc()).values(|b| b.tagline.nullif("")).limit(2);
    assert_eq!(lines.load()?, [None, Some("it's 4 o'clock".to_owned())]);
    Ok(())
}

fn extract(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let order = Order::objects(&db).filter(|o| o.id.eq(2));
    let at = order.clone().values(|o| {
        (o.placed_at.year(), o.placed_at.iso_year(), o.placed_at.quarter(), o.placed_at.month(), o.placed_at.week())
    });
    assert_eq!(at.get()?, (2025, 2025, 1, 2, 7));
    let at = order.values(|o| {
        (
            o.placed_at.day(),
            o.placed_at.week_day(),
            o.placed_at.iso_week_day(),
            o.placed_at.hour(),
            o.placed_at.minute(),
            o.placed_at.second(),
        )
    });
    assert_eq!(at.get()?, (14, 6, 5, 23, 59, 59));
    Ok(())
}

fn extracts_as_lookups(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let same_day =
        Order::objects(&db).filter(|o| o.shipped_at.date().eq(o.placed_at.date().nullable())).values(|o| o.id);
    assert_eq!(same_day.load()?, [4]);
    let later_week =
        Order::objects(&db).filter(|o| o.shipped_at.week().gt(o.placed_at.week().nullable())).values(|o| o.id);
    assert_eq!(later_week.load()?, [2]);
    Ok(())
}

fn now_(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    assert_eq!(Order::objects(&db).filter(|o| o.placed_at.le(now())).count()?, 4);
    assert_eq!(Order::objects(&db).filter(|o| o.id.eq(3)).update(|o| o.shipped_at.set(now()))?, 1);
    assert_eq!(bed.number("SELECT COUNT(*) FROM orders WHERE shipped_at > '2025-07-02'"), 1);
    Ok(())
}

fn trunc(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let order = Order::objects(&db).filter(|o| o.id.eq(3));
    let to = |text: &str| instant(text);
    let large = order.clone().values(|o| {
        (
            o.placed_at.trunc(Unit::Year),
            o.placed_at.trunc(Unit::Quarter),
            o.placed_at.trunc(Unit::Month),
            o.placed_at.trunc(Unit::Week),
        )
    });
    assert_eq!(
        large.get()?,
        (
            to("2025-01-01T00:00:00Z"),
            to("2025-01-01T00:00:00Z"),
            to("2025-02-01T00:00:00Z"),
            to("2025-02-10T00:00:00Z")
        )
    );
    let small = order.values(|o| (o.placed_at.trunc(Unit::Day), o.placed_at.trunc(Unit::Second), o.placed_at.date()));
    assert_eq!(small.get()?, (to("2025-02-15T00:00:00Z"), to("2025-02-15T00:00:01Z"), day("2025-02-15")));
    Ok(())
}

/// How many each month has, of months that have any.
fn grouped_by_trunc(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let months = Order::objects(&db)
        .group_by(|o| o.placed_at.trunc(Unit::Month))
        .aggregate(|_| count_star())
        .order_by(|month, _| month.asc());
    let month = |text: &str| instant(&format!("{text}-01T00:00:00Z"));
    assert_eq!(months.load()?, [(month("2025-01"), 1), (month("2025-02"), 2), (month("2025-07"), 1)]);
    Ok(())
}

fn mathematics(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let kettle = Product::objects(&db).filter(|p| p.id.eq(1));
    let decimals = kettle
        .clone()
        .values(|p| (p.price.floor(), p.price.ceil(), p.price.round_to(1), (p.price - decimal("50")).abs()));
    assert_eq!(decimals.get()?, (decimal("39"), decimal("40"), decimal("39.9"), decimal("10.1")));
    let floats = kettle.clone().values(|p| (p.weight.round(), p.weight.power(2.0), (p.weight * 6.0).sqrt()));
    assert_eq!(floats.get()?, (Some(2.0), Some(2.25), Some(3.0)));
    let odd = Product::objects(&db).filter(|p| (p.id % 2).eq(1)).order_by(|p| p.id.asc()).values(|p| p.id);
    assert_eq!(odd.load()?, numbers(bed, "SELECT id FROM products WHERE id % 2 = 1 ORDER BY id"));
    assert_eq!(kettle.values(|p| p.weight.ln()).get()?.map(|ln| (ln - 1.5_f64.ln()).abs() < 1e-9), Some(true));
    Ok(())
}

fn concat_(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let lines = Author::objects(&db).order_by(|a| a.id.asc()).values(|a| concat((a.name, " (", a.email, ")"))).limit(2);
    assert_eq!(lines.load()?, ["Mia (mia@example.org)", "Noor ()"]);
    Ok(())
}

fn lengths_and_cases(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let joerg = Customer::objects(&db).filter(|c| c.id.eq(2));
    assert_eq!(joerg.clone().values(|c| (c.name.length(), c.name.reversed())).get()?, (4, "gröJ".to_owned()));
    assert_eq!(
        joerg.values(|c| (c.name.left(1).lower(), c.name.right(1).upper())).get()?,
        ("j".to_owned(), "G".to_owned())
    );
    let longest =
        Customer::objects(&db).order_by(|c| (c.name.length().desc(), c.id.asc())).values(|c| c.name).first()?;
    assert_eq!(longest.as_deref(), Some("Ines"));
    Ok(())
}

fn parts_of_text(bed: &Bed) -> TestResult {
    let db = blog(bed)?;
    let owls = Entry::objects(&db).filter(|e| e.id.eq(4));
    let parts = owls
        .clone()
        .values(|e| (e.headline.substr(1, 4), e.headline.position("guide"), e.headline.replace("100%", "full")));
    assert_eq!(parts.get()?, ("Owls".to_owned(), 14, "Owls: a full guide".to_owned()));
    let padded = owls.values(|e| {
        (e.headline.left(4).lpad(6, "*"), e.headline.left(5).rpad(7, " ").trim(), e.headline.left(4).rpad(2, "*"))
    });
    assert_eq!(padded.get()?, ("**Owls".to_owned(), "Owls:".to_owned(), "Ow".to_owned()));
    Ok(())
}

fn windows(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let rows = Item::objects(&db).order_by(|i| (i.order_id.asc(), i.product_id.asc())).values(|i| {
        (
            row_number().over(|w| w.partition_by(i.order_id).order_by(i.product_id.asc())),
            rank().over(|w| w.order_by(i.quantity.desc())),
            dense_rank().over(|w| w.order_by(i.quantity.desc())),
            lag(i.quantity, 1).over(|w| w.order_by((i.order_id.asc(), i.product_id.asc()))),
            sum(i.quantity).over(|w| w.partition_by(i.product_id)),
        )
    });
    assert_eq!(
        rows.load()?,
        [
            (1, 5, 4, None, Some(3)),
            (2, 1, 1, Some(1), Some(9)),
            (1, 3, 3, Some(6), Some(9)),
            (1, 2, 2, Some(2), Some(3)),
            (1, 3, 3, Some(3), Some(3)),
            (2, 5, 4, Some(2), Some(9)),
        ]
    );
    let sql = "SELECT RANK() OVER (ORDER BY quantity DESC) FROM items ORDER BY order_id, product_id";
    assert_eq!(rows.load()?.into_iter().map(|row| row.1).collect::<Vec<_>>(), numbers(bed, sql));
    Ok(())
}
