//! Arithmetic, functions of numbers, and casts.

use bigdecimal::{BigDecimal, RoundingMode};
use orm_core::{BackendKind, dsl::value, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    operators_of_every_type, what_may_be_null_meets_what_may_not, values_on_the_left, fields_of_related_models, overflow, decimals, decimals_are_compared_as_numbers, whole_numbers, functions_of_floats, no_number, bits, casts_of_numbers, casts_of_text,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Numbers {
    #[model(primary_key)]
    id: i64,
    small: i16,
    medium: i32,
    big: Option<i64>,
    byte: u8,
    word: u16,
    long: u32,
    huge: u64,
    single: f32,
    double: Option<f64>,
    price: BigDecimal,
    maybe: Option<BigDecimal>,
    #[model(belongs_to(Numbers, name = before))]
    before_id: Option<i64>,
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a decimal")
}

fn numbers(db: &Database) -> orm_core::Result<Vec<Numbers>> {
    let prices = ["19.995", "-0.1", "12345678901234567890.123456789", "0", "2.5", "-2.5", "1e3", "9"];
    let rows: Vec<Numbers> = prices
        .into_iter()
        .zip(1..)
        .map(|(price, id)| Numbers {
            id,
            small: 7 * id as i16 - 20,
            medium: -100_000 * id as i32,
            big: (id % 3 != 0).then_some(id * 3_000_000_000),
            byte: 3 * id as u8,
            word: 1000 * id as u16,
            long: 400_000_000 * id as u32,
            huge: 1 << (40 + id),
            single: id as f32 / 4.0,
            double: (id % 4 != 0).then_some(-1.5 * id as f64),
            price: decimal(price),
            maybe: (id % 2 == 0).then(|| decimal(price)),
            before_id: (id > 1).then_some(id - 1),
        })
        .collect();
    db.create_tables::<(Numbers,)>()?;
    Numbers::bulk_create(db, rows.clone())?;
    Ok(rows)
}

fn all(db: &Database) -> QuerySet<'_, Numbers> {
    Numbers::objects(db).order_by(|n| n.id.asc())
}

macro_rules! agrees {
    ($db:ident, $rows:ident, |$n:ident| $expression:expr, |$row:ident| $oracle:expr) => {
        let found = all(&$db).values(|$n| $expression).load()?;
        let wanted: Vec<_> = $rows.iter().map(|$row| $oracle).collect();
        assert_eq!(found, wanted, "{}", stringify!($expression));
    };
}

fn operators_of_every_type(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    macro_rules! integers {
        ($($field:ident)*) => { $(
            agrees!(db, rows, |n| n.$field + 2, |row| row.$field + 2);
            agrees!(db, rows, |n| n.$field * 3, |row| row.$field * 3);
            agrees!(db, rows, |n| n.$field / 4, |row| row.$field / 4);
            agrees!(db, rows, |n| n.$field % 4, |row| row.$field % 4);
            agrees!(db, rows, |n| n.$field + n.$field - 1, |row| row.$field + row.$field - 1);
        )* };
    }
    integers! { small medium byte word huge }
    agrees!(db, rows, |n| n.long / 3 * 2 - 1, |row| row.long / 3 * 2 - 1);
    agrees!(db, rows, |n| (-n.small, -n.medium, n.small.abs()), |row| (-row.small, -row.medium, row.small.abs()));
    agrees!(db, rows, |n| n.big.abs() % 7, |row| row.big.map(|big| big % 7));
    agrees!(db, rows, |n| (n.single + 0.5, n.single / 2.0), |row| (row.single + 0.5, row.single / 2.0));
    agrees!(db, rows, |n| (-n.double, n.double * 4.0), |row| (row.double.map(|d| -d), row.double.map(|d| d * 4.0)));
    let odd: Vec<i64> = rows.iter().filter(|row| row.small % 2 == -1).map(|row| row.id).collect();
    assert_eq!(all(&db).filter(|n| (n.small % 2).eq(-1)).values(|n| n.id).load()?, odd);
    Ok(())
}

