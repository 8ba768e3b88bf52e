//! Unique constraints, indexes, limits and defaults: as `create_tables` declares them and `check_schema` finds them.
#![allow(clippy::duplicated_attributes)] // constraints of several columns share some

use chrono::{DateTime, NaiveTime, Utc};
use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! {
    what_is_created_is_what_is_checked, unique_is_enforced, limits_are_declared, names_are_short_and_the_same_every_time,
    indexes_are_created_once, defaults_fill_what_is_left_out, conflicts_by_declared_keys, a_row_is_made_once_by_its_unique_fields,
    a_unique_key_is_a_relation_to_one_row, keys_longer_than_the_server_takes, unique_constraints_that_are_missing,
    indexes_that_are_missing, columns_that_cut_or_round,
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Trusted,
}

#[derive(FieldType, Clone, Debug, PartialEq)]
struct Name(String);

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "people", unique(last_name, first_name), index(city, born), new_derive(Clone))]
struct Person {
    #[model(primary_key, generated)]
    id: i64,
    #[model(unique, max_length = 100)]
    email: String,
    #[model(max_length = 50)]
    first_name: Name,
    #[model(max_length = 50)]
    last_name: Option<Name>,
    #[model(max_length = 60)]
    city: Option<String>,
    #[model(index)]
    born: i32,
    #[model(decimal(10, 2))]
    balance: bigdecimal::BigDecimal,
    #[model(max_length = 8)]
    token: Vec<u8>,
    #[model(fractional_seconds = 0)]
    seen: Option<DateTime<Utc>>,
    #[model(fractional_seconds = 3)]
    at: NaiveTime,
    #[model(generated, default = "new", max_length = 10)]
    state: State,
    #[model(generated, default = -3)]
    credits: i32,
    #[model(generated, default = true)]
    active: bool,
    #[model(generated, default = "it's a \\ \"b\"")]
    remark: String,
    #[model(generated, default = "-0.50", decimal(4, 2))]
    rate: bigdecimal::BigDecimal,
    #[model(generated, default = 0.5)]
    share: Option<f64>,
}

fn person(email: &str, last_name: &str) -> NewPerson {
    NewPerson {
        email: email.into(),
        first_name: Name("Ada".into()),
        last_name: Some(Name(last_name.into())),
        city: None,
        born: 1815,
        balance: "12345678.90".parse().expect("it is a number"),
        token: vec![0; 8],
        seen: DateTime::from_timestamp(1_000_000, 0),
        at: NaiveTime::from_hms_milli_opt(1, 2, 3, 4).expect("it is a time"),
    }
}

