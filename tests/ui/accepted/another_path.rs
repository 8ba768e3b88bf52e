//! `orm-core` under another name, as after `orm = { package = "orm-core" }`.

use another_orm::prelude::*;

/// Nothing here can be reached by `::orm_core`, except what the attribute does not lead to.
mod renamed {
    pub(super) use orm_core as orm;
}
use renamed::orm as another_orm;

#[derive(FieldType, Clone, Debug, PartialEq)]
#[field_type(crate = renamed::orm)]
struct Code(String);

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
#[field_type(crate = renamed::orm)]
enum Kind {
    Large,
    Small,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = renamed::orm)]
struct Airport {
    #[model(primary_key)]
    code: Code,
    kind: Kind,
    #[model(belongs_to(Airport, name = hub))]
    hub_code: Option<Code>,
}

#[test]
fn the_crate_may_have_another_name() -> another_orm::Result<()> {
    let db = another_orm::connect("sqlite::memory:")?;
    db.create_tables::<(Airport,)>()?;
    let airport = Airport { code: Code("JFK".into()), kind: Kind::Large, hub_code: None };
    Airport::bulk_create(&db, [airport])?;
    let found = Airport::objects(&db).filter(|a| a.kind.ne(Kind::Small).and(a.hub().kind.is_null())).get()?;
    assert_eq!(found.code, Code("JFK".into()));
    Ok(())
}
