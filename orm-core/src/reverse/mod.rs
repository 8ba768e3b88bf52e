//! Reverse relations: the rows that refer to a row.
//!
//! `belongs_to(Airport, name = origin, reverse = departures)` on a field of `Flight` gives the accessors of `Airport` a
//! method `departures()`. What it returns, a [`Many`], is asked in conditions, orders and values:
//!
//! ```
//! # use orm_core::prelude::*;
//! #[derive(Model)]
//! struct Airport {
//!     #[model(primary_key)]
//!     code: String,
//! }
//!
//! #[derive(Model)]
//! struct Flight {
//!     #[model(primary_key)]
//!     id: i64,
//!     seats: i32,
//!     delay: Option<f64>,
//!     #[model(belongs_to(Airport, name = origin, reverse = departures))]
//!     origin_code: String,
//! }
//!
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Airport, Flight)>()?;
//! # Airport::bulk_create(&db, ["DEN", "JFK", "LGA"].map(|code| Airport { code: code.into() }))?;
//! # let flight = |id, seats, delay, from: &str| Flight { id, seats, delay, origin_code: from.into() };
//! # Flight::bulk_create(&db, [flight(1, 100, Some(90.0), "JFK"), flight(2, 150, None, "JFK"), flight(3, 200, Some(5.0), "LGA")])?;
//! let airports = Airport::objects(&db).order_by(|a| a.code.asc());
//!
//! let late = airports.clone().filter(|a| a.departures().any(|f| f.delay.gt(60.0)));
//! assert_eq!(late.values(|a| a.code).load()?, ["JFK"]);
//!
//! let rows = airports.values(|a| (a.code, a.departures().count(), a.departures().sum(|f| f.seats))).load()?;
//! assert_eq!(rows, [("DEN".into(), 0, None), ("JFK".into(), 2, Some(250)), ("LGA".into(), 1, Some(200))]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Rows are never multiplied
//!
//! Each question is a subquery about the one row (`EXISTS (…)`, `(SELECT COUNT(*) …)`), so whatever is asked, and however
//! often, each row of the queryset stays one row, and two questions do not disturb each other:
//!
//! ```
//! # use orm_core::prelude::*;
//! # #[derive(Model)] struct Blog { #[model(primary_key)] id: i64, name: String }
//! # #[derive(Model)] struct Entry { #[model(primary_key)] id: i64, headline: String, year: i32,
//! # #[model(belongs_to(Blog, name = blog, reverse = entries))] blog_id: i64 }
//! # #[derive(Model)] struct Follower { #[model(primary_key)] id: i64,
//! # #[model(belongs_to(Blog, name = blog, reverse = followers))] blog_id: i64 }
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Blog, Entry, Follower)>()?;
//! # Blog::bulk_create(&db, [Blog { id: 1, name: "Beatles".into() }])?;
//! # Entry::bulk_create(&db, (1..=3).map(|id| Entry { id, headline: format!("Lennon {id}"), year: 2008, blog_id: 1 }))?;
//! # Follower::bulk_create(&db, (1..=2).map(|id| Follower { id, blog_id: 1 }))?;
//! // One blog with three entries of 2008, and two followers.
//! let blogs = Blog::objects(&db).filter(|b| b.entries().any(|e| e.year.eq(2008)));
//! assert_eq!(blogs.count()?, 1);
//! assert_eq!(blogs.values(|b| (b.entries().count(), b.followers().count())).get()?, (3, 2));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! In Django the same relations are joined. There `Blog.objects.filter(entry__year=2008)` gives the blog three times,
//! once for each entry, unless `.distinct()` follows; and
//! `Blog.objects.annotate(Count("entry"), Count("follower"))` gives 6 and 6, because the two joins are multiplied.
//!
//! Conditions on one related row, or on several, are told apart by where they are written. Django tells them apart by
//! whether they stand in one call of `filter` or in two:
//!
//! ```
//! # use orm_core::prelude::*;
//! # #[derive(Model)] struct Blog { #[model(primary_key)] id: i64 }
//! # #[derive(Model)] struct Entry { #[model(primary_key)] id: i64, headline: String, year: i32,
//! # #[model(belongs_to(Blog, name = blog, reverse = entries))] blog_id: i64 }
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Blog, Entry)>()?;
//! # Blog::bulk_create(&db, [Blog { id: 1 }])?;
//! # Entry::bulk_create(&db, [Entry { id: 1, headline: "Lennon".into(), year: 2006, blog_id: 1 },
//! #     Entry { id: 2, headline: "Ringo".into(), year: 2008, blog_id: 1 }])?;
//! let blogs = Blog::objects(&db);
//! // One entry that is both:
//! let one = blogs.clone().filter(|b| b.entries().any(|e| e.headline.contains("Lennon").and(e.year.eq(2008))));
//! // An entry that is the one, and an entry that is the other:
//! let two = blogs.filter(|b| {
//!     b.entries().any(|e| e.headline.contains("Lennon")).and(b.entries().any(|e| e.year.eq(2008)))
//! });
//! assert_eq!((one.count()?, two.count()?), (0, 1));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Where NULL comes in
//!
//! A condition on a related row may be true, false or NULL, as everywhere in SQL; only what is true counts as true:
//!
//! | | is true where |
//! | --- | --- |
//! | `r.any(c)` | `c` is true for at least one related row |
//! | `r.none(c)` | `c` is true for no related row: each makes it false or NULL, or there is none |
//! | `r.all(c)` | `c` is true for every related row; one that makes it NULL is enough for it not to be. True where there is none |
//!
//! None of the three is ever NULL. `none(c)` is the opposite of `any(c)`; `all(c)` is not `none(not(c))`, which lets
//! NULL pass.
//!
//! # One to one
//!
//! A key that is `unique` has at most one row that refers to a row. Its way back is a relation like one that leads
//! forward, with an `Option` at its end; a LEFT JOIN that cannot multiply rows:
//!
//! ```
//! # use orm_core::prelude::*;
//! #[derive(Model)]
//! struct Place {
//!     #[model(primary_key)]
//!     id: i64,
//!     name: String,
//! }
//!
//! #[derive(Model)]
//! struct Restaurant {
//!     #[model(primary_key, belongs_to(Place, name = place, reverse = restaurant, unique))]
//!     place_id: i64,
//!     pizza: bool,
//! }
//!
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Place, Restaurant)>()?;
//! # Place::bulk_create(&db, [(1, "Demon Dogs"), (2, "Ace Hardware")].map(|(id, name)| Place { id, name: name.into() }))?;
//! # Restaurant::bulk_create(&db, [Restaurant { place_id: 1, pizza: true }])?;
//! let places = Place::objects(&db).order_by(|p| p.id.asc());
//! let rows: Vec<(Place, Option<Restaurant>)> = places.clone().select_related(|p| p.restaurant()).load()?;
//! assert_eq!(rows.iter().map(|(_, restaurant)| restaurant.is_some()).collect::<Vec<_>>(), [true, false]);
//! assert_eq!(places.filter(|p| p.restaurant().pizza.eq(true)).values(|p| p.name).load()?, ["Demon Dogs"]);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Many to many
//!
//! The model of the table between the two is written like any other, and names the two ways once:
//! `many_to_many(entry = entries, author = authors)` says that what its relation `entry` leads to are an author's
//! `entries()`, and what its relation `author` leads to an entry's `authors()`. Columns of the link itself are reached by
//! its own reverse relation.
//!
//! ```
//! # use orm_core::prelude::*;
//! # #[derive(Model)] struct Author { #[model(primary_key)] id: i64, name: String }
//! # #[derive(Model)] struct Entry { #[model(primary_key)] id: i64, headline: String }
//! #[derive(Model)]
//! #[model(primary_key(entry_id, author_id), many_to_many(entry = entries, author = authors))]
//! struct EntryAuthor {
//!     #[model(belongs_to(Entry))]
//!     entry_id: i64,
//!     #[model(belongs_to(Author, reverse = entry_links))]
//!     author_id: i64,
//!     role: String,
//! }
//!
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Author, Entry, EntryAuthor)>()?;
//! # Author::bulk_create(&db, [(1, "John"), (2, "Paul"), (3, "Ringo")].map(|(id, name)| Author { id, name: name.into() }))?;
//! # Entry::bulk_create(&db, [Entry { id: 1, headline: "Help".into() }])?;
//! # EntryAuthor::bulk_create(&db, [(1, "text"), (2, "photo")].map(|(author_id, role)| EntryAuthor { entry_id: 1, author_id, role: role.into() }))?;
//! let authors = Author::objects(&db).order_by(|a| a.id.asc());
//! let helpers = authors.clone().filter(|a| a.entries().any(|e| e.headline.eq("Help")));
//! assert_eq!(helpers.values(|a| a.name).load()?, ["John", "Paul"]);
//! let writers = authors.filter(|a| a.entry_links().any(|l| l.role.eq("text").and(l.entry().headline.eq("Help"))));
//! assert_eq!(writers.values(|a| a.name).load()?, ["John"]);
//! # assert_eq!(Entry::objects(&db).values(|e| e.authors().count()).get()?, 2);
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! # Where there is no method
//!
//! The derive writes the method where the model with the key is, and a program cannot add methods to the accessors of
//! another crate's model. Nor need every key have a name for its way back. [`many`], [`one`] and [`through`] take the
//! key itself, which the derive makes a type: `flights::relations::origin`.

