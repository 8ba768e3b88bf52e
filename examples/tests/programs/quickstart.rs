//! The SQL that the quickstart shows in comments is the SQL that it runs.

#[allow(dead_code, unreachable_pub, reason = "it is a program, which another test runs")]
#[path = "../../quickstart.rs"]
mod program;

use crate::databases::databases;

const SOURCE: &str = include_str!("../../quickstart.rs");

/// As the comment is written: no quotes, no parentheses, and SQLite's placeholders.
fn plain(sql: &str) -> String {
    sql.replace(['`', '"', '(', ')'], "").replace("$1", "?").replace("$2", "?")
}

#[test]
fn the_sql_in_the_comment_is_what_runs() {
    let above: Vec<&str> = SOURCE.lines().take_while(|line| !line.starts_with("pub fn late")).collect();
    let comment: Vec<&str> = above.iter().rev().map_while(|line| line.strip_prefix("// ")).collect();
    let comment = comment.into_iter().rev().collect::<Vec<_>>().join(" ");
    for database in databases() {
        let db = orm_core::connect(&database.url).expect("the test's database can be reached");
        let sql = program::late(&db).sql().expect("the query can be written");
        assert_eq!(plain(&sql), comment);
    }
}
