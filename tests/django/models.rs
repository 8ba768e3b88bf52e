//! A blog, and a shop.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use orm_core::prelude::*;
use orm_tests::Bed;

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Blog {
    #[model(primary_key, generated)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) tagline: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Author {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    #[model(primary_key)]
    pub(crate) id: i64,
    #[model(belongs_to(Blog, reverse = entries))]
    pub(crate) blog_id: i64,
    pub(crate) headline: String,
    pub(crate) body_text: Option<String>,
    pub(crate) pub_date: NaiveDate,
    pub(crate) mod_time: DateTime<Utc>,
    pub(crate) number_of_comments: i32,
    pub(crate) number_of_pingbacks: i32,
    pub(crate) rating: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(entry_id, author_id), many_to_many(entry = entries, author = authors))]
pub(crate) struct EntryAuthor {
    #[model(belongs_to(Entry, reverse = author_links))]
    pub(crate) entry_id: i64,
    #[model(belongs_to(Author, reverse = entry_links))]
    pub(crate) author_id: i64,
}

/// One for an entry, or none: Django's `OneToOneField`.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EntryDetail {
    #[model(primary_key, belongs_to(Entry, name = entry, reverse = detail, unique))]
    pub(crate) entry_id: i64,
    pub(crate) details: String,
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Account {
    Regular,
    Gold,
    Platinum,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Customer {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) registered_on: NaiveDate,
    pub(crate) account: Account,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Product {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) price: BigDecimal,
    pub(crate) weight: Option<f64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Order {
    #[model(primary_key)]
    pub(crate) id: i64,
    #[model(belongs_to(Customer, reverse = orders))]
    pub(crate) customer_id: i64,
    pub(crate) placed_at: DateTime<Utc>,
    pub(crate) shipped_at: Option<DateTime<Utc>>,
}

/// What was ordered, at the price of the day.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(order_id, product_id), many_to_many(order = orders, product = products))]
pub(crate) struct Item {
    #[model(belongs_to(Order, reverse = items))]
    pub(crate) order_id: i64,
    #[model(belongs_to(Product, reverse = items))]
    pub(crate) product_id: i64,
    pub(crate) quantity: i32,
    pub(crate) unit_price: BigDecimal,
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is an instant")
}

pub(crate) fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

pub(crate) fn entry(id: i64, blog_id: i64, headline: &str, pub_date: &str) -> Entry {
    let pub_date = day(pub_date);
    Entry {
        id,
        blog_id,
        headline: headline.into(),
        body_text: None,
        pub_date,
        mod_time: pub_date.and_hms_opt(6, 40, 5).expect("it is a time").and_utc(),
        number_of_comments: 0,
        number_of_pingbacks: 0,
        rating: None,
    }
}

/// Four blogs, one of them without entries; entries with and without ratings, authors and details.
pub(crate) fn blog(bed: &Bed) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Blog, Author, Entry, EntryAuthor, EntryDetail)>()?;
    for (name, tagline) in
        [("Compilers", "Why not"), ("Birds", "100% feathers"), ("Tea_time", "it's 4 o'clock"), ("Void", "")]
    {
        Blog::create(&db, NewBlog { name: name.into(), tagline: tagline.into() })?;
    }
    let author = |id, name: &str, email: Option<&str>| Author { id, name: name.into(), email: email.map(Into::into) };
    let authors =
        [author(1, "Mia", Some("mia@example.org")), author(2, "Noor", None), author(3, "Olaf", Some("o@example.net"))];
    Author::bulk_create(&db, authors)?;
    let counted = |entry: Entry, comments, pingbacks, rating| Entry {
        number_of_comments: comments,
        number_of_pingbacks: pingbacks,
        rating,
        ..entry
    };
    Entry::bulk_create(
        &db,
        [
            counted(entry(1, 1, "Parsers", "2023-01-09"), 8, 3, Some(4)),
            counted(entry(2, 1, "What a lifetime is", "2024-05-20"), 2, 2, None),
            counted(entry(3, 2, "Vögel im März", "2024-03-03"), 0, 6, Some(3)),
            counted(entry(4, 2, "Owls: a 100% guide", "2024-05-31"), 12, 1, Some(5)),
            counted(entry(5, 2, "owls at night", "2025-02-28"), 5, 5, Some(3)),
            counted(entry(6, 3, "What tea is", "2025-12-31"), 1, 0, None),
        ],
    )?;
    let links = [(1, 1), (2, 1), (2, 2), (4, 2), (4, 3), (5, 2)];
    EntryAuthor::bulk_create(&db, links.map(|(entry_id, author_id)| EntryAuthor { entry_id, author_id }))?;
    EntryDetail::bulk_create(&db, [EntryDetail { entry_id: 4, details: "long".into() }])?;
    Ok(db)
}

