//! What the types of servers hold, by their names, and whether a model's type is held by a column's.

use crate::backend::BackendKind;

/// What values of a type are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Boolean,
    Integer {
        least: i128,
        greatest: i128,
    },
    Single,
    Double,
    /// A `FLOAT` or `DOUBLE` of MySQL's that is rounded to so many decimal digits.
    RoundedSingle,
    RoundedDouble,
    Decimal,
    /// A decimal of MySQL's without digits after the point, which integers are read from as well.
    WholeDecimal {
        least: i128,
        greatest: i128,
    },
    Text,
    /// Text whose spaces at the end are removed; MySQL's `CHAR`.
    TrimmedText,
    /// Text that is filled up with spaces.
    PaddedText,
    /// Text that is compared without regard to case.
    Citext,
    /// Text of up to 63 bytes; PostgreSQL's `name`.
    Name,
    /// An enum of PostgreSQL's, by its name.
    Enum(String),
    /// A domain of an enum.
    EnumDomain,
    Bytes,
    /// So many bytes; fewer are filled up with zeros.
    FixedBytes(u32),
    Date,
    Time {
        digits: u32,
    },
    Timestamp {
        digits: u32,
    },
    Instant {
        digits: u32,
    },
    Uuid,
    Json,
    Jsonb,
    /// So many bits, which are a boolean or an integer.
    Bits(u32),
    /// The years from 1901 to 2155, and 0.
    Year,
    /// A geometry of MySQL's, in its own binary form.
    Geometry,
    /// A type of MariaDB's that is sent and compared as text, such as its UUIDs and addresses.
    SpelledOut,
    Array(Box<Stored>),
    /// Whatever is known by its name alone.
    Other(String),
}

/// Why a column is not fit for a field.
#[doc(hidden)]
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit {
    /// It matters to those alone who write.
    pub(crate) to_writers: bool,
    pub(crate) why: String,
}

impl Misfit {
    pub(crate) fn reading(why: impl Into<String>) -> Self {
        Misfit { to_writers: false, why: why.into() }
    }
    pub(crate) fn writing(why: impl Into<String>) -> Self {
        Misfit { to_writers: true, why: why.into() }
    }
}

const fn signed(bits: u32) -> Stored {
    Stored::Integer { least: -(1 << (bits - 1)), greatest: (1 << (bits - 1)) - 1 }
}

const fn unsigned(bits: u32) -> Stored {
    Stored::Integer { least: 0, greatest: (1 << bits) - 1 }
}

/// The type's name, the number in brackets behind it, and what follows.
fn parts(declared: &str) -> (&str, Option<&str>, &str) {
    let Some((name, rest)) = declared.split_once('(') else { return (declared.trim(), None, "") };
    let (inside, rest) = rest.split_once(')').unwrap_or((rest, ""));
    (name.trim(), Some(inside.trim()), rest.trim())
}

/// What a type of PostgreSQL's holds, by the name that `format_type` gives it, or a model.
pub(crate) fn on_postgres(declared: &str) -> Stored {
    let declared = declared.to_lowercase();
    if let Some(element) = declared.strip_suffix("[]") {
        return Stored::Array(Box::new(on_postgres(element)));
    }
    // What is said of enums is added by `backend/postgres/catalog.rs`.
    if let Some(name) = declared.strip_suffix(" (enum)") {
        return Stored::Enum(name.to_owned());
    }
    if declared.ends_with(" (domain of an enum)") {
        return Stored::EnumDomain;
    }
    let (name, inside, rest) = parts(&declared);
    let digits = inside.and_then(|digits| digits.parse().ok()).unwrap_or(6);
    let with_zone = name.ends_with("with time zone") || rest.ends_with("with time zone");
    match name {
        "boolean" | "bool" => Stored::Boolean,
        "smallint" | "int2" => signed(16),
        "integer" | "int" | "int4" => signed(32),
        "bigint" | "int8" => signed(64),
        "real" | "float4" => Stored::Single,
        "double precision" | "float8" => Stored::Double,
        "numeric" | "decimal" => Stored::Decimal,
        "text" | "character varying" | "varchar" => Stored::Text,
        "name" => Stored::Name,
        "citext" => Stored::Citext,
        "character" | "char" | "bpchar" => Stored::PaddedText,
        "bytea" => Stored::Bytes,
        "date" => Stored::Date,
        "time" | "time without time zone" if !with_zone => Stored::Time { digits },
        "timestamptz" | "timestamp with time zone" => Stored::Instant { digits },
        "timestamp" if with_zone => Stored::Instant { digits },
        "timestamp" | "timestamp without time zone" => Stored::Timestamp { digits },
        "uuid" => Stored::Uuid,
        "json" => Stored::Json,
        "jsonb" => Stored::Jsonb,
        _ => Stored::Other(declared),
    }
}

