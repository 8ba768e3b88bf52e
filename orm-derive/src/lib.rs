//! The derives of `orm-core`, which re-exports them. This page is their reference.
//!
//! `attr.rs` reads attributes, `model.rs` is the checked model, `expand/` writes one part of the code each, and
//! `field_type.rs` and `partial.rs` are the other derives.

mod attr;
mod errors;
mod expand;
mod field_type;
mod model;
mod partial;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a model: its values are the rows of a table.
///
/// ```ignore
/// #[derive(Model)]
/// #[model(table = "flights")]
/// pub struct Flight {
///     #[model(primary_key)]
///     pub id: i64,
///     pub dep_delay: Option<f64>,
///     #[model(belongs_to(Airline, name = airline))]
///     pub carrier: String,
/// }
/// ```
///
/// By default the table is the struct's name in snake case and plural (`Flight` → `flights`, `FlightStatus` →
/// `flight_statuses`, `Airway` → `airways`, `City` → `cities`), a column is named as its field, and its SQL type and
/// whether it may be NULL follow from the field's type. A key must be named, and is never an `Option`. The struct needs
/// named fields and no generics. A field's name cannot begin with `__`.
///
/// # On the struct
///
/// | attribute | meaning |
/// | --- | --- |
/// | `table = "name"` | the table's name |
/// | `schema = "name"` | the schema that it is in |
/// | `primary_key(a, b)` | the fields of the primary key, one or several; or `primary_key` on the fields |
/// | `many_to_many(a = as, b = bs)` | each row links a row of one model with a row of another, by its relations `a` and `b`: the accessors of what `b` refers to get a method `as()`, those of what `a` refers to a method `bs()` |
/// | `module = name` | the name of the generated module; see below |
/// | `table_module = path` | a module made by Diesel's `table!`, such as `crate::schema::flights`: the table is named as it unless `table` says otherwise, its columns' SQL types are used, and no table is generated |
/// | `new = Name` | what the struct for new rows is called, if not `NewFlight`; where a field is `generated` |
/// | `new_derive(Clone, …)` | what that struct derives besides `Debug` |
/// | `crate = path` | where `orm-core` is, if not at `::orm_core`: another crate's name or a path from `crate::`, because modules are generated that see no `use` |
///
/// # On a field
///
/// | attribute | meaning |
/// | --- | --- |
/// | `primary_key` | the field is the primary key, or part of it |
/// | `column = "name"` | the column's name |
/// | `sql_type = path` | the column's SQL type, where it is not the usual one; the field is then read by Diesel's `FromSql`, and where it is an `Option` the type is `Nullable<…>` |
/// | `generated` | the database fills the column: whatever stores new rows leaves it out, `NewFlight` lacks it, and `create_tables` lets an integer key count up |
/// | `belongs_to(Target, …)` | the field is a key that refers to a row of another model, or of this one |
///
/// `belongs_to` takes, after the target:
///
/// | argument | meaning |
/// | --- | --- |
/// | `name = word` | the relation's name; by default the field's without `_id`, and needed where it has no `_id`. It has no `__` and no `_` at its beginning, for `__` separates names in SQL aliases. |
/// | `key = field` | the target's field that the key is equal to; by default its primary key. It must be unique there. |
/// | `reverse = word` | a name for the way back, from the target to this model: the target's accessors get a method of that name. See below, and `orm_core::reverse` |
/// | `unique` | no two rows have the same key, so the way back leads to one row, or none, and not to many. `create_tables` declares it |
/// | `optional` | the key may refer to a row that is not there. As for a key that is an `Option`, the related model is then an `Option`, and no row is lost |
///
/// # Ways back
///
/// `belongs_to(Airport, name = origin, reverse = departures)` on `Flight` writes a method `departures()` for
/// `AirportFields`, the accessors of `Airport`, as `many_to_many` does. They are looked for beside the target as it is
/// named here: for `belongs_to(models::Airport, …)` they are `models::AirportFields`, and where `Airport` was imported by
/// `use`, `AirportFields` must be, too. The target must be a model of the same crate; for that of another crate leave
/// `reverse` out, and use `orm_core::reverse::many` and its neighbours. Two ways back, or a way back and a relation of the
/// target, cannot have one name.
///
/// # What is generated
///
/// - `FlightFields`, the accessors that closures are given: a field for each column, a method for each relation;
/// - the module `flights`, named as the table, with the columns as types, and the table and its columns for plain
///   Diesel (`flights::table`, `flights::id`; a field named `table`, `columns` or `relations` gets a `_` there: `flights::table_`);
/// - `NewFlight`, where a field is `generated`: a struct of all the other fields, as `pub` as they are, for `create`;
/// - `Model`, and how rows are read and written; Diesel's `Queryable`.
///
/// # Names
///
/// A table or column may have any name; a field or relation may be any identifier, such as `r#type`.
///
/// The module has a second name, after the struct: `flight_table` is the same as `flights`. It is the only one if the
/// table's name is a Rust keyword, is not an identifier, is the struct's own name (`Album` for `struct Album`), or would hide
/// a name of the standard library (`Option`). If two models in one module have the same table, `flights` is ambiguous,
/// so use the second name. With `module = name` that name is the only one.
///
/// The module and `FlightFields` are imported by a glob (`use …::*`), so your own item of the same name takes
/// precedence. `NewFlight` is an ordinary struct: if you have another item of that name, choose another with `new = …`.
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand::model(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct some fields of a model, which `QuerySet::only` reads in place of whole models.
///
/// ```ignore
/// #[derive(PartialModel)]
/// #[model(of = Flight)]
/// struct Departure {
///     id: i64,
///     #[model(path = origin.city)]
///     city: String,
///     #[model(path = dest.code)]
///     dest: Option<String>,
/// }
///
/// for departure in Flight::objects(&db).only::<Departure>().iterator(2000)? {}
/// ```
///
/// A field is named as the model's, or its `path` leads to it: along relations, to a field of a related model. Its type is
/// the one that `values` would give, an `Option` where a relation may find no row; the compiler checks it.
/// `#[model(crate = path)]` says where `orm-core` is, if not at `::orm_core`.
#[proc_macro_derive(PartialModel, attributes(model))]
pub fn derive_partial_model(input: TokenStream) -> TokenStream {
    partial::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a type of yours a field type: a newtype around a field type, or an enum without data, kept as text.
///
/// ```ignore
/// #[derive(FieldType, Clone, Debug, PartialEq)]
/// pub struct Carrier(String);
///
/// #[derive(FieldType, Clone, Copy, Debug, PartialEq)]
/// pub enum Status {
///     Scheduled,                                    // kept as `scheduled`
///     #[field_type(rename = "in the air")]
///     Flying,
/// }
/// ```
///
/// An enum's variants are kept in snake case; a stored text that is none of them is an error. `#[field_type(crate =
/// path)]` says where `orm-core` is, if not at `::orm_core`. The type needs `Debug`, which Diesel asks of all that it
/// writes, and no generics.
#[proc_macro_derive(FieldType, attributes(field_type))]
pub fn derive_field_type(input: TokenStream) -> TokenStream {
    field_type::expand(&parse_macro_input!(input as DeriveInput)).into()
}
