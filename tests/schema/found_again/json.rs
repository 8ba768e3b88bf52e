//! JSON documents: read whole or refused, equal where they say the same, and stored only where they can be read again.

use orm_core::{
    BackendKind,
    dsl::{count, count_star, dense_rank},
    prelude::*,
    types::JsonText,
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};
use serde_json::{Value, json};

use super::chain;

on_each_backend! {
    numbers_beyond_64_bits, keys_twice, texts_keep_every_digit, floats_are_exact, equal_documents, documents_of_text_columns, spellings_of_strings,
    compared_in_every_position, distinct_documents, documents_as_keys, depth, very_deep_documents, nul,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Doc {
    #[model(primary_key)]
    id: i64,
    body: Value,
    n: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "docs")]
struct TextDoc {
    #[model(primary_key)]
    id: i64,
    body: JsonText,
    n: i32,
}

/// A table whose documents are kept as the type of the model, or as text that is not changed.
fn docs(bed: &Bed, as_text: bool) -> orm_core::Result<Database> {
    let db = bed.db()?;
    if as_text {
        let json = bed.pick(Pick { postgres: "JSON", mysql: "LONGTEXT", sqlite: "TEXT" });
        bed.execute(&format!(
            "CREATE TABLE docs (id BIGINT NOT NULL PRIMARY KEY, body {json} NOT NULL, n INTEGER NOT NULL)"
        ));
    } else {
        db.create_tables::<(Doc,)>()?;
    }
    Ok(db)
}

fn numbers_beyond_64_bits(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    for number in ["12345678901234567890123", "0.1234567890123456789", "18446744073709551616", "-0.30000000000000005"] {
        bed.execute(&format!("DELETE FROM docs; INSERT INTO docs VALUES (1, '{{\"a\": [1, {number}]}}', 0)"));
        let error = Doc::objects(&db).load().expect_err(number);
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Doc"), Some("body")));
        assert_eq!((error.row(), error.key()), (Some(1), Some("1")));
        let text = chain(&error);
        assert!(text.contains(&format!("the number {number}, which a `serde_json::Value` would round")), "{text}");
        assert!(text.contains("orm_core::types::JsonText"), "{text}");
    }
    // Those that have 64 bits, whichever way they are written.
    for number in
        ["18446744073709551615", "-9223372036854775808", "1.50", "0.30000000000000004", "5e-324", "1e22", "-0.0"]
    {
        bed.execute(&format!("DELETE FROM docs; INSERT INTO docs VALUES (1, '[{number}]', 0)"));
        let doc = Doc::objects(&db).get()?;
        assert_eq!(doc.body[0].as_f64(), number.parse().ok(), "{number}");
        assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(&doc.body)).count()?, 1, "{number}");
    }
    let huge = "INSERT INTO docs VALUES (2, '1e400', 0)";
    bed.execute(huge);
    assert_eq!(Doc::objects(&db).filter(|d| d.id.eq(2)).load().expect_err(huge).kind(), ErrorKind::Decode);
    Ok(())
}

