//! A stream inside a transaction, and writing what it found.
//!
//! A transaction has one connection, and on MySQL and SQLite an open stream has it to itself: a second statement is
//! refused, with `ErrorKind::ConnectionInUse`, before anything is sent. PostgreSQL lets other statements run between the
//! stream's rows. This way works on all of them: while the stream runs keep what has to be written, which is little, and
//! write it when the stream has ended.
//!
//! `cargo run --example transaction_stream [-- URL]`

use orm_core::{BackendKind, prelude::*};

#[derive(Model)]
#[model(table = "example_accounts")]
struct Account {
    #[model(primary_key)]
    id: i64,
    cents: i64,
}

#[derive(Model)]
#[model(table = "example_reminders")]
struct Reminder {
    #[model(primary_key, belongs_to(Account, name = account))]
    account_id: i64,
    cents: i64,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Account, Reminder)>()?;
    let balances = [12_00, -3_50, 0, 99_99, -20_00, 5];
    Account::bulk_create(&db, (1..).zip(balances).map(|(id, cents)| Account { id, cents }))?;

    db.transaction(|tx| {
        let mut accounts = Account::objects(tx).iterator(1)?;
        accounts.next();
        let second = Account::objects(tx).count();
        match db.backend() {
            BackendKind::Mysql | BackendKind::Sqlite => {
                assert!(second.is_err_and(|error| error.kind() == ErrorKind::ConnectionInUse));
            }
            _ => assert_eq!(second?, 6),
        }
        orm_core::Result::Ok(())
    })?;

    let sum = db.transaction(remind)?;
    println!("all accounts together: {sum} cents");
    println!("reminders: {}", Reminder::objects(&db).count()?);

    // The second time every reminder is there already. The transaction is rolled back, and the error is its answer.
    match db.transaction(remind) {
        Ok(_) => println!("nothing was wrong"),
        Err(error) => println!("not again: {:?}", error.kind()),
    }
    println!("reminders: {}", Reminder::objects(&db).count()?);
    drop_tables(&db)
}

/// Stores a reminder for each account below zero, and returns the sum of all.
fn remind(tx: &Transaction) -> orm_core::Result<i64> {
    let mut sum = 0;
    let mut reminders = Vec::new();
    // Of many accounts few are below zero, so this `Vec` is small where the stream is long.
    for account in Account::objects(tx).order_by(|a| a.id.asc()).iterator(2000)? {
        sum += account.cents;
        if account.cents < 0 {
            reminders.push(Reminder { account_id: account.id, cents: -account.cents });
        }
    }
    // The stream has ended, so the connection is free.
    for reminder in &reminders {
        println!("account {} owes {} cents", reminder.account_id, reminder.cents);
    }
    Reminder::bulk_create(tx, reminders)?;
    Ok(sum)
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    db.batch_execute("DROP TABLE IF EXISTS example_reminders; DROP TABLE IF EXISTS example_accounts")
}
