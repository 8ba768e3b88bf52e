//! PostgreSQL's column types, beside the plain ones that `create_tables` makes: what is read is found again, or refused by the
//! type's name. See the harness, `orm_tests`, for how tests are laid out.

mod collations;
mod found_again;
mod index_use;
mod refused;
