//! The types of MySQL and MariaDB.

use super::{ColumnType, Key, column};

pub(crate) const NUMBERS: &[ColumnType] = &[
    column("TINYINT", &["0", "1", "-128", "127"]),
    column("TINYINT(1)", &["0", "1", "2", "-128", "127"]),
    column("TINYINT UNSIGNED", &["0", "1", "255"]),
    column("SMALLINT", &["0", "1", "-32768", "32767"]),
    column("SMALLINT UNSIGNED", &["0", "1", "65535"]),
    column("MEDIUMINT", &["0", "1", "-8388608", "8388607"]),
    column("MEDIUMINT UNSIGNED", &["0", "1", "16777215"]),
    column("INT", &["0", "1", "-2147483648", "2147483647"]),
    column("INT UNSIGNED", &["0", "1", "4294967295"]),
    column("INT(8) UNSIGNED ZEROFILL", &["0", "1", "4294967295"]),
    column("BIGINT", &["0", "1", "-9223372036854775808", "9223372036854775807"]),
    column("BIGINT UNSIGNED", &["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"]),
    column("BIGINT(10) ZEROFILL", &["0", "1", "18446744073709551615"]),
    column("BIT(1)", &["b'0'", "b'1'"]),
    column("BIT(8)", &["b'0'", "b'1'", "b'10100101'", "b'11111111'"]),
    column("BIT(64)", &["b'0'", "b'1'", "18446744073709551615", "24929"]),
    column("FLOAT", &["0", "0.1", "0.5", "-1", "16777216", "1e30"]),
    column("FLOAT UNSIGNED", &["0", "0.1", "1e30"]),
    column("DOUBLE", &["0", "0.1", "0.5", "-1", "1e300"]),
    column("FLOAT(7,3)", &["0", "0.1", "0.5", "-1.125"]),
    column("DOUBLE(10,2)", &["0", "0.1", "0.5", "-1.25"]),
    column("DECIMAL(10,2)", &["0", "1", "-0.5", "12345678.99"]),
    column("DECIMAL(5,0)", &["0", "1", "-99999", "99999"]),
    column("DECIMAL(5,0) UNSIGNED", &["0", "1", "99999"]),
    column("DECIMAL(65,30)", &["0", "1", "-0.5", "12345678901234567890.12345678901234567890"]),
    column("DECIMAL(10,2) UNSIGNED ZEROFILL", &["0", "1", "0.5"]),
    column("YEAR", &["1901", "2020", "2155"]).special(&["0"]),
];

const WORDS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'á'",
    "'abc'",
    "'é'",
    "'e\u{301}'",
    "'0123'",
    "'1.0'",
    "'1'",
    "'true'",
    "'happy'",
    "'sad'",
    "'100%'",
    "' a'",
    "'a '",
    "'tab\\t'",
    "'ß'",
];
/// In latin1, and without what `CHAR` drops.
const LATIN: &[&str] =
    &["''", "'a'", "'A'", "'á'", "'abc'", "'é'", "'0123'", "'1.0'", "'true'", "'happy'", "'sad'", "'100%'"];
const UUIDS: &[&str] = &[
    "'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
    "'6F9619FF-8B86-D011-B42D-00C04FC964FE'",
    "'6f9619ff8b86d011b42d00c04fc964fd'",
];

