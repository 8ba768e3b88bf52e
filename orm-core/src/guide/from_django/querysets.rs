//! Django's `QuerySet`, method by method, and ours.
//!
//! # Methods that return querysets
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `filter` | [`filter`](QuerySet::filter) | the condition is one expression: `and`, `or`, `not` in place of `Q` |
//! | `exclude` | [`exclude`](QuerySet::exclude) | keeps the rows for which the condition is NULL; `filter` and `exclude` share no row and lose none |
//! | `annotate` | [`annotate`](QuerySet::annotate) | a row becomes `(model, values)`, typed; of groups, `group_by` and `aggregate` |
//! | `alias` | a variable of Rust | an expression needs no name in the query to be used twice; write a function that gives it |
//! | `order_by` | [`order_by`](QuerySet::order_by) | `"-x"` is `e.x.desc()`; no order means no order: a model has no default one |
//! | `order_by("?")` | no | it sorts the whole table |
//! | `reverse` | [`reverse`](QuerySet::reverse) | of a queryset without an order it is an error |
//! | `distinct()` | [`distinct`](QuerySet::distinct) | the keys of the order are distinct as well, as in Django; and so are they in `count()` |
//! | `distinct("x")` | [`distinct_on`](QuerySet::distinct_on) | PostgreSQL alone, as in Django; [`qualify`](QuerySet::qualify) does the same on all |
//! | `values`, `values_list` | [`values`](QuerySet::values) | tuples, or one bare value (`flat=True`), typed; no dictionaries |
//! | `values_list(named=True)` | [`only`](QuerySet::only) | into a struct of these fields, derived by `PartialModel` |
//! | `dates`, `datetimes` | `values(…)` of `trunc(Unit::…)`, and `distinct()` | in UTC: there is no `tzinfo=` |
//! | `none` | [`none`](QuerySet::none) | |
//! | `all` | `clone()` | |
//! | `union`, `union(all=True)` | [`union`](QuerySet::union), [`union_all`](QuerySet::union_all) | the result is a queryset like any other: it may be filtered, joined, grouped, counted |
//! | `intersection`, `difference` | [`intersection`](QuerySet::intersection), [`difference`](QuerySet::difference) | so are these |
//! | `select_related` | [`select_related`](QuerySet::select_related) | the related models stand in the row; none is ever fetched later |
//! | `prefetch_related` | not yet | load the rows, then the related ones by `is_in` of their keys: two statements, as Django sends them |
//! | `extra` | no | Django advises against it, too; see `RawSQL` in [`expressions`](super::expressions) |
//! | `defer` | no | a model is whole, or it is another type |
//! | `only` | [`only`](QuerySet::only) | into a struct of these fields, derived by `PartialModel`; what was left out cannot be touched |
//! | `using` | `Entry::objects(&other)` | a queryset is made on its database |
//! | `select_for_update` | [`for_update`](QuerySet::for_update), [`for_share`](QuerySet::for_share), [`for_no_key_update`](QuerySet::for_no_key_update) | `nowait()`, `skip_locked()`; only in a transaction; of several joined models the root's rows are locked, and `of=` is not there yet; on SQLite an error, where Django says nothing |
//! | `raw` | [`Model::raw`], [`Database::raw_values`] | values are bound, columns are matched by name |
//! | `q1 & q2` | `filter` twice, or `intersection` | |
//! | `q1 \| q2` | `or` in one `filter`, or `union` | |
//! | `q1 ^ q2` | `a.ne(b)` in one `filter` | NULL where either is |
//! | `qs[5:10]`, `qs[0]` | [`limit`](QuerySet::limit), [`offset`](QuerySet::offset), [`first`](QuerySet::first) | what is cut may still be filtered: the limit counts what all conditions leave |
//! | `as_manager`, managers | a function that returns a `QuerySet<'_, Entry>` | |
//! | `complex_filter` | `filter` | |
//! | `fetch_mode` | no | nothing is fetched later |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{field::Unit, prelude::*};
//! # let db = blog::open()?;
//! // A function in place of a manager's method.
//! fn of_year(db: &Database, year: i32) -> QuerySet<'_, Entry> {
//!     Entry::objects(db).filter(move |e| e.pub_date.in_year(year))
//! }
//! let ids = |entries: QuerySet<'_, Entry>| entries.order_by(|e| e.id.asc()).values(|e| e.id).load();
//!
//! assert_eq!(ids(Entry::objects(&db).filter(|e| e.comments.gt(5)).filter(|e| e.pingbacks.gt(1)))?, [1]);
//! assert_eq!(ids(Entry::objects(&db).exclude(|e| e.rating.gt(3.5)))?, [2, 3]); // 2 has no rating
//! assert_eq!(ids(Entry::objects(&db).filter(|e| e.comments.gt(5).or(e.pingbacks.gt(3))))?, [1, 2, 4]);
//! assert_eq!(ids(Entry::objects(&db).filter(|e| e.comments.gt(5).ne(e.pingbacks.gt(3))))?, [2, 4]);
//!
//! let newest = of_year(&db, 2024).order_by(|e| e.pub_date.desc());
//! assert_eq!(newest.clone().values(|e| e.id).load()?, [2, 1]);
//! assert_eq!(newest.clone().reverse().values(|e| e.id).load()?, [1, 2]);
//! assert_eq!(newest.offset(1).limit(5).values(|e| e.id).load()?, [1]);
//! assert_eq!(of_year(&db, 2024).none().count()?, 0);
//!
//! let rows: Vec<(String, i32)> =
//!     of_year(&db, 2025).order_by(|e| e.id.asc()).values(|e| (e.headline, e.comments)).load()?;
//! assert_eq!(rows, [("Über Brot".to_owned(), 0), ("Streams of tea".to_owned(), 7)]);
//! assert_eq!(Entry::objects(&db).values(|e| e.blog_id).distinct().count()?, 2);
//! let years = Entry::objects(&db).values(|e| e.pub_date.trunc(Unit::Year)).distinct();
//! assert_eq!(years.order_by(|e| e.pub_date.trunc(Unit::Year).asc()).load()?, [day("2024-01-01"), day("2025-01-01")]);
//! let hours = Entry::objects(&db).values(|e| e.mod_time.trunc(Unit::Hour)).distinct();
//! assert_eq!(hours.count()?, 4);
//!
//! let (entry, blog) = Entry::objects(&db).filter(|e| e.id.eq(3)).select_related(|e| e.blog()).get()?;
//! assert_eq!((entry.headline.as_str(), blog.name.as_str()), ("Über Brot", "Kitchen"));
//! let raw = Entry::raw(&db, "SELECT * FROM entries WHERE comments > ? ORDER BY id").bind(5).load()?;
//! assert_eq!(raw.len(), 2);
//! let other = blog::open()?; // another database
//! assert_eq!(Entry::objects(&other).count()?, 4);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! Annotations, partial models, set operations:
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! #[derive(PartialModel, Debug, PartialEq)]
//! #[model(of = Entry)]
//! struct Line {
//!     headline: String,
//!     #[model(path = blog.name)]
//!     blog: String,
//! }
//! let entries = || Entry::objects(&db).order_by(|e| e.id.asc());
//! let line: Line = entries().only::<Line>().first()?.expect("there are four");
//! assert_eq!(line, Line { headline: "Streams at last".into(), blog: "Rust Notes".into() });
//! let (entry, (all, authors)) =
//!     entries().annotate(|e| (e.comments + e.pingbacks, e.authors().count())).first()?.expect("there are four");
//! assert_eq!((entry.id, all, authors), (1, 15, 2));
//!
//! let busy = || Entry::objects(&db).filter(|e| e.comments.gt(5));
//! let linked = || Entry::objects(&db).filter(|e| e.pingbacks.gt(3));
//! let ids = |entries: QuerySet<'_, Entry>| entries.order_by(|e| e.id.asc()).values(|e| e.id).load();
//! assert_eq!(ids(busy().union([linked()]))?, [1, 2, 4]);
//! assert_eq!(busy().union_all([linked()]).count()?, 4);
//! assert_eq!(ids(busy().intersection([linked()]))?, [1]);
//! assert_eq!(ids(busy().difference([linked()]))?, [4]);
//! assert_eq!(ids(busy().union([linked()]).filter(|e| e.blog().name.eq("Kitchen")))?, [4]);
//!
//! let newest_of_each =
//!     Entry::objects(&db).distinct_on(|e| e.blog_id).order_by(|e| (e.blog_id.asc(), e.pub_date.desc()));
//! assert_eq!(newest_of_each.load().unwrap_err().kind(), ErrorKind::InvalidQuery); // on PostgreSQL: 2 and 4
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! Related rows of many, in two statements, and locked rows:
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! use std::collections::HashMap;
//! # let db = blog::open()?;
//! let blogs = Blog::objects(&db).order_by(|b| b.id.asc()).load()?;
//! let keys: Vec<i64> = blogs.iter().map(|blog| blog.id).collect();
//! let mut entries: HashMap<i64, Vec<Entry>> = HashMap::new();
//! for entry in Entry::objects(&db).filter(|e| e.blog_id.is_in(keys)).order_by(|e| e.id.asc()).load()? {
//!     entries.entry(entry.blog_id).or_default().push(entry);
//! }
//! assert_eq!(blogs.iter().map(|blog| entries.get(&blog.id).map_or(0, Vec::len)).collect::<Vec<_>>(), [2, 2, 0]);
//!
//! let update = db.transaction(|tx| Entry::objects(tx).for_update().skip_locked().load());
//! let share = db.transaction(|tx| Entry::objects(tx).for_share().nowait().load());
//! let no_key_update = db.transaction(|tx| Entry::objects(tx).for_no_key_update().load());
//! for answer in [update, share, no_key_update] {
//!     assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidQuery); // it is SQLite
//! }
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Methods that do not return querysets
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `get` | [`get`](QuerySet::get), [`get_or_none`](QuerySet::get_or_none) | [`ErrorKind::NotFound`], [`ErrorKind::MultipleRows`] |
//! | `create` | [`Model::create`] | takes the model, or `NewBlog` where the database makes the key; returns the row as it is stored |
//! | `get_or_create` | [`get_or_create`](QuerySet::get_or_create) | the new row is whole, given by a closure; safe where a unique key is |
//! | `update_or_create` | [`update_or_create`](QuerySet::update_or_create) | assignments and the new row are two closures |
//! | `bulk_create` | [`Model::bulk_create`] | any iterator, also one that is longer than memory; all rows or none |
//! | `bulk_create(ignore_conflicts=…, update_conflicts=…)` | [`Model::insert_into`]`(&db).ignore_conflicts()`, `.update_conflicts(…)` | `bulk_create_returning` gives the keys |
//! | `bulk_update` | [`Model::bulk_update`] | any iterator; one statement for each batch |
//! | `count` | [`count`](QuerySet::count) | |
//! | `in_bulk` | [`in_bulk`](QuerySet::in_bulk), [`in_bulk_by`](QuerySet::in_bulk_by) | of all rows (`in_bulk()`): collect `values(\|e\| e.id)` with the rows, or `iterator` into a map |
//! | `iterator` | [`iterator`](QuerySet::iterator), [`try_iterator`](QuerySet::try_iterator) | one statement and one snapshot, in constant memory, on MySQL and SQLite as well |
//! | `latest`, `earliest` | [`latest`](QuerySet::latest), [`earliest`](QuerySet::earliest) | `None` where there is none; NULL is neither, if there is a value |
//! | `first`, `last` | [`first`](QuerySet::first), [`last`](QuerySet::last) | |
//! | `aggregate` | [`aggregate`](QuerySet::aggregate) | a typed tuple, no dictionary |
//! | `exists` | [`exists`](QuerySet::exists) | |
//! | `contains` | [`contains`](QuerySet::contains) | by the primary key |
//! | `update` | [`update`](QuerySet::update) | limits are kept; `F()` may follow relations; returns how many rows it found |
//! | `delete` | [`delete`](QuerySet::delete) | one statement; cascades are the database's |
//! | `as_manager` | no | |
//! | `explain` | [`explain`](QuerySet::explain), [`explain_with`](QuerySet::explain_with) | |
//! | `str(qs.query)` | [`sql`](QuerySet::sql) | |
//! | `ordered`, `db` | no | |
//! | `aget`, `acreate`, `aiterator` and the other `a…` methods | no | |
//! | iteration, `len`, `bool`, `list`, pickling | `iterator`, `load` | no results are kept: each call is a statement |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{prelude::*, queryset::Explain};
//! # let db = blog::open()?;
//! let kitchen = Blog::objects(&db).filter(|b| b.name.eq("Kitchen"));
//! assert_eq!(kitchen.get()?.id, 2);
//! assert_eq!(kitchen.clone().none().get().unwrap_err().kind(), ErrorKind::NotFound);
//! assert_eq!(Blog::objects(&db).get().unwrap_err().kind(), ErrorKind::MultipleRows);
//!
//! let garden = Blog::create(&db, NewBlog { name: "Garden".into(), tagline: "Beans".into() })?;
//! assert_eq!(garden.id, 4);
//! let garden = Blog::objects(&db).filter(|b| b.name.eq("Garden"));
//! let (blog, is_new) = garden.get_or_create(|| NewBlog { name: "Garden".into(), tagline: String::new() })?;
//! assert_eq!((blog.tagline.as_str(), is_new), ("Beans", false));
//! let ben = Author::objects(&db).filter(|a| a.id.eq(2));
//! let new = || Author { id: 2, name: "Ben".into(), email: None };
//! let (ben, is_new) = ben.update_or_create(|a| a.email.set("ben@example.org"), new)?;
//! assert_eq!((ben.email.as_deref(), is_new), (Some("ben@example.org"), false));
//!
//! let drafts = (10..13).map(|id| entry(id, 3, "Draft", "2026-01-01"));
//! assert_eq!(Entry::bulk_create(&db, drafts.clone())?, 3);
//! assert_eq!(Entry::insert_into(&db).ignore_conflicts().bulk_create(drafts.clone())?, 0);
//! let changed = drafts.clone().map(|draft| Entry { comments: 1, ..draft });
//! assert_eq!(Entry::insert_into(&db).update_conflicts(|e| e.id, |e| e.comments).bulk_create(changed)?, 3);
//! let names = ["North", "South"].map(|name| NewBlog { name: name.into(), tagline: String::new() });
//! let blogs = Blog::insert_into(&db).bulk_create_returning(names)?;
//! assert_eq!(blogs.iter().map(|blog| blog.id).collect::<Vec<_>>(), [5, 6]);
//! let changed = drafts.map(|draft| Entry { headline: format!("Draft {}", draft.id), ..draft });
//! assert_eq!(Entry::bulk_update(&db, changed, |e| e.headline)?, 3);
//!
//! let drafts = Entry::objects(&db).filter(|e| e.headline.starts_with("Draft "));
//! assert_eq!((drafts.count()?, drafts.exists()?), (3, true));
//! assert_eq!(drafts.clone().order_by(|e| e.id.desc()).first()?.map(|e| e.id), Some(12));
//! let mut comments = 0;
//! for entry in drafts.clone().iterator(2000)? {
//!     comments += entry.comments;
//! }
//! for entry in drafts.clone().try_iterator(2000)? {
//!     comments += entry?.comments;
//! }
//! assert_eq!(comments, 6);
//! assert_eq!(drafts.update(|e| (e.comments.set(e.comments + 1), e.rating.set(5.0)))?, 3);
//! assert_eq!(drafts.clone().order_by(|e| e.id.asc()).limit(1).delete()?, 1); // one, not three
//! assert_eq!(drafts.delete()?, 2);
//!
//! assert!(kitchen.explain()?.contains("blogs"));
//! assert!(kitchen.explain_with(Explain::new().analyze()).is_err()); // SQLite alone does not have it
//! assert_eq!(kitchen.values(|b| b.id).sql()?, "SELECT `blogs`.`id` FROM `blogs` WHERE ((`blogs`.`name` = ?))");
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! Picking rows, and values of all of them:
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{
//!     dsl::{avg, count_star, sum},
//!     prelude::*,
//! };
//! # let db = blog::open()?;
//! let entries = Entry::objects(&db).order_by(|e| e.id.asc());
//! assert_eq!(entries.last()?.map(|e| e.id), Some(4));
//! assert_eq!(entries.latest(|e| e.pub_date)?.map(|e| e.id), Some(4));
//! assert_eq!(entries.earliest(|e| (e.comments, e.id))?.map(|e| e.id), Some(3));
//! assert_eq!(entries.clone().filter(|e| e.id.eq(77)).get_or_none()?, None);
//! let by_key = entries.in_bulk([2, 3, 77])?;
//! assert_eq!((by_key.len(), by_key[&3].headline.as_str()), (2, "Über Brot"));
//! assert_eq!(Blog::objects(&db).in_bulk_by(|b| b.name, ["Kitchen"])?["Kitchen"].id, 2);
//! let first = entries.first()?.expect("there are four");
//! assert!(entries.contains(&first)?);
//! assert!(!entries.clone().filter(|e| e.comments.lt(5)).contains(&first)?);
//! let (number, comments, rating) = entries.aggregate(|e| (count_star(), sum(e.comments), avg(e.rating)))?;
//! assert_eq!((number, comments), (4, Some(20)));
//! assert!((rating.unwrap() - 11.5 / 3.0).abs() < 1e-9);
//! # Ok::<(), orm_core::Error>(())
//! ```

#[cfg(doc)]
use crate::{Database, ErrorKind, Model, QuerySet};
