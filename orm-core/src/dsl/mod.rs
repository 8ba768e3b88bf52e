//! Functions of SQL, for the closures of querysets: `sum(f.seats)`, `count_star()`.
//!
//! Each returns an expression with a field's methods ([`Expr`](crate::field::Expr)), so `sum(f.seats).gt(100)` is a
//! condition and `sum(f.seats).desc()` an order. What reads best behind an expression is a method of it:
//! `f.city.lower()`. Diesel's own functions (`diesel::dsl`) work as well; these are for what Diesel lacks, or what
//! backends write or compute in ways of their own.
//!
//! ```
//! # use orm_core::prelude::*;
//! use orm_core::dsl::{count_star, max};
//! # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, tz: Option<i32> }
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Airport,)>()?;
//! # let airport = |code: &str, tz| Airport { code: code.into(), tz };
//! # Airport::bulk_create(&db, [airport("JFK", Some(-5)), airport("DEN", Some(-7)), airport("XXX", None)])?;
//!
//! let (number, most_eastern) =
//!     Airport::objects(&db).values_as::<(i64, Option<i32>), _>(|a| (count_star(), max(a.tz))).get()?;
//! assert_eq!((number, most_eastern), (3, Some(-5)));
//! let farther = Airport::objects(&db).filter(|a| (a.tz + 1).lt(-5)).values(|a| (a.code, a.tz + 1)).load()?;
//! assert_eq!(farther, [("DEN".to_owned(), Some(-6))]);
//! # Ok::<(), orm_core::Error>(())
//! ```

mod aggregate;
mod case;
mod choice;
mod conditions;
mod frame;
pub(crate) mod kinds;
#[cfg(feature = "chrono")]
mod now;
mod window;

#[cfg(feature = "chrono")]
pub use self::now::{Now, now};
pub use self::{
    aggregate::{
        Aggregate, AllRows, Everything, Where, avg, count, count_star, max, min, stddev, stddev_pop, sum, variance,
        variance_pop,
    },
    case::{Case, CaseWhen, case_when},
    choice::{Choices, Coalesce, Concat, Greatest, Least, Listed, Texts, coalesce, concat, greatest, least, value},
    conditions::{BoxedCondition, Negation, Several, all_of, any_of, condition, not},
    frame::{Frame, Nothing, Window, WindowOrder},
    kinds::{
        Avg, Count, Extreme, Max, Min, StddevPopulation, StddevSample, Sum, Summable, VariancePopulation,
        VarianceSample,
    },
    window::{
        IsWindow, Over, RowNumber, Share, ValueOf, WindowFunction, cume_dist, dense_rank, first_value, lag, last_value,
        lead, nth_value, ntile, percent_rank, rank, row_number,
    },
};
pub use crate::field::exists;
