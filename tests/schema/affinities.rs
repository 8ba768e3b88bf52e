//! Columns of numbers on SQLite, which make numbers of text: a value that would become another one is refused.

use bigdecimal::BigDecimal;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_sqlite};

// Only SQLite has affinities.
on_sqlite! {
    text_in_a_column_of_numbers, decimals_in_a_column_of_numbers, our_own_tables_keep_everything,
    writers_are_told_of_columns_of_numbers,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Code {
    #[model(primary_key)]
    id: i64,
    code: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Fee {
    #[model(primary_key)]
    id: i64,
    amount: BigDecimal,
}

fn code(id: i64, code: &str) -> Code {
    Code { id, code: Some(code.into()) }
}

fn fee(id: i64, amount: &str) -> Fee {
    Fee { id, amount: amount.parse().expect("it is a number") }
}

/// Each way to write a row over one that is there, whose value it should refuse to store.
macro_rules! refused_by_every_way {
    ($db:ident, $model:ident, $field:ident, $good:expr, $bad:expr) => {{
        let (mut good, bad): ($model, $model) = ($good, $bad);
        $model::create($db, good.clone())?;
        let before = $model::objects($db).order_by(|row| row.id.asc()).load()?;
        let other = $model { id: 100, ..bad.clone() };
        good.$field = bad.$field.clone();
        let errors = [
            $model::create($db, other.clone()).err(),
            $model::bulk_create($db, [$model { id: 99, ..$good }, other.clone()]).err(),
            other.save($db).err(),
            good.save($db).err(),
            $model::bulk_update($db, [&good], |row| row.$field).err(),
            $model::objects($db).update(|row| row.$field.set(bad.$field.clone())).err(),
        ];
        for (at, error) in errors.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("{bad:?} was stored by way {at}"));
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "by way {at}: {error:?}");
            assert!(format!("{error:?}").contains("declare the column `TEXT"), "{error:?}");
        }
        assert_eq!($model::objects($db).order_by(|row| row.id.asc()).load()?, before);
    }};
}

fn text_in_a_column_of_numbers(bed: &Bed) -> TestResult {
    for declared in ["INTEGER", "NUMERIC", "REAL", "DATETIME"] {
        let db = &bed.db()?;
        bed.execute(&format!(
            "DROP TABLE IF EXISTS codes; CREATE TABLE codes (id INTEGER PRIMARY KEY, code {declared})"
        ));
        for bad in ["0123", "42", " 7 ", "1e3"] {
            Code::objects(db).delete()?;
            refused_by_every_way!(db, Code, code, code(1, "12 a"), code(1, bad));
        }
        for good in ["", "a1", "2020-01-01", "0x10", "12-3"] {
            Code::objects(db).delete()?;
            Code::create(db, code(1, good))?;
            assert_eq!(Code::objects(db).filter(|c| c.code.eq(good)).get()?, code(1, good), "{declared}");
        }
        Code::create(db, Code { id: 2, code: None })?;
    }
    Ok(())
}

fn decimals_in_a_column_of_numbers(bed: &Bed) -> TestResult {
    for declared in ["NUMERIC", "DECIMAL(10, 2)", "REAL", "INTEGER"] {
        let db = &bed.db()?;
        bed.execute(&format!(
            "DROP TABLE IF EXISTS fees; CREATE TABLE fees (id INTEGER PRIMARY KEY, amount {declared} NOT NULL)"
        ));
        for bad in ["0.1234567890123456789", "12345678901234567890", "0.10000000000000000001", "-1e-400"] {
            Fee::objects(db).delete()?;
            refused_by_every_way!(db, Fee, amount, fee(1, "1.5"), fee(1, bad));
        }
        for good in ["0", "-0.1", "9.50", "123456789012345", "0.30000000000000004", "1e300", "2.2250738585072014e-308"]
        {
            Fee::objects(db).delete()?;
            Fee::create(db, fee(1, good))?;
            let read = Fee::objects(db).get()?;
            assert_eq!(read, fee(1, good), "{declared}");
            assert_eq!(Fee::objects(db).filter(|f| f.amount.eq(read.amount.clone())).get()?, read, "{declared}");
        }
    }
    let db = bed.db()?;
    bed.execute("DROP TABLE fees; CREATE TABLE fees (id INTEGER PRIMARY KEY, amount NUMERIC NOT NULL)");
    Fee::create(&db, fee(1, "9223372036854775807"))?;
    assert_eq!(Fee::objects(&db).get()?, fee(1, "9223372036854775807"));
    Ok(())
}

fn our_own_tables_keep_everything(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Code, Fee)>()?;
    Code::bulk_create(&db, [code(1, "0123"), code(2, "1e3")])?;
    Fee::bulk_create(&db, [fee(1, "0.1234567890123456789"), fee(2, "12345678901234567890.50")])?;
    assert_eq!(Code::objects(&db).filter(|c| c.code.eq("0123")).get()?, code(1, "0123"));
    let long = Fee::objects(&db).filter(|f| f.amount.eq(fee(1, "0.12345678901234567890").amount));
    assert_eq!(long.get()?, fee(1, "0.1234567890123456789"));
    let stored = "SELECT COUNT(*) FROM fees WHERE CAST(amount AS TEXT) = '12345678901234567890.50' COLLATE BINARY";
    assert_eq!(bed.number(stored), 1);
    Ok(())
}

fn writers_are_told_of_columns_of_numbers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    for (declared, says) in [("NUMERIC", "15 digits"), ("TEXT", "1.5 and 1.50"), ("VARCHAR(20)", "1.5 and 1.50")] {
        bed.execute(&format!(
            "DROP TABLE IF EXISTS fees; CREATE TABLE fees (id INTEGER PRIMARY KEY, amount {declared} NOT NULL)"
        ));
        db.check_schema_for_reading::<(Fee,)>()?;
        let error = db.check_schema::<(Fee,)>().expect_err("it matters to writers");
        assert!(error.to_string().contains(says), "{error}");
    }
    Ok(())
}
