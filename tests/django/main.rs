//! The models of Django's documentation, and the queries of its reference pages, in their order; each module is a page.

mod aggregation;
mod conditional_expressions;
mod database_functions;
mod making_queries;
mod models;
mod queryset_api;
#[cfg(feature = "sqlite")]
mod statements;
