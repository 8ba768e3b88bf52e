//! What most programs use: `use orm_core::prelude::*;`.
//!
//! The derive and the trait `Model`, the types that functions name, and the traits of Diesel whose methods work on
//! fields (`and`, `or`, `is_null`, `eq_any` …).

pub use diesel::expression_methods::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, NullableExpressionMethods, TextExpressionMethods,
};

#[cfg(feature = "mysql")]
pub use crate::backend::Mysql;
#[cfg(feature = "postgres")]
pub use crate::backend::Pg;
#[cfg(feature = "sqlite")]
pub use crate::backend::Sqlite;
pub use crate::{
    Database, ErrorKind, FieldType, Model, PartialModel, QuerySet, RawQuery, Rows, Transaction, TryRows,
    backend::Any,
    field::{asc, desc},
};
