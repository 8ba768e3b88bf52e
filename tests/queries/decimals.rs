//! Sums and averages of exact decimals.

use bigdecimal::BigDecimal;
use orm_core::{
    dsl::{Frame, avg, count, count_star, max, min, stddev_pop, sum, variance},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    sums_are_exact, averages_have_thirty_digits, extremes_compare_as_numbers, of_nothing, great_sums_are_right_or_refused,
    groups_of_decimals, text_that_is_no_number, huge_exponents_are_refused, huge_exponents_of_others,
    frames_of_distances, spreads_over_windows,
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

/// Text of a few characters is a number of a gigabyte: nothing is sent, whichever way it would go.
fn huge_exponents_are_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["1"])?;
    let all = || Price::objects(&db);
    for text in ["1e1000000", "-1e20000000", "1e-20000000", "1e131072", "1e-16384"] {
        let huge = decimal(text);
        let row = || Price { id: 2, shop: "odd".into(), amount: Some(huge.clone()) };
        let errors = [
            Price::create(&db, row()).err(),
            Price::bulk_create(&db, [row()]).err(),
            all().update(|p| p.amount.set(huge.clone())).err(),
            all().filter(|p| p.amount.eq(huge.clone())).load().err(),
            all().filter(|p| p.amount.is_in([huge.clone()])).load().err(),
            all().filter(|p| p.amount.is_in(std::iter::repeat_n(huge.clone(), 2500))).load().err(),
            all().filter(|p| (p.amount + huge.clone()).gt(decimal("1"))).load().err(),
            all().aggregate(|p| sum(p.amount + huge.clone())).err(),
        ];
        for (at, error) in errors.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("{text} was sent by way {at}"));
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{text} by way {at}: {error:?}");
            assert!(format!("{error:?}").contains("digits before the point"), "{error:?}");
        }
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM prices"), 1);
    Ok(())
}

/// What another program has stored is ordered without being computed, and refused when it is read or added up.
fn huge_exponents_of_others(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    prices(&db, &["1", "2", "3"])?;
    if bed.backend() != orm_core::BackendKind::Sqlite {
        return Ok(()); // no other backend can hold them
    }
    bed.execute("UPDATE prices SET amount = '1e20000000' WHERE id = 2");
    let ordered = Price::objects(&db).order_by(|p| p.amount.asc()).values(|p| p.id).load()?;
    assert_eq!(ordered, [1, 3, 2]);
    assert_eq!(Price::objects(&db).filter(|p| p.amount.gt(decimal("5"))).values(|p| p.id).load()?, [2]);
    for error in [
        Price::objects(&db).load().err(),
        Price::objects(&db).aggregate(|p| sum(p.amount)).err(),
        Price::objects(&db).values(|p| p.amount + decimal("1")).load().err(),
    ] {
        let error = error.expect("nobody can hold it");
        assert!(format!("{error:?}").contains("digits before the point"), "{error:?}");
    }
    Ok(())
}

/// Frames by the distance of values: right, or refused before anything is sent.
fn frames_of_distances(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let amounts = ["1", "2.5", "10", "9.5", "31.5", "-3"];
    prices(&db, &amounts)?;
    let near = Price::objects(&db)
        .order_by(|p| p.id.asc())
        .values(|p| count_star().over(|w| w.order_by(p.amount.asc()).range(Frame::Preceding(8), Frame::CurrentRow)))
        .load();
    let amounts: Vec<BigDecimal> = amounts.iter().map(|amount| decimal(amount)).collect();
    let expected = |amount: &BigDecimal| {
        let is_near = |other: &&BigDecimal| *other <= amount && amount.clone() - (*other).clone() <= decimal("8");
        amounts.iter().filter(is_near).count() as i64
    };
    match near {
        Ok(counts) => assert_eq!(counts, amounts.iter().map(expected).collect::<Vec<_>>()),
        Err(error) => {
            assert_eq!(bed.backend(), orm_core::BackendKind::Sqlite, "{error:?}");
            assert_eq!(error.kind(), ErrorKind::InvalidQuery);
            assert!(format!("{error:?}").contains("cast::<f64>()"), "{error:?}");
        }
    }
    let by_cast = Price::objects(&db).order_by(|p| p.id.asc()).values(|p| {
        count_star().over(|w| w.order_by(p.amount.cast::<f64>().asc()).range(Frame::Preceding(8), Frame::CurrentRow))
    });
    assert_eq!(by_cast.load()?, amounts.iter().map(expected).collect::<Vec<_>>());
    let of_texts = Price::objects(&db)
        .values(|p| count_star().over(|w| w.order_by(p.shop.asc()).range(Frame::Preceding(8), Frame::CurrentRow)));
    assert_eq!(of_texts.load().expect_err("texts have no distance").kind(), ErrorKind::InvalidQuery);
    Ok(())
}

/// Variances over frames that move, against the same of a slice.
fn spreads_over_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let amounts = ["1", "2.5", "10", "", "9.5", "31.5", "-3"];
    prices(&db, &amounts)?;
    let rows = Price::objects(&db)
        .order_by(|p| p.id.asc())
        .values(|p| {
            (
                variance(p.amount).over(|w| w.order_by(p.id.asc()).rows(Frame::Preceding(2), Frame::CurrentRow)),
                avg(p.amount).over(|w| w.order_by(p.id.asc()).rows(Frame::Preceding(1), Frame::CurrentRow)),
            )
        })
        .load()?;
    for (at, (spread, mean)) in rows.into_iter().enumerate() {
        let near = |by: usize| amounts[at.saturating_sub(by)..=at].iter().filter(|a| !a.is_empty());
        let numbers: Vec<f64> = near(2).map(|a| a.parse().expect("it is a number")).collect();
        let average = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let squares: f64 = numbers.iter().map(|n| (n - average).powi(2)).sum();
        let expected = (numbers.len() > 1).then(|| squares / (numbers.len() - 1) as f64);
        assert!(
            spread.zip(expected).map_or(spread == expected, |(a, b)| (a - b).abs() < 1e-9),
            "{spread:?} for {expected:?} at {at}"
        );
        let numbers: Vec<BigDecimal> = near(1).map(|a| decimal(a)).collect();
        let sum: BigDecimal = numbers.iter().cloned().sum();
        assert_eq!(mean, Some(sum / BigDecimal::from(numbers.len() as i64)), "at {at}");
    }
    Ok(())
}
