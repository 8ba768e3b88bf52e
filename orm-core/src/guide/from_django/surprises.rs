//! What those who know Django do not expect.
//!
//! # NULL, and `exclude`
//!
//! `filter` keeps the rows for which its condition is true. `exclude` keeps all the others: those for which it is false, and
//! those for which it is NULL. So the two share no row and lose none. Django's `exclude` means the same, and says it to the
//! database by an `IS NOT NULL` where it sees that a column may be NULL; here it holds for every condition. `not` and
//! `ne` are SQL's: of NULL they are NULL, and neither keeps the row.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{dsl::not, prelude::*};
//! # let db = blog::open()?;
//! let entries = Entry::objects(&db).order_by(|e| e.id.asc()).values(|e| e.id); // 2 has no rating
//! assert_eq!(entries.clone().filter(|e| e.rating.gt(3.5)).load()?, [1, 4]);
//! assert_eq!(entries.clone().exclude(|e| e.rating.gt(3.5)).load()?, [2, 3]);
//! assert_eq!(entries.clone().filter(|e| not(e.rating.gt(3.5))).load()?, [3]);
//! assert_eq!(entries.clone().filter(|e| e.rating.ne(4.5)).load()?, [3, 4]);
//! assert_eq!(entries.clone().filter(|e| e.rating.eq(None::<f64>)).count()?, 0); // `is_null()` was meant
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! So `exclude(e.x.is_in([None, Some(2)]))` keeps the rows whose `x` is NULL, and all others but those with 2: a NULL in the list
//! makes `is_in` NULL where it would be false. Django takes `None` out of the list, and leaves out the rows with NULL. Say which
//! are meant, by `is_null()`.
//!
//! Where NULLs stand in an order is the backend's choice, as in Django; `nulls_first()` and `nulls_last()` say it.
//!
//! # Related rows never multiply rows
//!
//! `Blog.objects.filter(entry__headline__contains="Streams")` joins the entries, and gives a blog as often as it has such
//! entries; `annotate(Count("entry"), Count("authors"))` multiplies the one with the other. Here what leads to many rows is
//! never joined: `b.entries()` is a question about the blog, and becomes a subquery. Every row comes once, and several
//! counts are right together.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let in_2024 = Blog::objects(&db).filter(|b| b.entries().any(|e| e.pub_date.in_year(2024)));
//! assert_eq!(in_2024.count()?, 1); // although there are two such entries
//! let counts =
//!     Entry::objects(&db).filter(|e| e.id.eq(1)).values(|e| (e.authors().count(), e.blog().entries().count()));
//! assert_eq!(counts.get()?, (2, 2)); // not 4 and 4
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Nothing is loaded by itself
//!
//! `entry.blog` does not exist: an entry has `blog_id`. What a program wants of related rows it says before it asks, by
//! [`select_related`](crate::QuerySet::select_related), or in [`values`](crate::QuerySet::values). A loop cannot send a
//! statement for each row without showing it.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! for (entry, blog) in Entry::objects(&db).select_related(|e| e.blog()).iterator(2000)? {
//!     assert_eq!(entry.blog_id, blog.id);
//! }
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Nothing is kept
//!
//! A queryset is a description, and has no results. Each terminal is a statement, also the second time; keep the `Vec` that
//! [`load`](crate::QuerySet::load) returns. `clone()` copies the description.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let all = Blog::objects(&db);
//! let before = all.load()?;
//! Blog::create(&db, NewBlog { name: "Fourth".into(), tagline: String::new() })?;
//! assert_eq!((before.len(), all.load()?.len()), (3, 4));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Reading is strict
//!
//! A value that does not fit its field is an error that names the model, the field and the row; it is never made to fit.
//! Django reads what the driver gives, and lets the program find out.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! db.batch_execute("UPDATE entries SET comments = 3000000000 WHERE id = 2")?; // no `i32`
//! let error = Entry::objects(&db).order_by(|e| e.id.asc()).load().unwrap_err();
//! assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Entry"), Some("comments")));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Limits hold in `update` and `delete`
//!
//! Django refuses to update or delete what was sliced. Here exactly those rows are changed, in the order that was given, on
//! every backend.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let oldest = Entry::objects(&db).order_by(|e| e.pub_date.asc()).limit(1);
//! assert_eq!(oldest.update(|e| e.headline.set("Archived"))?, 1);
//! assert_eq!(Entry::objects(&db).filter(|e| e.headline.eq("Archived")).values(|e| e.id).load()?, [1]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! And a limit holds for what is called behind it: `limit(10)` and then `filter` gives ten rows of those that the filter
//! leaves, because the order of the calls does not matter.
//!
//! # After an error, a transaction does not commit
//!
//! Where a statement has failed, and the program swallowed the error, PostgreSQL would roll back at COMMIT without a word,
//! and SQLite and MySQL would commit half. Here it is an error on all of them, and nothing is committed. What may fail
//! belongs into a nested transaction, which is undone alone.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let again = || Author { id: 1, name: "Ada the second".into(), email: None };
//! let answer = db.atomic(|tx| {
//!     Blog::objects(tx).update(|b| b.tagline.set("changed"))?;
//!     let _ = Author::create(tx, again()); // fails: there is one with this key
//!     Ok(())
//! });
//! assert_eq!(answer.unwrap_err().kind(), ErrorKind::TransactionAborted);
//! assert_eq!(Blog::objects(&db).filter(|b| b.tagline.eq("changed")).count()?, 0);
//!
//! db.atomic(|tx| {
//!     Blog::objects(tx).update(|b| b.tagline.set("changed"))?;
//!     let _ = tx.atomic(|inner| Author::create(inner, again()));
//!     Ok(())
//! })?;
//! assert_eq!(Blog::objects(&db).filter(|b| b.tagline.eq("changed")).count()?, 3);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # What a queryset is made on, it runs on
//!
//! Within `db.transaction(|tx| …)`, a queryset that was made on `db` takes another connection, and sees nothing of the
//! transaction. Make it on `tx`.
//!
//! # Types are the schema's
//!
//! A field that may be NULL is an `Option`, and so is what is computed of it. It is compared with fields, expressions and
//! values that may be NULL and with those that may not. An average of integers is an `f64`, a sum an `i64`. Integers divided by integers are integers, on MySQL as well. What Django leaves to the backend, such as whether
//! case counts in `contains`, is the same on all; the table in [the crate's documentation](crate#where-backends-differ) says
//! what is left.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let above = Entry::objects(&db).filter(|e| e.rating.gt(e.comments.cast::<f64>()));
//! assert_eq!(above.values(|e| e.id).load()?, [3]);
//! let halves: Vec<(i32, Option<f64>)> =
//!     Entry::objects(&db).order_by(|e| e.id.asc()).values(|e| (e.comments / 4, e.rating / 2.0)).load()?;
//! assert_eq!(halves[..2], [(2, Some(2.25)), (0, None)]);
//! # Ok::<(), orm_core::Error>(())
//! ```
