//! Newtypes, enums and aliases as field types.

use orm_core::prelude::*;

#[derive(FieldType, Clone, Debug, PartialEq)]
struct Code(String);

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
struct Seats(u32);

/// A newtype of a newtype.
#[derive(FieldType, Clone, Debug, PartialEq)]
struct Hub(Code);

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum Status {
    Scheduled,
    #[field_type(rename = "in the air")]
    Flying,
    r#Final,
}

type Gate = Option<Code>;

#[derive(Model, Clone, Debug, PartialEq)]
struct Flight {
    #[model(primary_key)]
    code: Code,
    seats: Seats,
    free: Option<Seats>,
    hub: Hub,
    gate: Gate,
    status: Status,
    last: Option<Status>,
}

fn flight() -> Flight {
    Flight {
        code: Code("UA1".into()),
        seats: Seats(120),
        free: Some(Seats(3)),
        hub: Hub(Code("EWR".into())),
        gate: None,
        status: Status::Flying,
        last: Some(Status::Final),
    }
}

#[test]
fn they_are_stored_and_compared() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Flight,)>()?;
    Flight::bulk_create(&db, [flight()])?;
    let code = Code("UA1".into());
    let flights = Flight::objects(&db)
        .filter(|f| f.code.eq(&code).and(f.seats.gt(Seats(100))).and(f.free.lt(Seats(5))))
        .filter(|f| f.hub.eq(Hub(Code("EWR".into()))).and(f.gate.is_null()))
        .filter(|f| f.status.eq(Status::Flying).and(f.last.eq(Some(Status::Final)).or(f.last.eq(Status::Scheduled))))
        .filter(|f| f.status.eq_any([Status::Flying, Status::Scheduled]).and(f.code.ne("UA2")))
        .load()?;
    assert_eq!(flights, [flight()]);
    let stored: Vec<(Status, Option<Status>, Seats)> =
        Flight::objects(&db).values(|f| (f.status, f.last, f.seats)).load()?;
    assert_eq!(stored, [(Status::Flying, Some(Status::Final), Seats(120))]);
    // What is kept is the text that was named, and the others' snake case.
    db.batch_execute("UPDATE flights SET status = 'scheduled' WHERE status = 'in the air' AND last = 'final'")?;
    assert_eq!(Flight::objects(&db).filter(|f| f.status.eq(Status::Scheduled)).count()?, 1);
    Ok(())
}

#[test]
fn a_text_that_is_no_variant_is_an_error() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Flight,)>()?;
    Flight::bulk_create(&db, [flight()])?;
    db.batch_execute("UPDATE flights SET status = 'lost'")?;
    let error = Flight::objects(&db).load().expect_err("`lost` is no variant");
    assert_eq!(error.kind(), ErrorKind::Decode);
    Ok(())
}
