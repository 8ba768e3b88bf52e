//! The short examples, on every backend: what they print, and that they leave nothing behind.

use crate::{
    databases::{TestDatabase, databases},
    process::{Ended, names_in, run},
};

/// The example says this, on each backend and without a URL, and can be run again on the same database.
fn prints(example: &str, expected: &str) {
    let expected = Ended { code: Some(0), out: expected.to_owned(), err: String::new() };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for TestDatabase { url, .. } in &databases() {
        for _ in 0..2 {
            assert_eq!(run(example, &[url], folder.path()), expected, "{example} on {url}");
        }
    }
    if cfg!(feature = "sqlite") {
        assert_eq!(run(example, &[""; 0], folder.path()), expected, "{example}");
    }
    assert_eq!(names_in(folder.path()), [""; 0], "{example} leaves no file");
}

#[cfg(feature = "sqlite")]
#[test]
fn quickstart() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let out = "New York: [(1, Some(20)), (4, Some(31))]\nNewark: [(2, Some(90))]\n".to_owned();
    assert_eq!(run("quickstart", &[""; 0], folder.path()), Ended { code: Some(0), out, err: String::new() });
}

#[test]
fn chain_models() {
    prints(
        "chain_models",
        "\
One model after the other:
   3 email 1: A question
  12 email 2: The same question
  40 email 3: Thank you
   7 call 1 of 40 seconds
  31 call 2 of 600 seconds
In the order of time:
   3 email 1: A question
   7 call 1 of 40 seconds
  12 email 2: The same question
  31 call 2 of 600 seconds
  40 email 3: Thank you
",
    );
}

#[test]
fn chunks() {
    prints(
        "chunks",
        "\
van 1: 19850 g, parcels 7, 10, 2, 5
van 2: 4250 g, parcels 3, 8, 4, 9
van 3: 550 g, parcels 6, 1
",
    );
}

#[test]
fn transaction_stream() {
    prints(
        "transaction_stream",
        "\
account 2 owes 350 cents
account 5 owes 2000 cents
all accounts together: 8854 cents
reminders: 2
account 2 owes 350 cents
account 5 owes 2000 cents
not again: UniqueViolation
reminders: 2
",
    );
}

#[test]
fn writing() {
    prints(
        "writing",
        "\
5 products were delivered
order 1 is of 3 pieces
1 order is shipped, with twice the pieces
2 of 2 products to bell
2 of 2 products to drum
1 of 1 products to easel
a fine flute at 2100 cents is new
a fine flute at 2100 cents is known
5 of flute are there
bells are ordered
1 orders are deleted
A FINE BELL, 1250 cents, 11 in stock: true
",
    );
}

#[test]
fn broken_stream() {
    prints(
        "broken_stream",
        "\
1500 kWh on 5 meters
broken after 3 rows: Meter::kilowatt_hours of the row with the key 4 does not fit
",
    );
}

#[test]
fn adopting() {
    prints(
        "adopting",
        "\
not yet: `Refund`: there is no table or view `adopting_refunds`; create it, by a migration or `create_tables`, or name the \
right one by `#[model(table = \"…\")]`
plain Diesel: orders [1, 3]
a stream: order 2 of Grace, 9900 cents
a stream: order 1 of Ada, 1250 cents
a stream: order 3 of Ada, 399 cents
committed
refunded: 100 of 100 cents to Grace
orders with a note: 0
",
    );
}

#[test]
fn reverse() {
    prints(
        "reverse",
        "\
with a praised entry: Beatles, Cooking
with nothing else: Cooking
Beatles: 3 entries, rated Some(3.5), by several: Some(\"Michelle\")
Cooking: 1 entries, rated Some(4.0), by several: None
Drafts: 0 entries, rated None, by several: None
Beatles is yellow
Cooking is plain
Drafts is plain
wrote with Paul: John
",
    );
}

#[test]
fn existing_schema() {
    prints(
        "existing_schema",
        "\
plain Diesel: War and Peace, The Death of Ivan Ilyich
a stream: Middlemarch, 880 pages, by Eliot
a stream: War and Peace, 1225 pages, by Tolstoy
",
    );
}
