//! Streams of two models as one: mapped to a common row, one after the other, or merged in the order of time.
//!
//! A stream is an ordinary iterator, so `chain` and itertools' `merge_by` work on it. Each open stream holds one
//! connection and one chunk of rows, however long it is.
//!
//! `cargo run --example chain_models [-- URL]`

use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model)]
#[model(table = "example_emails")]
struct Email {
    #[model(primary_key)]
    id: i64,
    minute: i32,
    subject: String,
}

#[derive(Model)]
#[model(table = "example_calls")]
struct Call {
    #[model(primary_key)]
    id: i64,
    minute: i32,
    seconds: i32,
}

/// What both have in common.
struct Contact {
    minute: i32,
    text: String,
}

impl From<Email> for Contact {
    fn from(email: Email) -> Self {
        Contact { minute: email.minute, text: format!("email {}: {}", email.id, email.subject) }
    }
}

impl From<Call> for Contact {
    fn from(call: Call) -> Self {
        Contact { minute: call.minute, text: format!("call {} of {} seconds", call.id, call.seconds) }
    }
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Email, Call)>()?;
    let emails = [(1, 3, "A question"), (2, 12, "The same question"), (3, 40, "Thank you")];
    Email::bulk_create(&db, emails.map(|(id, minute, subject)| Email { id, minute, subject: subject.into() }))?;
    Call::bulk_create(&db, [(1, 7, 40), (2, 31, 600)].map(|(id, minute, seconds)| Call { id, minute, seconds }))?;

    let emails = Email::objects(&db).order_by(|e| e.minute.asc());
    let calls = Call::objects(&db).order_by(|c| c.minute.asc());

    println!("One model after the other:");
    let all = emails.clone().iterator(2000)?.map(Contact::from).chain(calls.clone().iterator(2000)?.map(Contact::from));
    for contact in all {
        println!("  {:2} {}", contact.minute, contact.text);
    }

    println!("In the order of time:");
    let emails = emails.iterator(2000)?.map(Contact::from);
    let calls = calls.iterator(2000)?.map(Contact::from);
    for contact in emails.merge_by(calls, |email, call| email.minute <= call.minute) {
        println!("  {:2} {}", contact.minute, contact.text);
    }
    drop_tables(&db)
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    db.batch_execute("DROP TABLE IF EXISTS example_emails; DROP TABLE IF EXISTS example_calls")
}