fn kind<T>(result: orm_core::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn what_is_created_is_what_is_checked(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    db.check_schema::<(Person,)>()?;
    db.check_schema_for_reading::<(Person,)>()?;
    let new = person("ada@example.org", "Lovelace");
    let stored = Person::create(&db, new.clone())?;
    assert_eq!((&stored.email, &stored.balance, &stored.token), (&new.email, &new.balance, &new.token));
    assert_eq!((stored.seen, stored.at), (new.seen, new.at));
    assert_eq!(Person::objects(&db).filter(|p| p.balance.eq(new.balance).and(p.at.eq(new.at))).get()?, stored);
    Ok(())
}

fn unique_is_enforced(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    Person::create(&db, person("ada@example.org", "Lovelace"))?;
    let again = Person::create(&db, person("ada@example.org", "Byron"));
    assert_eq!(kind(again), Some(ErrorKind::UniqueViolation), "by one field");
    let again = Person::create(&db, person("countess@example.org", "Lovelace"));
    assert_eq!(kind(again), Some(ErrorKind::UniqueViolation), "by both names");
    Person::create(&db, person("countess@example.org", "Byron"))?;
    assert_eq!(bed.number("SELECT count(*) FROM people"), 2);
    Ok(())
}

/// What the database itself refuses or keeps, whoever writes.
fn limits_are_declared(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    Person::create(&db, person("ada@example.org", "Lovelace"))?;
    for change in ["email = 'x…'", "token = x"] {
        let long = bed.pick(Pick {
            postgres: ["repeat('x', 101)", "'\\x000000000000000000'::bytea"],
            mysql: ["repeat('x', 101)", "X'000000000000000000'"],
            sqlite: ["printf('%101s', 'x')", "X'000000000000000000'"],
        });
        let (column, value) = if change.starts_with("email") { ("email", long[0]) } else { ("token", long[1]) };
        let changed = db.batch_execute(&format!("UPDATE people SET {column} = {value}"));
        assert!(changed.is_err(), "{column} is longer than its limit");
    }
    let types = bed.texts(bed.pick(Pick {
        postgres: "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'people'::regclass \
                   AND attname IN ('email', 'balance', 'seen', 'at') ORDER BY attname",
        mysql: "SELECT column_type FROM information_schema.columns WHERE table_schema = database() \
                AND table_name = 'people' AND column_name IN ('email', 'balance', 'seen', 'at') ORDER BY column_name",
        sqlite: "SELECT type FROM pragma_table_info('people') WHERE name IN ('email', 'balance', 'seen', 'at') ORDER BY name",
    }));
    let expected = bed.pick(Pick {
        postgres: [
            "time(3) without time zone",
            "numeric(10,2)",
            "character varying(100)",
            "timestamp(0) with time zone",
        ],
        mysql: ["time(3)", "decimal(10,2)", "varchar(100)", "datetime"],
        sqlite: ["TEXT", "TEXT", "TEXT", "TEXT"],
    });
    assert_eq!(types.into_iter().flatten().collect::<Vec<_>>(), expected);
    Ok(())
}

#[derive(Model)]
#[model(
    table = "a_table_whose_name_has_nearly_sixty_bytes_which_is_many",
    unique(the_first_of_two_fields, the_second_of_two_fields),
    unique(the_third_of_two_fields, the_second_of_two_fields),
    index(the_second_of_two_fields, the_first_of_two_fields),
    index(the_second_of_two_fields, the_third_of_two_fields)
)]
struct Long {
    #[model(primary_key)]
    id: i64,
    the_first_of_two_fields: i32,
    the_second_of_two_fields: i32,
    the_third_of_two_fields: i32,
}

fn index_names(bed: &Bed, table: &str) -> Vec<String> {
    let names = bed.texts(&bed.pick(Pick {
        postgres: format!(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema AND tablename = '{table}'"
        ),
        mysql: format!(
            "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = database() \
             AND table_name = '{table}'"
        ),
        sqlite: format!("SELECT name FROM pragma_index_list('{table}')"),
    }));
    let mut names: Vec<String> =
        names.into_iter().flatten().filter(|name| name != "PRIMARY" && !name.ends_with("_pkey")).collect();
    names.sort();
    names
}

fn names_are_short_and_the_same_every_time(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Long, Person)>()?;
    db.check_schema::<(Long, Person)>()?;
    let long = index_names(bed, "a_table_whose_name_has_nearly_sixty_bytes_which_is_many");
    assert_eq!(long.len(), 4, "{long:?}");
    assert!(long.iter().all(|name| name.len() <= 63 || name.starts_with("sqlite_autoindex")), "{long:?}");
    bed.execute("DROP TABLE a_table_whose_name_has_nearly_sixty_bytes_which_is_many");
    db.create_tables::<(Long,)>()?;
    assert_eq!(index_names(bed, "a_table_whose_name_has_nearly_sixty_bytes_which_is_many"), long);
    let names = index_names(bed, "people");
    let expected =
        ["people__born", "people__city__born", "people__email__unique", "people__last_name__first_name__unique"];
    if bed.backend() == BackendKind::Sqlite {
        // SQLite does not list the names of constraints.
        assert_eq!(names[..2], expected[..2]);
        let sql =
            bed.texts("SELECT sql FROM sqlite_master WHERE name = 'people'").into_iter().flatten().collect::<String>();
        assert!(expected[2..].iter().all(|name| sql.contains(name)), "{sql}");
    } else {
        assert_eq!(names, expected);
    }
    Ok(())
}

