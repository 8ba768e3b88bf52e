//! Databases of the tests' own, one for each backend that is on, gone when the test is over.

use tempfile::TempDir;

/// A database, and what goes with it.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    /// Whose drop takes it away.
    _home: Home,
}

#[allow(dead_code, reason = "each backend has its own, and may be off")]
enum Home {
    Folder(TempDir),
    Server(OnServer),
}

/// A new, empty database on each backend.
pub(crate) fn databases() -> Vec<TestDatabase> {
    vec![
        #[cfg(feature = "sqlite")]
        sqlite(),
        #[cfg(feature = "postgres")]
        postgres(),
        #[cfg(feature = "mysql")]
        mysql(),
    ]
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    TestDatabase { url, _home: Home::Folder(folder) }
}

#[cfg(feature = "postgres")]
pub(crate) fn postgres() -> TestDatabase {
    on_server(postgres_server(), " WITH (FORCE)")
}

#[cfg(feature = "mysql")]
pub(crate) fn mysql() -> TestDatabase {
    on_server(server("MySQL", "ORM_TEST_MYSQL_URL"), "")
}

/// The server that the tests were told to use.
#[cfg(feature = "postgres")]
pub(crate) fn postgres_server() -> String {
    server("PostgreSQL", "ORM_TEST_POSTGRES_URL")
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn server(name: &str, variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} names the {name} server for the tests: `cargo xtask test` sets it, and `cargo xtask server` \
             starts a server and prints it"
        )
    })
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn on_server(server: String, drop: &'static str) -> TestDatabase {
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("orm_examples_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(&server, &format!("CREATE DATABASE {name}"));
    let mut url = server.clone();
    // The name is the whole path: `postgres://user:password@host:port/name?options`.
    let end = url.find('?').unwrap_or(url.len());
    let authority = url.find("://").expect("a URL has a scheme") + 3;
    let path = url[authority..end].find('/').map_or(end, |slash| authority + slash);
    url.replace_range(path..end, &format!("/{name}"));
    TestDatabase { url, _home: Home::Server(OnServer { server, drop: format!("DROP DATABASE {name}{drop}") }) }
}

pub(crate) fn execute(url: &str, sql: &str) {
    let db = orm_core::connect(url).expect("the test's database can be reached");
    db.batch_execute(sql).expect("the database does what the test needs");
}

#[allow(dead_code, reason = "the backend may be off")]
struct OnServer {
    server: String,
    drop: String,
}

impl Drop for OnServer {
    fn drop(&mut self) {
        execute(&self.server, &self.drop);
    }
}