pub(crate) const TEXT: &[ColumnType] = &[
    column("VARCHAR(40) COLLATE utf8mb4_general_ci", WORDS).loose(),
    column("VARCHAR(40) COLLATE utf8mb4_bin", WORDS).loose(),
    column("VARCHAR(40) COLLATE utf8mb4_nopad_bin", WORDS),
    column("VARCHAR(40) COLLATE utf8mb4_unicode_ci", WORDS).loose(),
    column("VARCHAR(40) CHARACTER SET latin1", LATIN).loose(),
    column("VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_bin", LATIN).loose(),
    column("CHAR(5) COLLATE utf8mb4_general_ci", LATIN).loose(),
    column("CHAR(5) COLLATE utf8mb4_bin", LATIN).loose(),
    column("CHAR(36) COLLATE utf8mb4_general_ci", UUIDS).loose(),
    column("CHAR(36) COLLATE utf8mb4_bin", UUIDS).loose(),
    column("CHAR(36) CHARACTER SET ascii", UUIDS).loose(),
    column("VARCHAR(36) COLLATE utf8mb4_nopad_bin", UUIDS),
    column("TINYTEXT COLLATE utf8mb4_nopad_bin", WORDS).keyed_by(Key::Prefix(60)),
    column("TEXT COLLATE utf8mb4_general_ci", WORDS).loose().keyed_by(Key::Prefix(100)),
    column("MEDIUMTEXT COLLATE utf8mb4_nopad_bin", WORDS).keyed_by(Key::Prefix(100)),
    column("LONGTEXT COLLATE utf8mb4_nopad_bin", WORDS).keyed_by(Key::Prefix(100)),
    column("ENUM('happy', 'sad')", &["'happy'", "'sad'"]).loose(),
    column("SET('happy', 'sad')", &["'happy'", "'sad'"]).special(&["''", "'happy,sad'"]).loose(),
];

pub(crate) const TIMES: &[ColumnType] = &[
    column("DATE", &["'0001-01-01'", "'2020-02-29'", "'9999-12-31'"]),
    column("TIME", &["'00:00:00'", "'10:00:01'"]).special(&["'-01:00:00'", "'100:00:00'"]),
    column("TIME(6)", &["'00:00:00'", "'10:00:00.5'", "'23:59:59.999999'"]),
    column("DATETIME", &["'0001-01-01 00:00:00'", "'2020-02-29 10:00:00'", "'9999-12-31 23:59:59'"]),
    column("DATETIME(3)", &["'2020-02-29 10:00:00.5'", "'1969-12-31 23:59:59.125'"]),
    column("DATETIME(6)", &["'2020-02-29 10:00:00.000001'", "'9999-12-31 23:59:59.999999'"]),
    column("TIMESTAMP", &["'2020-02-29 10:00:00'", "'1970-01-02 00:00:00'"]),
    column("TIMESTAMP(6)", &["'2020-02-29 10:00:00.000001'", "'1970-01-02 00:00:00'"]),
];

pub(crate) const OTHERS: &[ColumnType] = &[
    column("BINARY(1)", &["'a'", "'A'", "x'00'"]),
    column("BINARY(4)", &["'abcd'", "x'00000000'", "x'61000000'"]).special(&["'a'"]),
    column("BINARY(16)", &["x'6f9619ff8b86d011b42d00c04fc964ff'", "x'00000000000000000000000000000000'"]),
    column("VARBINARY(20)", &["''", "'a'", "'a '", "x'00ff'"]),
    column("VARBINARY(16)", &["x'6f9619ff8b86d011b42d00c04fc964ff'", "x'00000000000000000000000000000000'"]),
    column("TINYBLOB", &["''", "'a'", "'a '", "x'00ff'"]).keyed_by(Key::Prefix(100)),
    column("BLOB", &["''", "'a'", "'a '", "x'00ff'"]).keyed_by(Key::Prefix(100)),
    column("LONGBLOB", &["''", "'a'", "'a '", "x'00ff'"]).keyed_by(Key::Prefix(100)),
    column(
        "JSON",
        &[
            "'{\"a\": 1}'",
            "'{\"a\":1}'",
            "'{\"b\":1,\"a\":1}'",
            "'[1.0]'",
            "'[1]'",
            "'null'",
            "'{\"n\":12345678901234567890123}'",
        ],
    )
    .keyed_by(Key::Prefix(100)),
    column("UUID", UUIDS),
    column("INET6", &["'::1'", "'::ffff:10.0.0.1'"]),
    column("INET4", &["'10.0.0.1'"]),
    column("POINT", &["ST_GeomFromText('POINT(1 2)')"]).keyed_by(Key::None),
    column("GEOMETRY", &["ST_GeomFromText('POINT(1 2)')"]).keyed_by(Key::None),
];
