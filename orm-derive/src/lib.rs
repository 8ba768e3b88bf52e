//! The derives of `orm-core`, which re-exports them. This page is their reference.
//!
//! `attr.rs` and `column.rs` read attributes, `model.rs` is the checked model, with `constraints.rs`, `expand/` writes one part of the code each, and
//! `field_type.rs` and `partial.rs` are the other derives.

mod attr;
mod column;
mod constraints;
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
/// | `unique(a, b)` | no two rows have the same values in these fields; one field may also be marked `unique`. It may stand several times |
/// | `index(a, b)` | an index on these fields, in this order; one field may also be marked `index`. It may stand several times |
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
/// | `unique` | no two rows have the same value |
/// | `index` | an index on this field. A relation's field has one anyway |
/// | `max_length = 100` | text has up to 100 characters, bytes up to 100 bytes |
/// | `decimal(10, 2)` | a decimal has up to 10 digits, 2 of them after the point |
/// | `fractional_seconds = 3` | a time or timestamp has up to 3 digits of a second, from 0 to 6 |
/// | `default = 0` | the default of the column: a literal of the field's type (a decimal's is text: `"0.00"`; an enum's is the text of a variant; those of dates and times see below) |
/// | `default = now()` | the default of a date or timestamp is that of the INSERT |
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
/// # Constraints, limits and defaults
///
/// ```ignore
/// #[derive(Model)]
/// #[model(unique(last_name, first_name), index(city, born))]
/// struct Customer {
///     #[model(primary_key, generated)]
///     id: i64,
///     #[model(unique, max_length = 254)]
///     email: String,
///     #[model(max_length = 50)]
///     first_name: String,
///     #[model(max_length = 50)]
///     last_name: String,
///     #[model(max_length = 60)]
///     city: Option<String>,
///     born: i32,
///     #[model(decimal(10, 2))]
///     balance: BigDecimal,
///     #[model(generated, default = true)]
///     active: bool,
///     #[model(generated, default = now())]
///     created: DateTime<Utc>,
/// }
/// ```
///
/// `create_tables` declares all of these, and `check_schema` reports a table that lacks a unique constraint or an index,
/// or has a column that is too narrow for its field.
///
/// **Limits** are checked on every backend alike before anything is sent, whichever method stores the value. A value beyond
/// its limit is an `InvalidValue` error that names the model, the field and the row; it is never cut or rounded. Characters are
/// Unicode code points. Zeros at the end of a decimal are not counted. What the database computes by itself, such as
/// `set(o.price * o.quantity)` in an `update`, is not checked here: PostgreSQL and MySQL round it to a limited column, and
/// SQLite stores it unrounded; round it with `round_to`.
///
/// | limit | PostgreSQL | MySQL, MariaDB | SQLite |
/// | --- | --- | --- | --- |
/// | `max_length = n`, text | `VARCHAR(n)` | `VARCHAR(n)`; without a key, from 1025 on `LONGTEXT` with a CHECK | `TEXT` with a CHECK |
/// | `max_length = n`, bytes | `BYTEA` with a CHECK | `VARBINARY(n)`; without a key, from 4097 on `LONGBLOB` with a CHECK | `BLOB` with a CHECK |
/// | `decimal(p, s)` | `NUMERIC(p,s)` | `DECIMAL(p,s)` | `TEXT COLLATE orm_decimal` |
/// | `fractional_seconds = n` | `TIMESTAMP(n)`, `TIMESTAMPTZ(n)`, `TIME(n)` | `DATETIME(n)`, `TIME(n)` | `TEXT` |
///
/// On MySQL and MariaDB a key or index has up to 3072 bytes, and a character counts four: give the text in it a
/// `max_length`. Text without one gets `VARCHAR(255)` there.
///
/// **A default** fills the column when an INSERT leaves it out: by other programs, and by this one if the field is also
/// `generated`. Otherwise a model stores the value of its field. `check_schema` reports a column without a default whose field
/// has one.
///
/// | field | default |
/// | --- | --- |
/// | `NaiveDate` | `"2013-01-31"`, or `now()`, the date in UTC |
/// | `NaiveTime` | `"10:00:00"`, `"10:00:00.25"` |
/// | `NaiveDateTime` | `"2013-01-31 10:00:00"`, or `now()`, the time in UTC |
/// | `DateTime<Utc>` | `"2013-01-31 10:00:00Z"`, or `now()` |
///
/// `now()` is the time of the database's clock at which the statement began, as `dsl::now` is: to the microsecond, on SQLite
/// to the millisecond, and to the digits of `fractional_seconds`.
///
/// **NULLs** do not conflict: any number of rows may have `None` in a `unique` field.
///
/// **A relation** whose field is `unique` leads back to one row, as with `belongs_to(…, unique)`.
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
/// An enum's variants are kept in snake case; a stored text that is none of them is an error. On PostgreSQL the column may be
/// an enum type with these labels, as well as `text`. `#[field_type(crate =
/// path)]` says where `orm-core` is, if not at `::orm_core`. The type needs `Debug`, which Diesel asks of all that it
/// writes, and no generics.
#[proc_macro_derive(FieldType, attributes(field_type))]
pub fn derive_field_type(input: TokenStream) -> TokenStream {
    field_type::expand(&parse_macro_input!(input as DeriveInput)).into()
}