fn keys_twice(bed: &Bed) -> TestResult {
    let db = docs(bed, true)?;
    bed.execute(r#"INSERT INTO docs VALUES (1, '{"a": 1, "b": {"a": 2}}', 0), (2, '{"a": 1, "a": 2}', 0)"#);
    assert_eq!(Doc::objects(&db).filter(|d| d.id.eq(1)).get()?.body, json!({"a": 1, "b": {"a": 2}}));
    let error = Doc::objects(&db).filter(|d| d.id.eq(2)).load().expect_err("it has a key twice");
    assert!(chain(&error).contains("an object with the same key twice"), "{}", chain(&error));
    assert_eq!(TextDoc::objects(&db).filter(|d| d.id.eq(2)).get()?.body.as_str(), r#"{"a": 1, "a": 2}"#);
    Ok(())
}

fn texts_keep_every_digit(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    db.check_schema::<(TextDoc,)>()?;
    let text = r#"{"a": 12345678901234567890123, "b": 0.1234567890123456789}"#;
    let body: JsonText = text.parse()?;
    let doc = TextDoc { id: 1, body: body.clone(), n: 1 };
    TextDoc::bulk_create(&db, [doc.clone()])?;
    assert_eq!(TextDoc::objects(&db).get()?, doc);
    assert_eq!(bed.texts("SELECT body FROM docs"), [Some(text.to_owned())]);
    TextDoc { n: 2, ..doc.clone() }.save(&db)?;
    TextDoc::bulk_update(&db, [&doc], |d| (d.body, d.n))?;
    assert_eq!(TextDoc::objects(&db).update(|d| d.body.set(body.clone()))?, 1);
    assert_eq!(bed.texts("SELECT body FROM docs"), [Some(text.to_owned())]);
    let found = |body: &str| -> Result<u64, Box<dyn std::error::Error>> {
        let body: JsonText = body.parse()?;
        Ok(TextDoc::objects(&db).filter(|d| d.body.eq(&body)).count()?)
    };
    assert_eq!(found(r#"{"b":0.12345678901234567890, "a":12345678901234567890123.0}"#)?, 1);
    assert_eq!(found(r#"{"b":0.1234567890123456789, "a":12345678901234567890124}"#)?, 0);
    assert_eq!("{\"a\"}".parse::<JsonText>().expect_err("not JSON").kind(), ErrorKind::InvalidValue);
    Ok(())
}

fn floats_are_exact(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    // Some whose shortest text has 17 digits, and the ends.
    let floats: Vec<f64> = (1..400_u32)
        .map(|n| f64::from(n).sqrt() * 10_f64.powi((n % 40).cast_signed() - 20))
        .chain([f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2, -1.0 / 3.0, 123_456_789.123_456_79])
        .collect();
    Doc::bulk_create(&db, [Doc { id: 1, body: json!(floats), n: 0 }])?;
    let read = Doc::objects(&db).get()?.body;
    let read: Vec<f64> = read.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    assert_eq!(read, floats);
    Ok(())
}

/// A document that another program has written is found by its value, and is the one that is changed.
fn equal_documents(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    bed.execute(
        r#"INSERT INTO docs VALUES (1, '{"b": [1, 2.50,  {"x": null}], "a": "text  "}', 0), (2, '{ "a" : "TEXT  " }', 0),
            (3, '[1, 2]', 0), (4, '[2, 1]', 0), (5, '"1"', 0), (6, '1', 0), (7, '1.0', 0), (8, 'null', 0)"#,
    );
    let docs = Doc::objects(&db).order_by(|d| d.id.asc()).load()?;
    for doc in &docs {
        // 1 and 1.0 are equal, as on PostgreSQL.
        let equal: &[i64] = if doc.id == 6 || doc.id == 7 { &[6, 7] } else { &[doc.id] };
        let all = || Doc::objects(&db).order_by(|d| d.id.asc());
        assert_eq!(all().filter(|d| d.body.eq(&doc.body)).values(|d| d.id).load()?, equal, "{doc:?}");
        assert_eq!(all().filter(|d| d.body.is_in([&doc.body])).values(|d| d.id).load()?, equal, "{doc:?}");
        let others: Vec<i64> = (1..=8).filter(|id| !equal.contains(id)).collect();
        assert_eq!(all().filter(|d| d.body.ne(doc.body.clone())).values(|d| d.id).load()?, others, "{doc:?}");
        assert_eq!(all().filter(|d| d.body.not_in([&doc.body])).values(|d| d.id).load()?, others, "{doc:?}");
        assert_eq!(all().exclude(|d| d.body.eq(&doc.body)).values(|d| d.id).load()?, others, "{doc:?}");
        assert_eq!(all().filter(|d| d.body.eq(d.body)).count()?, 8);
        assert!(all().contains(doc)?);
        let mut again = doc.clone();
        again.refresh(&db)?;
        assert_eq!(&again, doc);
    }
    let same = json!({"a": "text  ", "b": [1, 2.5, {"x": null}]});
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(&same)).values(|d| d.id).load()?, [1]);
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(same.clone())).update(|d| d.n.set(7))?, 1);
    assert_eq!(bed.number("SELECT id FROM docs WHERE n = 7"), 1);
    assert_eq!(Doc::bulk_update(&db, [Doc { n: 8, ..docs[0].clone() }], |d| (d.n, d.body))?, 1);
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(same)).values(|d| d.n).load()?, [8]);
    Ok(())
}