fn what_may_be_null_meets_what_may_not(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    agrees!(db, rows, |n| n.id + n.big, |row| row.big.map(|big| row.id + big));
    agrees!(db, rows, |n| n.big - n.id, |row| row.big.map(|big| big - row.id));
    agrees!(db, rows, |n| n.id + None::<i64>, |_row| None::<i64>);
    agrees!(db, rows, |n| n.id + Some(5), |row| Some(row.id + 5));
    agrees!(db, rows, |n| (n.id + 1) * n.big, |row| row.big.map(|big| (row.id + 1) * big));
    Ok(())
}

fn values_on_the_left(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    agrees!(db, rows, |n| value(100_i64) - n.id, |row| 100 - row.id);
    agrees!(db, rows, |n| value(100_i64) - n.big, |row| row.big.map(|big| 100 - big));
    agrees!(db, rows, |n| value(7_000_000_000_u64) % n.huge, |row| 7_000_000_000 % row.huge);
    Ok(())
}

fn fields_of_related_models(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    agrees!(db, rows, |n| n.medium - n.before().medium, |row| (row.id > 1).then_some(-100_000));
    let found = all(&db).filter(|n| (n.id + n.before().id).eq(9)).values(|n| n.id).load()?;
    assert_eq!(found, [5]);
    Ok(())
}

/// Nothing wraps, and nothing is cut.
fn overflow(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db)?;
    let one = || all(&db).limit(1);
    let kinds = [ErrorKind::Database, ErrorKind::Decode];
    let fails = |result: Result<(), orm_core::Error>| {
        let error = result.expect_err("it does not fit");
        assert!(kinds.contains(&error.kind()), "{error:?}");
    };
    fails(one().values(|n| n.id + i64::MAX).load().map(drop));
    fails(one().values(|n| n.medium - i32::MAX).load().map(drop));
    fails(one().values(|n| n.small - i16::MAX - 1).load().map(drop));
    fails(one().values(|n| n.long - u32::MAX).load().map(drop));
    fails(one().values(|n| n.byte - 200).load().map(drop));
    fails(one().values(|n| n.huge * (i64::MAX as u64)).load().map(drop));
    // A condition fails as well, or finds what is right.
    match all(&db).filter(|n| (n.id + i64::MAX).gt(i64::MAX)).count() {
        Ok(found) => assert_eq!(found, 8),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Database),
    }
    match all(&db).filter(|n| (n.id + i64::MAX).lt(0)).count() {
        Ok(found) => assert_eq!(found, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Database),
    }
    Ok(())
}

fn decimals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    let tenth = || decimal("0.1");
    agrees!(db, rows, |n| n.price + tenth(), |row| &row.price + tenth());
    agrees!(db, rows, |n| n.price - n.maybe, |row| row.maybe.as_ref().map(|maybe| &row.price - maybe));
    agrees!(db, rows, |n| n.price * decimal("3.07"), |row| &row.price * decimal("3.07"));
    agrees!(db, rows, |n| (-n.price, n.price.abs(), n.maybe.abs()), |row| {
        (-&row.price, row.price.abs(), row.maybe.as_ref().map(BigDecimal::abs))
    });
    agrees!(db, rows, |n| (n.price.floor(), n.price.ceil(), n.price.round()), |row| {
        let whole = |mode| row.price.with_scale_round(0, mode);
        (whole(RoundingMode::Floor), whole(RoundingMode::Ceiling), whole(RoundingMode::HalfUp))
    });
    agrees!(db, rows, |n| n.price.round_to(2), |row| row.price.with_scale_round(2, RoundingMode::HalfUp));
    Ok(())
}