mod conditions;
mod many;
mod subquery;

pub use self::{
    conditions::{Excluded, Kept},
    many::Many,
    subquery::{Computed, Different, Exists, FirstOf, OfEach},
};
use crate::{
    model::{Accessors, ForeignKey, Model},
    path::{Across, Back, BackOne, Path},
};

/// The rows that refer by the key `K` to the row that accessors stand for.
///
/// ```
/// # use orm_core::prelude::*;
/// use orm_core::reverse::many;
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String }
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64,
/// # #[model(belongs_to(Airport, name = origin))] origin_code: String }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport, Flight)>()?;
/// let unused = Airport::objects(&db).filter(|a| many::<flights::relations::origin, _>(&a).is_empty());
/// assert_eq!(unused.count()?, 0);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn many<K, A>(of: &A) -> Many<Back<A::Path, K>>
where
    K: ForeignKey<To: Model>,
    A: Accessors<Path: Path<Target = K::To>>,
{
    Many::new(of.__scope())
}

/// The accessors of the one row that refers by the unique key `K` to the row that accessors stand for.
///
/// ```
/// # use orm_core::prelude::*;
/// use orm_core::reverse::one;
/// # #[derive(Model)] struct Place { #[model(primary_key)] id: i64 }
/// # #[derive(Model)] struct Restaurant { #[model(primary_key)] id: i64, pizza: bool,
/// # #[model(belongs_to(Place, unique))] place_id: i64 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Place, Restaurant)>()?;
/// let pizza = Place::objects(&db).filter(|p| one::<restaurants::relations::place, _>(&p).pizza.eq(true));
/// assert_eq!(pizza.count()?, 0);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn one<K, A>(of: &A) -> <K::From as Model>::Fields<BackOne<A::Path, K>>
where
    K: UniqueKey<To: Model>,
    A: Accessors<Path: Path<Target = K::To>>,
{
    K::From::fields(of.__scope())
}

