//! Conditions on columns with an index are served by it.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult};

#[derive(Model, Debug)]
#[model(table = "keys")]
struct Keys {
    #[model(primary_key)]
    id: i64,
    citext: String,
    bpchar: String,
    kind: String,
    varchar: String,
    code: String,
}

#[test]
fn equality_and_lists() -> TestResult {
    let bed = Bed::postgres_database();
    bed.execute(
        "CREATE EXTENSION citext; CREATE TYPE kind AS ENUM ('a', 'b'); CREATE DOMAIN code AS VARCHAR(9);
         CREATE TABLE keys (id BIGINT PRIMARY KEY, citext CITEXT UNIQUE, bpchar CHAR(9) UNIQUE, kind KIND UNIQUE,
             varchar VARCHAR(9) UNIQUE, code CODE UNIQUE)",
    );
    let db = orm_core::connect(&bed.url_with("options=-c%20enable_seqscan%3Doff"))?;
    let all = || Keys::objects(&db);
    let many = || std::iter::repeat_n("a", 2500);
    let queries = [
        ("citext", [all().filter(|k| k.citext.eq("a")), all().filter(|k| k.citext.is_in(many()))]),
        ("bpchar", [all().filter(|k| k.bpchar.eq("a")), all().filter(|k| k.bpchar.is_in(many()))]),
        ("kind", [all().filter(|k| k.kind.eq("a")), all().filter(|k| k.kind.is_in(many()))]),
        ("varchar", [all().filter(|k| k.varchar.eq("a")), all().filter(|k| k.varchar.is_in(many()))]),
        ("code", [all().filter(|k| k.code.eq("a")), all().filter(|k| k.code.is_in(many()))]),
    ];
    for (column, queries) in queries {
        for query in queries {
            let plan = query.explain()?;
            assert!(plan.contains("Index Cond") && plan.contains(&format!("keys_{column}_key")), "{column}: {plan}");
        }
    }
    Ok(())
}