fn decimals_are_compared_as_numbers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    let ids = |test: &dyn Fn(&BigDecimal) -> bool| -> Vec<i64> {
        rows.iter().filter(|row| test(&row.price)).map(|row| row.id).collect()
    };
    let one = decimal("1");
    let found = all(&db).filter(|n| (n.price + one.clone()).gt(decimal("9.50"))).values(|n| n.id).load()?;
    assert_eq!(found, ids(&|price| price + &one > decimal("9.5")));
    let found = all(&db).filter(|n| (n.price * decimal("2")).eq(decimal("5.00"))).values(|n| n.id).load()?;
    assert_eq!(found, [5]);
    let found = all(&db).filter(|n| n.price.round().is_in([decimal("3"), decimal("20.0")])).values(|n| n.id).load()?;
    assert_eq!(found, [1, 5]);
    let found =
        Numbers::objects(&db).order_by(|n| ((n.price + one.clone()).asc(), n.id.asc())).values(|n| n.id).load()?;
    let mut sorted = rows.clone();
    sorted.sort_by(|a, b| a.price.cmp(&b.price));
    assert_eq!(found, sorted.iter().map(|row| row.id).collect::<Vec<_>>());
    let highest = all(&db).filter(|n| orm_core::dsl::greatest((n.price, decimal("10"))).gt(decimal("9.9"))).count()?;
    assert_eq!(highest, 8);
    let found = all(&db)
        .filter(|n| {
            orm_core::dsl::coalesce((n.maybe, decimal("-9")))
                .lt(decimal("-10.5"))
                .or(n.maybe.nullif(decimal("0.00")).gt(decimal("10")))
        })
        .count()?;
    assert_eq!(found, 0);
    let cheap = all(&db)
        .filter(|n| orm_core::dsl::case_when(n.id.gt(4), n.price).otherwise(decimal("100")).lt(decimal("20")))
        .count()?;
    assert_eq!(cheap, 3);
    Ok(())
}

fn whole_numbers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let mut rows = numbers(&db)?;
    for (row, double) in rows.iter_mut().zip([0.5, -0.5, 1.5, 2.5, -2.5, 0.499_999_999_999_999_94, -7.0, 1e300]) {
        row.double = Some(double);
        bed.execute(
            &format!("UPDATE numberses SET double_ = {double:e} WHERE id = {}", row.id)
                .replace("double_", &bed.quoted("double")),
        );
    }
    agrees!(db, rows, |n| (n.double.round(), n.double.floor(), n.double.ceil(), n.double.abs()), |row| {
        (row.double.map(f64::round), row.double.map(f64::floor), row.double.map(f64::ceil), row.double.map(f64::abs))
    });
    agrees!(db, rows, |n| n.single.round(), |row| row.single.round());
    Ok(())
}

fn functions_of_floats(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    macro_rules! near {
        (|$n:ident| $expression:expr, |$x:ident| $oracle:expr) => {
            let found: Vec<f64> = all(&db).values(|$n| $expression).load()?;
            for (found, row) in found.into_iter().zip(&rows) {
                let $x = f64::from(row.single);
                let wanted: f64 = $oracle;
                assert!(
                    (found - wanted).abs() <= wanted.abs() * 1e-14,
                    "{} of {}: {found}, {wanted}",
                    stringify!($expression),
                    $x
                );
            }
        };
    }
    near!(|n| n.single.sqrt(), |x| x.sqrt());
    near!(|n| n.single.exp(), |x| x.exp());
    near!(|n| n.single.ln(), |x| x.ln());
    near!(|n| n.single.sin(), |x| x.sin());
    near!(|n| n.single.cos(), |x| x.cos());
    near!(|n| n.single.tan(), |x| x.tan());
    near!(|n| n.single.atan(), |x| x.atan());
    near!(|n| n.single.sin().asin(), |x| x.sin().asin());
    near!(|n| n.single.cos().acos(), |x| x.cos().acos());
    near!(|n| n.single.degrees(), |x| x.to_degrees());
    near!(|n| n.single.radians(), |x| x.to_radians());
    near!(|n| n.single.power(2.5), |x| x.powf(2.5));
    let nothing = all(&db)
        .filter(|n| n.id.eq(4))
        .values(|n| (n.double.sqrt(), n.double.power(2.0), n.single.power(2.0)))
        .get()?;
    assert_eq!(nothing, (None, None, 1.0));
    Ok(())
}

fn no_number(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db)?;
    let kind = if bed.backend() == BackendKind::Mysql { ErrorKind::Decode } else { ErrorKind::Database };
    let error = all(&db).values(|n| (n.single - 10.0).sqrt()).load().expect_err("there is no root");
    assert_eq!(error.kind(), kind, "{error:?}");
    let error = all(&db).values(|n| (n.single * 0.0).ln()).load().expect_err("there is no logarithm");
    assert_eq!(error.kind(), kind, "{error:?}");
    Ok(())
}

