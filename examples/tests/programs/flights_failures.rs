//! `flights`, where something is wrong: one line, exit code 1, no password, and nothing left behind.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::{
    databases::{TestDatabase, databases, execute},
    process::{names_in, run},
};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// It fails with one line that has all these words, and returns the line.
fn fails(arguments: &[&str], folder: &Path, words: &[&str]) -> String {
    let ended = run("flights", arguments, folder);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{arguments:?}: {}", ended.err);
    assert!(ended.err.starts_with("flights: ") && ended.err.ends_with('\n'), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    for word in words {
        assert!(ended.err.contains(word), "`{word}` is missing in: {}", ended.err);
    }
    assert!(!ended.err.contains("s3cret"), "{}", ended.err);
    ended.err
}

#[test]
fn bad_arguments() {
    let folder = folder();
    for (arguments, words) in [
        (&["--chunk-size", "0"][..], &["--chunk-size", "at least 1"][..]),
        (&["--chunk-size", "many"], &["--chunk-size", "at least 1"]),
        (&["--chunk-size"], &["--chunk-size", "missing"]),
        (&["--scale", "0"], &["--scale", "at least 1"]),
        (&["--scale=-1"], &["--scale", "at least 1"]),
        (&["--scale", "99999999999999999999999"], &["--scale", "at least 1"]),
        (&["--frobnicate"], &["--frobnicate", "--help"]),
        (&["-x"], &["-x", "--help"]),
        (&["--replace=postgres://me:s3cret@localhost/db"], &["--replace", "no value"]),
        (&["postgres://me:s3cret@localhost/db"], &["--database URL"]),
        (&["--replace"], &["--replace", "--database"]),
        (&["--database", "oracle://me:s3cret@localhost/db"], &["unknown scheme `oracle`"]),
        (&["--database", "s3cret"], &["no scheme"]),
    ] {
        fails(arguments, folder.path(), words);
    }
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").expect("the folder can be written");
    for TestDatabase { url, .. } in &databases() {
        // Below a file there is no folder, even for root.
        fails(&["--database", url, "--out", "file"], folder.path(), &["the folder `file` cannot be made: "]);
        fails(&["--database", url, "--out", "file/out"], folder.path(), &["the folder `file/out` cannot be made: "]);
        assert_eq!(names_in(folder.path()), ["file"]);
    }
}

#[test]
fn a_folder_in_the_place_of_a_report() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("out/carriers.csv")).expect("the folder can be written");
    for TestDatabase { url, .. } in &databases() {
        fails(&["--database", url, "--out", "out"], folder.path(), &["`out/carriers.csv` cannot be written"]);
        assert_eq!(names_in(&folder.path().join("out")), ["carriers.csv"], "the other report's file is removed");
        // It was found out before anything was loaded.
        execute(url, "CREATE TABLE flights (id INTEGER); DROP TABLE flights");
    }
}

#[test]
fn a_table_that_is_there_already() {
    let folder = folder();
    for TestDatabase { url, .. } in &databases() {
        execute(url, "CREATE TABLE planes (pilot TEXT)");
        fails(&["--database", url, "--out", "out"], folder.path(), &["already: planes;", "--replace"]);
        assert_eq!(names_in(&folder.path().join("out")), [""; 0]);
        // It is as it was, and no other table was made.
        execute(url, "INSERT INTO planes (pilot) VALUES ('Amelia Earhart'); CREATE TABLE airlines (code TEXT)");
    }
}

/// A name that only an index has is seen only when the tables are made. (On MySQL, each table has its own names.)
#[test]
fn a_failure_while_the_tables_are_made_leaves_nothing() {
    let folder = folder();
    for TestDatabase { url, .. } in databases().iter().filter(|database| !database.url.starts_with("mysql")) {
        execute(url, "CREATE TABLE mine (id INTEGER); CREATE INDEX flights__carrier ON mine (id)");
        fails(&["--database", url, "--out", "out"], folder.path(), &["flights__carrier", "already exists"]);
        assert_eq!(names_in(&folder.path().join("out")), [""; 0]);
        execute(url, "CREATE TABLE flights (id INTEGER); CREATE TABLE airlines (id INTEGER)");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_not_there() {
    let folder = folder();
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    drop(listener);
    let url = format!("postgres://me:s3cret@127.0.0.1:{port}/db");
    fails(&["--database", &url], folder.path(), &["cannot be reached", &port.to_string()]);
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_password_that_is_wrong() {
    let folder = folder();
    let server = crate::databases::postgres_server();
    let (scheme, rest) = server.split_once("://").expect("a URL has a scheme");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let url = format!("{scheme}://nobody_of_this_name:s3cret@{host}");
    fails(&["--database", &url], folder.path(), &["nobody_of_this_name"]);
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_that_is_no_database() {
    let folder = folder();
    fs::write(folder.path().join("text.db"), "This is no database. ".repeat(100)).expect("the folder can be written");
    fails(&["--database", "sqlite://text.db"], folder.path(), &["not a database"]);
    fails(&["--database", "sqlite://no/such/folder/x.db"], folder.path(), &["`no/such/folder/x.db`", "unable to open"]);
    assert_eq!(names_in(folder.path()), ["text.db"]);
}