/// Customers with several orders, one, and none; a product that nobody has bought.
pub(crate) fn shop(bed: &Bed) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Customer, Product, Order, Item)>()?;
    let customer =
        |id, name: &str, date, account| Customer { id, name: name.into(), registered_on: day(date), account };
    Customer::bulk_create(
        &db,
        [
            customer(1, "Ines", "2019-04-01", Account::Platinum),
            customer(2, "Jörg", "2023-11-15", Account::Gold),
            customer(3, "Kim", "2025-06-30", Account::Regular),
            customer(4, "Lu", "2025-07-01", Account::Regular),
        ],
    )?;
    let product = |id, name: &str, price, weight| Product { id, name: name.into(), price: decimal(price), weight };
    Product::bulk_create(
        &db,
        [
            product(1, "Kettle", "39.90", Some(1.5)),
            product(2, "Cup", "4.25", Some(0.25)),
            product(3, "Voucher", "10", None),
            product(4, "Samovar", "249.99", Some(6.0)),
        ],
    )?;
    let order = |id, customer_id, placed, shipped: Option<&str>| Order {
        id,
        customer_id,
        placed_at: instant(placed),
        shipped_at: shipped.map(instant),
    };
    Order::bulk_create(
        &db,
        [
            order(1, 1, "2025-01-03T09:15:00Z", Some("2025-01-04T12:00:00Z")),
            order(2, 1, "2025-02-14T23:59:59Z", Some("2025-02-18T08:00:00Z")),
            order(3, 2, "2025-02-15T00:00:01.5Z", None),
            order(4, 3, "2025-07-01T17:30:00Z", Some("2025-07-01T18:00:00Z")),
        ],
    )?;
    let item =
        |order_id, product_id, quantity, price| Item { order_id, product_id, quantity, unit_price: decimal(price) };
    Item::bulk_create(
        &db,
        [
            item(1, 1, 1, "39.90"),
            item(1, 2, 6, "4.00"),
            item(2, 2, 2, "4.25"),
            item(3, 3, 3, "10"),
            item(4, 1, 2, "35.5"),
            item(4, 2, 1, "4.25"),
        ],
    )?;
    Ok(db)
}

/// A statement without quotation marks, and with `?` for every placeholder, so that it is the same on all backends.
pub(crate) fn plain(sql: &str) -> String {
    let mut text = sql.replace(['"', '`'], "");
    for number in (1..=20).rev() {
        text = text.replace(&format!("${number}"), "?");
    }
    text
}

/// The numbers that a query written by hand gives.
pub(crate) fn numbers(bed: &Bed, sql: &str) -> Vec<i64> {
    bed.texts(sql).into_iter().map(|text| text.and_then(|text| text.parse().ok()).expect("it is a number")).collect()
}

/// The keys of a queryset's entries, in order.
pub(crate) fn ids(entries: &QuerySet<'_, Entry>) -> orm_core::Result<Vec<i64>> {
    entries.clone().order_by(|e| e.id.asc()).values(|e| e.id).load()
}
