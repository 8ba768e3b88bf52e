//! Relations to oneself, to each other, twice to one model, and by another key than the primary one.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "people")]
struct Person {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Person, reverse = reports))]
    boss_id: Option<i64>,
    #[model(belongs_to(Team, reverse = members))]
    team_id: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Team {
    #[model(primary_key)]
    id: i64,
    name: String,
    #[model(belongs_to(Person, name = lead))]
    #[model(belongs_to(Badge, name = badge, key = holder, optional))]
    lead_id: i64,
    #[model(belongs_to(Person, name = deputy, optional))]
    deputy_id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Badge {
    #[model(primary_key)]
    number: i32,
    holder: i64,
}

#[test]
fn they_lead_where_they_say() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Person, Team, Badge)>()?;
    db.batch_execute(
        "PRAGMA defer_foreign_keys = ON; BEGIN;
         INSERT INTO badges (number, holder) VALUES (7, 1);
         INSERT INTO people (id, boss_id, team_id) VALUES (1, NULL, 1), (2, 1, 1);
         INSERT INTO teams (id, name, lead_id, deputy_id) VALUES (1, 'night', 1, 99);
         COMMIT",
    )?;
    let query = Person::objects(&db).filter(|p| p.boss().team().name.eq("night"));
    let rows = query.select_related(|p| (p.boss(), p.team(), p.team().lead(), p.team().deputy(), p.team().badge()));
    let (person, boss, team, lead, deputy, badge) = rows.get()?;
    assert_eq!(person, Person { id: 2, boss_id: Some(1), team_id: Some(1) });
    assert_eq!(boss, Some(Person { id: 1, boss_id: None, team_id: Some(1) }));
    assert_eq!(team, Some(Team { id: 1, name: "night".into(), lead_id: 1, deputy_id: 99 }));
    assert_eq!((lead, deputy), (boss, None));
    assert_eq!(badge, Some(Badge { number: 7, holder: 1 }));
    Ok(())
}