#[derive(Model)]
#[model(unique(owner_id, name), index(pet_id, owner_id))]
struct Pet {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Pet, name = owner))]
    owner_id: i64,
    #[model(belongs_to(Pet, name = pet))]
    pet_id: i64,
    #[model(max_length = 20)]
    name: String,
}

/// A key or index that begins with the column of a relation is its index, too.
fn indexes_are_created_once(bed: &Bed) -> TestResult {
    bed.db()?.create_tables::<(Pet,)>()?;
    let names = index_names(bed, "pets");
    assert_eq!(names.len(), 2, "{names:?}");
    Ok(())
}

fn defaults_fill_what_is_left_out(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    let stored = Person::create(&db, person("ada@example.org", "Lovelace"))?;
    assert_eq!((stored.state, stored.credits, stored.active, stored.share), (State::New, -3, true, Some(0.5)));
    assert_eq!(stored.remark, "it's a \\ \"b\"");
    assert_eq!(stored.rate, "-0.5".parse::<bigdecimal::BigDecimal>()?);
    assert_eq!(bed.texts("SELECT state FROM people"), [Some("new".to_owned())]);
    let found = Person::objects(&db).filter(|p| p.rate.eq(stored.rate.clone()).and(p.state.eq(State::New)));
    assert_eq!(found.get()?, stored);
    let trusted = Person { state: State::Trusted, ..stored };
    assert_eq!(Person::bulk_update(&db, [&trusted], |p| p.state)?, 1);
    assert_eq!(bed.texts("SELECT state FROM people"), [Some("trusted".to_owned())]);
    Ok(())
}

fn conflicts_by_declared_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    let born = |email, name, born| NewPerson { born, ..person(email, name) };
    Person::insert_into(&db).update_conflicts(|p| p.email, |p| p.born).bulk_create([
        born("a@a", "A", 1),
        born("b@b", "B", 2),
        born("a@a", "C", 3),
    ])?;
    Person::insert_into(&db)
        .update_conflicts(|p| (p.first_name, p.last_name), |p| p.email)
        .bulk_create([born("b2@b", "B", 4)])?;
    Person::insert_into(&db).ignore_conflicts_on(|p| p.email).bulk_create([born("a@a", "D", 5)])?;
    let found = Person::objects(&db).order_by(|p| p.born.asc()).values(|p| (p.email, p.born)).load()?;
    assert_eq!(found, [("b2@b".to_owned(), 2), ("a@a".to_owned(), 3)]);
    Ok(())
}

fn a_row_is_made_once_by_its_unique_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Person,)>()?;
    let made: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let ada = Person::objects(&db).filter(|p| p.email.eq("ada@example.org"));
                    ada.get_or_create(|| person("ada@example.org", "Lovelace")).map(|(row, _)| row.id)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect::<orm_core::Result<_>>()
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM people"), 1);
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    let ada = Person::objects(&db).filter(|p| p.email.eq("ada@example.org"));
    let (row, is_new) = ada.update_or_create(|p| p.born.set(1816), || person("ada@example.org", "Lovelace"))?;
    assert_eq!((row.id, row.born, is_new), (made[0], 1816, false));
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Account {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(unique(account_id))]
struct Profile {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Account, reverse = profile))]
    account_id: i64,
    #[model(unique, belongs_to(Account, name = main, reverse = main_profile))]
    main_id: Option<i64>,
}

