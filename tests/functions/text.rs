//! Searching in text, and functions of it.

use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Note, expected, found, notes};

on_each_backend! {
    searches_for_values, searches_for_expressions, regular_expressions, bad_patterns, functions, functions_of_null, letters_beyond_ascii, letters_of_two_alphabets, functions_of_functions, refusals, words,
}

const NEEDLES: [&str; 21] = [
    "", "a", "A", "N", "york", "YORK ", " ", "%", "0%", "_", "a_b", "'", r"\", "[x]", "*", "?!", "!", "\u{fc}", "本",
    "😀", "it's",
];

/// `İ` becomes `i` in small letters, and `ı` becomes `I` in capitals; neither is the other.
fn letters_of_two_alphabets(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Note,)>()?;
    let names = ["istanbul", "ISTANBUL", "İstanbul", "ıstanbul"];
    Note::bulk_create(
        &db,
        names.iter().zip(1..).map(|(name, id)| Note { id, text: (*name).into(), other: Some("İ".into()) }),
    )?;
    let all = || Note::objects(&db);
    assert_eq!(found(all().filter(|n| n.text.iexact("istanbul")))?, [1, 2]);
    assert_eq!(found(all().filter(|n| n.text.iexact("Istanbul")))?, [1, 2]);
    assert_eq!(found(all().filter(|n| n.text.iexact("İSTANBUL")))?, [3]);
    assert_eq!(found(all().filter(|n| n.text.iexact("ıSTANBUL")))?, [4]);
    assert_eq!(found(all().filter(|n| n.text.istarts_with("IS")))?, [1, 2]);
    assert_eq!(found(all().filter(|n| n.text.icontains("i")))?, [1, 2]);
    assert_eq!(found(all().filter(|n| n.text.icontains(n.other)))?, [3]);
    assert_eq!(found(all().filter(|n| n.text.iends_with("STANBUL")))?, [1, 2, 3, 4]);
    Ok(())
}

fn searches_for_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = || Note::objects(&db);
    for needle in NEEDLES {
        let lower = needle.to_lowercase();
        macro_rules! agrees {
            ($method:ident, |$text:ident| $oracle:expr) => {
                let oracle = |$text: &str| $oracle;
                let query = query();
                let what = format!("{} {needle:?}", stringify!($method));
                assert_eq!(
                    found(query.clone().filter(|n| n.text.$method(needle)))?,
                    expected(&rows, |n| Some(oracle(&n.text))),
                    "{what}"
                );
                let other = |n: &Note| n.other.as_deref().map(oracle);
                assert_eq!(
                    found(query.clone().filter(|n| n.other.$method(needle.to_owned())))?,
                    expected(&rows, other),
                    "{what}"
                );
                let not = |n: &Note| Some(other(n) != Some(true));
                assert_eq!(found(query.exclude(|n| n.other.$method(needle)))?, expected(&rows, not), "{what}");
            };
        }
        agrees!(contains, |text| text.contains(needle));
        agrees!(starts_with, |text| text.starts_with(needle));
        agrees!(ends_with, |text| text.ends_with(needle));
        agrees!(icontains, |text| text.to_lowercase().contains(&lower));
        agrees!(istarts_with, |text| text.to_lowercase().starts_with(&lower));
        agrees!(iends_with, |text| text.to_lowercase().ends_with(&lower));
        agrees!(iexact, |text| text.to_lowercase() == lower);
    }
    Ok(())
}

fn searches_for_expressions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    macro_rules! agrees {
        ($method:ident, |$text:ident, $needle:ident| $oracle:expr) => {
            let oracle = |$text: &str, $needle: &str| $oracle;
            let found = found(Note::objects(&db).filter(|n| n.text.$method(n.other)))?;
            let oracle = |n: &Note| Some(oracle(&n.text, n.other.as_deref()?));
            assert_eq!(found, expected(&rows, oracle), "{}", stringify!($method));
        };
    }
    agrees!(contains, |text, needle| text.contains(needle));
    agrees!(starts_with, |text, needle| text.starts_with(needle));
    agrees!(ends_with, |text, needle| text.ends_with(needle));
    agrees!(icontains, |text, needle| text.to_lowercase().contains(&needle.to_lowercase()));
    agrees!(istarts_with, |text, needle| text.to_lowercase().starts_with(&needle.to_lowercase()));
    agrees!(iends_with, |text, needle| text.to_lowercase().ends_with(&needle.to_lowercase()));
    agrees!(iexact, |text, needle| text.to_lowercase() == needle.to_lowercase());
    Ok(())
}

