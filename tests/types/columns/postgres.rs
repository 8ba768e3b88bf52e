//! PostgreSQL's types, and those that users make.

use super::{ColumnType, Key, column};

pub(crate) const NUMBERS: &[ColumnType] = &[
    column("boolean", &["true", "false"]),
    column("smallint", &["0", "1", "-32768", "32767"]),
    column("integer", &["0", "1", "-2147483648", "2147483647", "70000"]),
    column("bigint", &["0", "1", "-9223372036854775808", "9223372036854775807", "5000000000"]),
    column("numeric", &["0", "1", "1.0", "1.00", "-0.5", "12345678901234567890.5", "1e30", "1e-30"]).special(&[
        "'NaN'",
        "'Infinity'",
        "'-Infinity'",
    ]),
    column("numeric(10,2)", &["0", "1", "-0.5", "12345678.99"]),
    column("numeric(5,0)", &["0", "1", "-99999", "99999"]),
    column("real", &["0", "0.1", "0.5", "-1", "16777216", "1e30", "'Infinity'", "'NaN'"]),
    column("double precision", &["0", "0.1", "0.5", "-1", "1e300", "5e-324", "'-Infinity'", "'NaN'"]),
    column("money", &["'0'", "'12.34'"]),
    column("oid", &["0", "1", "4294967295"]),
    column("counted", &["0", "1", "-7", "70000", "-2147483648", "2147483647"])
        .after("CREATE DOMAIN counted AS integer CHECK (value <> 5)"),
    column("price", &["0", "1.50", "-0.5"]).after("CREATE DOMAIN price AS numeric(10, 2)"),
    column("bit(1)", &["B'0'", "B'1'"]),
    column("bit(8)", &["B'00000000'", "B'10100101'"]),
    column("bit varying(8)", &["B''", "B'101'"]),
];

const WORDS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'a '",
    "' a'",
    "'abc'",
    "'é'",
    "'e\u{301}'",
    "'0123'",
    "'1.0'",
    "'true'",
    "'happy'",
    "'sad'",
    "E'tab\\t'",
    "'100%'",
    "E'a\\\\b'",
];
const UUIDS: &[&str] = &["'6f9619ff-8b86-d011-b42d-00c04fc964ff'", "'6F9619FF-8B86-D011-B42D-00C04FC964FE'"];

pub(crate) const TEXT: &[ColumnType] = &[
    column("text", WORDS),
    column("varchar(40)", WORDS),
    column("char(1)", &["'a'", "'A'", "' '"]),
    column("char(5)", &["''", "'a'", "'A'", "'a b'", "'happy'", "'sad'", "'abcde'"]),
    column("char(36)", UUIDS),
    column("name", WORDS),
    column("\"char\"", &["'a'", "'A'", "'1'"]).special(&["''"]),
    column("citext", WORDS).loose().after("CREATE EXTENSION IF NOT EXISTS citext"),
    column("mood", &["'happy'", "'sad'"]).after("CREATE TYPE mood AS ENUM ('happy', 'sad')"),
    column("label", WORDS).after("CREATE DOMAIN label AS text CHECK (length(value) < 100)"),
    column("mood_domain", &["'happy'", "'sad'"])
        .after("CREATE TYPE domain_mood AS ENUM ('sad', 'happy'); CREATE DOMAIN mood_domain AS domain_mood"),
    column("padded", &["'a'", "'ab'", "'happy'"]).after("CREATE DOMAIN padded AS char(5)"),
    column("caseless", WORDS).loose().after("CREATE DOMAIN caseless AS citext"),
    column("text COLLATE no_case", WORDS)
        .loose()
        .after("CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"),
    column("text COLLATE no_accents", WORDS).loose().after(
        "CREATE COLLATION no_accents (provider = icu, locale = 'und-u-ks-level1-kc-true', deterministic = false)",
    ),
    column("xml", &["'<a/>'", "'<a>b</a>'"]).keyed_by(Key::None),
    column("bytea", &["''", "'a'", "'\\x00ff'", "'\\x6f9619ff8b86d011b42d00c04fc964ff'"]),
];

pub(crate) const TIMES: &[ColumnType] = &[
    column("date", &["'0001-01-01'", "'2020-02-29'", "'9999-12-31'"]).special(&["'infinity'"]),
    column("time", &["'00:00'", "'10:00:00.5'", "'23:59:59.999999'"]).special(&["'24:00:00'"]),
    column("time(0)", &["'00:00'", "'10:00:01'"]),
    column("timetz", &["'00:00+00'", "'10:00:00.5+02'"]),
    column("timestamp", &["'0001-01-01 00:00'", "'2020-02-29 10:00:00.000001'", "'9999-12-31 23:59:59.999999'"])
        .special(&["'infinity'"]),
    column("timestamp(0)", &["'2020-02-29 10:00:00'", "'1969-12-31 23:59:59'"]),
    column(
        "timestamptz",
        &["'2020-02-29 10:00:00.000001+02'", "'2020-02-29 08:00:00.000001+00'", "'1969-12-31 23:59:59.5Z'"],
    )
    .special(&["'-infinity'"]),
    column("timestamptz(0)", &["'2020-02-29 10:00:00+02'", "'1969-12-31 23:59:59Z'"]),
    column("timestamptz(3)", &["'2020-02-29 10:00:00.123+02'", "'1969-12-31 23:59:59Z'"]),
    column("interval", &["'1 day'", "'-3 months 2 hours'"]),
    column("day", &["'2020-02-29'", "'1969-12-31'"]).after("CREATE DOMAIN day AS date"),
];

pub(crate) const OTHERS: &[ColumnType] = &[
    column("uuid", UUIDS),
    column("key", UUIDS).after("CREATE DOMAIN key AS uuid"),
    column(
        "json",
        &["'{\"a\": 1}'", "'{\"b\":1,\"a\":1}'", "'[1.0]'", "'[1]'", "'null'", "'{\"n\":12345678901234567890123}'"],
    )
    .keyed_by(Key::None),
    column(
        "jsonb",
        &["'{\"a\": 1}'", "'{\"b\":1,\"a\":1}'", "'[1.0]'", "'[1]'", "'null'", "'{\"n\":12345678901234567890123}'"],
    )
    // Numbers of both types are equal there.
    .loose(),
    column("inet", &["'10.0.0.1'", "'10.0.0.0/8'"]),
    column("cidr", &["'10.0.0.0/8'"]),
    column("macaddr", &["'08:00:2b:01:02:03'"]),
    column("integer[]", &["'{}'", "'{1,2}'"]),
    column("text[]", &["'{}'", "'{a,b}'"]),
    column("moods[]", &["'{}'", "'{happy}'"]).after("CREATE TYPE moods AS ENUM ('happy', 'sad')"),
    column("ltree", &["'a.b'", "'happy'"]).after("CREATE EXTENSION IF NOT EXISTS ltree"),
    column("hstore", &["'a=>1'"]).after("CREATE EXTENSION IF NOT EXISTS hstore"),
    column("int4range", &["'[1,3)'", "'empty'"]),
    column("float_range", &["'[1,3)'", "'empty'"]).after("CREATE TYPE float_range AS RANGE (subtype = float8)"),
    column("pair", &["row(1, 'x')"]).after("CREATE TYPE pair AS (a int, b text)"),
    column("point", &["'(1,2)'"]).keyed_by(Key::None),
    column("tsvector", &["'happy'"]),
    column("jsonpath", &["'$.a'"]).keyed_by(Key::None),
];