/// What a type of MySQL's or MariaDB's holds, by the name that `information_schema` gives it, or a model.
pub(crate) fn on_mysql(declared: &str) -> Stored {
    let declared = declared.to_lowercase();
    let (name, inside, rest) = parts(&declared);
    let (name, is_unsigned) = match name.strip_suffix(" unsigned") {
        Some(name) => (name, true),
        None => (name, rest.split_whitespace().any(|word| word == "unsigned")),
    };
    let integer = |bits| if is_unsigned { unsigned(bits) } else { signed(bits) };
    let digits = inside.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    match name {
        "boolean" | "bool" => Stored::Boolean,
        "bit" => Stored::Bits(inside.and_then(|bits| bits.parse().ok()).unwrap_or(1)),
        "year" => Stored::Year,
        "tinyint" => integer(8),
        "smallint" => integer(16),
        "mediumint" => integer(24),
        "int" | "integer" => integer(32),
        "bigint" => integer(64),
        "float" | "double" | "double precision" if inside.is_some_and(|digits| digits.contains(',')) => {
            if name == "float" { Stored::RoundedSingle } else { Stored::RoundedDouble }
        }
        "float" => Stored::Single,
        "double" | "double precision" => Stored::Double,
        "decimal" | "numeric" => whole_decimal(inside, is_unsigned).unwrap_or(Stored::Decimal),
        "char" => Stored::TrimmedText,
        "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" => Stored::Text,
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Stored::Bytes,
        "binary" => Stored::FixedBytes(inside.and_then(|length| length.parse().ok()).unwrap_or(1)),
        "date" => Stored::Date,
        "time" => Stored::Time { digits },
        "datetime" | "timestamp" => Stored::Timestamp { digits },
        "json" => Stored::Json,
        "uuid" | "inet4" | "inet6" => Stored::SpelledOut,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Stored::Geometry,
        _ => Stored::Other(declared),
    }
}

/// A decimal without digits after the point: `DECIMAL(5,0)`, `DECIMAL(5)` or `DECIMAL`, which has 10 digits.
fn whole_decimal(inside: Option<&str>, is_unsigned: bool) -> Option<Stored> {
    let (precision, scale) = match inside {
        Some(inside) => inside.split_once(',').unwrap_or((inside, "0")),
        None => ("10", "0"),
    };
    if scale.trim() != "0" {
        return None;
    }
    // More digits than an `i128` has are more than any integer of a field.
    let greatest = 10_i128.checked_pow(precision.trim().parse().ok()?).map_or(i128::MAX, |power| power - 1);
    Some(Stored::WholeDecimal { least: if is_unsigned { 0 } else { -greatest }, greatest })
}

