//! Every field type over every column type of each backend: what is read from a column is found, changed and found
//! again, or reading it is refused with model, field and row.
//!
//! `columns/` lists the column types and values stored in them, written by hand as SQL literals; `subjects.rs` the field
//! types, with a model for each of the positions that a field can have; `cell.rs` examines one field type over one column
//! type; `table.rs` runs all cells of a group of column types and compares the outcomes with those in `expected/`.

mod cell;
mod columns;
mod key;
mod lab;
mod subjects;
mod table;
