//! `flights`, where all goes well.

use std::{fs, path::Path};

use crate::{
    databases::TestDatabase,
    oracle,
    process::{Ended, names_in, run},
};

/// The two reports are there, and nothing else, and they are the oracle's.
fn assert_reports(folder: &Path, scale: usize) {
    assert_eq!(names_in(folder), ["carriers.csv", "flights.csv"]);
    let [flights, carriers] = oracle::reports(scale);
    assert_eq!(flights.iter().filter(|byte| **byte == b'\n').count(), 27_004 * scale + 1, "the oracle reads it all");
    let read = |name| fs::read(folder.join(name)).expect("the report can be read");
    assert_eq!(String::from_utf8(read("carriers.csv")), String::from_utf8(carriers));
    // Not `assert_eq`, which would print millions of bytes.
    let written = read("flights.csv");
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    if let Some((ours, theirs)) = lines(&written).iter().zip(lines(&flights)).find(|(ours, theirs)| *ours != theirs) {
        panic!("flights.csv has\n{ours}\nfor\n{theirs}");
    }
    assert!(written == flights, "flights.csv has {} bytes for {}", written.len(), flights.len());
}

/// What a run says, without the times; and its peak memory in MiB, where the system tells.
fn said(ended: &Ended) -> (Vec<String>, Option<f64>) {
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "no progress bar goes into a pipe");
    let (memory, lines): (Vec<&str>, Vec<&str>) = ended.out.lines().partition(|line| line.starts_with("peak memory: "));
    let lines = lines.iter().map(|line| {
        let (what, speed) = line.split_once(" in ").expect("each line ends with the time");
        let words: Vec<&str> = speed.split(' ').collect();
        let [_, "s,", _, "per", "second"] = words.as_slice() else { panic!("no time and speed: {line}") };
        what.to_owned()
    });
    let peak = memory.first().map(|line| {
        let number = line.strip_prefix("peak memory: ").and_then(|rest| rest.strip_suffix(" MiB"));
        number.and_then(|number| number.parse().ok()).expect("the peak is a number of MiB")
    });
    assert_eq!(peak.is_some(), cfg!(target_os = "linux"));
    (lines.collect(), peak)
}

fn reports_again_and_at_twice_the_scale(database: &TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let reports = folder.path().join("new").join("reports");
    let base = ["--database", &database.url, "--out", "new/reports"];

    let (lines, peak) = said(&run("flights", &base, folder.path()));
    let expected = [
        "loaded 27004 flights",
        "new/reports/flights.csv: 27004 rows, from 27004 rows streamed",
        "new/reports/carriers.csv: 16 rows, from 27004 rows streamed",
    ];
    assert_eq!(lines, expected);
    assert_reports(&reports, 1);

    // What the database has is not touched without being asked.
    let again = run("flights", &base, folder.path());
    assert_eq!((again.code, again.out.as_str()), (Some(1), ""));
    assert_eq!(
        again.err,
        "flights: the database has a table of this name already: airlines, airports, planes, flights; name another \
         --database, or drop the tables airlines, airports, flights and planes by --replace\n"
    );
    assert_reports(&reports, 1);

    let more = [&base[..], &["--replace", "--scale", "2", "--chunk-size", "37"]].concat();
    let (lines, twice) = said(&run("flights", &more, folder.path()));
    assert_eq!(lines[1], "new/reports/flights.csv: 54008 rows, from 54008 rows streamed");
    assert_reports(&reports, 2);
    // A month of flights is over 5 MiB when it is held.
    if let (Some(peak), Some(twice)) = (peak, twice) {
        assert!(twice < peak + 3.0, "{peak} MiB became {twice} MiB");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn on_sqlite_the_reports_are_the_oracles() {
    reports_again_and_at_twice_the_scale(&crate::databases::sqlite());
}

#[cfg(feature = "postgres")]
#[test]
fn on_postgres_the_reports_are_the_oracles() {
    reports_again_and_at_twice_the_scale(&crate::databases::postgres());
}

#[cfg(feature = "mysql")]
#[test]
fn on_mysql_the_reports_are_the_oracles() {
    reports_again_and_at_twice_the_scale(&crate::databases::mysql());
}

#[cfg(feature = "sqlite")]
#[test]
fn without_a_database_it_uses_one_of_its_own_and_removes_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    said(&run("flights", &[""; 0], folder.path()));
    // The databases' temporary folder would be here, too.
    assert_eq!(names_in(folder.path()), ["flights-out"]);
    assert_reports(&folder.path().join("flights-out"), 1);
}

#[test]
fn help_is_no_failure() {
    let ended = run("flights", &["--help"], &std::env::temp_dir());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    for option in ["--database", "--replace", "--chunk-size", "--scale", "--out", "--help"] {
        assert!(ended.out.contains(&format!("{option} ")), "{option} is explained");
    }
}
