//! Text that would break out of SQL if it could: values, identifiers, patterns, NUL.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Number, numbers};

on_each_backend! {
    sql_injection_values, like_escaping, search_is_case_sensitive_and_literal, nul_bytes, nul_bytes_in_sql_text,
    hostile_identifiers, hostile_relations, long_identifiers, values_never_stand_in_sql,
}

const HOSTILE: &[&str] = &[
    "x'; DROP TABLE numbers; --",
    "\"; DROP TABLE numbers; --",
    "\\",
    "\\'",
    "''",
    "%_",
    "$1",
    "?",
    "`",
    "/* */",
    "a\nb\r\tc",
    "é ü 漢字 🛫",
    "\u{202e}right to left",
    "",
    " ",
];

fn named(id: usize, name: &str) -> Number {
    Number { id: i64::try_from(id).expect("ids are small"), name: Some(name.to_owned()) }
}

fn sql_injection_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    let long = "'".repeat(1 << 20);
    let all: Vec<&str> = HOSTILE.iter().copied().chain([long.as_str()]).collect();
    Number::bulk_create(&db, all.iter().enumerate().map(|(id, name)| named(id, name)))?;
    for (id, name) in all.iter().enumerate() {
        let expected = named(id, name);
        assert_eq!(Number::objects(&db).filter(|n| n.name.eq(*name)).get()?, expected);
        assert_eq!(Number::objects(&db).filter(|n| n.name.eq_any([*name])).get()?, expected);
        let rest = Number::objects(&db).exclude(|n| n.name.eq(*name)).count()?;
        assert_eq!(rest, all.len() as u64 - 1);
        let between = Number::objects(&db).filter(|n| n.name.between(*name, *name)).iterator(2)?;
        assert_eq!(between.collect::<Vec<_>>(), [expected]);
    }
    let stored = bed.texts("SELECT name FROM numbers ORDER BY id");
    assert!(stored.iter().flatten().eq(all.iter()), "the witness reads what was given");
    Ok(())
}

fn values_never_stand_in_sql(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let secret = "the secret of row 77";
    let query = Number::objects(&db).filter(|n| n.name.eq(secret).or(n.name.contains(secret)).or(n.id.eq(771_177)));
    let shown = format!("{} {query:?} {:?}", query.sql()?, query.get().expect_err("there is none"));
    assert!(!shown.contains("secret") && !shown.contains("771177"), "{shown}");
    Ok(())
}

fn like_escaping(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    let texts = [
        "plain",
        "100%",
        "100",
        "a_b",
        "aXb",
        "a!b",
        "a\\b",
        "a*b",
        "a?b",
        "[ab]",
        "a",
        "b",
        "]",
        "[",
        "^",
        "-",
        "%",
        "_",
        "!",
        "\\",
        "*",
        "?",
        "!%",
        "[a-z]",
        "a[b",
        "",
        "%%",
        "ab%",
        "%ab",
        "!_",
        "ab",
        "[!a]",
        "[^a]",
        "line\nbreak%",
        "é%",
        "'",
        "''",
        "{a,b}",
    ];
    Number::bulk_create(&db, texts.iter().enumerate().map(|(id, name)| named(id, name)))?;
    let expected = |test: &dyn Fn(&str) -> bool| {
        texts.iter().filter(|text| test(text)).map(|text| Some((*text).to_owned())).collect::<Vec<_>>()
    };
    for needle in texts {
        let all = || Number::objects(&db).order_by(|n| n.id.asc());
        let found = all().filter(|n| n.name.contains(needle)).values(|n| n.name).load()?;
        assert_eq!(found, expected(&|text| text.contains(needle)), "contains {needle:?}");
        let found = all().filter(|n| n.name.starts_with(needle)).values(|n| n.name).load()?;
        assert_eq!(found, expected(&|text| text.starts_with(needle)), "starts with {needle:?}");
        let found = all().filter(|n| n.name.ends_with(needle)).values(|n| n.name).load()?;
        assert_eq!(found, expected(&|text| text.ends_with(needle)), "ends with {needle:?}");
    }
    Ok(())
}

fn search_is_case_sensitive_and_literal(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    Number::bulk_create(&db, [named(1, "Boston"), named(2, "boston"), Number { id: 3, name: None }])?;
    let found = |needle: &str| Number::objects(&db).filter(|n| n.name.contains(needle)).values(|n| n.id).load();
    assert_eq!((found("Bos")?, found("bos")?, found("BOS")?), (vec![1], vec![2], vec![]));
    // NULL is neither found nor not found; `exclude` gives what `filter` does not.
    assert_eq!(Number::objects(&db).filter(|n| n.name.contains("")).count()?, 2);
    assert_eq!(
        Number::objects(&db).exclude(|n| n.name.contains("Bos")).order_by(|n| n.id.asc()).values(|n| n.id).load()?,
        [2, 3]
    );
    Ok(())
}

