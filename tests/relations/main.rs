//! Reverse relations: the rows that refer to a row, one to one and across links. Those that lead forward are the suite's.

mod changes;
mod composite;
mod many;
mod many_to_many;
mod models;
mod nested;
mod nulls;
mod one_to_one;
mod plans;
mod statements;