/// Why a column that holds `live` is not fit for a field that is stored as `model`, whose integers are `values` alone.
pub(crate) fn misfit(
    backend: BackendKind,
    model: &Stored,
    values: Option<(i64, i64)>,
    live: &Stored,
) -> Option<Misfit> {
    use Stored::{
        Array, Bits, Boolean, Bytes, Citext, Date, Decimal, Double, Enum, EnumDomain, FixedBytes, Geometry, Instant,
        Integer, Json, Jsonb, Name, Other, PaddedText, RoundedDouble, RoundedSingle, Single, SpelledOut, Text, Time,
        Timestamp, TrimmedText, Uuid, WholeDecimal, Year,
    };
    match (model, live) {
        (
            Integer { least, greatest },
            Integer { least: from, greatest: to } | WholeDecimal { least: from, greatest: to },
        ) => integers((*least, *greatest), values, (*from, *to)),
        (Integer { least, greatest }, Bits(bits @ 1..=64)) => {
            integers((*least, *greatest), values, (0, (1 << bits) - 1))
        }
        // The server rejects a year that it does not have.
        (Integer { greatest: 2155.., .. }, Year) if values.is_none_or(|(_, greatest)| greatest >= 2155) => None,
        (Text, SpelledOut) | (Bytes, Geometry) => None,
        (Decimal, WholeDecimal { .. }) => None,
        (Decimal, Integer { .. } | Bits(_) | Year) if backend == BackendKind::Mysql => Some(Misfit::writing(
            "which rounds fractions without an error; make the field an integer, or the column DECIMAL",
        )),
        (Boolean, Bits(1)) | (Bytes, Bytes) | (FixedBytes(_), Bytes) | (Jsonb, Json) | (Text, Citext | Enum(_)) => None,
        // There is no type for booleans.
        (Boolean, Integer { greatest: ..=255, .. }) if backend == BackendKind::Mysql => None,
        // MariaDB has no type for JSON.
        (Json, Text | TrimmedText) if backend == BackendKind::Mysql => None,
        (Text, TrimmedText) => Some(Misfit::writing(
            "which removes spaces at the end of text without an error, so that it is read back shorter than it was written; \
             make the column `VARCHAR`",
        )),
        (Single, Double | RoundedDouble) => {
            Some(Misfit::reading("which has values that an `f32` cannot hold exactly; make the field an `f64`"))
        }
        (Double, Single) => Some(Misfit::writing(
            "which rounds to about 7 digits without a word; make the field an `f32`, or widen the column",
        )),
        (Single, RoundedSingle) | (Double, RoundedSingle | RoundedDouble) => Some(Misfit::writing(
            "which rounds to so many digits without an error; declare it without a number of digits",
        )),
        (Text | Citext, PaddedText) => Some(Misfit::writing(
            "which pads shorter text with spaces, so that it is read back longer than it was written; make the column \
             `varchar` or `text`",
        )),
        (Text, Name) => {
            Some(Misfit::writing("which cuts text to 63 bytes without an error; make the column `varchar` or `text`"))
        }
        (Text | Other(_), EnumDomain) => {
            Some(Misfit::reading("whose values PostgreSQL cannot compare with others; make the column the enum itself"))
        }
        (Bytes, FixedBytes(_)) => {
            Some(Misfit::writing("which fills fewer bytes up with zeros; make the column `VARBINARY`"))
        }
        (Time { digits }, Time { digits: kept })
        | (Timestamp { digits }, Timestamp { digits: kept })
        | (Instant { digits }, Instant { digits: kept })
            if kept < digits =>
        {
            Some(Misfit::writing(format!(
                "which keeps {kept} digits of a second where the field has {digits}, and rounds without a word; widen the \
                 column"
            )))
        }
        (Time { .. }, Time { .. }) | (Timestamp { .. }, Timestamp { .. }) | (Instant { .. }, Instant { .. }) => None,
        (Timestamp { .. }, Instant { .. }) => {
            Some(Misfit::reading("whose values are instants; make the field a `DateTime<Utc>`"))
        }
        (Instant { .. }, Timestamp { .. }) => Some(Misfit::reading(
            "whose values have no time zone; make the field a `NaiveDateTime`, or the column `timestamptz`",
        )),
        (Array(model), Array(live)) => misfit(backend, model, None, live),
        (Other(model), Other(live) | Enum(live)) if is_called(live, model) => None,
        (Boolean | Date | Decimal | Uuid | Single | Double | Text | Citext | Json | Jsonb, _) | (FixedBytes(_), _)
            if model == live =>
        {
            None
        }
        _ => Some(Misfit::reading("which is another type; change the field's type, or the column's")),
    }
}

/// Whether the database's name of a type is the model's, which may leave the schema away.
fn is_called(live: &str, model: &str) -> bool {
    let plain = |name: &str| name.replace('"', "");
    let (live, model) = (plain(live), plain(model));
    live == model || (!model.contains('.') && live.rsplit('.').next() == Some(&model))
}

