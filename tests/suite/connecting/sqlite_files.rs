//! Connecting to SQLite: files that are there, are none, or may not be written.

use super::*;

fn error_of(path: &std::path::Path, options: &str) -> orm_core::Error {
    refused(&format!("sqlite://{}{options}", path.display()))
}

#[test]
fn bad_urls_of_files_are_told_apart() {
    told_apart(&[
        ("sqlite://", "names a file"),
        ("sqlite://x.db?mode=sideways", "`mode`"),
        ("sqlite://x.db?cache=shared", "unknown option `cache`"),
    ]);
}

#[test]
fn a_missing_folder() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("no such folder/test.db");
    let error = error_of(&path, "");
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Sqlite)));
    assert!(error.to_string().contains("no such folder/test.db"), "{error}");
    assert!(error.source().is_some());
    Ok(())
}

#[test]
fn a_file_that_is_no_database() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear Sir or Madam, ".repeat(100))?;
    let error = error_of(&path, "");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(shown(&error).contains("not a database"), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path)?.len(), 1900, "the file is as it was");
    Ok(())
}

#[test]
fn a_missing_file_is_made_only_where_it_may_be() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a b?.db");
    let url = format!("sqlite://{}/a%20b%3F.db", folder.path().display());
    for mode in ["?mode=ro", "?mode=rw"] {
        let error = refused(&format!("{url}{mode}"));
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    }
    assert!(!path.exists());
    orm_core::connect(&url)?;
    assert!(path.exists());
    orm_core::connect(&format!("{url}?mode=rw"))?;
    Ok(())
}

#[test]
fn a_database_that_is_only_read() -> TestResult {
    let bed = Bed::sqlite();
    numbers(&bed.db()?, 5)?;
    let db = orm_core::connect(&bed.url_with("mode=ro"))?;
    assert_eq!(Number::objects(&db).iterator(2)?.count(), 5);
    let error = Number::bulk_create(&db, [crate::models::number(6)]).expect_err("it is only read");
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
    Ok(())
}

#[test]
fn a_folder_is_no_database() -> TestResult {
    let folder = tempfile::tempdir()?;
    assert_eq!(error_of(folder.path(), "").kind(), ErrorKind::Connection);
    Ok(())
}
