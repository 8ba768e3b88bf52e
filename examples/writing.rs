//! Changing what is there: rows by a condition, rows page by page with values of their own, and rows of which some are new.
//!
//! `cargo run --example writing [-- URL]`

use orm_core::prelude::*;

#[derive(Model)]
#[model(table = "example_products")]
struct Product {
    #[model(primary_key)]
    code: String,
    name: String,
    cents: i64,
    stock: i32,
}

/// The database makes its key, so there is a `NewOrder` without one.
#[derive(Model)]
#[model(table = "example_orders")]
struct Order {
    #[model(primary_key, generated)]
    id: i64,
    #[model(belongs_to(Product, name = product))]
    product_code: String,
    pieces: i32,
    shipped: bool,
}

/// How many products are in memory at a time.
const PAGE: u64 = 2;

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Product, Order)>()?;

    // A delivery: products that are known get its price, the others are new. It may be any iterator.
    let delivery = [("anvil", 45_00), ("bell", 12_50), ("candle", 80), ("drum", 99_00), ("easel", 30_00)];
    let delivery = delivery.map(|(code, cents)| product(code, cents));
    product("bell", 11_00).save(&db)?;
    let stored = Product::insert_into(&db).update_conflicts(|p| p.code, |p| p.cents).bulk_create(delivery)?;
    println!("{stored} products were delivered");

    // The row comes back as the database has stored it.
    let order = Order::create(&db, NewOrder { product_code: "bell".into(), pieces: 3, shipped: false })?;
    Order::create(&db, NewOrder { product_code: "drum".into(), pieces: 1, shipped: false })?;
    println!("order {} is of {} pieces", order.id, order.pieces);

    // One statement, across a relation; expressions see the rows as they were.
    let cheap = Order::objects(&db).filter(|o| o.product().cents.lt(20_00));
    let changed = cheap.update(|o| (o.pieces.set(o.pieces * 2), o.shipped.set(true)))?;
    println!("{changed} order is shipped, with twice the pieces");

    // Page by page, by the key, so that no more than a page is in memory, and no stream is open while rows are written.
    let mut last = String::new();
    loop {
        let rest = Product::objects(&db).filter(|p| p.code.gt(last.clone()));
        let mut products = rest.order_by(|p| p.code.asc()).limit(PAGE).load()?;
        let Some(end) = products.last() else { break };
        last.clone_from(&end.code);
        for product in &mut products {
            product.name = product.name.to_uppercase();
            product.stock += i32::try_from(product.name.len()).unwrap_or(0);
        }
        let found = Product::bulk_update(&db, &products, |p| (p.name, p.stock))?;
        println!("{found} of {} products to {last}", products.len());
    }

    // A row that is there, or else a new one, whoever else asks for it at the same time.
    let flute = Product::objects(&db).filter(|p| p.code.eq("flute"));
    for _ in 0..2 {
        let (flute, is_new) = flute.get_or_create(|| product("flute", 21_00))?;
        println!("{} at {} cents is {}", flute.name, flute.cents, if is_new { "new" } else { "known" });
    }
    let (flute, _) = flute.update_or_create(|p| p.stock.set(p.stock + 5), || product("flute", 21_00))?;
    println!("{} of {} are there", flute.stock, flute.code);

    // What refers to a row keeps it.
    let mut bell = Product::objects(&db).filter(|p| p.code.eq("bell")).get()?;
    match bell.delete(&db) {
        Err(error) if error.kind() == ErrorKind::ForeignKeyViolation => println!("bells are ordered"),
        other => println!("deleted: {}", other?),
    }
    println!("{} orders are deleted", Order::objects(&db).filter(|o| o.shipped.eq(true)).delete()?);
    bell.refresh(&db)?;
    println!("{}, {} cents, {} in stock: {}", bell.name, bell.cents, bell.stock, bell.delete(&db)?);
    drop_tables(&db)
}

fn product(code: &str, cents: i64) -> Product {
    Product { code: code.into(), name: format!("a fine {code}"), cents, stock: 0 }
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    db.batch_execute("DROP TABLE IF EXISTS example_orders; DROP TABLE IF EXISTS example_products")
}
