//! The table of all cells: each group of column types is one test for its backend.

use std::{fmt::Write as _, fs, path::PathBuf};

use orm_tests::{Bed, TestResult};

use crate::{
    cell::Outcome,
    columns::{ColumnType, mysql, postgres, sqlite},
    lab::{Lab, Verdict},
    subjects::{Examined, SUBJECTS, Subject},
};

/// A test for each group of column types. `$bed` makes the bed.
macro_rules! groups {
    ($backend:ident: $bed:path, $($group:ident = $columns:expr),+ $(,)?) => {
        mod $backend {
            use super::*;
            $( #[test] fn $group() -> TestResult { super::run(&$bed(), concat!(stringify!($backend), "_", stringify!($group)), $columns) } )+
        }
    };
}

#[cfg(feature = "sqlite")]
groups! { on_sqlite: Bed::sqlite, numbers = sqlite::NUMBERS, text = sqlite::TEXT, others = sqlite::OTHERS }
#[cfg(feature = "postgres")]
groups! {
    on_postgres: Bed::postgres_database,
    numbers = postgres::NUMBERS, text = postgres::TEXT, times = postgres::TIMES, others = postgres::OTHERS,
}
#[cfg(feature = "mysql")]
groups! {
    on_mysql: Bed::mysql,
    numbers = mysql::NUMBERS, text = mysql::TEXT, times = mysql::TIMES, others = mysql::OTHERS,
}

/// Columns that a check of the schema accepts although they hold values that the field does not; each such value is refused
/// when it is read. They are those that `create_tables` makes, and bytes that are UUIDs.
const WIDER_COLUMNS: [(&str, &[&str]); 7] = [
    ("Uuid", &["VARBINARY(20)", "TINYBLOB", "BLOB", "LONGBLOB"]),
    ("bool", &["TINYINT", "TINYINT(1)", "TINYINT UNSIGNED"]),
    ("i8", &["smallint", "SMALLINT"]),
    ("u8", &["smallint", "SMALLINT"]),
    ("u16", &["integer", "INT", "counted"]),
    ("u32", &["bigint", "BIGINT"]),
    ("u64", &["bigint", "BIGINT"]),
];

/// Columns of decimals with a scale, which is meant to round what is written.
const ROUNDING_COLUMNS: [&str; 7] = [
    "numeric(10,2)",
    "numeric(5,0)",
    "price",
    "DECIMAL(10,2)",
    "DECIMAL(5,0)",
    "DECIMAL(5,0) UNSIGNED",
    "DECIMAL(10,2) UNSIGNED ZEROFILL",
];

/// How many failures of a cell are shown.
const SHOWN: usize = 3;

/// Examines every cell of these columns, and compares what came of them with the file of this name. With the variable
/// `ORM_TEST_UPDATE` set the file is written instead. The cells that `open.txt` lists are known to be wrong, and nothing is
/// pinned of them; one that is right has to leave the list.
fn run(bed: &Bed, name: &str, columns: &'static [ColumnType]) -> TestResult {
    let mut table = String::new();
    let open = fs::read_to_string(expected("open"))?;
    let is_open = |cell: &str| open.lines().any(|line| line == format!("{name}: {cell}"));
    let mut failures = Vec::new();
    for column in columns {
        let mut lab = Lab::new(bed, column)?;
        let declared = if column.declared.is_empty() { "(no type)" } else { column.declared };
        writeln!(table, "{declared}")?;
        for subject in SUBJECTS {
            let examined = (subject.examine)(&mut lab);
            let cell = format!("{} over {declared}", subject.name);
            let wrong = wrong(subject, column, &examined);
            match (is_open(&cell), wrong.is_empty()) {
                (true, true) => failures.push(format!("{cell}: it is right; remove it from `open.txt`")),
                (true, false) => continue,
                (false, _) => {}
            }
            failures.extend(wrong.into_iter().map(|wrong| format!("{cell}: {wrong}")));
            let Examined { plain, optional, verdict } = &examined;
            let outcome = shown(column, plain, Some(*verdict));
            if outcome != "refused; schema: unfit" {
                writeln!(table, "    {}: {outcome}", subject.name)?;
            }
            let of_option = shown(column, optional, None);
            if !plain.read.is_empty() && of_option != shown(column, plain, None) {
                writeln!(table, "    Option<{}>: {of_option}", subject.name)?;
            }
        }
    }
    let file = expected(name);
    if std::env::var_os("ORM_TEST_UPDATE").is_some() {
        fs::write(&file, &table)?;
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let pinned = fs::read_to_string(&file).unwrap_or_default();
    let differing: Vec<_> = table.lines().filter(|line| !pinned.lines().any(|other| other == *line)).collect();
    let missing: Vec<_> = pinned.lines().filter(|line| !table.lines().any(|other| other == *line)).collect();
    assert!(
        table == pinned,
        "the outcomes are not those of {}\nnew: {differing:#?}\nmissing: {missing:#?}\nIf the new ones are right, set \
         ORM_TEST_UPDATE=1 to write them.",
        file.display()
    );
    Ok(())
}

/// The file of outcomes of this name.
fn expected(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("types/expected/{name}.txt"))
}

/// An outcome in a line.
fn shown(column: &ColumnType, outcome: &Outcome, verdict: Option<Verdict>) -> String {
    let Outcome { read, refused, write_only_refused, find_refused, altered, failures: _ } = outcome;
    let list = |literals: &[&str]| literals.join(", ");
    let mut shown = match (&read[..], &refused[..]) {
        ([], _) => "refused".to_owned(),
        (_, []) => "works".to_owned(),
        // The shorter of the two lists.
        _ if refused.len() * 2 < column.values.len() => format!("works but for {}", list(refused)),
        _ => format!("works for {}", list(read)),
    };
    if !write_only_refused.is_empty() {
        let which =
            if write_only_refused == read { String::new() } else { format!(" of {}", list(write_only_refused)) };
        let _ = write!(shown, "; writing{which} is refused");
    }
    if *find_refused {
        shown.push_str("; conditions are refused");
    }
    if !altered.is_empty() {
        let _ = write!(shown, "; {}", altered.join(", "));
    }
    if let Some(verdict) = verdict {
        let verdict = match verdict {
            Verdict::Fits => "fits",
            Verdict::FitsReaders => "fits readers",
            Verdict::Unfit => "unfit",
        };
        let _ = write!(shown, "; schema: {verdict}");
    }
    shown
}

/// What must not be in any cell.
fn wrong(subject: &Subject, column: &ColumnType, examined: &Examined) -> Vec<String> {
    let Examined { plain, optional, verdict } = examined;
    let mut wrong = plain.failures.clone();
    wrong.extend(optional.failures.iter().map(|failure| format!("in an Option: {failure}")));
    let refused: Vec<_> = plain.refused.iter().filter(|literal| column.values.contains(literal)).copied().collect();
    let by_type = !subject.by_content && !column.dynamic;
    let wider =
        WIDER_COLUMNS.iter().any(|(field, columns)| *field == subject.name && columns.contains(&column.declared));
    if by_type && *verdict != Verdict::Unfit && !wider && !refused.is_empty() {
        wrong.push(format!("check_schema finds it fit, and reading {} is refused", refused.join(", ")));
    }
    if by_type && *verdict == Verdict::Unfit && refused.is_empty() && !plain.find_refused {
        wrong.push("check_schema finds it unfit, and every value is read".to_owned());
    }
    let rounds = subject.name == "BigDecimal" && ROUNDING_COLUMNS.contains(&column.declared);
    if *verdict == Verdict::Fits && !plain.altered.is_empty() && !rounds {
        wrong.push(format!("check_schema finds it fit, and {}", plain.altered.join(", ")));
    }
    if *verdict != Verdict::Unfit && plain.find_refused {
        wrong.push("check_schema finds it fit, and conditions are refused".to_owned());
    }
    if *verdict == Verdict::Fits && !plain.write_only_refused.is_empty() {
        wrong
            .push(format!("check_schema finds it fit, and writing {} is refused", plain.write_only_refused.join(", ")));
    }
    // One failure is often many.
    let further = wrong.len().saturating_sub(SHOWN);
    wrong.truncate(SHOWN);
    if further > 0 {
        wrong.push(format!("and {further} more"));
    }
    wrong
}
