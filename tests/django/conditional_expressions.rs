//! "Conditional expressions".

use orm_core::{
    dsl::{case_when, count_star, exists},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Account, Customer, Order, Product, day, numbers, plain, shop};

on_each_backend! {
    when_and_case, order_of_conditions, in_filters, conditional_update, conditional_aggregation, conditional_order,
    conditional_filter,
}

fn when_and_case(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let discounts = Customer::objects(&db).order_by(|c| c.id.asc()).values(|c| {
        (
            c.name,
            case_when(c.account.eq(Account::Gold), "5%").when(c.account.eq(Account::Platinum), "10%").otherwise("0%"),
        )
    });
    let row = |name: &str, discount: &str| (name.to_owned(), discount.to_owned());
    assert_eq!(discounts.load()?, [row("Ines", "10%"), row("Jörg", "5%"), row("Kim", "0%"), row("Lu", "0%")]);
    Ok(())
}

/// The first condition that is true decides.
fn order_of_conditions(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let today = day("2025-07-15");
    let month_ago = today - chrono::TimeDelta::days(30);
    let year_ago = today - chrono::TimeDelta::days(365);
    let discounts = Customer::objects(&db)
        .order_by(|c| c.id.asc())
        .values(|c| case_when(c.registered_on.le(year_ago), 10).when(c.registered_on.le(month_ago), 5).otherwise(0));
    assert_eq!(discounts.load()?, [10, 10, 0, 0]);
    Ok(())
}

fn in_filters(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let (month_ago, year_ago) = (day("2025-06-30"), day("2020-01-01"));
    let found = Customer::objects(&db)
        .filter(|c| {
            c.registered_on.lt(case_when(c.account.eq(Account::Regular), month_ago)
                .when(c.account.eq(Account::Platinum), year_ago)
                .otherwise(day("2023-11-16")))
        })
        .order_by(|c| c.id.asc());
    let sql = "SELECT id FROM customers WHERE registered_on < CASE account WHEN 'regular' THEN '2025-06-30' \
               WHEN 'platinum' THEN '2020-01-01' ELSE '2023-11-16' END ORDER BY id";
    let sql = bed.pick(orm_tests::Pick {
        postgres: sql.replace("END", "END::date").replace("< CASE", "< (CASE").replace("END::date", "END)::date"),
        mysql: sql.to_owned(),
        sqlite: sql.to_owned(),
    });
    assert_eq!(found.values(|c| c.id).load()?, numbers(bed, &sql));
    Ok(())
}

fn conditional_update(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let rows = Customer::objects(&db).update(|c| {
        c.account.set(
            case_when(c.registered_on.le(day("2020-01-01")), Account::Platinum)
                .when(c.registered_on.le(day("2025-06-30")), Account::Gold)
                .otherwise(Account::Regular),
        )
    })?;
    assert_eq!(rows, 4);
    let accounts = bed.texts("SELECT account FROM customers ORDER BY id");
    assert_eq!(accounts.into_iter().flatten().collect::<Vec<_>>(), ["platinum", "gold", "gold", "regular"]);
    Ok(())
}

fn conditional_aggregation(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let counts = Customer::objects(&db).aggregate(|c| {
        (
            count_star().filter(c.account.eq(Account::Regular)),
            count_star().filter(c.account.eq(Account::Gold)),
            count_star().filter(c.account.eq(Account::Platinum)),
        )
    })?;
    assert_eq!(counts, (2, 1, 1));
    Ok(())
}

/// Those in a hurry first; NULLs where they are said to be.
fn conditional_order(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let open_first = Order::objects(&db)
        .order_by(|o| (case_when(o.shipped_at.is_null(), 0).otherwise(1).asc(), o.placed_at.desc()))
        .values(|o| o.id);
    assert_eq!(open_first.load()?, [3, 4, 2, 1]);
    Ok(())
}

/// `Exists` in a condition: of related rows, and of none.
fn conditional_filter(bed: &Bed) -> TestResult {
    let db = shop(bed)?;
    let waiting = Customer::objects(&db)
        .filter(|c| c.orders().any(|o| o.shipped_at.is_null()).or(c.account.eq(Account::Platinum)))
        .order_by(|c| c.id.asc())
        .values(|c| c.id);
    assert_eq!(waiting.load()?, [1, 2]);
    assert_eq!(
        // How SQLite compares instants does not matter here.
        plain(&waiting.sql()?)
            .replace("(customers__orders.shipped_at COLLATE orm_instant)", "customers__orders.shipped_at"),
        "SELECT customers.id FROM customers WHERE ((EXISTS (SELECT 1 FROM orders AS customers__orders \
         WHERE (customers__orders.customer_id = customers.id) AND ((customers__orders.shipped_at IS NULL))) \
         OR (customers.account = ?))) ORDER BY customers.id ASC"
    );
    let unsold = Product::objects(&db).filter(|p| p.items().is_empty()).values(|p| p.name);
    assert_eq!(unsold.load()?, ["Samovar"]);
    let expensive = Product::objects(&db).filter(|p| p.price.gt(crate::models::decimal("200")));
    assert_eq!(Product::objects(&db).filter(|_| exists(expensive.clone())).count()?, 4);
    Ok(())
}
