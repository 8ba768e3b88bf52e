//! Memory: the peak of a process of its own, which does nothing but read.

use std::process::Command;

use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! { constant_memory, wide_rows_chunk, huge_row }

struct Reading {
    rows: u64,
    sum: i64,
    bytes: u64,
    peak_kib: u64,
}

/// Streams the table `numbers` in another process.
fn read(bed: &Bed, arguments: &[&str]) -> Result<Reading, Box<dyn std::error::Error>> {
    read_from(bed.url(), arguments)
}

fn read_from(url: &str, arguments: &[&str]) -> Result<Reading, Box<dyn std::error::Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_orm-probe")).arg(url).args(arguments).output()?;
    assert!(output.status.success(), "the reader failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let [rows, sum, bytes, peak_kib] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("the reader printed `{text}`")
    };
    Ok(Reading { rows: rows.parse()?, sum: sum.parse()?, bytes: bytes.parse()?, peak_kib: peak_kib.parse()? })
}

/// Fills the table `numbers` with so many rows of so many bytes, without a row in this process.
fn fill(bed: &Bed, rows: i64, width: i64) {
    let columns = bed.pick(Pick {
        postgres: "id BIGINT PRIMARY KEY, name TEXT NOT NULL",
        mysql: "id BIGINT PRIMARY KEY, name LONGTEXT NOT NULL",
        sqlite: "id INTEGER PRIMARY KEY, name TEXT NOT NULL",
    });
    let (series, name) = (bed.series(rows), repeated(bed, 'x', width));
    bed.execute(&format!("DROP TABLE IF EXISTS numbers; CREATE TABLE numbers ({columns})"));
    bed.execute(&format!("INSERT INTO numbers SELECT n, {name} FROM ({series}) AS s"));
}

/// An expression for a text of one letter, so many times.
fn repeated(bed: &Bed, letter: char, times: i64) -> String {
    let repeat = format!("repeat('{letter}', {times})");
    let sqlite = format!("replace(hex(zeroblob({} / 2)), '00', '{letter}{letter}')", times + times % 2);
    bed.pick(Pick { postgres: repeat.clone(), mysql: repeat, sqlite })
}

fn constant_memory(bed: &Bed) -> TestResult {
    constant_memory_of(bed, bed.url())
}

/// The same by another way to the bed's database, as the probe knows it.
pub(crate) fn constant_memory_of(bed: &Bed, url: &str) -> TestResult {
    let mut peaks = Vec::new();
    for rows in [100_000_u32, 1_000_000] {
        fill(bed, rows.into(), 20);
        let reading = read_from(url, &["2000"])?;
        assert_eq!(reading.rows, u64::from(rows));
        assert_eq!(reading.sum, i64::from(rows) * (i64::from(rows) + 1) / 2);
        peaks.push(reading.peak_kib);
    }
    assert!(peaks[1] < peaks[0] + 8 * 1024, "{peaks:?} KiB for 100 thousand and for 1 million rows");
    Ok(())
}

const MIB: u64 = 1024 * 1024;

/// 100 rows of 1 MiB, with a chunk size that would take all of them.
fn wide_rows_chunk(bed: &Bed) -> TestResult {
    fill(bed, 300, MIB as i64);
    let reading = read(bed, &["2000"])?;
    assert_eq!(reading.rows, 300);
    assert!(reading.bytes >= 300 * MIB);
    assert!(reading.peak_kib < 64 * 1024, "{} KiB for rows of 1 MiB", reading.peak_kib);
    // And less of them at a time, when that is asked for.
    let sparing = read(bed, &["2000", "1"])?;
    assert_eq!((sparing.rows, sparing.bytes), (reading.rows, reading.bytes));
    Ok(())
}

/// One row of 50 MiB among small ones, which stand to both sides of it.
fn huge_row(bed: &Bed) -> TestResult {
    fill(bed, 20_000, 10);
    bed.execute(&format!("UPDATE numbers SET name = {} WHERE id = 10000", repeated(bed, 'y', 50 << 20)));
    let reading = read(bed, &["500"])?;
    assert_eq!(reading.rows, 20_000);
    assert!(reading.bytes > 50 * MIB);
    assert!(reading.peak_kib < 4 * 50 * 1024, "{} KiB for a row of 50 MiB", reading.peak_kib);
    Ok(())
}
