//! Models that a macro writes.

use orm_core::prelude::*;

macro_rules! lookup_table {
    ($name:ident, $table:literal, $ty:ty) => {
        #[derive(Model, Debug, PartialEq)]
        #[model(table = $table)]
        struct $name {
            // The macro's own words, which the user's do not see.
            #[model(primary_key)]
            id: i64,
            #[model(column = "label")]
            text: $ty,
        }

        impl $name {
            fn labelled(db: &Database, text: $ty) -> QuerySet<'_, $name> {
                $name::objects(db).filter(|row| row.text.eq(text)).order_by(|row| row.id.asc())
            }
        }
    };
}

lookup_table!(Carrier, "carriers", String);
lookup_table!(Terminal, "terminals", i32);

macro_rules! field_and_relation {
    ($model:ident { $field:ident: $ty:ty => $target:ident as $relation:ident }) => {
        #[derive(Model)]
        struct $model {
            #[model(primary_key)]
            id: i64,
            #[model(belongs_to($target, name = $relation))]
            $field: $ty,
        }
    };
}

field_and_relation!(Gate { terminal_id: i64 => Terminal as terminal });

#[test]
fn a_macro_may_write_models() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Carrier, Terminal, Gate)>()?;
    Carrier::bulk_create(&db, [Carrier { id: 1, text: "UA".into() }])?;
    Terminal::bulk_create(&db, [Terminal { id: 7, text: 4 }])?;
    Gate::bulk_create(&db, [Gate { id: 1, terminal_id: 7 }])?;
    assert_eq!(Carrier::labelled(&db, "UA".into()).get()?.id, 1);
    assert_eq!(Terminal::labelled(&db, 4).get()?.id, 7);
    assert_eq!(Gate::objects(&db).values(|g| g.terminal().text).load()?, [4]);
    assert_eq!(Gate::objects(&db).filter(|g| g.id.eq(1).and(g.terminal_id.eq(7))).count()?, 1);
    Ok(())
}
