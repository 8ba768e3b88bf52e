//! Models on the `table!` schema of an application that uses plain Diesel already.
//!
//! The schema and the application's own queries stay as they are. `table_module` makes models of its tables: their
//! fields are checked against the schema by the compiler, and new code beside the old one streams and follows
//! relations.
//!
//! `cargo run --example existing_schema [-- URL]`

use std::error::Error;

use diesel::{connection::SimpleConnection, prelude::*};

/// What the application has had all along: its schema …
mod schema {
    diesel::table! {
        example_authors (id) {
            id -> Integer,
            name -> Text,
        }
    }
    diesel::table! {
        example_books (id) {
            id -> Integer,
            title -> Text,
            pages -> Nullable<Integer>,
            author_id -> Integer,
        }
    }
    diesel::joinable!(example_books -> example_authors (author_id));
    diesel::allow_tables_to_appear_in_same_query!(example_authors, example_books);
}

/// … its connection …
#[derive(diesel::MultiConnection)]
enum AnyConnection {
    #[cfg(feature = "postgres")]
    // Diesel's own would do as well; these two need no C library, and stream.
    Postgres(orm_core::PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(orm_core::MysqlConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(diesel::SqliteConnection),
}

/// … and its queries, all by plain Diesel.
mod application {
    use diesel::prelude::*;

    use super::{
        AnyConnection,
        schema::{example_authors, example_books},
    };

    pub(crate) fn add_author(connection: &mut AnyConnection, id: i32, name: &str) -> QueryResult<usize> {
        diesel::insert_into(example_authors::table)
            .values((example_authors::id.eq(id), example_authors::name.eq(name)))
            .execute(connection)
    }

    pub(crate) fn add_book(
        connection: &mut AnyConnection,
        id: i32,
        title: &str,
        pages: Option<i32>,
        author_id: i32,
    ) -> QueryResult<usize> {
        let book = (
            example_books::id.eq(id),
            example_books::title.eq(title),
            example_books::pages.eq(pages),
            example_books::author_id.eq(author_id),
        );
        diesel::insert_into(example_books::table).values(book).execute(connection)
    }

    pub(crate) fn titles_by(connection: &mut AnyConnection, author: &str) -> QueryResult<Vec<String>> {
        example_books::table
            .inner_join(example_authors::table)
            .filter(example_authors::name.eq(author))
            .order_by(example_books::id)
            .select(example_books::title)
            .load(connection)
    }
}

/// What is new: models of the same tables, and a stream over them.
mod streaming {
    use orm_core::prelude::*;

    #[derive(Model)]
    #[model(table_module = crate::schema::example_authors)]
    pub(crate) struct Author {
        #[model(primary_key)]
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Model)]
    #[model(table_module = crate::schema::example_books)]
    pub(crate) struct Book {
        #[model(primary_key)]
        pub(crate) id: i32,
        pub(crate) title: String,
        pub(crate) pages: Option<i32>,
        #[model(belongs_to(Author))]
        pub(crate) author_id: i32,
    }

    pub(crate) fn thick_books(db: &Database) -> QuerySet<'_, Book> {
        Book::objects(db).filter(|b| b.pages.gt(500)).order_by(|b| (b.author().name.asc(), b.id.asc()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Diesel and orm-core each open the database, so it has to be one that both find: a file, not one in memory.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("books.db").display().to_string();
    let url = std::env::args().nth(1).filter(|url| url != "sqlite::memory:").unwrap_or(format!("sqlite://{file}"));

    // Diesel takes the path of a SQLite file where orm-core takes a URL.
    let mut connection = AnyConnection::establish(url.strip_prefix("sqlite://").unwrap_or(&url))?;
    connection.batch_execute(DROP)?;
    connection.batch_execute(CREATE)?;
    application::add_author(&mut connection, 1, "Tolstoy")?;
    application::add_author(&mut connection, 2, "Eliot")?;
    application::add_book(&mut connection, 1, "War and Peace", Some(1225), 1)?;
    application::add_book(&mut connection, 2, "The Death of Ivan Ilyich", Some(86), 1)?;
    application::add_book(&mut connection, 3, "Middlemarch", Some(880), 2)?;
    application::add_book(&mut connection, 4, "Letters", None, 2)?;
    println!("plain Diesel: {}", application::titles_by(&mut connection, "Tolstoy")?.join(", "));

    let db = orm_core::connect(&url)?;
    for (book, author) in streaming::thick_books(&db).select_related(|b| b.author()).iterator(2000)? {
        println!("a stream: {}, {} pages, by {}", book.title, book.pages.unwrap_or_default(), author.name);
    }
    connection.batch_execute(DROP)?;
    Ok(())
}

const CREATE: &str = "
    CREATE TABLE example_authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE example_books (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL, pages INTEGER,
        author_id INTEGER NOT NULL REFERENCES example_authors (id)
    );";
const DROP: &str = "DROP TABLE IF EXISTS example_books; DROP TABLE IF EXISTS example_authors;";
