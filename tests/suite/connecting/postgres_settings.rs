//! Connecting to PostgreSQL: options and settings.

use super::*;

#[test]
fn a_bad_value_of_an_option() {
    let bed = Bed::postgres();
    let error = refused(&bed.url_with("sslmode=sideways"));
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    assert!(shown(&error).contains("sslmode"), "{error:?}");
}

#[test]
fn settings_reach_the_server() -> TestResult {
    let bed = Bed::postgres();
    let db = Database::<Pg>::builder()
        .application_name("orm suite's settings")
        .statement_timeout(Duration::from_millis(1234))
        .lock_timeout(Duration::from_millis(567))
        .connect(bed.url())?;
    let ask = |sql: &str| -> Result<String, Box<dyn Error>> {
        use diesel::RunQueryDsl;
        Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(sql)).get_result(&mut *db.connection()?)?)
    };
    assert_eq!(ask("current_setting('statement_timeout')")?, "1234ms");
    assert_eq!(ask("current_setting('lock_timeout')")?, "567ms");
    assert_eq!(ask("application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")?, "orm suite's settings");
    // What stands in the URL goes before the settings.
    let db =
        Database::<Pg>::builder().application_name("settings").connect(&bed.url_with("application_name=the%20url"))?;
    use diesel::RunQueryDsl;
    let name: String =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('application_name')"))
            .get_result(&mut *db.connection()?)?;
    assert_eq!(name, "the url");
    Ok(())
}