/// The rows at the other end of links: back along the key `K` to the links, and along their key `L` to its rows.
///
/// ```
/// # use orm_core::prelude::*;
/// use orm_core::reverse::through;
/// # #[derive(Model)] struct Author { #[model(primary_key)] id: i64 }
/// # #[derive(Model)] struct Entry { #[model(primary_key)] id: i64, headline: String }
/// # #[derive(Model)] #[model(primary_key(entry_id, author_id))] struct EntryAuthor {
/// # #[model(belongs_to(Entry))] entry_id: i64, #[model(belongs_to(Author))] author_id: i64 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Author, Entry, EntryAuthor)>()?;
/// use entry_authors::relations::{author, entry};
/// let helpers = Author::objects(&db).filter(|a| through::<author, entry, _>(&a).any(|e| e.headline.eq("Help")));
/// assert_eq!(helpers.count()?, 0);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn through<K, L, A>(of: &A) -> Many<Across<Back<A::Path, K>, L>>
where
    K: ForeignKey<To: Model>,
    L: ForeignKey<From = K::From, To: Model>,
    A: Accessors<Path: Path<Target = K::To>>,
{
    Many::new(of.__scope())
}

/// A foreign key of which no two rows have the same value; made by `belongs_to(…, unique)`.
#[diagnostic::on_unimplemented(
    message = "the key `{Self}` is not unique, so many rows may refer to one",
    label = "not unique",
    note = "use `many`, or declare the key by `belongs_to(…, unique)`"
)]
pub trait UniqueKey: ForeignKey {}
