//! SQLite's declared types. Any value can stand in any column, changed by the column's affinity.

use super::{ColumnType, column};

const INTEGERS: &[&str] =
    &["0", "1", "2", "-1", "255", "70000", "5000000000", "9223372036854775807", "1.0", "0.5", "0.1", "1e3", "1e300"];
const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'a '",
    "'abc'",
    "'é'",
    "'e\u{301}'",
    "'0'",
    "'1'",
    "'0123'",
    "'1.0'",
    "'1.00'",
    "'1e3'",
    "'12.50'",
    "'0.1'",
    "'-7'",
    "'12345678901234567890.5'",
    "'true'",
    "'happy'",
    "'happy '",
];
const UUIDS: &[&str] = &[
    "x'6f9619ff8b86d011b42d00c04fc964ff'",
    "'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
    "'6F9619FF-8B86-D011-B42D-00C04FC964FF'",
    "'6f9619ff8b86d011b42d00c04fc964ff'",
    "'{6f9619ff-8b86-d011-b42d-00c04fc964ff}'",
    "'6f9619ff-8b86-d011-b42d-00c04fc964fe'",
];
const MOMENTS: &[&str] = &[
    "'2020-01-01'",
    "'2020-01-01 00:00'",
    "'2020-01-01 00:00:00'",
    "'2020-01-01T00:00:00'",
    "'2020-01-01 00:00:00.000'",
    "'2020-01-01 00:00:00.5'",
    "'2020-01-01 00:00:00.500000'",
    "'2020-01-01T00:00:00Z'",
    "'2020-01-01 00:00:00+00:00'",
    "'2020-01-01 05:30:00+05:30'",
    "'2019-12-31T23:59:59.5Z'",
    "'2020-01-02'",
    "'10:00'",
    "'10:00:00'",
    "'10:00:00.0'",
    "'10:00:00.25'",
    "'23:59:59.999999'",
    "'2020-02-30'",
];
const DOCUMENTS: &[&str] = &[
    "'{\"a\": 1}'",
    "'{\"a\":1}'",
    "'{\"b\":2,\"a\":1}'",
    "'[1.0]'",
    "'[1]'",
    "'null'",
    "'{\"n\":12345678901234567890123}'",
    "'\"x\"'",
];
const BLOBS: &[&str] = &["x''", "x'00'", "x'61'", "x'6100'"];

/// Every value, of every kind.
const VALUES: &[&str] = &{
    let kinds = [INTEGERS, TEXTS, UUIDS, MOMENTS, DOCUMENTS, BLOBS];
    let mut all = [""; INTEGERS.len() + TEXTS.len() + UUIDS.len() + MOMENTS.len() + DOCUMENTS.len() + BLOBS.len()];
    let (mut kind, mut at) = (0, 0);
    while kind < kinds.len() {
        let mut i = 0;
        while i < kinds[kind].len() {
            all[at] = kinds[kind][i];
            at += 1;
            i += 1;
        }
        kind += 1;
    }
    all
};

const fn any(declared: &'static str) -> ColumnType {
    column(declared, VALUES).dynamic()
}

pub(crate) const NUMBERS: &[ColumnType] =
    &[any("INTEGER"), any("INT"), any("REAL"), any("NUMERIC"), any("DECIMAL(10,2)"), any("BOOLEAN")];

pub(crate) const TEXT: &[ColumnType] = &[
    any("TEXT"),
    any("VARCHAR(20)"),
    any("CHAR(32)"),
    any("TEXT COLLATE NOCASE").loose(),
    any("TEXT COLLATE RTRIM").loose(),
];

pub(crate) const OTHERS: &[ColumnType] =
    &[any(""), any("BLOB"), any("DATETIME"), any("DATE"), any("TIMESTAMP"), any("UUID"), any("JSON")];
