//! `orm-core` by another path. That nothing generated says `::orm_core` then is proved beside the derive, on its code.

use orm::prelude::*;
use orm_core as orm;

#[derive(FieldType, Clone, Debug, PartialEq)]
#[field_type(crate = crate::another_path::orm)]
struct Code(String);

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
#[field_type(crate = crate::another_path::orm)]
enum Kind {
    Large,
    Small,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = crate::another_path::orm)]
struct Airport {
    #[model(primary_key)]
    code: Code,
    kind: Kind,
    #[model(belongs_to(Airport, name = hub))]
    hub_code: Option<Code>,
}

#[test]
fn the_crate_may_have_another_name() -> orm::Result<()> {
    let db = orm::connect("sqlite::memory:")?;
    db.create_tables::<(Airport,)>()?;
    let airport = Airport { code: Code("JFK".into()), kind: Kind::Large, hub_code: None };
    Airport::bulk_create(&db, [airport])?;
    let found = Airport::objects(&db).filter(|a| a.kind.ne(Kind::Small).and(a.hub().kind.is_null())).get()?;
    assert_eq!(found.code, Code("JFK".into()));
    Ok(())
}