fn regular_expressions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let ids = |ids: &[i64]| ids.to_vec();
    for (pattern, wanted) in [
        ("", (1..=21).collect()),
        ("^a", ids(&[3, 10, 11, 20])),
        ("^[a-z]+$", ids(&[3, 11, 20, 21])),
        ("a{3}", ids(&[20])),
        ("a.b", ids(&[10, 11])),
        ("^(New|new) .ork ?$", ids(&[5, 6])),
        (r"\[x\]\*\?!", ids(&[14, 15])),
        ("[^a-zA-Z0-9 ]", ids(&[8, 10, 12, 13, 14, 15, 16, 17, 18, 19])),
        ("^.{3}$", ids(&[10, 11, 18, 20])),
        ("ü|本", ids(&[17, 18])),
        ("'", ids(&[12])),
    ] {
        assert_eq!(found(Note::objects(&db).filter(|n| n.text.regex(pattern)))?, wanted, "{pattern}");
    }
    assert_eq!(found(Note::objects(&db).filter(|n| n.text.iregex("^NEW y")))?, [5, 6]);
    assert_eq!(found(Note::objects(&db).filter(|n| n.text.iregex("^a$")))?, [3, 4]);
    assert_eq!(found(Note::objects(&db).filter(|n| n.other.regex("^a$")))?, [3, 4]);
    assert_eq!(
        found(Note::objects(&db).exclude(|n| n.other.regex("^a$")))?,
        expected(&rows, |n| Some(n.other.as_deref() != Some("a")))
    );
    Ok(())
}

fn bad_patterns(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    for pattern in ["(", "[a", "a{2,1}"] {
        let error = Note::objects(&db).filter(|n| n.text.regex(pattern)).load().expect_err("it is no pattern");
        let text = format!("{error:?}");
        let says = bed.pick(Pick {
            postgres: "invalid regular expression",
            mysql: "Regex error",
            sqlite: "is not a regular expression that can be searched for",
        });
        assert!(text.contains(says), "{text}");
        let kind = if bed.backend() == BackendKind::Sqlite { ErrorKind::InvalidQuery } else { ErrorKind::Database };
        assert_eq!(error.kind(), kind);
    }
    if bed.backend() == BackendKind::Sqlite {
        // A pattern is a value; one of a column is compiled row by row.
        let error = Note::objects(&db).filter(|n| n.text.regex("(hunter2")).load().expect_err("it is no pattern");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(format!("{error:?}").contains("unclosed group"), "{error:?}");
    }
    Ok(())
}

fn functions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    macro_rules! agrees {
        (|$n:ident| $expression:expr, |$text:ident| $oracle:expr) => {
            let found = Note::objects(&db).order_by(|n| n.id.asc()).values(|$n| $expression).load()?;
            let oracle = |$text: &str| $oracle;
            let wanted: Vec<_> = rows.iter().map(|n| oracle(&n.text)).collect();
            assert_eq!(found, wanted, "{}", stringify!($expression));
        };
    }
    let chars = |text: &str, from: usize, length: usize| text.chars().skip(from).take(length).collect::<String>();
    let count = |text: &str| text.chars().count();
    agrees!(|n| n.text.length(), |text| i32::try_from(count(text)).expect("it is short"));
    agrees!(|n| n.text.trim(), |text| text.trim_matches(' ').to_owned());
    agrees!(|n| n.text.ltrim(), |text| text.trim_start_matches(' ').to_owned());
    agrees!(|n| n.text.rtrim(), |text| text.trim_end_matches(' ').to_owned());
    for from in [1, 2, 3, 9, 10, u32::MAX] {
        let at = usize::try_from(from - 1)?;
        agrees!(|n| n.text.substr_from(from), |text| chars(text, at, usize::MAX));
        for length in [0, 1, 3, u32::MAX] {
            agrees!(|n| n.text.substr(from, length), |text| chars(text, at, length as usize));
        }
    }
    for length in [0, 1, 2, 8, 9, u32::MAX] {
        agrees!(|n| n.text.left(length), |text| chars(text, 0, length as usize));
        agrees!(|n| n.text.right(length), |text| chars(text, count(text).saturating_sub(length as usize), usize::MAX));
    }
    for (from, to) in [("a", "b"), ("", "x"), ("0", ""), ("'", "''"), ("本", "日"), ("aa", "a"), ("N", "%")] {
        agrees!(|n| n.text.replace(from, to), |text| if from.is_empty() {
            text.to_owned()
        } else {
            text.replace(from, to)
        });
    }
    for needle in ["a", "A", "", "本", "ork", "%", " ", "語"] {
        let position = |text: &str| text.find(needle).map_or(0, |at| count(&text[..at]) + 1);
        agrees!(|n| n.text.position(needle), |text| i32::try_from(position(text)).expect("it is short"));
    }
    agrees!(|n| n.text.reversed(), |text| text.chars().rev().collect::<String>());
    for (length, fill) in [(0_usize, "x"), (3, "x"), (10, "äb"), (12, " ")] {
        let filling = |text: &str| fill.chars().cycle().take(length.saturating_sub(count(text)));
        let size = u32::try_from(length)?;
        agrees!(|n| n.text.lpad(size, fill), |text| filling(text).chain(text.chars()).take(length).collect::<String>());
        agrees!(|n| n.text.rpad(size, fill), |text| text.chars().chain(filling(text)).take(length).collect::<String>());
    }
    Ok(())
}

