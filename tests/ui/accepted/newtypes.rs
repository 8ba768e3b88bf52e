//! Newtypes and aliases, in a module and in a function.

use orm_core::prelude::*;

#[derive(FieldType, Clone, Debug, PartialEq)]
struct Code(String);

#[derive(Model)]
struct Airport {
    #[model(primary_key)]
    code: Code,
}

#[test]
fn a_newtype_is_compared() {
    fn query(db: &Database) -> QuerySet<'_, Airport> {
        Airport::objects(db).filter(|a| a.code.eq(Code("JFK".into())))
    }
    let _ = query;
}