fn bits(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    agrees!(db, rows, |n| (n.byte.bit_and(6), n.byte.bit_or(1)), |row| (row.byte & 6, row.byte | 1));
    agrees!(db, rows, |n| n.long.bit_and(0xFF), |row| row.long & 0xFF);
    assert_eq!(all(&db).filter(|n| n.id.bit_and(4).ne(0)).values(|n| n.id).load()?, [4, 5, 6, 7]);
    Ok(())
}

fn casts_of_numbers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = numbers(&db)?;
    agrees!(db, rows, |n| (n.small.cast::<i64>(), n.medium.cast::<f64>(), n.big.cast::<String>()), |row| {
        (i64::from(row.small), f64::from(row.medium), row.big.map(|big| big.to_string()))
    });
    agrees!(db, rows, |n| (n.byte.cast::<i64>() - 100, n.long.cast::<i64>() * 3), |row| {
        (i64::from(row.byte) - 100, i64::from(row.long) * 3)
    });
    agrees!(db, rows, |n| (n.id.cast::<u8>(), n.id.cast::<BigDecimal>() + decimal("0.5")), |row| {
        (row.id as u8, BigDecimal::from(row.id) + decimal("0.5"))
    });
    agrees!(db, rows, |n| n.price.cast::<f64>(), |row| row.price.to_string().parse::<f64>().expect("it is a number"));
    assert!(all(&db).values(|n| n.medium.cast::<u8>()).load().is_err());
    assert!(all(&db).values(|n| n.medium.cast::<i16>()).load().is_err());
    assert_eq!(all(&db).filter(|n| (n.id.cast::<BigDecimal>() * decimal("1.0")).eq(decimal("7"))).count()?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Word {
    #[model(primary_key)]
    id: i64,
    text: String,
    flag: bool,
}

fn casts_of_text(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let texts = [
        "42",
        "-7",
        "+7",
        "007",
        "",
        " 1",
        "1 ",
        "1\n",
        "abc",
        "4x",
        "1.5",
        "-0.25",
        "1e3",
        ".5",
        "1.",
        "2147483648",
        "-2147483648",
        "999999999999999999",
        "1234567890123456789012",
        "NaN",
        "0x10",
        "１",
    ];
    db.create_tables::<(Word,)>()?;
    Word::bulk_create(
        &db,
        texts.iter().zip(1..).map(|(text, id)| Word { id, text: (*text).into(), flag: id % 2 == 1 }),
    )?;
    let rows = Word::objects(&db).order_by(|w| w.id.asc());
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let integer = |text: &str| {
        digits(text.strip_prefix(['+', '-']).unwrap_or(text), 18).then(|| text.parse::<i64>().ok()).flatten()
    };
    let fraction = |text: &str| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        (digits(whole, 18) && digits(part, 18)).then(|| text.to_owned())
    };
    let found = rows.clone().values(|w| (w.text.cast::<i64>(), w.text.cast::<i32>())).load()?;
    let wanted: Vec<_> =
        texts.iter().map(|text| (integer(text), integer(text).and_then(|number| i32::try_from(number).ok()))).collect();
    assert_eq!(found, wanted);
    let found = rows.clone().values(|w| (w.text.cast::<f64>(), w.text.cast::<BigDecimal>())).load()?;
    let wanted: Vec<_> = texts
        .iter()
        .map(|text| {
            (fraction(text).and_then(|text| text.parse::<f64>().ok()), fraction(text).map(|text| decimal(&text)))
        })
        .collect();
    assert_eq!(found, wanted);
    let found = rows.clone().values(|w| (w.flag.cast::<i32>(), w.flag.cast::<i64>() * 2)).load()?;
    assert_eq!(found, (1..=texts.len()).map(|id| (id as i32 % 2, id as i64 % 2 * 2)).collect::<Vec<_>>());
    assert_eq!(rows.filter(|w| w.text.cast::<i64>().gt(5)).count()?, 5);
    Ok(())
}
