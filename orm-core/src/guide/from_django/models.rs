//! Django's model instances and transactions, and ours.
//!
//! # One row
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Entry(…)` | `Entry { … }` | a plain struct: nothing is checked, and nothing sent, before it is stored |
//! | `save()` | [`save`](Model::save) | updates the row with its key, or inserts it; safe while others do the same |
//! | `save(force_insert=True)` | [`create`](Model::create) | returns the row as it is stored |
//! | `save(update_fields=…)`, `force_update` | [`save_fields`](Model::save_fields) | an error where the row is gone |
//! | `delete()` | [`delete`](Model::delete) | returns whether there was one; cascades are the database's |
//! | `refresh_from_db()` | [`refresh`](Model::refresh) | the whole row |
//! | `refresh_from_db(fields=…)`, `from_queryset=…` | a queryset's `values(…).get()`, `for_update().get()` | |
//! | `from_db()`, `get_deferred_fields()` | no | no field is deferred |
//! | `pk` | the key's own field | |
//! | `UUIDField` | `uuid::Uuid`; with `#[model(sql_type = UuidSimple)]` over tables of Django's on SQLite, MySQL and MariaDB before 10.7, with [`UuidText`](crate::sql_types::UuidText) over MariaDB's `UUID` | there Django keeps `char(32)`, see [`UuidSimple`](crate::sql_types::UuidSimple) |
//! | `full_clean()`, `clean()`, `clean_fields()`, `validate_unique()`, `validate_constraints()` | no | types and limits (`max_length`, `decimal`) are checked whenever a value is stored; the rest is the database's constraints, as errors with a kind |
//! | `==`, `hash()` | `#[derive(PartialEq, Hash)]` | whole rows, if the program wants it |
//! | `get_FOO_display()` | a method of the program's enum ([`FieldType`](derive@crate::FieldType)) | |
//! | `get_next_by_FOO()`, `get_previous_by_FOO()` | `filter(\|e\| e.day.gt(day)).order_by(…).first()` | |
//! | `__str__`, `get_absolute_url()` | methods of the program's own | |
//! | signals, `asave()` and the other `a…` methods | no | |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let mut draft = entry(9, 3, "Draft", "2026-01-01");
//! draft.save(&db)?; // inserts
//! draft.comments = 2;
//! draft.headline = "Changed here alone".into();
//! draft.save_fields(&db, |e| e.comments)?; // updates one column
//! draft.refresh(&db)?;
//! assert_eq!((draft.headline.as_str(), draft.comments), ("Draft", 2));
//! draft.headline = "Final".into();
//! draft.save(&db)?; // updates
//! let comments = Entry::objects(&db).filter(|e| e.id.eq(draft.id)).values(|e| e.comments).get()?;
//! assert_eq!(comments, 2);
//! let before =
//!     Entry::objects(&db).filter(|e| e.pub_date.lt(draft.pub_date)).order_by(|e| e.pub_date.desc()).first()?;
//! assert_eq!(before.map(|e| e.id), Some(4));
//! assert!(draft.delete(&db)?);
//! assert!(!draft.delete(&db)?); // it is gone already
//! assert_eq!(draft.save_fields(&db, |e| e.comments).unwrap_err().kind(), ErrorKind::NotFound);
//!
//! let blog: Blog = Blog::create(&db, NewBlog { name: "New".into(), tagline: String::new() })?;
//! assert_eq!(blog, Blog { id: blog.id, name: "New".into(), tagline: String::new() });
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Field and Meta options
//!
//! They are attributes, `#[model(…)]`; see [`Model`](derive@crate::Model).
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `primary_key=True`, `CompositePrimaryKey` | `primary_key` on one field, on several, or `primary_key(a, b)` on the struct | always declared |
//! | `null=True` | `Option<T>` | |
//! | `max_length=n` | `max_length = n` | checked by every method that stores the value, not by `full_clean` alone |
//! | `max_digits=p, decimal_places=s` | `decimal(p, s)` | the same; more digits are an error, not rounded |
//! | `unique=True` | `unique` | |
//! | `unique_together`, `UniqueConstraint(fields=[…])` | `unique(a, b)` on the struct | conditions and expressions: by a migration |
//! | `db_index=True` | `index` | a `belongs_to` has one anyway |
//! | `indexes = [Index(fields=[…])]` | `index(a, b)` on the struct | conditions, expressions, directions: by a migration |
//! | `default=…` | Rust's `Default`, `#[model(new_derive(Default))]` | the program's, as Django's is |
//! | `db_default=…` | `default = literal` | a number, text, `bool`, date or time; with `generated` the database fills the field |
//! | `db_default=Now()`, `auto_now_add=True` | `generated, default = now()` | the database's clock |
//! | `db_column`, `db_table` | `column = "…"`, `table = "…"` | |
//! | `choices`, `TextChoices` | an enum with [`FieldType`](derive@crate::FieldType) | only its variants can be stored or read |
//! | `auto_now` | the program sets the field | |
//! | `GeneratedField` | `generated`, and a migration | |
//! | `CheckConstraint` | a migration | violations are [`ErrorKind::CheckViolation`] |
//! | `editable`, `blank`, `verbose_name`, `help_text`, `ordering` | no | `order_by` is written where the order matters |
//!
//! ```
//! use orm_core::prelude::*;
//!
//! #[derive(Model, Debug)]
//! #[model(unique(last_name, first_name), index(city, born))]
//! struct Customer {
//!     #[model(primary_key, generated)]
//!     id: i64,
//!     #[model(unique, max_length = 254)]
//!     email: String,
//!     #[model(max_length = 50)]
//!     first_name: String,
//!     #[model(max_length = 50)]
//!     last_name: String,
//!     #[model(max_length = 60)]
//!     city: Option<String>,
//!     born: i32,
//!     #[model(generated, default = true)]
//!     active: bool,
//! }
//!
//! let db = orm_core::connect("sqlite::memory:")?;
//! db.create_tables::<(Customer,)>()?;
//! db.check_schema::<(Customer,)>()?;
//! let ada = |email: &str| NewCustomer {
//!     email: email.into(),
//!     first_name: "Ada".into(),
//!     last_name: "Lovelace".into(),
//!     city: None,
//!     born: 1815,
//! };
//! let (customer, is_new) =
//!     Customer::objects(&db).filter(|c| c.email.eq("ada@example.org")).get_or_create(|| ada("ada@example.org"))?;
//! assert!(is_new && customer.active);
//! let error = Customer::create(&db, ada("countess@example.org")).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::UniqueViolation); // another Ada Lovelace
//!
//! let long = NewCustomer { first_name: "A".repeat(51), ..ada("long@example.org") };
//! let error = Customer::create(&db, long).unwrap_err();
//! assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("first_name")));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Related rows of one row
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `entry.blog` | `select_related(\|e\| e.blog())`, or `Blog::objects(&db).filter(\|b\| b.id.eq(entry.blog_id)).get()` | no attribute sends a statement behind your back |
//! | `blog.entry_set.all()` | `Entry::objects(&db).filter(\|e\| e.blog_id.eq(blog.id))` | |
//! | `blog.entry_set.create(…)`, `add(…)` | `Entry::create(&db, Entry { blog_id: blog.id, … })`, or `update` of the key | |
//! | `entry.authors.all()` | `Author::objects(&db).filter(\|a\| a.entries().any(\|e\| e.id.eq(entry.id)))` | |
//! | `entry.authors.add(ada)` | a row of the link: `EntryAuthor { … }.save(&db)` | links are rows of a model, as with `through` |
//! | `remove(…)`, `clear()`, `set([…])` | `delete()` of a queryset of links; then `bulk_create`, in a transaction | |
//! | `on_delete=CASCADE` and the others | the foreign keys of the schema | `create_tables` makes keys that refuse; a migration may say otherwise |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let (entry, blog) = Entry::objects(&db).filter(|e| e.id.eq(3)).select_related(|e| e.blog()).get()?;
//! assert_eq!(Blog::objects(&db).filter(|b| b.id.eq(entry.blog_id)).get()?, blog);
//! assert_eq!(Entry::objects(&db).filter(|e| e.blog_id.eq(blog.id)).count()?, 2);
//! Entry::create(&db, Entry { blog_id: blog.id, ..blog::entry(9, 1, "Third", "2026-01-01") })?;
//! assert_eq!(Entry::objects(&db).filter(|e| e.blog_id.eq(blog.id)).count()?, 3);
//!
//! let authors = Author::objects(&db).filter(|a| a.entries().any(|e| e.id.eq(entry.id))).order_by(|a| a.id.asc());
//! assert_eq!(authors.clone().values(|a| a.name).load()?, ["Cleo"]);
//! EntryAuthor { entry_id: entry.id, author_id: 2 }.save(&db)?; // add
//! assert_eq!(authors.clone().values(|a| a.name).load()?, ["Ben", "Cleo"]);
//! db.transaction(|tx| {
//!     EntryAuthor::objects(tx).filter(|l| l.entry_id.eq(entry.id)).delete()?; // set
//!     EntryAuthor::bulk_create(tx, [1, 2].map(|author_id| EntryAuthor { entry_id: entry.id, author_id }))
//! })?;
//! assert_eq!(authors.values(|a| a.name).load()?, ["Ada", "Ben"]);
//! let refused = Blog::objects(&db).filter(|b| b.id.eq(1)).delete().unwrap_err();
//! assert_eq!(refused.kind(), ErrorKind::ForeignKeyViolation);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Transactions
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `atomic()` | [`Database::atomic`]; [`transaction`](Database::transaction) with errors of your own | what runs in it is made on `tx`; what is made on `db` is not in it |
//! | `atomic()` within another, savepoints: `savepoint`, `savepoint_commit`, `savepoint_rollback`, `clean_savepoints` | [`Transaction::atomic`] | undone by itself where it fails |
//! | `atomic(durable=True)` | [`Database::atomic`] | always outermost: the nested one is a method of `tx` |
//! | `atomic(savepoint=False)` | call the function on `tx` | |
//! | `on_commit` | [`Transaction::on_commit`] | in order, after COMMIT; one that panics does not keep the others from running (`robust`) |
//! | `set_rollback`, `get_rollback` | return an `Err` | after a statement that failed nothing is committed, even where the error was swallowed |
//! | `commit`, `rollback`, `set_autocommit`, `get_autocommit` | no | a transaction is a closure, and ends with it |
//! | `ATOMIC_REQUESTS`, `non_atomic_requests` | no | |
//! | isolation level, read-only, in settings | [`Database::build_transaction`] | for each transaction, with retries after a deadlock |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{IsolationLevel, prelude::*};
//! # let db = blog::open()?;
//! let new = |name: &str| NewBlog { name: name.into(), tagline: String::new() };
//! let (tell, told) = std::sync::mpsc::channel();
//! db.atomic(|tx| {
//!     Blog::create(tx, new("kept"))?;
//!     tx.on_commit(move || tell.send("committed").unwrap_or_default());
//!     let inner = tx.atomic(|inner| {
//!         Blog::create(inner, new("undone"))?;
//!         Blog::objects(inner).filter(|b| b.name.eq("no such blog")).get() // which fails
//!     });
//!     assert_eq!(inner.unwrap_err().kind(), ErrorKind::NotFound);
//!     Ok(())
//! })?;
//! assert_eq!(told.recv(), Ok("committed"));
//! assert_eq!(Blog::objects(&db).filter(|b| b.id.gt(3)).values(|b| b.name).load()?, ["kept"]);
//!
//! let answer = db.atomic(|tx| {
//!     Blog::objects(tx).update(|b| b.name.set("all the same"))?;
//!     Blog::objects(tx).get().map(drop) // there are several, so it is rolled back
//! });
//! assert_eq!(answer.unwrap_err().kind(), ErrorKind::MultipleRows);
//! assert_eq!(Blog::objects(&db).filter(|b| b.name.eq("all the same")).count()?, 0);
//!
//! let serializable = db.build_transaction().isolation(IsolationLevel::Serializable).retries(3);
//! assert_eq!(serializable.run(|tx| Blog::objects(tx).count())?, 4);
//! # Ok::<(), orm_core::Error>(())
//! ```

#[cfg(doc)]
use crate::{Database, ErrorKind, Model, Transaction};