fn a_unique_key_is_a_relation_to_one_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Account, Profile)>()?;
    db.check_schema::<(Account, Profile)>()?;
    Account::bulk_create(&db, [Account { id: 1 }, Account { id: 2 }])?;
    Profile::bulk_create(&db, [Profile { id: 7, account_id: 1, main_id: Some(2) }])?;
    let rows = Account::objects(&db)
        .order_by(|a| a.id.asc())
        .values(|a| (a.id, a.profile().id, a.main_profile().id))
        .load()?;
    assert_eq!(rows, [(1, Some(7), None), (2, None, Some(7))]);
    assert_eq!(kind(Profile { id: 8, account_id: 1, main_id: None }.save(&db)), Some(ErrorKind::UniqueViolation));
    Ok(())
}

#[derive(Model, Debug)]
#[model(unique(a, b, c, d))]
struct Wide {
    #[model(primary_key)]
    id: i64,
    a: String,
    b: String,
    c: String,
    d: String,
}

fn keys_longer_than_the_server_takes(bed: &Bed) -> TestResult {
    let created = bed.db()?.create_tables::<(Account, Wide)>();
    if bed.backend() != BackendKind::Mysql {
        return Ok(created?);
    }
    let error = created.expect_err("the key has 4 times 1020 bytes");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Wide")));
    let text = error.to_string();
    assert!(text.contains("(a, b, c, d)") && text.contains("4080") && text.contains("max_length"), "{text}");
    assert_eq!(bed.number("SELECT count(*) FROM information_schema.tables WHERE table_schema = database()"), 0);
    Ok(())
}

#[derive(Model)]
#[model(unique(year, number), index(place, year))]
struct Ticket {
    #[model(primary_key)]
    id: i64,
    year: i32,
    number: i32,
    #[model(unique)]
    code: i32,
    place: i32,
}

fn tickets(bed: &Bed, lines: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    bed.execute("DROP TABLE IF EXISTS tickets");
    let (table, more) = lines.split_once(';').unwrap_or((lines, ""));
    let id = bed.pick(Pick { postgres: "BIGINT", mysql: "BIGINT", sqlite: "INTEGER" });
    bed.execute(&format!(
        "CREATE TABLE tickets (id {id} NOT NULL PRIMARY KEY, year INT NOT NULL, number INT NOT NULL, code INT NOT NULL, \
         place INT NOT NULL{table})"
    ));
    if !more.is_empty() {
        bed.execute(more);
    }
    let Err(error) = bed.db()?.check_schema::<(Ticket,)>() else { return Ok(Vec::new()) };
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    Ok(error.to_string().lines().filter_map(|line| line.strip_prefix("- ").map(str::to_owned)).collect())
}

const INDEX: &str = "CREATE INDEX places ON tickets (place, year)";

fn unique_constraints_that_are_missing(bed: &Bed) -> TestResult {
    assert_eq!(tickets(bed, &format!(", UNIQUE (code), UNIQUE (year, number); {INDEX}"))?, [""; 0]);
    let both = format!(
        "; CREATE UNIQUE INDEX codes ON tickets (code); CREATE UNIQUE INDEX numbers ON tickets (year, number); {INDEX}"
    );
    assert_eq!(tickets(bed, &both)?, [""; 0]);
    for (lines, fields) in [
        (", UNIQUE (year, number)", "(code)"),
        (", UNIQUE (code)", "(year, number)"),
        (", UNIQUE (code), UNIQUE (year)", "(year, number)"),
        (", UNIQUE (code), UNIQUE (year, number, place)", "(year, number)"),
        (", UNIQUE (year, number), UNIQUE (code, place)", "(code)"),
    ] {
        let told = tickets(bed, &format!("{lines}; {INDEX}"))?;
        let expected = format!("{fields} is declared `unique`");
        assert!(matches!(&told[..], [one] if one.contains(&expected) && one.contains("Ticket")), "{lines}: {told:#?}");
    }
    let told = tickets(bed, &format!(", UNIQUE (code), UNIQUE (number, year); {INDEX}"))?;
    assert!(matches!(&told[..], [one] if one.contains("in another order, (number, year)")), "{told:#?}");
    if bed.backend() != BackendKind::Mysql {
        let partial = "; CREATE UNIQUE INDEX codes ON tickets (code) WHERE year > 2000";
        let told = tickets(bed, &format!(", UNIQUE (year, number){partial}; {INDEX}"))?;
        assert!(matches!(&told[..], [one] if one.contains("(code) is declared `unique`")), "{told:#?}");
    }
    Ok(())
}

