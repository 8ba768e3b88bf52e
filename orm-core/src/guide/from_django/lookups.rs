//! Django's field lookups, and ours.
//!
//! `filter(headline__contains="tea")` is `filter(|e| e.headline.contains("tea"))`: a lookup is a method of the field, and of
//! every other expression as well: `e.headline.lower().contains("tea")`.
//!
//! # Comparisons
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `exact` | `eq` | `exact=None` is `is_null()`; `eq(None)` is NULL, so it keeps no row |
//! | `iexact` | `iexact` | |
//! | `contains` | `contains` | case counts on every backend, on SQLite and MySQL too; `%` and `_` are ordinary characters |
//! | `icontains` | `icontains` | every alphabet, on SQLite too; on PostgreSQL the letters of the database's locale |
//! | `in` | `is_in`, `not_in` | any iterator of any length, or a queryset; none is found among no values |
//! | `gt`, `gte`, `lt`, `lte` | `gt`, `ge`, `lt`, `le` | |
//! | `startswith`, `istartswith` | `starts_with`, `istarts_with` | |
//! | `endswith`, `iendswith` | `ends_with`, `iends_with` | |
//! | `range` | `between`, `not_between` | both ends included, as in Django |
//! | `isnull` | `is_null()`, `is_not_null()` | only of fields that may be NULL |
//! | `regex`, `iregex` | `regex`, `iregex` | the dialect is the backend's; on SQLite that of the Rust crate `regex` |
//! | not equal: `~Q(…)` | `ne` | NULL is not `ne` to anything; see [`surprises`](super::surprises) |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let entries = || Entry::objects(&db).order_by(|e| e.id.asc());
//! assert_eq!(entries().filter(|e| e.headline.eq("Über Brot")).values(|e| e.id).load()?, [3]);
//! assert_eq!(entries().filter(|e| e.rating.eq(4.5)).values(|e| e.id).load()?, [1]);
//! assert_eq!(entries().filter(|e| e.headline.iexact("über brot")).values(|e| e.id).load()?, [3]);
//! assert_eq!(entries().filter(|e| e.headline.contains("0%")).values(|e| e.id).load()?, [2]);
//! assert_eq!(entries().filter(|e| e.headline.contains("streams")).count()?, 0);
//! assert_eq!(entries().filter(|e| e.headline.icontains("ÜBER")).values(|e| e.id).load()?, [3]);
//! assert_eq!(entries().filter(|e| e.id.is_in([1, 4, 99])).values(|e| e.id).load()?, [1, 4]);
//! assert_eq!(entries().filter(|e| e.id.not_in([1, 4])).values(|e| e.id).load()?, [2, 3]);
//! assert_eq!(entries().filter(|e| e.id.is_in(Vec::<i64>::new())).count()?, 0);
//! let kitchen = Blog::objects(&db).filter(|b| b.name.eq("Kitchen")).values(|b| b.id);
//! assert_eq!(entries().filter(|e| e.blog_id.is_in(kitchen)).values(|e| e.id).load()?, [3, 4]);
//!
//! assert_eq!(entries().filter(|e| e.comments.gt(3)).count()?, 2);
//! assert_eq!(entries().filter(|e| e.comments.ge(3)).count()?, 3);
//! assert_eq!(entries().filter(|e| e.comments.lt(3)).count()?, 1);
//! assert_eq!(entries().filter(|e| e.comments.le(3)).count()?, 2);
//! assert_eq!(entries().filter(|e| e.headline.starts_with("Streams")).values(|e| e.id).load()?, [1, 4]);
//! assert_eq!(entries().filter(|e| e.headline.istarts_with("streams of")).values(|e| e.id).load()?, [4]);
//! assert_eq!(entries().filter(|e| e.headline.ends_with("last")).values(|e| e.id).load()?, [1]);
//! assert_eq!(entries().filter(|e| e.headline.iends_with("BROT")).values(|e| e.id).load()?, [3]);
//! assert_eq!(entries().filter(|e| e.comments.between(3, 7)).values(|e| e.id).load()?, [2, 4]);
//! assert_eq!(entries().filter(|e| e.comments.not_between(3, 7)).values(|e| e.id).load()?, [1, 3]);
//! assert_eq!(entries().filter(|e| e.rating.is_null()).values(|e| e.id).load()?, [2]);
//! assert_eq!(entries().filter(|e| e.rating.is_not_null()).count()?, 3);
//! assert_eq!(entries().filter(|e| e.headline.regex("^[0-9]+% ")).values(|e| e.id).load()?, [2]);
//! assert_eq!(entries().filter(|e| e.headline.iregex("^streams (at|of)")).values(|e| e.id).load()?, [1, 4]);
//! assert_eq!(entries().filter(|e| e.rating.ne(4.5)).values(|e| e.id).load()?, [3, 4]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Dates and times
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `date` | `date()` | of an instant, the date in UTC: there is no time zone of the session; so with all that follow |
//! | `time` | `time()` | |
//! | `year` | `in_year(2024)`, `year()` | both as in Django; `in_year` is the one that an index serves |
//! | `iso_year` | `iso_year()` | |
//! | `quarter`, `month`, `week`, `day` | `quarter()`, `month()`, `week()`, `day()` | |
//! | `week_day` | `week_day()` | from 1 for Sunday to 7 for Saturday, as in Django |
//! | `iso_week_day` | `iso_week_day()` | from 1 for Monday to 7 for Sunday |
//! | `hour`, `minute`, `second` | `hour()`, `minute()`, `second()` | |
//!
//! A part is a number like any other, so `year__gte=2025` is `e.pub_date.year().ge(2025)`.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use chrono::NaiveTime;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let entries = || Entry::objects(&db).order_by(|e| e.id.asc());
//! assert_eq!(entries().filter(|e| e.mod_time.date().eq(day("2024-03-02"))).values(|e| e.id).load()?, [2]);
//! assert_eq!(entries().filter(|e| e.mod_time.time().lt(NaiveTime::from_hms_opt(9, 0, 0).unwrap())).count()?, 4);
//! assert_eq!(entries().filter(|e| e.pub_date.in_year(2024)).values(|e| e.id).load()?, [1, 2]);
//! assert_eq!(entries().filter(|e| e.pub_date.year().ge(2025)).values(|e| e.id).load()?, [3, 4]);
//! assert_eq!(entries().filter(|e| e.pub_date.iso_year().eq(2024)).count()?, 2);
//! assert_eq!(entries().filter(|e| e.pub_date.quarter().eq(1)).values(|e| e.id).load()?, [1, 2, 3]);
//! assert_eq!(entries().filter(|e| e.pub_date.month().eq(3)).values(|e| e.id).load()?, [2, 3]);
//! assert_eq!(entries().filter(|e| e.pub_date.week().eq(3)).values(|e| e.id).load()?, [1]);
//! assert_eq!(entries().filter(|e| e.pub_date.day().gt(15)).values(|e| e.id).load()?, [3, 4]);
//! assert_eq!(entries().filter(|e| e.pub_date.week_day().eq(2)).values(|e| e.id).load()?, [1, 4]); // Mondays
//! assert_eq!(entries().filter(|e| e.pub_date.iso_week_day().eq(6)).values(|e| e.id).load()?, [2]); // a Saturday
//! assert_eq!(entries().filter(|e| e.mod_time.hour().eq(8)).count()?, 4);
//! assert_eq!(entries().filter(|e| e.mod_time.minute().eq(30)).count()?, 4);
//! assert_eq!(entries().filter(|e| e.mod_time.second().eq(15)).count()?, 4);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Across relations
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `blog__name="x"` | `e.blog().name.eq("x")` | a join, INNER where there is a row in any case, LEFT where there may be none |
//! | `blog=b`, `blog_id=1`, `blog__id=1` | `e.blog_id.eq(b.id)` | no join; `e.blog().id` would be one, where Django leaves it out |
//! | `entry__headline="x"` (back along a key) | `b.entries().any(…)` | a subquery: rows are not multiplied, and no `distinct` is needed |
//! | `entry__isnull=True` | `b.entries().is_empty()` | |
//! | `entry__x__isnull=True` | `b.entries().any(\|e\| e.x.is_null()).or(b.entries().is_empty())` | Django's is also true without an entry |
//! | two conditions on one related row, in one `filter` | both in one `any` | |
//! | two `filter`s, each of any related row | two `any`s | what was meant is seen where it is written |
//! | `exclude(entry__…)` | `b.entries().none(…)` | exactly those without such a row |
//! | no equivalent | `b.entries().all(…)` | |
//! | `authors__name` (many-to-many) | `e.authors().any(…)` | as back along a key; the model of the links is named, not hidden |
//! | `profile__city` (one-to-one, from behind) | `a.profile().city` | a LEFT join, so its fields may be NULL |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! assert_eq!(Entry::objects(&db).filter(|e| e.blog().name.eq("Kitchen")).count()?, 2);
//! let blog = Blog::objects(&db).filter(|b| b.name.eq("Kitchen")).get()?;
//! assert_eq!(Entry::objects(&db).filter(|e| e.blog_id.eq(blog.id)).count()?, 2);
//!
//! let blogs = || Blog::objects(&db).order_by(|b| b.id.asc());
//! assert_eq!(blogs().filter(|b| b.entries().any(|e| e.headline.contains("Streams"))).count()?, 2); // each blog once
//! assert_eq!(blogs().filter(|b| b.entries().is_empty()).values(|b| b.name).load()?, ["Silence"]);
//! // One entry is of 2024 and has "tea" in it; or one is of 2025, and one, perhaps another, has "tea" in it.
//! let same = |b: BlogFields<_>| b.entries().any(|e| e.pub_date.in_year(2024).and(e.headline.contains("tea")));
//! assert_eq!(blogs().filter(same).count()?, 0);
//! let each = blogs()
//!     .filter(|b| b.entries().any(|e| e.pub_date.in_year(2025)).and(b.entries().any(|e| e.headline.contains("tea"))));
//! assert_eq!(each.values(|b| b.name).load()?, ["Kitchen"]);
//! assert_eq!(blogs().filter(|b| b.entries().none(|e| e.headline.contains("tea"))).count()?, 2);
//! assert_eq!(blogs().filter(|b| b.entries().all(|e| e.pub_date.in_year(2024))).values(|b| b.id).load()?, [1, 3]);
//!
//! let by_ben = Entry::objects(&db).filter(|e| e.authors().any(|a| a.name.eq("Ben")));
//! assert_eq!(by_ben.values(|e| e.headline).load()?, ["Streams at last"]);
//! assert_eq!(Author::objects(&db).filter(|a| a.profile().city.eq("London")).values(|a| a.name).load()?, ["Ada"]);
//! assert_eq!(Author::objects(&db).filter(|a| a.profile().city.is_null()).count()?, 2);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # JSON, and lookups of a program's own
//!
//! | Django | here |
//! | --- | --- |
//! | key and index transforms (`data__a__0`), `KT()` | not yet |
//! | `contained_by`, `has_key`, `has_keys`, `has_any_keys`, `contains` of JSON | not yet |
//! | the lookups of `django.contrib.postgres` | Diesel's operators for PostgreSQL, such as `ilike`, on a database whose backend is fixed to `Pg`; raw SQL for the others |
//! | `register_lookup`, `Transform` | a function with Diesel's `define_sql_function!`, or `infix_operator!`: they take fields as they take columns |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! use orm_core::diesel::{
//!     define_sql_function,
//!     sql_types::{BigInt, Text},
//! };
//! # use orm_core::diesel;
//!
//! define_sql_function! {
//!     /// The number of bytes, by this name on SQLite and PostgreSQL.
//!     fn octet_length(text: Text) -> BigInt;
//! }
//! # let db = blog::open()?;
//! let sizes: Vec<i64> =
//!     Entry::objects(&db).filter(|e| e.id.eq(3)).values_as::<i64, _>(|e| octet_length(e.headline)).load()?;
//! assert_eq!(sizes, [10]);
//! # Ok::<(), orm_core::Error>(())
//! ```
