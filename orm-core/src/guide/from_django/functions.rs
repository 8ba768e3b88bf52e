//! Django's database functions, and ours.
//!
//! What reads best behind a value is a method of every field and expression; the others are functions of
//! [`dsl`](crate::dsl). They give the same on every backend, or the table says where not; what Django sends as the
//! database has it, such as the case of letters on SQLite or the rounding of halves, is made equal here.
//!
//! # Comparison and conversion
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Cast` | `e.x.cast::<i64>()` | only casts that give the same on every backend; see [`cast`](crate::Field::cast) |
//! | `Coalesce` | `coalesce((a, b, …))` | no `Option` where one of them is never NULL |
//! | `Collate` | no | text is compared in one way on all backends, as far as they can; where it has to be another, raw SQL |
//! | `Greatest`, `Least` | `greatest((a, b, …))`, `least((a, b, …))` | NULL where one is NULL, on every backend; in Django that is the backend's choice |
//! | `NullIf` | `e.x.nullif(y)` | |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{
//!     dsl::{coalesce, greatest, least},
//!     prelude::*,
//! };
//! # let db = blog::open()?;
//! let second = Entry::objects(&db).filter(|e| e.id.eq(2));
//! assert_eq!(second.clone().values(|e| (e.id.cast::<f64>(), e.id.cast::<String>())).get()?, (2.0, "2".to_owned()));
//! assert_eq!(second.clone().values(|e| e.headline.left(3).cast::<i64>()).get()?, Some(100));
//! assert_eq!(second.clone().values(|e| coalesce((e.rating, 0.0))).get()?, 0.0);
//! assert_eq!(second.clone().values(|e| (greatest((e.comments, e.pingbacks)), least((e.comments, 1)))).get()?, (4, 1));
//! assert_eq!(second.values(|e| (e.comments.nullif(3), e.comments.nullif(4))).get()?, (None, Some(3)));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Dates and times
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Extract`, `ExtractYear` … `ExtractSecond` | `year()`, `iso_year()`, `quarter()`, `month()`, `week()`, `day()`, `week_day()`, `iso_week_day()`, `hour()`, `minute()`, `second()` | in UTC; a program that wants another zone moves the instant by `later` |
//! | `Now` | `now()` | on SQLite to the millisecond |
//! | `Trunc`, `TruncYear` … `TruncSecond` | `trunc(Unit::Month)` | of dates, and of dates with a time, as the field's own type; not of times |
//! | `TruncDate`, `TruncTime` | `date()`, `time()` | |
//! | `F("x") + timedelta(…)` | `later`, `earlier` | not yet: durations as fields, and one instant less another |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use chrono::{NaiveTime, TimeDelta};
//! use orm_core::{dsl::now, field::Unit, prelude::*};
//! # let db = blog::open()?;
//! let first = Entry::objects(&db).filter(|e| e.id.eq(1)); // of Monday, 15 January 2024
//! let date =
//!     first.clone().values(|e| (e.pub_date.year(), e.pub_date.iso_year(), e.pub_date.quarter(), e.pub_date.month()));
//! assert_eq!(date.get()?, (2024, 2024, 1, 1));
//! let date = first
//!     .clone()
//!     .values(|e| (e.pub_date.week(), e.pub_date.day(), e.pub_date.week_day(), e.pub_date.iso_week_day()));
//! assert_eq!(date.get()?, (3, 15, 2, 1));
//! assert_eq!(
//!     first.clone().values(|e| (e.mod_time.hour(), e.mod_time.minute(), e.mod_time.second())).get()?,
//!     (8, 30, 15)
//! );
//!
//! let units = first
//!     .clone()
//!     .values(|e| (e.pub_date.trunc(Unit::Year), e.pub_date.trunc(Unit::Quarter), e.pub_date.trunc(Unit::Month)));
//! assert_eq!(units.get()?, (day("2024-01-01"), day("2024-01-01"), day("2024-01-01")));
//! assert_eq!(first.clone().values(|e| e.pub_date.trunc(Unit::Week)).get()?, day("2024-01-15"));
//! let hour = first
//!     .clone()
//!     .values(|e| (e.mod_time.trunc(Unit::Day), e.mod_time.trunc(Unit::Hour), e.mod_time.trunc(Unit::Minute)));
//! let (midnight, hour, minute) = hour.get()?;
//! assert_eq!((hour - midnight, minute - hour), (TimeDelta::hours(8), TimeDelta::minutes(30)));
//! assert_eq!(first.clone().values(|e| e.mod_time.trunc(Unit::Second)).get()? - minute, TimeDelta::seconds(15));
//! let parts = first.clone().values(|e| (e.mod_time.date(), e.mod_time.time())).get()?;
//! assert_eq!(parts, (day("2024-01-15"), NaiveTime::from_hms_opt(8, 30, 15).unwrap()));
//!
//! assert_eq!(first.clone().values(|e| e.pub_date.later(TimeDelta::days(17))).get()?, day("2024-02-01"));
//! assert_eq!(first.values(|e| e.pub_date.earlier(TimeDelta::days(15))).get()?, day("2023-12-31"));
//! assert_eq!(Entry::objects(&db).filter(|e| e.mod_time.lt(now())).count()?, 4);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # JSON
//!
//! | Django | here |
//! | --- | --- |
//! | `JSONArray`, `JSONObject` | not yet; read the values, and build the document in Rust |
//! | `JSONNull` | `Value::Null` of `serde_json`; NULL is the `None` of an `Option<Value>` |
//!
//! # Mathematics
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Abs` | `abs()` | of the field's own type |
//! | `Ceil`, `Floor` | `ceil()`, `floor()` | floats and decimals |
//! | `Round` | `round()`; of decimals `round_to(digits)` | halves go away from 0 on every backend |
//! | `Mod` | `%` | of integers; the sign is that of the left side, as in Rust |
//! | `Power`, `Sqrt`, `Exp`, `Ln` | `power(x)`, `sqrt()`, `exp()`, `ln()` | |
//! | `Log` | not yet | `ln()` of one divided by `ln()` of the other |
//! | `Sin`, `Cos`, `Tan`, `ASin`, `ACos`, `ATan` | `sin()`, `cos()`, `tan()`, `asin()`, `acos()`, `atan()` | |
//! | `ATan2`, `Cot`, `Pi`, `Sign` | not yet | |
//! | `UUID4`, `UUID7` | no | the program makes them, such as by `Uuid::new_v4()` |
//! | `Degrees`, `Radians` | `degrees()`, `radians()` | |
//! | `Random` | no | `order_by(Random())` reads and sorts the whole table; choose keys in Rust |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! # use orm_core::prelude::*;
//! # let db = blog::open()?;
//! let first = Entry::objects(&db).filter(|e| e.id.eq(1)); // with 10 comments, 5 pingbacks, and a rating of 4.5
//! assert_eq!(first.clone().values(|e| ((e.pingbacks - e.comments).abs(), e.comments % 4)).get()?, (5, 2));
//! let whole = first.clone().values(|e| (e.rating.ceil(), e.rating.floor(), e.rating.round()));
//! assert_eq!(whole.get()?, (Some(5.0), Some(4.0), Some(5.0)));
//! assert_eq!(
//!     first.clone().values(|e| (e.rating.power(2.0), (e.rating * 2.0).sqrt())).get()?,
//!     (Some(20.25), Some(3.0))
//! );
//! assert_eq!(first.clone().values(|e| (e.rating - 4.5).exp()).get()?, Some(1.0));
//! assert_eq!(first.clone().values(|e| (e.rating - 3.5).ln()).get()?, Some(0.0));
//! let of_zero = first.clone().values(|e| ((e.rating - 4.5).sin(), (e.rating - 4.5).cos(), (e.rating - 4.5).tan()));
//! assert_eq!(of_zero.get()?, (Some(0.0), Some(1.0), Some(0.0)));
//! let of_zero = first.clone().values(|e| ((e.rating - 4.5).asin(), (e.rating - 3.5).acos(), (e.rating - 4.5).atan()));
//! assert_eq!(of_zero.get()?, (Some(0.0), Some(0.0), Some(0.0)));
//! let (degrees, radians) = first.values(|e| (e.rating.radians().degrees(), e.rating.radians())).get()?;
//! assert!((degrees.unwrap() - 4.5).abs() < 1e-9 && (radians.unwrap() - 4.5_f64.to_radians()).abs() < 1e-9);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Text
//!
//! | Django | here | where it differs |
//! | --- | --- | --- |
//! | `Concat` (`ConcatPair`) | `concat((a, b, …))` | NULL counts as empty text, as in Django |
//! | `Left`, `Right` | `left(n)`, `right(n)` | |
//! | `Length` | `length()` | characters, on MySQL as well |
//! | `Lower`, `Upper` | `lower()`, `upper()` | every alphabet, on SQLite as well; on PostgreSQL the letters of the database's locale |
//! | `LPad`, `RPad` | `lpad(n, fill)`, `rpad(n, fill)` | |
//! | `Trim`, `LTrim`, `RTrim` | `trim()`, `ltrim()`, `rtrim()` | spaces |
//! | `Replace` | `replace(from, to)` | |
//! | `Reverse` | `reversed()` | `reverse` is what a queryset does with its order |
//! | `StrIndex` | `position(needle)` | 1 for the first character, 0 where it is not found |
//! | `Substr` | `substr(from, n)`, `substr_from(from)` | the first character has the number 1 |
//! | `Chr`, `Ord`, `Repeat` | not yet | |
//! | `MD5`, `SHA1`, `SHA224`, `SHA256`, `SHA384`, `SHA512` | no | SQLite has none of them; compute them in Rust |
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{dsl::concat, prelude::*};
//! # let db = blog::open()?;
//! let authors = Author::objects(&db).order_by(|a| a.id.asc());
//! let addresses = authors.clone().values(|a| concat((a.name, " <", a.email, ">"))).load()?;
//! assert_eq!(addresses[..2], ["Ada <ada@example.org>", "Ben <>"]);
//! assert_eq!(authors.clone().values(|a| (a.name.left(2), a.name.right(1))).first()?, Some(("Ad".into(), "a".into())));
//! let third = Entry::objects(&db).filter(|e| e.id.eq(3)); // "Über Brot"
//! assert_eq!(third.clone().values(|e| (e.headline.length(), e.headline.position("Brot"))).get()?, (9, 6));
//! let cases = third.clone().values(|e| (e.headline.lower(), e.headline.upper())).get()?;
//! assert_eq!(cases, ("über brot".to_owned(), "ÜBER BROT".to_owned()));
//! let padded = authors.clone().values(|a| (a.name.lpad(5, "."), a.name.rpad(5, "."))).first()?;
//! assert_eq!(padded, Some(("..Ada".to_owned(), "Ada..".to_owned())));
//! let trimmed =
//!     authors.values(|a| (a.name.lpad(5, " ").trim(), a.name.lpad(5, " ").ltrim(), a.name.rpad(5, " ").rtrim()));
//! assert_eq!(trimmed.first()?, Some(("Ada".to_owned(), "Ada".to_owned(), "Ada".to_owned())));
//! let changed = third.clone().values(|e| (e.headline.replace("Brot", "Tee"), e.headline.reversed())).get()?;
//! assert_eq!(changed, ("Über Tee".to_owned(), "torB rebÜ".to_owned()));
//! assert_eq!(
//!     third.values(|e| (e.headline.substr(2, 3), e.headline.substr_from(6))).get()?,
//!     ("ber".to_owned(), "Brot".to_owned())
//! );
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Windows
//!
//! | Django | here |
//! | --- | --- |
//! | `RowNumber`, `Rank`, `DenseRank` | `row_number()`, `rank()`, `dense_rank()` |
//! | `PercentRank`, `CumeDist`, `Ntile` | `percent_rank()`, `cume_dist()`, `ntile(parts)` |
//! | `Lag`, `Lead` | `lag(e.x, rows)`, `lead(e.x, rows)`; for Django's `default`, `coalesce` |
//! | `FirstValue`, `LastValue`, `NthValue` | `first_value(e.x)`, `last_value(e.x)`, `nth_value(e.x, n)` |
//!
//! [`Window`](super::expressions) itself, its partitions and frames, stand with the expressions.
//!
//! ```
//! # mod blog { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/from_django/blog.rs")); }
//! # use blog::*;
//! use orm_core::{dsl::*, prelude::*};
//! # let db = blog::open()?;
//! let entries = Entry::objects(&db).order_by(|e| e.id.asc()); // with 10, 3, 0 and 7 comments
//! let ranks = entries.clone().values(|e| {
//!     (
//!         row_number().over(|w| w.order_by(e.comments.desc())),
//!         rank().over(|w| w.order_by(e.blog_id.asc())),
//!         dense_rank().over(|w| w.order_by(e.blog_id.asc())),
//!         ntile(2).over(|w| w.order_by(e.id.asc())),
//!     )
//! });
//! assert_eq!(ranks.load()?, [(1, 1, 1, 1), (3, 1, 1, 1), (4, 3, 2, 2), (2, 3, 2, 2)]);
//! let shares = entries.clone().values(|e| {
//!     (percent_rank().over(|w| w.order_by(e.blog_id.asc())), cume_dist().over(|w| w.order_by(e.blog_id.asc())))
//! });
//! assert_eq!(shares.first()?, Some((0.0, 0.5)));
//! let neighbours = entries.clone().values(|e| {
//!     (lag(e.comments, 1).over(|w| w.order_by(e.id.asc())), lead(e.comments, 1).over(|w| w.order_by(e.id.asc())))
//! });
//! assert_eq!(neighbours.load()?, [(None, Some(3)), (Some(10), Some(0)), (Some(3), Some(7)), (Some(0), None)]);
//! let ends = entries.values(|e| {
//!     (
//!         first_value(e.id).over(|w| w.partition_by(e.blog_id).order_by(e.id.asc())),
//!         last_value(e.id)
//!             .over(|w| w.order_by(e.id.asc()).rows(Frame::UnboundedPreceding, Frame::UnboundedFollowing)),
//!         nth_value(e.id, 2).over(|w| w.order_by(e.id.asc())),
//!     )
//! });
//! assert_eq!(ends.load()?[2], (Some(3), Some(4), Some(2)));
//! # Ok::<(), orm_core::Error>(())
//! ```