fn integers(model: (i128, i128), values: Option<(i64, i64)>, column: (i128, i128)) -> Option<Misfit> {
    let is_u64 = values == Some((0, i64::MAX));
    let values = match values {
        // As far as the backend's own type for it goes.
        Some(_) if is_u64 => (0, model.1),
        Some((least, greatest)) => (least.into(), greatest.into()),
        None => model,
    };
    let within = |(least, greatest): (i128, i128), (from, to): (i128, i128)| from <= least && greatest <= to;
    // A column with a sign holds a `u64` up to `i64::MAX`, and the server rejects what is above that.
    if is_u64 && column == (i64::MIN.into(), i64::MAX.into()) {
        return None;
    }
    // What `create_tables` makes is wider than a `u8`, say.
    if column != model && !within(column, values) {
        return Some(Misfit::reading(format!(
            "which has values from {} to {}, and the field cannot hold all of them; give the field a type as wide",
            column.0, column.1
        )));
    }
    if !within(values, column) {
        return Some(Misfit::writing(format!(
            "which has room for values from {} to {}, and the field may have others; widen the column, or give the field \
             a type that is no wider",
            column.0, column.1
        )));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(model: &str, live: &str) -> Option<Misfit> {
        misfit(BackendKind::Postgres, &on_postgres(model), None, &on_postgres(live))
    }
    fn mysql(model: &str, live: &str) -> Option<Misfit> {
        misfit(BackendKind::Mysql, &on_mysql(model), None, &on_mysql(live))
    }
    fn to_writers(misfit: Option<Misfit>) -> Option<bool> {
        misfit.map(|misfit| misfit.to_writers)
    }

    #[test]
    fn types_of_one_family_are_fit_where_nothing_is_lost() {
        for (model, live) in [
            ("TEXT", "character varying(20)"),
            ("TEXT", "citext"),
            ("TIMESTAMP", "timestamp without time zone"),
            ("TIMESTAMPTZ", "timestamp(6) with time zone"),
            ("TIMESTAMP[]", "timestamp without time zone[]"),
            ("TEXT[]", "character varying(3)[]"),
            ("NUMERIC", "numeric(10,2)"),
            ("JSONB", "json"),
            ("mood", "public.mood"),
            ("mood", "public.mood (enum)"),
            ("TEXT", "mood (enum)"),
            ("TSTZRANGE", "tstzrange"),
            ("TIME", "time without time zone"),
        ] {
            assert_eq!(postgres(model, live), None, "{model} on {live}");
        }
        for (model, live) in [
            ("BOOLEAN", "tinyint(1)"),
            ("BOOLEAN", "bit(1)"),
            ("BOOLEAN", "tinyint(3) unsigned"),
            ("LONGTEXT", "enum('a','b')"),
            ("JSON", "longtext"),
            ("BIGINT", "bigint(20)"),
            ("INT UNSIGNED", "int(10) unsigned"),
            ("DATETIME(6)", "timestamp(6)"),
            ("DECIMAL(65,30)", "decimal(10,2)"),
            ("DECIMAL(65,30)", "decimal(5,0)"),
            ("JSON", "char(20)"),
            ("BINARY(16)", "binary(16)"),
            ("BINARY(16)", "varbinary(16)"),
            ("INT", "year(4)"),
            ("SMALLINT", "year"),
            ("BIGINT UNSIGNED", "bit(64)"),
            ("LONGTEXT", "inet6"),
            ("LONGTEXT", "uuid"),
            ("LONGBLOB", "geometry"),
            ("LONGBLOB", "point"),
        ] {
            assert_eq!(mysql(model, live), None, "{model} on {live}");
        }
    }

    #[test]
    fn what_loses_something_is_not_fit() {
        for (model, live, writers) in [
            ("BIGINT", "integer", true),
            ("INTEGER", "bigint", false),
            ("DOUBLE PRECISION", "real", true),
            ("REAL", "double precision", false),
            ("TEXT", "character(3)", true),
            ("TEXT", "name", true),
            ("TEXT", "\"char\"", false),
            ("TEXT", "ltree", false),
            ("TEXT", "mood (domain of an enum)", false),
            ("mood", "mood (domain of an enum)", false),
            ("TEXT[]", "mood[]", false),
            ("INTEGER", "mood (enum)", false),
            ("mood", "moods (enum)", false),
            ("CITEXT", "text", false),
            ("JSON", "jsonb", false),
            ("TIMESTAMP", "timestamp(3) without time zone", true),
            ("TIMESTAMP", "timestamp with time zone", false),
            ("TIMESTAMPTZ", "timestamp without time zone", false),
            ("TIME", "time(0) without time zone", true),
            ("TIME", "time with time zone", false),
            ("INTEGER[]", "bigint[]", false),
            ("INTEGER[]", "integer", false),
            ("NUMERIC", "double precision", false),
            ("mood", "other.moods", false),
            ("DATE", "timestamp without time zone", false),
        ] {
            assert_eq!(to_writers(postgres(model, live)), Some(writers), "{model} on {live}");
        }
        for (model, live, writers) in [
            ("BIGINT", "bigint(20) unsigned", false),
            ("INT", "int(10) unsigned", false),
            ("BIGINT", "int(11)", true),
            ("SMALLINT", "tinyint(4)", true),
            ("BOOLEAN", "smallint(6)", false),
            ("BOOLEAN", "bit(8)", false),
            ("DOUBLE", "float", true),
            ("DOUBLE", "double(10,2)", true),
            ("FLOAT", "double", false),
            ("FLOAT", "double(10,2)", false),
            ("FLOAT", "float(7,3)", true),
            ("DOUBLE", "float(7,3)", true),
            ("INT", "decimal(5,0)", true),
            ("INT", "decimal", false),
            ("BIGINT", "decimal(40,0)", false),
            ("INT", "decimal(5,2)", false),
            ("INT UNSIGNED", "decimal(5,0)", false),
            ("INT UNSIGNED", "decimal(5,0) unsigned", true),
            ("DECIMAL(65,30)", "year(4)", true),
            ("LONGTEXT", "char(2)", true),
            ("DATETIME(6)", "datetime", true),
            ("TIME(6)", "time(3)", true),
            ("LONGBLOB", "binary(8)", true),
            ("BINARY(16)", "binary(8)", false),
            ("BINARY(16)", "uuid", false),
            ("LONGTEXT", "longblob", false),
            ("INT", "bit(40)", false),
            ("INT", "bit(8)", true),
            ("DECIMAL(65,30)", "bigint(20) unsigned", true),
            ("BIGINT", "bit(64)", false),
            ("DATE", "year(4)", false),
            ("LONGBLOB", "bit(8)", false),
            ("BINARY(16)", "inet6", false),
        ] {
            assert_eq!(to_writers(mysql(model, live)), Some(writers), "{model} on {live}");
        }
    }

    #[test]
    fn integers_fit_by_the_values_that_the_field_has() {
        let fit = |values, live: &str| {
            to_writers(misfit(BackendKind::Mysql, &on_mysql("SMALLINT"), Some(values), &on_mysql(live)))
        };
        let (i8s, u8s) = ((-128, 127), (0, 255));
        assert_eq!(fit(u8s, "smallint"), None, "which `create_tables` makes");
        assert_eq!(fit(u8s, "tinyint unsigned"), None);
        assert_eq!(fit(u8s, "tinyint"), Some(false));
        assert_eq!(fit(i8s, "tinyint"), None);
        assert_eq!(fit(i8s, "tinyint unsigned"), Some(false));
        assert_eq!(fit(u8s, "int"), Some(false));
        assert_eq!(fit(i8s, "year"), Some(false));
        let wide = |live: &str| {
            to_writers(misfit(BackendKind::Mysql, &on_mysql("BIGINT UNSIGNED"), Some((0, i64::MAX)), &on_mysql(live)))
        };
        assert_eq!((wide("bigint"), wide("bigint unsigned"), wide("int unsigned")), (None, None, Some(true)));
        assert_eq!(
            (wide("bit(64)"), wide("bit(63)"), wide("int"), wide("year")),
            (None, Some(true), Some(false), None)
        );
    }
}
