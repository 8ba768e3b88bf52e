//! Engines of MySQL and MariaDB that undo nothing.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! { without_transactions }

#[derive(Model)]
struct Note {
    #[model(primary_key)]
    id: i32,
    text: String,
}

#[derive(Model)]
struct Remark {
    #[model(primary_key)]
    id: i32,
    text: String,
}

fn without_transactions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute("CREATE TABLE remarks (id INT PRIMARY KEY, text VARCHAR(20) NOT NULL) ENGINE=InnoDB");
    for (engine, is_fit) in [("InnoDB", true), ("MyISAM", false), ("Aria", false), ("MEMORY", false)] {
        bed.execute("DROP TABLE IF EXISTS notes");
        bed.execute(&format!("CREATE TABLE notes (id INT PRIMARY KEY, text VARCHAR(20) NOT NULL) ENGINE={engine}"));
        db.check_schema_for_reading::<(Note, Remark)>()?;
        match db.check_schema::<(Note, Remark)>() {
            Ok(()) => assert!(is_fit, "{engine}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error:?}");
                let told = format!("\n- `Note`: the table `notes` has the engine {engine}, which has no transactions");
                assert!(!is_fit && error.to_string().contains(&told), "{error}");
                assert!(!error.to_string().contains("`Remark`"), "{error}");
            }
        }
    }
    // What stands on such a table is another matter.
    bed.execute("DROP TABLE remarks; CREATE VIEW remarks AS SELECT id, text FROM notes");
    db.check_schema::<(Remark,)>()?;
    Ok(())
}
