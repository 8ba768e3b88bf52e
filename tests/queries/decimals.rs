//! Sums and averages of exact decimals.

use bigdecimal::BigDecimal;
use orm_core::{
    dsl::{avg, count, count_star, max, min, stddev_pop, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    sums_are_exact, averages_have_thirty_digits, extremes_compare_as_numbers, of_nothing, great_sums_are_right_or_refused,
    groups_of_decimals, text_that_is_no_number,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Price {
    #[model(primary_key)]
    id: i32,
    shop: String,
    amount: Option<BigDecimal>,
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

fn prices(db: &Database, amounts: &[&str]) -> orm_core::Result<()> {
    db.create_tables::<(Price,)>()?;
    let rows = amounts.iter().zip(1..).map(|(amount, id)| Price {
        id,
        shop: if id % 2 == 0 { "even" } else { "odd" }.into(),
        amount: (!amount.is_empty()).then(|| decimal(amount)),
    });
    Price::bulk_create(db, rows.collect::<Vec<_>>())?;
    Ok(())
}

fn sums_are_exact(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["0.1", "0.2", "", "-1000000000000000000000.000000000000000000000000000001", "0.1"])?;
    let total = Price::objects(&db).aggregate(|p| sum(p.amount))?;
    assert_eq!(total, Some(decimal("-999999999999999999999.600000000000000000000000000001")));
    let different = Price::objects(&db).filter(|p| p.id.ne(4)).aggregate(|p| sum(p.amount).distinct())?;
    assert_eq!(different, Some(decimal("0.3")));
    let some = Price::objects(&db).aggregate(|p| sum(p.amount).filter(p.id.lt(3)))?;
    assert_eq!(some, Some(decimal("0.3")));
    Ok(())
}

fn averages_have_thirty_digits(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["1", "1", "", "0"])?;
    let third = Price::objects(&db).aggregate(|p| avg(p.amount))?;
    assert_eq!(third, Some(decimal("0.666666666666666666666666666667")));
    let half = Price::objects(&db).filter(|p| p.id.ne(1)).aggregate(|p| avg(p.amount))?;
    assert_eq!(half.map(|half| half.to_string()), Some("0.5".to_owned()));
    let spread = Price::objects(&db).aggregate(|p| stddev_pop(p.amount))?.expect("there are values");
    assert!((spread - (2.0_f64 / 9.0).sqrt()).abs() < 1e-12, "{spread}");
    Ok(())
}

fn extremes_compare_as_numbers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["9", "10.5", "-9", "-10", ""])?;
    let row = Price::objects(&db).aggregate(|p| (min(p.amount), max(p.amount)))?;
    assert_eq!(row, (Some(decimal("-10")), Some(decimal("10.5"))));
    Ok(())
}

fn of_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["", ""])?;
    let row = Price::objects(&db).aggregate(|p| (sum(p.amount), avg(p.amount), max(p.amount), count(p.amount)))?;
    assert_eq!(row, (None, None, None, 0));
    Ok(())
}

/// MySQL's decimals have 65 digits; what has more must not become another number.
fn great_sums_are_right_or_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let greatest = "9".repeat(35);
    prices(&db, &[&greatest, &greatest, &greatest])?;
    let expected = decimal(&greatest) * BigDecimal::from(3);
    match Price::objects(&db).aggregate(|p| sum(p.amount)) {
        Ok(total) => assert_eq!(total, Some(expected)),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Database | ErrorKind::Decode), "{error:?}"),
    }
    match Price::objects(&db).aggregate(|p| avg(p.amount)) {
        Ok(mean) => assert_eq!(mean, Some(decimal(&greatest))),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Database | ErrorKind::Decode), "{error:?}"),
    }
    Ok(())
}

fn groups_of_decimals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["9", "1", "0.5", "2", "", "7.25"])?;
    let shops = Price::objects(&db).group_by(|p| p.shop).aggregate(|p| (sum(p.amount), max(p.amount)));
    let rows = shops.clone().having(|_, (total, _)| total.gt(decimal("9.75"))).load()?;
    assert_eq!(rows, [("even".to_owned(), (Some(decimal("10.25")), Some(decimal("7.25"))))]);
    // As text, 9.5 would come after 10.25.
    let rows = shops.clone().order_by(|_, (total, _)| total.desc()).load()?;
    assert_eq!(rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["even", "odd"]);
    let rows = shops.having(|_, (_, most)| most.gt(decimal("10"))).load()?;
    assert!(rows.is_empty(), "{rows:?}");
    let amounts = Price::objects(&db).group_by(|p| p.amount).aggregate(|_| count_star()).count()?;
    assert_eq!(amounts, 6);
    Ok(())
}

/// SQLite keeps any text; what is no number cannot become a sum.
fn text_that_is_no_number(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["1", "2"])?;
    if bed.backend() != orm_core::BackendKind::Sqlite {
        return Ok(());
    }
    bed.execute("UPDATE prices SET amount = 'two' WHERE id = 2");
    let error = Price::objects(&db).aggregate(|p| sum(p.amount)).expect_err("it is no number");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let error = Price::objects(&db).aggregate(|p| avg(p.amount)).expect_err("it is no number");
    assert_eq!(error.kind(), ErrorKind::Decode);
    Ok(())
}