/// In a column of text, or of PostgreSQL's JSON, which keeps the text and has no `=`.
fn documents_of_text_columns(bed: &Bed) -> TestResult {
    let db = docs(bed, true)?;
    bed.execute(r#"INSERT INTO docs VALUES (1, '{"b": [1, 2], "a": "x"}', 0), (2, '{"a":"x"}', 0)"#);
    db.check_schema::<(Doc,)>()?;
    let doc = Doc::objects(&db).filter(|d| d.id.eq(1)).get()?;
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(&doc.body)).get()?, doc);
    assert_eq!(Doc::objects(&db).filter(|d| d.body.is_in([json!({"a": "x"}), json!(0)])).values(|d| d.id).load()?, [2]);
    Doc { n: 2, ..doc.clone() }.save(&db)?;
    assert_eq!(Doc::bulk_update(&db, [Doc { body: json!([1]), ..doc.clone() }], |d| (d.body, d.n))?, 1);
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(json!([1.0]))).delete()?, 1);
    assert_eq!(bed.number("SELECT count(*) FROM docs"), 1);
    Ok(())
}

/// However a string is spelled, by whatever program.
fn spellings_of_strings(bed: &Bed) -> TestResult {
    let db = docs(bed, true)?;
    // Each list says the same in every document.
    let equal: [&[&str]; 9] = [
        &[r#"{"é":"ü"}"#, r#"{"\u00e9":"\u00fc"}"#, r#"{ "\u00E9" : "\u00FC" }"#],
        &[r#"["😀"]"#, r#"["\ud83d\ude00"]"#, r#"["\uD83D\uDE00"]"#],
        &[r#""a\"b""#, r#""a\u0022b""#],
        &[r#""a\\b""#, r#""a\u005cb""#, r#""a\u005Cb""#],
        &[r#""/<\/""#, r#""\/\u003c/""#, r#""\u002F\u003C\u002f""#],
        &[r#""\n\r\t\b\f""#, r#""\u000a\u000d\u0009\u0008\u000c""#, r#""\u000A\u000D\u0009\u0008\u000C""#],
        &[r#""\u001f\u000b""#, r#""\u001F\u000B""#],
        &[r#"{"b":"\\u0041","a":"A"}"#, r#"{"\u0061":"\u0041","b":"\u005cu0041"}"#],
        &[r#""\\\"\\\\n""#, r#""\u005c\u0022\\\u005Cn""#],
    ];
    // What says something else, though only by an escape, an accent or a case.
    let others = [
        r#""\\u000a""#,
        r#""\\n""#,
        r#""\\\n""#,
        r#""é""#,
        r#""e""#,
        r#""E""#,
        r#""e\u0301""#,
        r#""A""#,
        r#""a""#,
        r#""a\\\"b""#,
        r#""\u000b""#,
        r#""u000b""#,
        r#""\u00ff""#,
        r#""\u017f""#,
        r#""s""#,
        r#""\"""#,
        r#""\\""#,
        r#"["\",\""]"#,
        r#"["",""]"#,
    ];
    let classes: Vec<&[&str]> = equal.into_iter().chain(others.iter().map(std::slice::from_ref)).collect();
    let texts: Vec<(usize, &str)> =
        (0..).zip(&classes).flat_map(|(at, of)| of.iter().map(move |text| (at, *text))).collect();
    let rows = (1..).zip(&texts).map(|(id, (_, text))| Ok(TextDoc { id, body: text.parse()?, n: 0 }));
    TextDoc::bulk_create(&db, rows.collect::<orm_core::Result<Vec<_>>>()?)?;
    for (class, text) in &texts {
        let wanted: Vec<i64> = (1..).zip(&texts).filter(|(_, (of, _))| of == class).map(|(id, _)| id).collect();
        let (body, value): (JsonText, Value) = (text.parse()?, serde_json::from_str(text)?);
        let found =
            TextDoc::objects(&db).filter(|d| d.body.eq(&body)).order_by(|d| d.id.asc()).values(|d| d.id).load()?;
        assert_eq!(found, wanted, "{text}");
        let found =
            Doc::objects(&db).filter(|d| d.body.is_in([&value])).order_by(|d| d.id.asc()).values(|d| d.id).load()?;
        assert_eq!(found, wanted, "{text}");
        let others = texts.len() - wanted.len();
        assert_eq!(Doc::objects(&db).filter(|d| d.body.ne(&value)).count()?, others as u64, "{text}");
    }
    Ok(())
}

/// Documents as several programs write them, in a column of the model's type or of text; three say the same.
const SPELLINGS: [&str; 6] =
    [r#"{"a": 1, "b": 2}"#, r#"{"b":2,"a":1.0}"#, "[1e3]", "[1000]", r#"{ "b":2, "a":1 }"#, "1e3"];

fn spelled(bed: &Bed, as_text: bool) -> orm_core::Result<Database> {
    let db = docs(bed, as_text)?;
    let rows: Vec<_> = SPELLINGS.iter().zip(1..).map(|(body, id)| format!("({id}, '{body}', {})", id % 2)).collect();
    bed.execute(&format!("INSERT INTO docs VALUES {}", rows.join(", ")));
    Ok(db)
}

/// The rows of equal documents.
const CLASSES: [&[i64]; 3] = [&[1, 2, 5], &[3, 4], &[6]];

fn compared_in_every_position(bed: &Bed) -> TestResult {
    for as_text in [false, true] {
        let db = spelled(bed, as_text)?;
        let all = || Doc::objects(&db);
        let mut groups = all().group_by(|d| d.body).aggregate(|_| count_star()).load()?;
        groups.sort_by_key(|(_, rows)| *rows);
        let expected = [(json!(1000.0), 1), (json!([1000.0]), 2), (json!({"a": 1.0, "b": 2.0}), 3)];
        let as_floats =
            |body: &Value| body.to_string().replace("1000.0", "1000").replace("1.0", "1").replace("2.0", "2");
        assert_eq!(
            groups.iter().map(|(body, rows)| (as_floats(body), *rows)).collect::<Vec<_>>(),
            expected.iter().map(|(body, rows)| (as_floats(body), *rows)).collect::<Vec<_>>()
        );
        let of_lists = all().group_by(|d| d.body).aggregate(|_| count_star());
        let of_lists = of_lists.having(|body, _| body.eq(json!([1000]))).load()?;
        assert_eq!(of_lists.iter().map(|(_, rows)| *rows).collect::<Vec<_>>(), [2]);
        // Equal documents stand together, whatever their order is.
        for reversed in [false, true] {
            let ordered =
                all().order_by(|d| if reversed { d.body.desc() } else { d.body.asc() }).values(|d| d.id).load()?;
            for class in CLASSES {
                let at: Vec<_> = (0..6).filter(|at| class.contains(&ordered[*at])).collect();
                assert_eq!(at.last().map(|last| last - at[0] + 1), Some(class.len()), "{ordered:?}");
            }
        }
        assert_eq!(all().aggregate(|d| count(d.body).distinct())?, 3);
        let numbers =
            all().order_by(|d| d.id.asc()).values(|d| count_star().over(|w| w.partition_by(d.body))).load()?;
        assert_eq!(numbers, [3, 3, 2, 2, 3, 1]);
        let ranks = all().values(|d| (d.id, dense_rank().over(|w| w.order_by(d.body.asc())))).load()?;
        for class in CLASSES {
            let mut of_class: Vec<_> =
                ranks.iter().filter(|(id, _)| class.contains(id)).map(|(_, rank)| rank).collect();
            of_class.dedup();
            assert_eq!(of_class.len(), 1, "{ranks:?}");
        }
        // One of <, = and > holds of each row, and <= and >= of equal ones.
        for document in SPELLINGS.map(serde_json::from_str::<Value>) {
            let document = document?;
            let body = || document.clone();
            let equal = all().filter(|d| d.body.eq(body())).count()?;
            let (less, greater) =
                (all().filter(|d| d.body.lt(body())).count()?, all().filter(|d| d.body.gt(body())).count()?);
            assert_eq!(less + equal + greater, 6, "{}", body());
            assert_eq!(all().filter(|d| d.body.le(body()).and(d.body.ge(body()))).count()?, equal, "{}", body());
            assert_eq!(all().filter(|d| d.body.between(body(), body())).count()?, equal, "{}", body());
        }
        let odd = all().filter(|d| d.id.eq(5)).values(|d| d.body);
        assert_eq!(all().filter(|d| d.body.is_in(odd.clone())).count()?, 3);
        assert_eq!(all().filter(|d| d.body.not_in(odd.clone())).count()?, 3);
        // Whole rows are told apart by their keys.
        let low = all().filter(|d| d.id.lt(4));
        assert_eq!(low.clone().union([all().filter(|d| d.id.gt(2))]).count()?, 6);
        assert_eq!(low.clone().intersection([all().filter(|d| d.id.gt(2))]).values(|d| d.id).load()?, [3]);
        assert_eq!(low.distinct().order_by(|d| d.id.desc()).load()?.len(), 3);
        bed.execute("DROP TABLE docs");
    }
    Ok(())
}

/// Of equal documents one is selected; MariaDB could not say which.
fn distinct_documents(bed: &Bed) -> TestResult {
    for as_text in [false, true] {
        let db = spelled(bed, as_text)?;
        let bodies = || Doc::objects(&db).values(|d| d.body);
        let with_parity = || Doc::objects(&db).values(|d| (d.n, d.body));
        if bed.backend() == BackendKind::Mysql {
            let refusals = [
                bodies().distinct().load().map(drop),
                bodies().distinct().count().map(drop),
                bodies().union([bodies()]).load().map(drop),
                bodies().difference([bodies()]).count().map(drop),
                with_parity().distinct().iterator(10).map(drop),
            ];
            for refused in refusals {
                let error = refused.expect_err("documents are text there");
                assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Doc")), "{error:?}");
                assert!(
                    chain(&error).contains("`Doc.body` holds JSON documents") && chain(&error).contains("`group_by`")
                );
            }
            assert_eq!(bodies().union_all([bodies()]).count()?, 12);
        } else {
            assert_eq!(bodies().distinct().load()?.len(), 3);
            assert_eq!(bodies().distinct().count()?, 3);
            assert_eq!(with_parity().distinct().load()?.len(), 5);
            assert_eq!(bodies().union([bodies()]).load()?.len(), 3);
            assert_eq!(bodies().union_all([bodies()]).load()?.len(), 12);
            let first = Doc::objects(&db).filter(|d| d.id.eq(1)).values(|d| d.body);
            assert_eq!(bodies().difference([first.clone()]).load()?.len(), 2);
            assert_eq!(bodies().intersection([first]).load()?.len(), 1);
        }
        // What is computed of a document is none.
        assert_eq!(Doc::objects(&db).values(|d| d.body.is_null()).distinct().load()?, [false]);
        bed.execute("DROP TABLE docs");
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "named")]
struct Named {
    #[model(primary_key)]
    body: Value,
    n: i32,
}

/// A document is a key where equal ones are one; it is refused on MariaDB, whose indexes compare the text.
fn documents_as_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let json = bed.pick(Pick { postgres: "JSONB", mysql: "VARCHAR(100)", sqlite: "TEXT" });
    bed.execute(&format!("CREATE TABLE named (body {json} NOT NULL PRIMARY KEY, n INTEGER NOT NULL)"));
    bed.execute(r#"INSERT INTO named VALUES ('{"a": 1, "b": 2}', 1)"#);
    let row = |n| Named { body: json!({"b": 2, "a": 1.0}), n };
    let upsert = |n| Named::insert_into(&db).update_conflicts(|r| r.body, |r| r.n).bulk_create([row(n)]);
    if bed.backend() == BackendKind::Mysql {
        let mut again = row(0);
        for refused in [row(2).save(&db), upsert(3).map(drop), again.refresh(&db), row(4).delete(&db).map(drop)] {
            let error = refused.expect_err("a document is no key there");
            assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Named")), "{error:?}");
            assert!(chain(&error).contains("`Named.body` holds JSON documents"), "{}", chain(&error));
        }
        assert_eq!(Named::objects(&db).filter(|r| r.body.eq(row(0).body)).get()?.n, 1);
        return Ok(());
    }
    row(2).save(&db)?;
    assert_eq!(upsert(3)?, 1);
    assert_eq!(bed.texts("SELECT n FROM named"), [Some("3".to_owned())]);
    Named::bulk_update(&db, [row(4)], |r| r.n)?;
    let mut again = row(0);
    again.refresh(&db)?;
    assert_eq!(again.n, 4);
    assert!(row(5).delete(&db)?);
    assert_eq!(bed.number("SELECT count(*) FROM named"), 0);
    Ok(())
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(7), |inner, at| if at % 2 == 0 { Value::Array(vec![inner]) } else { json!({ "a": inner }) })
}

/// What is stored can be read again, and what cannot is refused before anything is sent, on every path.
fn depth(bed: &Bed) -> TestResult {
    let db = docs(bed, true)?;
    let greatest = bed.pick(Pick { postgres: 127, mysql: 31, sqlite: 127 });
    let deepest = Doc { id: 1, body: nested(greatest), n: 0 };
    Doc::create(&db, deepest.clone())?;
    assert_eq!(Doc::objects(&db).get()?, deepest);
    let refused = |result: orm_core::Result<()>| {
        let error = result.expect_err("it is too deep");
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error:?}");
        assert!(chain(&error).contains(&format!("more than {greatest} objects and arrays")), "{}", chain(&error));
    };
    for depth in [greatest + 1, 1_000] {
        let body = nested(depth);
        let deep = Doc { body: body.clone(), ..deepest.clone() };
        refused(Doc::create(&db, deep.clone()).map(drop));
        refused(deep.save(&db));
        refused(deep.save_fields(&db, |d| d.body));
        refused(Doc::bulk_create(&db, [Doc { id: 2, ..deepest.clone() }, deep.clone()]).map(drop));
        refused(Doc::bulk_update(&db, [&deep], |d| d.body).map(drop));
        refused(Doc::insert_into(&db).update_conflicts(|d| d.id, |d| d.body).bulk_create([deep]).map(drop));
        refused(Doc::objects(&db).update(|d| d.body.set(body.clone())).map(drop));
        refused(Doc::objects(&db).filter(|d| d.body.eq(&body)).load().map(drop));
        refused(Doc::objects(&db).filter(|d| d.body.is_in([&body])).count().map(drop));
        refused(Doc::objects(&db).filter(|d| d.body.ne(body.clone())).delete().map(drop));
    }
    let text: JsonText = format!("{}{}", "[".repeat(127), "]".repeat(127)).parse()?;
    let stored = TextDoc::create(&db, TextDoc { id: 3, body: text, n: 0 }).map(drop);
    if greatest < 127 {
        refused(stored);
    } else {
        stored?;
    }
    assert_eq!(bed.number("SELECT count(*) FROM docs WHERE id < 3"), 1);
    // In a column of the server's own type of documents, which it checks.
    bed.execute("DROP TABLE docs");
    let db = bed.db()?; // whose statements are not prepared for the other table
    db.create_tables::<(Doc,)>()?;
    let deepest = Doc { id: 1, body: nested(greatest), n: 0 };
    Doc::create(&db, deepest.clone())?;
    assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(&deepest.body)).get()?, deepest);
    refused(Doc::create(&db, Doc { id: 2, body: nested(greatest + 1), n: 0 }).map(drop));
    assert_eq!(bed.number("SELECT count(*) FROM docs"), 1);
    Ok(())
}

/// Nothing walks through a document without a bound: a thread's stack would not do.
fn very_deep_documents(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, || {
            let body = nested(3_000);
            let kinds = [
                Doc::objects(&db).filter(|d| d.body.eq(&body)).count().map(drop),
                Doc::objects(&db).update(|d| d.body.set(body.clone())).map(drop),
                Doc::create(&db, Doc { id: 1, body: body.clone(), n: 0 }).map(drop),
                Doc::bulk_create(&db, [Doc { id: 1, body: body.clone(), n: 0 }]).map(drop),
            ];
            kinds.map(|result| result.map_err(|error| error.kind()))
        });
        let kinds = thread.map(|thread| thread.join().expect("it does not panic"));
        assert_eq!(kinds.ok(), Some([Err(ErrorKind::InvalidValue); 4]));
    });
    // One that is stored by others is refused when it is read.
    if bed.backend() != BackendKind::Mysql {
        bed.execute(&format!("INSERT INTO docs VALUES (1, '{}{}', 0)", "[".repeat(900), "]".repeat(900)));
        assert_eq!(Doc::objects(&db).load().expect_err("it is too deep").kind(), ErrorKind::Decode);
    }
    Ok(())
}

fn nul(bed: &Bed) -> TestResult {
    let db = docs(bed, false)?;
    let doc = Doc { id: 1, body: json!({"a\0": "b\0c"}), n: 0 };
    let created = Doc::create(&db, doc.clone());
    let of_text = "[\"\\u0000\"]".parse().map(|body| TextDoc::create(&db, TextDoc { id: 2, body, n: 0 }))?;
    if bed.keeps_nul_in_text() {
        assert_eq!(created?, doc);
        of_text?;
        assert_eq!(Doc::objects(&db).filter(|d| d.body.eq(&doc.body)).count()?, 1);
    } else {
        for error in [created.map(drop), of_text.map(drop)] {
            assert_eq!(error.expect_err("it has a NUL").kind(), ErrorKind::InvalidValue);
        }
    }
    Ok(())
}
