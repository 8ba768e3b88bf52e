//! Errors whose cause is a server's message that quotes a value.

use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! { errors_quote_no_value, later_errors_of_the_transaction_quote_no_value }

#[derive(Model, Clone, Debug)]
#[model(table = "accounts")]
struct Account {
    #[model(primary_key)]
    id: i64,
    #[model(unique, max_length = 100)]
    email: String,
}

/// A column of integers, of which the model says that it has text.
#[derive(Model, Clone, Debug)]
#[model(table = "codes")]
struct Code {
    #[model(primary_key)]
    id: i64,
    code: String,
}

/// A server's message repeats values, and an error does not.
fn errors_quote_no_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Account,)>()?;
    let account = |id| Account { id, email: "hunter2@example.org".into() };
    Account::create(&db, account(1))?;
    let mut errors = vec![
        (Account::create(&db, account(2)).map(drop), ErrorKind::UniqueViolation),
        (Account::bulk_create(&db, [account(3)]).map(drop), ErrorKind::UniqueViolation),
        (db.transaction(|tx| Account::create(tx, account(4)).map(drop)), ErrorKind::UniqueViolation),
    ];
    bed.execute("CREATE TABLE codes (id BIGINT PRIMARY KEY, code INT NOT NULL); INSERT INTO codes VALUES (1, 5)");
    // SQLite stores any text in any column.
    if bed.backend() != BackendKind::Sqlite {
        let code = Code { id: 2, code: "hunter2".into() };
        errors.push((Code::create(&db, code.clone()).map(drop), ErrorKind::Database));
        errors.push((Code::objects(&db).update(|c| c.code.set("hunter2")).map(drop), ErrorKind::Database));
    }
    for (result, kind) in errors {
        let error = result.expect_err("it is refused");
        assert_eq!(error.kind(), kind, "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        // What else the server told is still there.
        assert_eq!(error.sqlstate().is_some(), bed.backend() != BackendKind::Sqlite, "{error:?}");
    }
    // The primary key of a row that is refused may be shown.
    let again = Account { id: 1, email: "other@example.org".into() };
    assert_eq!(Account::create(&db, again).expect_err("there is one").kind(), ErrorKind::UniqueViolation);
    Ok(())
}

/// What is done in a transaction after a failure is refused with the reason, which is the server's message.
fn later_errors_of_the_transaction_quote_no_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Account,)>()?;
    let account = |id| Account { id, email: "hunter2@example.org".into() };
    Account::create(&db, account(1))?;
    let mut later = Vec::new();
    let committed = db.atomic(|tx| {
        later.extend(Account::create(tx, account(2)).err());
        later.extend(Account::objects(tx).count().err());
        Ok(())
    });
    later.extend(committed.err());
    let kinds: Vec<_> = later.iter().map(orm_core::Error::kind).collect();
    assert_eq!(
        (kinds.first(), kinds.last()),
        (Some(&ErrorKind::UniqueViolation), Some(&ErrorKind::TransactionAborted))
    );
    for error in later {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    Ok(())
}