fn functions_of_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    let texts = Note::objects(&db)
        .filter(|n| n.id.eq(1))
        .values(|n| {
            (n.other.lower(), n.other.trim(), n.other.substr(1, 2), n.other.right(1), n.text.replace("a", n.other))
        })
        .get()?;
    assert_eq!(texts, (None, None, None, None, None));
    let (length, at, padded) = Note::objects(&db)
        .filter(|n| n.id.eq(1))
        .values(|n| (n.other.length(), n.text.position(n.other), n.other.lpad(3, "x")))
        .get()?;
    assert_eq!((length, at, padded), (None::<i32>, None::<i32>, None::<String>));
    Ok(())
}

/// PostgreSQL knows the letters of its database's locale, which may be ASCII's alone.
fn letters_beyond_ascii(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Note,)>()?;
    Note::bulk_create(&db, [Note { id: 1, text: "ÄÖÜ éß Σσ abc".into(), other: None }])?;
    let query = || Note::objects(&db);
    let (lower, upper) = query().values(|n| (n.text.lower(), n.text.upper())).get()?;
    if bed.backend() == BackendKind::Postgres {
        let shown = bed.texts("SELECT lower(text) FROM notes UNION ALL SELECT upper(text) FROM notes");
        assert_eq!([Some(lower), Some(upper)], shown[..]);
        let known = u64::from(shown[0].as_deref().is_some_and(|lower| lower.starts_with('ä')));
        assert_eq!(query().filter(|n| n.text.icontains("äÖü É")).count()?, known);
        assert_eq!(query().filter(|n| n.text.icontains("ABC")).count()?, 1);
        return Ok(());
    }
    assert_eq!((lower.as_str(), upper.as_str()), ("äöü éß σσ abc", "ÄÖÜ Éß ΣΣ ABC"));
    assert_eq!(query().filter(|n| n.text.icontains("äÖü É")).count()?, 1);
    assert_eq!(query().filter(|n| n.text.icontains("aou")).count()?, 0);
    assert_eq!(query().filter(|n| n.text.iexact("äöü Éß σΣ ABC")).count()?, 1);
    assert_eq!(query().filter(|n| n.text.iregex("^äÖü É")).count()?, 1);
    Ok(())
}

fn functions_of_functions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = Note::objects(&db).filter(|n| n.text.trim().lower().left(3).eq("new").and(n.text.length().gt(8)));
    assert_eq!(found(query)?, [6]);
    let query = Note::objects(&db).filter(|n| n.text.lower().contains(n.other.lower().trim()));
    let oracle = |n: &Note| Some(n.text.to_lowercase().contains(n.other.as_deref()?.to_lowercase().trim_matches(' ')));
    assert_eq!(found(query)?, expected(&rows, oracle));
    let longest = Note::objects(&db).order_by(|n| (n.text.length().desc(), n.id.desc())).values(|n| n.id).first()?;
    assert_eq!(longest, Some(9));
    Ok(())
}

fn refusals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    notes(&db)?;
    let says = |query: orm_core::Result<Vec<String>>, what: &str| {
        let error = query.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        assert!(format!("{error:?}").contains(what), "{error:?}");
    };
    says(Note::objects(&db).values(|n| n.text.substr(0, 2)).load(), "counts characters from 1");
    says(Note::objects(&db).values(|n| n.text.substr_from(0)).load(), "counts characters from 1");
    says(Note::objects(&db).values(|n| n.text.lpad(3, "")).load(), "`lpad` has nothing to fill up with");
    says(Note::objects(&db).values(|n| n.text.rpad(3, "")).load(), "`rpad` has nothing to fill up with");
    Ok(())
}

fn words(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = |query: QuerySet<'_, Note>| -> Result<String, Box<dyn std::error::Error>> {
        let sql = query.sql()?;
        Ok(sql.split_once(" WHERE (").ok_or("no condition")?.1.trim_end_matches(')').to_owned())
    };
    assert_eq!(
        sql(Note::objects(&db).filter(|n| n.text.icontains("a")))?,
        bed.pick(Pick {
            postgres: r#"("notes"."text" ILIKE $1 ESCAPE '!' AND UPPER("notes"."text") LIKE UPPER($2) ESCAPE '!'"#,
            mysql: "(LOWER(`notes`.`text`) LIKE LOWER(?) COLLATE utf8mb4_bin ESCAPE '!' AND \
                    UPPER(`notes`.`text`) LIKE UPPER(?) COLLATE utf8mb4_bin ESCAPE '!'",
            sqlite: "(orm_fold(`notes`.`text`) GLOB orm_fold(?",
        })
    );
    assert_eq!(
        sql(Note::objects(&db).filter(|n| n.text.regex("a")))?,
        bed.pick(Pick {
            postgres: r#"("notes"."text" ~ $1"#,
            mysql: "(`notes`.`text` REGEXP ? COLLATE utf8mb4_bin",
            sqlite: "orm_regex(`notes`.`text`, ?, 0",
        })
    );
    Ok(())
}