fn nul_bytes(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let row = Number { id: 2, name: Some("a\0b".into()) };
    let written = Number::bulk_create(&db, [row.clone()]);
    let found = Number::objects(&db).filter(|n| n.name.eq("a\0b")).load();
    if bed.keeps_nul_in_text() {
        assert_eq!((written?, found?), (1, vec![row]));
    } else {
        let error = written.expect_err("the server cannot keep it");
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert_eq!(
            (error.model(), error.field(), error.row(), error.key()),
            (Some("Number"), Some("name"), Some(1), Some("2"))
        );
        assert!(found.is_err(), "no text is equal to one that cannot be");
    }
    // Elsewhere a search would take it for the end of the pattern, and find more than it should.
    let expected = if bed.reads_past_nul() { Ok(1) } else { Err(ErrorKind::InvalidQuery) };
    for needle in ["\0", "a\0b"] {
        let searched = Number::objects(&db).filter(|n| n.name.contains(needle).or(n.name.starts_with(needle))).count();
        assert_eq!(searched.map_err(|error| error.kind()), expected);
    }
    let first = Number::objects(&db).filter(|n| n.id.eq(1)).get()?;
    assert_eq!(first.name.as_deref(), Some("number 1"), "the connection is good");
    Ok(())
}

fn nul_bytes_in_sql_text(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.batch_execute("INSERT INTO numbers VALUES (2, 'a\0b')").map_err(|error| error.kind());
    if bed.reads_past_nul() {
        assert_eq!(answer, Ok(()));
        assert_eq!(Number::objects(&db).filter(|n| n.name.eq("a\0b")).get()?.id, 2);
    } else {
        assert_eq!(answer, Err(ErrorKind::InvalidQuery), "a C library would stop reading at NUL");
        assert_eq!(Number::objects(&db).count()?, 1);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "we\"ird`; DROP TABLE numbers; --")]
struct Hostile {
    #[model(primary_key, column = "i\"d`")]
    id: i64,
    #[model(column = "a'; b\n-- $1 ? %")]
    text: String,
    // MySQL's names take no character beyond the first 65,536.
    #[model(column = "✈")]
    plane: Option<i32>,
    #[model(column = "select")]
    keyword: bool,
    #[model(column = "UPPER")]
    upper: i16,
}

fn hostile_identifiers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    db.create_tables::<(Hostile,)>()?;
    let rows: Vec<Hostile> = (1..=5)
        .map(|id| Hostile {
            id,
            text: format!("text {id}"),
            plane: Some(7).filter(|_| id % 2 == 0),
            keyword: id > 3,
            upper: 1,
        })
        .collect();
    Hostile::bulk_create(&db, rows.clone())?;
    let all = || Hostile::objects(&db).order_by(|h| (h.keyword.asc(), h.id.asc()));
    assert_eq!(all().iterator(2)?.collect::<Vec<_>>(), rows);
    assert_eq!(
        all().filter(|h| h.plane.eq(7).and(h.text.starts_with("text"))).values(|h| (h.id, h.plane)).load()?,
        [(2, Some(7)), (4, Some(7))]
    );
    assert_eq!(all().distinct().count()?, 5);
    assert_eq!(Hostile::objects(&db).first()?, Some(rows[0].clone()));
    assert_eq!(Number::objects(&db).count()?, 1, "the other table is still there");
    let (table, column) = (bed.quoted("we\"ird`; DROP TABLE numbers; --"), bed.quoted("UPPER"));
    assert_eq!(bed.number(&format!("SELECT count(*) FROM {table} WHERE {column} = 1")), 5);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "node \"of\" a tree")]
struct Node {
    #[model(primary_key, column = "the id")]
    id: i64,
    #[model(column = "its \"parent\"", belongs_to(Node, name = r#type))]
    parent: Option<i64>,
}

fn hostile_relations(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Node,)>()?;
    let node = |id, parent| Node { id, parent };
    Node::bulk_create(&db, [node(1, None), node(2, Some(1)), node(3, Some(2))])?;
    let rows =
        Node::objects(&db).order_by(|n| n.id.asc()).select_related(|n| (n.r#type(), n.r#type().r#type())).load()?;
    assert_eq!(
        rows,
        [
            (node(1, None), None, None),
            (node(2, Some(1)), Some(node(1, None)), None),
            (node(3, Some(2)), Some(node(2, Some(1))), Some(node(1, None))),
        ]
    );
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "a_table_whose_name_is_exactly_as_long_as_postgresql_allows_x63")]
struct Long {
    #[model(primary_key)]
    id: i64,
    #[model(
        column = "a_column_whose_name_is_exactly_as_long_as_postgresql_allows_x63",
        belongs_to(Long, name = a_relation_with_a_name_that_is_long_as_well)
    )]
    parent: Option<i64>,
    #[model(
        column = "another_column_whose_name_begins_in_the_same_way_and_is_long_63",
        belongs_to(Long, name = a_relation_with_a_name_that_is_long_as_well2)
    )]
    other: Option<i64>,
}

fn long_identifiers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Long,)>()?;
    let long = |id, parent, other| Long { id, parent, other };
    Long::bulk_create(&db, [long(1, None, None), long(2, None, Some(1)), long(3, Some(2), Some(1))])?;
    let rows = Long::objects(&db)
        .filter(|l| l.id.eq(3))
        .select_related(|l| {
            (
                l.a_relation_with_a_name_that_is_long_as_well(),
                l.a_relation_with_a_name_that_is_long_as_well2(),
                l.a_relation_with_a_name_that_is_long_as_well().a_relation_with_a_name_that_is_long_as_well2(),
                l.a_relation_with_a_name_that_is_long_as_well().a_relation_with_a_name_that_is_long_as_well(),
            )
        })
        .load()?;
    assert_eq!(
        rows,
        [(
            long(3, Some(2), Some(1)),
            Some(long(2, None, Some(1))),
            Some(long(1, None, None)),
            Some(long(1, None, None)),
            None
        )]
    );
    Ok(())
}
