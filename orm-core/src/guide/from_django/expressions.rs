//! Django's query expressions and aggregates, and ours.
//!
//! # Expressions
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `F("x")`, `F("a__x")` | `e.x`, `e.a().x` | |
//! | `F("x") + 1`, `-`, `*`, `/`, `%` | the same operators | integers divided by integers are integers, on every backend; `%` is of integers, and `/` not of decimals, whose quotients each backend rounds at another digit |
//! | `F("x").bitand(…)`, `bitor`, `bitxor`, `bitleftshift`, `bitrightshift` | `e.x.bit_and(…)`, `bit_or(…)`; the others not yet | of integers |
//! | `F("x")[1:3]` | `substr` | |
//! | `Value(1)` | `1`, or `value(1)` on the left of an operator | |
//! | `Q(a) & Q(b)`, `Q(a) \| Q(b)` | `a.and(b)`, `a.or(b)` | |
//! | `~Q(a)` | `not(a)` | of NULL it is NULL, as in SQL; `exclude` keeps such rows |
//! | `Q` objects made at run time | `all_of`, `any_of`, `condition` | of none, `all_of` is true and `any_of` false |
//! | `Case`, `When`, `default` | `case_when(…, …).when(…, …).otherwise(…)`, `or_null()` | the first value decides the type |
//! | `Subquery`, `OuterRef` | `b.entries().first(…)`, `.count()`, `.max(…)` … | about rows that a relation leads to; not yet about any others. In `update`, also `e.blog().name` |
//! | `x__in=queryset` | `e.x.is_in(queryset)` | |
//! | `Exists` | `b.entries().any(…)`, `exists()`; `exists(queryset)` where it is not about the row | |
//! | `Window` | `….over(\|w\| w.partition_by(…).order_by(…))` | in `values`, `annotate`, `order_by` |
//! | `filter` on a window | [`qualify`](crate::QuerySet::qualify) | also for the top few of each group |
//! | `RowRange`, `ValueRange` | `rows(from, to)`, `range(from, to)` | |
//! | `WindowFrame` with `exclusion` | not yet | |
//! | `OrderBy(…, nulls_last=True)` | `e.x.desc().nulls_last()` | |
//! | `Func` | Diesel's `define_sql_function!`, in `values_as` and in conditions | see [`lookups`](super::lookups) for an example |
//! | `RawSQL` | Diesel's `sql` in `values_as` and in conditions, or [`Model::raw`](crate::Model::raw) | |
//! | `ExpressionWrapper`, `output_field` | no | types are known |
//! | `FilteredRelation` | `b.entries().filter(…)` | then `count()`, `first(…)`, `any(…)` … of those |
//! | `Prefetch`, `prefetch_related_objects` | not yet | as `prefetch_related` in [`querysets`](super::querysets) |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{
//!     dsl::{BoxedCondition, all_of, any_of, case_when, condition, exists, not, value},
//!     prelude::*,
//! };
//! # let db = blog::open()?;
//! let entries = || Entry::objects(&db).order_by(|e| e.id.asc());
//! assert_eq!(entries().filter(|e| e.comments.gt(e.pingbacks)).values(|e| e.id).load()?, [1, 4]);
//! assert_eq!(entries().filter(|e| e.blog().name.eq(e.headline)).count()?, 0);
//! let sums = entries()
//!     .filter(|e| (e.comments + e.pingbacks * 2).gt(10))
//!     .values(|e| (value(100) - e.comments, e.comments / 4, e.comments % 4));
//! assert_eq!(sums.load()?, [(90, 2, 2), (97, 0, 3)]);
//! assert_eq!(entries().values(|e| e.headline.substr(2, 2)).first()?.as_deref(), Some("tr"));
//!
//! let both = entries().filter(|e| e.comments.gt(5).and(not(e.rating.eq(4.5))));
//! assert_eq!(both.values(|e| e.id).load()?, [4]);
//! let words = ["tea", "macros"];
//! let found = entries().filter(|e| any_of(words.map(|word| e.headline.contains(word))));
//! assert_eq!(found.values(|e| e.id).load()?, [2, 4]);
//! let (text, least) = (Some("Streams"), Some(8)); // what a user has filled in
//! let found = entries().filter(|e| {
//!     let mut wanted: Vec<BoxedCondition<'_, Entry>> = Vec::new();
//!     wanted.extend(text.map(|text| condition(e.headline.contains(text))));
//!     wanted.extend(least.map(|least| condition(e.comments.ge(least))));
//!     all_of(wanted)
//! });
//! assert_eq!(found.values(|e| e.id).load()?, [1]);
//!
//! let words =
//!     entries().values(|e| case_when(e.comments.gt(5), "busy").when(e.comments.gt(0), "calm").otherwise("still"));
//! assert_eq!(words.load()?, ["busy", "calm", "still", "busy"]);
//! let words: Vec<Option<&str>> = vec![Some("busy"), None, None, Some("busy")];
//! let or_null = entries().values(|e| case_when(e.comments.gt(5), "busy").or_null()).load()?;
//! assert_eq!(or_null.iter().map(Option::as_deref).collect::<Vec<_>>(), words);
//!
//! let blogs = || Blog::objects(&db).order_by(|b| b.id.asc());
//! let newest = blogs().values(|b| b.entries().first(|e| e.pub_date.desc(), |e| e.headline)).load()?;
//! assert_eq!(newest, [Some("100% macros".into()), Some("Streams of tea".into()), None]);
//! let counts = blogs().values(|b| (b.entries().count(), b.entries().max(|e| e.comments), b.entries().exists()));
//! assert_eq!(counts.load()?, [(2, Some(10), true), (2, Some(7), true), (0, None, false)]);
//! let with_rating = blogs().values(|b| b.entries().filter(|e| e.rating.is_not_null()).count());
//! assert_eq!(with_rating.load()?, [1, 2, 0]);
//! let rated = entries().filter(|e| e.rating.gt(4.2)).values(|e| e.blog_id);
//! assert_eq!(blogs().filter(|b| b.id.is_in(rated.clone())).values(|b| b.id).load()?, [1]);
//! assert_eq!(blogs().filter(|_| exists(rated)).count()?, 3); // it is about no blog
//! let by_rating = entries().order_by(|e| (e.rating.desc().nulls_last(), e.id.asc()));
//! assert_eq!(by_rating.values(|e| e.id).load()?, [1, 4, 3, 2]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! Windows, and SQL of the program's own:
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{
//!     diesel::{
//!         dsl::sql,
//!         sql_types::{BigInt, Bool},
//!     },
//!     dsl::{Frame, count_star, sum},
//!     prelude::*,
//! };
//! # let db = blog::open()?;
//! let entries = || Entry::objects(&db).order_by(|e| e.id.asc()); // with 10, 3, 0 and 7 comments
//! let running = entries().values(|e| {
//!     (
//!         sum(e.comments).over(|w| w.partition_by(e.blog_id)),
//!         sum(e.comments).over(|w| w.order_by(e.id.asc()).rows(Frame::Preceding(1), Frame::CurrentRow)),
//!         count_star().over(|w| w.order_by(e.comments.asc()).range(Frame::Preceding(3), Frame::Following(3))),
//!     )
//! });
//! assert_eq!(
//!     running.load()?,
//!     [(Some(13), Some(10), 2), (Some(13), Some(13), 2), (Some(7), Some(3), 2), (Some(7), Some(7), 2)]
//! );
//! let lengths = entries()
//!     .filter(|_| sql::<Bool>("`entries`.`comments` > 5"))
//!     .values_as::<i64, _>(|_| sql::<BigInt>("LENGTH(`entries`.`headline`)"));
//! assert_eq!(lengths.load()?, [15, 14]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Aggregates
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Count("*")`, `Count("x")` | `count_star()`, `count(e.x)` | `i64` |
//! | `Count("x", distinct=True)` | `count(e.x).distinct()` | so of other aggregates |
//! | `Sum` | `sum(e.x)` | of integers an `i64`, which does not wrap; of decimals exact, on SQLite as well; `None` of no value |
//! | `Avg` | `avg(e.x)` | an `f64`, of decimals a decimal |
//! | `Min`, `Max` | `min(e.x)`, `max(e.x)` | |
//! | `StdDev`, `Variance` | `stddev_pop(e.x)`, `variance_pop(e.x)`; with `sample=True`, `stddev(e.x)`, `variance(e.x)` | on SQLite, too |
//! | `AnyValue`, `StringAgg`, `BitAnd`, `BitOr`, `BitXor` | not yet | |
//! | `Aggregate` of a program's own | Diesel's `define_sql_function!` with `#[aggregate]`, in `values_as` | |
//! | `filter=Q(…)` | `.filter(…)` | |
//! | `default=0` | `coalesce((sum(e.x), 0))` | |
//! | `order_by=` of an aggregate | not yet | |
//! | `aggregate(a=…, b=…)` | `.aggregate(\|e\| (…, …))` | a typed tuple |
//! | `annotate(n=Count("entry"))` | `.annotate(\|b\| b.entries().count())` | several are right together: no rows are multiplied |
//! | `values("x").annotate(n=Count("*"))` | `.group_by(\|e\| e.x).aggregate(\|_\| count_star())` | a field that is not grouped does not compile |
//! | `.filter(n__gt=1)` behind it | `.having(\|x, n\| n.gt(1))` | conditions before are `filter`, behind are `having` |
//! | `.order_by("-n")` behind it | `.order_by(\|x, n\| n.desc())` | |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{dsl::*, prelude::*};
//! # let db = blog::open()?;
//! let entries = Entry::objects(&db); // with 10, 3, 0 and 7 comments
//! let numbers =
//!     entries.aggregate(|e| (count_star(), count(e.rating), count(e.blog_id).distinct(), sum(e.comments)))?;
//! assert_eq!(numbers, (4, 3, 2, Some(20)));
//! assert_eq!(
//!     entries.aggregate(|e| (avg(e.comments), min(e.comments), max(e.headline)))?,
//!     (Some(5.0), Some(0), Some("Über Brot".into()))
//! );
//! let (deviation, variance_of_all) = entries.aggregate(|e| (stddev_pop(e.comments), variance_pop(e.comments)))?;
//! assert!((variance_of_all.unwrap() - 14.5).abs() < 1e-9 && (deviation.unwrap() - 14.5_f64.sqrt()).abs() < 1e-9);
//! let (deviation, of_sample) = entries.aggregate(|e| (stddev(e.comments), variance(e.comments)))?;
//! assert!((of_sample.unwrap() - 58.0 / 3.0).abs() < 1e-9 && (deviation.unwrap().powi(2) - 58.0 / 3.0).abs() < 1e-9);
//! assert_eq!(entries.aggregate(|e| sum(e.comments).filter(e.pub_date.in_year(2024)))?, Some(13));
//! let none = entries.clone().filter(|e| e.id.lt(0));
//! assert_eq!(none.aggregate(|e| (sum(e.comments), coalesce((sum(e.comments), 0))))?, (None, 0));
//!
//! let blogs = Blog::objects(&db).order_by(|b| b.id.asc());
//! let annotated = blogs.annotate(|b| (b.entries().count(), b.entries().sum(|e| e.comments))).load()?;
//! let annotated: Vec<_> = annotated.into_iter().map(|(blog, numbers)| (blog.id, numbers)).collect();
//! assert_eq!(annotated, [(1, (2, Some(13))), (2, (2, Some(7))), (3, (0, None))]);
//!
//! let years = entries
//!     .filter(|e| e.comments.gt(0))
//!     .group_by(|e| e.pub_date.year())
//!     .aggregate(|e| (count_star(), sum(e.comments)))
//!     .having(|_, (n, _)| n.ge(1))
//!     .order_by(|year, (n, _)| (n.desc(), year.asc()));
//! assert_eq!(years.load()?, [(2024, (2, Some(13))), (2025, (1, Some(7)))]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! An aggregate that only one backend has, by Diesel's means:
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # use orm_core::diesel;
//! diesel::define_sql_function! {
//!     /// SQLite's sum as a float, which is 0 of no value.
//!     #[aggregate]
//!     fn total(number: diesel::sql_types::Integer) -> diesel::sql_types::Double;
//! }
//! # let db = blog::open()?;
//! assert_eq!(Entry::objects(&db).values_as::<f64, _>(|e| total(e.comments)).get()?, 20.0);
//! # Ok::<(), orm_core::Error>(())
//! ```
