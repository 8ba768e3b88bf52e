//! Django's ORM in Rust: what is called what, what differs, and why.
//!
//! The pages go through the reference of Django 6, name by name. Each has tables with a row for every name of theirs, and
//! below each table an example that uses what is in it.
//!
//! | page | Django's reference |
//! | --- | --- |
//! | [`querysets`] | *QuerySet API*: methods that return querysets, operators, methods that do not |
//! | [`lookups`] | *Field lookups*, those of JSON and of relations |
//! | [`expressions`] | *Query expressions*, *Conditional expressions*, aggregates, `Q`, `FilteredRelation`, `Prefetch` |
//! | [`functions`] | *Database functions* |
//! | [`models`] | *Model instances*, related objects, *Database transactions* |
//! | [`surprises`] | what Django users do not expect |
//!
//! In the tables **not yet** is what is missing and may come, and **no** what has no place here: there are no functions
//! for `async` code (run a query on a thread of its own; a database can be shared by threads), querysets keep no results,
//! and managers, admin, forms and validation are not the business of this crate.
//!
//! # The same in both
//!
//! ```python
//! Entry.objects.filter(blog__name="Kitchen", comments__gt=5).order_by("-pub_date").select_related("blog")[:10]
//! ```
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let rows: Vec<(Entry, Blog)> = Entry::objects(&db)
//!     .filter(|e| e.blog().name.eq("Kitchen").and(e.comments.gt(5)))
//!     .order_by(|e| e.pub_date.desc())
//!     .select_related(|e| e.blog())
//!     .limit(10)
//!     .load()?;
//! assert_eq!(rows[0].0.headline, "Streams of tea");
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! - A lookup is a method of a field, so a name or a type that does not fit is an error of the compiler.
//! - `__` between relations is a call: `blog__name` is `e.blog().name`. Back along a key, and across a many-to-many relation,
//!   it is a question about related rows: `b.entries().any(|e| …)`.
//! - Each queryset knows its database: `Entry::objects(&db)`, or `Entry::objects(tx)` in a transaction.
//! - Nothing is sent before a terminal is called, and each terminal sends one statement.
//!
//! # The models of the examples
//!
//! They are those of a blog, as in Django's own documentation:
//!
//! ```
#![doc = concat!("# mod blog {\n", include_str!("blog.rs"), "# }")]
//! # use orm_core::prelude::*;
//! # assert_eq!(blog::Entry::objects(&blog::open()?).count()?, 4);
//! # Ok::<(), orm_core::Error>(())
//! ```

pub mod expressions;
pub mod functions;
pub mod lookups;
pub mod models;
pub mod querysets;
pub mod surprises;
