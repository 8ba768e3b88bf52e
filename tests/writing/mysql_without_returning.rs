//! What MySQL does, which returns no rows: as far as MariaDB that says it is MySQL shows it.

use orm_core::prelude::*;
use orm_tests::{TestResult, private_server::PrivateServer};

use crate::models::{Leg, NewVisit, Visit, leg};

#[derive(Model, Debug)]
#[model(table = "tokens")]
struct Token {
    #[model(primary_key, generated)]
    token: String,
    owner: i64,
}

#[test]
fn a_row_is_found_again_by_the_key_that_was_made() -> TestResult {
    let server = PrivateServer::mysql(&["version=8.0.40"]);
    let db = orm_core::connect(server.url())?;
    server.execute(
        "CREATE TABLE visits (id BIGINT PRIMARY KEY AUTO_INCREMENT, guest VARCHAR(50) NOT NULL UNIQUE, rating INT, \
         state VARCHAR(50) NOT NULL DEFAULT 'new') AUTO_INCREMENT = 40",
    );
    server.execute("CREATE TABLE tokens (token VARCHAR(40) PRIMARY KEY DEFAULT (uuid()), owner BIGINT NOT NULL)");
    server.execute(
        "CREATE TABLE legs (carrier VARCHAR(10), number INT, miles INT NOT NULL, origin_code TEXT, PRIMARY KEY (carrier, number))",
    );
    let new = |guest: &str| NewVisit { guest: guest.into(), rating: Some(1) };
    let visit = Visit::create(&db, new("Ada"))?;
    assert_eq!(visit, Visit { id: 40, guest: "Ada".into(), rating: Some(1), state: "new".into() });
    let visit = db.transaction(|tx| Visit::create(tx, new("Ben")))?;
    assert_eq!((visit.id, visit.guest.as_str()), (41, "Ben"));
    assert_eq!(Leg::create(&db, leg("UA", 1, 2, None))?, leg("UA", 1, 2, None));
    let error = Token::create(&db, NewToken { owner: 1 }).expect_err("the key is not told");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Token")));
    let error = Visit::insert_into(&db).bulk_create_returning([new("Cy")]).expect_err("there is no RETURNING");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Visit")));
    assert_eq!(Visit::insert_into(&db).ignore_conflicts().bulk_create([new("Cy"), new("Ada")])?, 1);
    assert_eq!(server.texts("SELECT count(*) FROM tokens"), [Some("0".to_owned())]);
    Ok(())
}

#[derive(Model, Debug)]
#[model(table = "tickets")]
struct Ticket {
    #[model(primary_key, generated)]
    id: i64,
    owner: i64,
}

/// Then `LAST_INSERT_ID()` tells of a row that was stored before.
#[test]
fn a_key_that_a_trigger_sets() -> TestResult {
    let server = PrivateServer::mysql(&["version=8.0.40"]);
    let db = orm_core::connect(server.url())?;
    server.execute(
        "CREATE TABLE visits (id BIGINT PRIMARY KEY AUTO_INCREMENT, guest VARCHAR(50) NOT NULL UNIQUE, rating INT, \
         state VARCHAR(50) NOT NULL DEFAULT 'new')",
    );
    server.execute("CREATE TABLE tickets (id BIGINT NOT NULL PRIMARY KEY DEFAULT 0, owner BIGINT NOT NULL)");
    let new = |guest: &str| NewVisit { guest: guest.into(), rating: Some(1) };
    db.transaction(|tx| Visit::create(tx, new("Ada")).map(|visit| assert_eq!(visit.id, 1)))?;
    server.execute("CREATE TRIGGER sets_id BEFORE INSERT ON visits FOR EACH ROW SET NEW.id = 500");
    server.execute("CREATE TRIGGER sets_id_of_ticket BEFORE INSERT ON tickets FOR EACH ROW SET NEW.id = 1");
    let visit = Visit::create(&db, new("Ben"))?;
    assert_eq!((visit.id, visit.guest.as_str()), (500, "Ben"));
    // The key is the trigger's alone: nobody tells of it.
    let error = Ticket::create(&db, NewTicket { owner: 7 }).expect_err("its key is not known");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Ticket")));
    assert_eq!(server.texts("SELECT count(*) FROM tickets"), [Some("0".to_owned())]);
    Ok(())
}
