//! What depends on the locale of a PostgreSQL database. The server's own may be any: each test makes a database of its own.

use orm_core::{
    dsl::{max, min},
    prelude::*,
};
use orm_tests::{Bed, TestResult};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "words")]
struct Word {
    #[model(primary_key)]
    id: i64,
    word: String,
    padded: String,
}

/// A locale, and how it differs.
struct Locale {
    options: &'static str,
    /// The words in its order.
    order: [&'static str; 6],
    /// Whether letters beyond ASCII have a case.
    knows_letters: bool,
    /// Whether an ordinary index serves a prefix.
    serves_prefixes: bool,
}

const BY_CODE_POINT: [&str; 6] = ["Zebra", "apple", "banana", "zebra", "Äpfel", "äpfel"];
const C: Locale = Locale {
    options: "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'",
    order: BY_CODE_POINT,
    knows_letters: false,
    serves_prefixes: true,
};
const LIBC: Locale = Locale {
    options: "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
    knows_letters: true,
    // Only the name `C` tells the planner that the order is that of the bytes.
    serves_prefixes: false,
    ..C
};
const ICU: Locale = Locale {
    options: "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
    order: ["äpfel", "Äpfel", "apple", "banana", "zebra", "Zebra"],
    ..LIBC
};

macro_rules! in_each_locale {
    ($($name:ident),+ $(,)?) => {
        mod c {
            $( #[test] fn $name() -> super::TestResult { super::in_locale(&super::C, super::$name) } )+
        }
        mod libc {
            $( #[test] fn $name() -> super::TestResult { super::in_locale(&super::LIBC, super::$name) } )+
        }
        mod icu {
            $( #[test] fn $name() -> super::TestResult { super::in_locale(&super::ICU, super::$name) } )+
        }
    };
}

in_each_locale! { orders, letters, searches, index_use }

fn in_locale(locale: &Locale, test: fn(&Bed, &Database, &Locale) -> TestResult) -> TestResult {
    let bed = Bed::postgres_database_of(locale.options);
    bed.execute("CREATE TABLE words (id BIGINT PRIMARY KEY, word TEXT NOT NULL, padded CHAR(7) NOT NULL)");
    let db = orm_core::connect(&bed.url_with("options=-c%20enable_seqscan%3Doff"))?;
    let word = |(id, word): (i64, &&str)| Word { id, word: (*word).into(), padded: (*word).into() };
    Word::bulk_create(&db, (1..).zip(&BY_CODE_POINT).map(word))?;
    test(&bed, &db, locale)
}

fn orders(_: &Bed, db: &Database, locale: &Locale) -> TestResult {
    let words = || Word::objects(db).order_by(|w| w.word.asc()).values(|w| w.word);
    assert_eq!(words().load()?, locale.order);
    assert_eq!(words().iterator(2)?.collect::<Vec<_>>(), locale.order);
    let padded = Word::objects(db).order_by(|w| w.padded.desc()).values(|w| w.padded).load()?;
    assert!(padded.iter().map(|word| word.trim_end()).eq(locale.order.into_iter().rev()), "{padded:?}");
    // Comparisons are of the same order.
    for (at, word) in locale.order.into_iter().enumerate() {
        assert_eq!(words().filter(|w| w.word.lt(word)).load()?, locale.order[..at]);
        assert_eq!(words().filter(|w| w.padded.ge(word)).load()?, locale.order[at..]);
        assert_eq!(words().filter(|w| w.word.eq(word)).load()?, [word], "whatever the order, equal is the same text");
        assert_eq!(words().filter(|w| w.padded.eq(word)).load()?, [word]);
    }
    let ends = Word::objects(db).aggregate(|w| (min(w.word), max(w.word)))?;
    assert_eq!(ends, (Some(locale.order[0].to_owned()), Some(locale.order[5].to_owned())));
    Ok(())
}

fn letters(_: &Bed, db: &Database, locale: &Locale) -> TestResult {
    let of =
        |word: &'static str| Word::objects(db).filter(|w| w.word.eq(word)).values(|w| (w.word.upper(), w.word.lower()));
    assert_eq!(of("apple").get()?, ("APPLE".into(), "apple".into()));
    let (upper, lower) = if locale.knows_letters { ("ÄPFEL", "äpfel") } else { ("äPFEL", "Äpfel") };
    assert_eq!(of("äpfel").get()?.0, upper);
    assert_eq!(of("Äpfel").get()?.1, lower);
    Ok(())
}

fn searches(_: &Bed, db: &Database, locale: &Locale) -> TestResult {
    let found = |query: QuerySet<'_, Word>| query.order_by(|w| w.id.asc()).values(|w| w.word).load();
    let all = || Word::objects(db);
    assert_eq!(found(all().filter(|w| w.word.starts_with("ä")))?, ["äpfel"]);
    assert_eq!(found(all().filter(|w| w.word.contains("pf")))?, ["Äpfel", "äpfel"]);
    assert_eq!(found(all().filter(|w| w.word.ends_with("ebra")))?, ["Zebra", "zebra"]);
    assert_eq!(found(all().filter(|w| w.padded.starts_with("Z")))?, ["Zebra"]);
    assert_eq!(found(all().filter(|w| w.word.iexact("zEBRA")))?, ["Zebra", "zebra"]);
    assert_eq!(found(all().filter(|w| w.word.icontains("APP")))?, ["apple"]);
    let both: &[&str] = if locale.knows_letters { &["Äpfel", "äpfel"] } else { &["Äpfel"] };
    assert_eq!(found(all().filter(|w| w.word.iexact("ÄPFEL")))?, both);
    assert_eq!(found(all().filter(|w| w.word.istarts_with("Äp")))?, both);
    Ok(())
}

fn index_use(bed: &Bed, db: &Database, locale: &Locale) -> TestResult {
    bed.execute("CREATE INDEX of_words ON words (word)");
    let is_served = |query: QuerySet<'_, Word>| query.explain().map(|plan| plan.contains("Index Cond: (("));
    let all = || Word::objects(db);
    let served = all().filter(|w| w.word.eq("apple")).explain()?;
    assert!(served.contains("Index Cond"), "{served}");
    assert_eq!(is_served(all().filter(|w| w.word.starts_with("app")))?, locale.serves_prefixes);
    bed.execute("DROP INDEX of_words; CREATE INDEX of_prefixes ON words (word text_pattern_ops)");
    assert!(is_served(all().filter(|w| w.word.starts_with("app")))?, "such an index serves them in every locale");
    Ok(())
}

/// A collation that takes different texts for one: PostgreSQL compares by it, and searches by it from its release 18 on.
#[test]
fn a_collation_without_case() -> TestResult {
    let bed = Bed::postgres_database();
    bed.execute(
        "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE words (id BIGINT PRIMARY KEY, word TEXT COLLATE caseless NOT NULL, padded CHAR(7) NOT NULL);
         INSERT INTO words VALUES (1, 'Apple', ''), (2, 'banana', '')",
    );
    let db = bed.db()?;
    let all = || Word::objects(&db);
    assert_eq!(all().filter(|w| w.word.eq("aPPLE")).count()?, 1);
    assert_eq!(all().filter(|w| w.word.lower().eq("aPPLE")).count()?, 1, "what is computed keeps the collation");
    let searches = [
        all().filter(|w| w.word.starts_with("APP")).count(),
        all().filter(|w| w.word.contains("APP")).count(),
        all().filter(|w| w.word.ends_with("PPLE")).count(),
        all().filter(|w| w.word.like("APP%")).count(),
    ];
    for searched in searches {
        if bed.number("SELECT current_setting('server_version_num')::int") < 180_000 {
            let error = searched.expect_err("such a search is not supported");
            assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::InvalidQuery, Some("0A000")));
            assert!(error.to_string().contains("a collation that is not deterministic"), "{error}");
        } else {
            assert_eq!(searched?, 1);
        }
    }
    let matched = all().filter(|w| w.word.regex("^app")).count().expect_err("nor are regular expressions");
    assert!(matched.to_string().contains("a collation that is not deterministic"), "{matched}");
    // What the error proposes.
    let by_raw_sql = Word::raw(&db, r#"SELECT * FROM words WHERE word COLLATE "C" LIKE ?"#).bind("App%").load()?;
    assert_eq!(by_raw_sql.len(), 1);
    Ok(())
}