fn indexes_that_are_missing(bed: &Bed) -> TestResult {
    const UNIQUE: &str = ", UNIQUE (code), UNIQUE (year, number)";
    assert_eq!(tickets(bed, &format!("{UNIQUE}; CREATE INDEX places ON tickets (place, year, number)"))?, [""; 0]);
    assert_eq!(tickets(bed, &format!("{UNIQUE}, UNIQUE (place, year)"))?, [""; 0]);
    for more in ["", "; CREATE INDEX places ON tickets (place)", "; CREATE INDEX places ON tickets (year, place)"] {
        let told = tickets(bed, &format!("{UNIQUE}{more}"))?;
        let expected = "`index` is declared of (place, year)";
        assert!(matches!(&told[..], [one] if one.contains(expected)), "{more}: {told:#?}");
    }
    if bed.backend() != BackendKind::Mysql {
        let told = tickets(bed, &format!("{UNIQUE}; {INDEX} WHERE number > 5"))?;
        assert_eq!(told.len(), 1, "{told:#?}");
    }
    Ok(())
}

#[derive(Model)]
struct Measure {
    #[model(primary_key)]
    id: i32,
    #[model(max_length = 20)]
    name: String,
    #[model(decimal(8, 2))]
    amount: bigdecimal::BigDecimal,
    total: bigdecimal::BigDecimal,
    #[model(fractional_seconds = 0)]
    at: NaiveTime,
}

fn columns_that_cut_or_round(bed: &Bed) -> TestResult {
    if bed.backend() == BackendKind::Sqlite {
        // Its columns neither cut nor round.
        bed.db()?.create_tables::<(Measure,)>()?;
        return Ok(bed.db()?.check_schema::<(Measure,)>()?);
    }
    let any = bed.pick(Pick { postgres: "NUMERIC", mysql: "DECIMAL(65,30)", sqlite: "" });
    let second = "TIME(0)";
    let told = |name: &str, amount: &str, total: &str, at: &str| -> Result<Vec<String>, Box<dyn std::error::Error>> {
        bed.execute("DROP TABLE IF EXISTS measures");
        bed.execute(&format!(
            "CREATE TABLE measures (id INT NOT NULL PRIMARY KEY, name {name} NOT NULL, amount {amount} NOT NULL, \
             total {total} NOT NULL, at {at} NOT NULL)"
        ));
        let db = bed.db()?;
        db.check_schema_for_reading::<(Measure,)>()?;
        let text = db.check_schema::<(Measure,)>().err().map_or_else(String::new, |error| error.to_string());
        Ok(text.lines().filter_map(|line| line.strip_prefix("- ").map(str::to_owned)).collect())
    };
    assert_eq!(told("VARCHAR(20)", "DECIMAL(8,2)", any, second)?, [""; 0]);
    assert_eq!(told("VARCHAR(30)", "DECIMAL(12,4)", any, "TIME(3)")?, [""; 0], "wider will do");
    for (columns, expected) in [
        (["VARCHAR(19)", "DECIMAL(8,2)", any], "`max_length` of 20"),
        (["VARCHAR(20)", "DECIMAL(8,1)", any], "more than 1 digits after the point"),
        (["VARCHAR(20)", "DECIMAL(8,3)", any], "`#[model(decimal(8, 3))]`"),
        (["VARCHAR(20)", "DECIMAL(8,2)", "DECIMAL(10,2)"], "`#[model(decimal(10, 2))]`"),
    ] {
        let told = told(columns[0], columns[1], columns[2], second)?;
        assert!(matches!(&told[..], [one] if one.contains(expected)), "{columns:?}: {told:#?}");
    }
    Ok(())
}
