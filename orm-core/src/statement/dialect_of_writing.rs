//! What each backend's SQL that writes looks like, against statements that are written by hand.

use std::marker::PhantomData;

use super::{
    assigned::{Assigned, Assignments},
    change::{Action, Change, KeyColumns},
    dialect::{Trip, select, trip, written},
    insert::{Conflict, Insert},
    select::Columns,
    update_rows::{CountRows, UpdateRows},
};
use crate::{
    backend::Driver,
    model::{Model as _, ToRow},
    path::Join,
};

/// How the statements' rows are found.
#[derive(Clone, Copy)]
struct Rows {
    join: Option<Relation>,
    limit: Option<u64>,
}

/// What a row belongs to.
#[derive(Clone, Copy)]
enum Relation {
    Optional,
    Required,
}

const PLAIN: Rows = Rows { join: None, limit: None };
const JOINED: Rows = Rows { join: Some(Relation::Optional), limit: None };
const RELATED: Rows = Rows { join: Some(Relation::Required), limit: None };
const LIMITED: Rows = Rows { join: None, limit: Some(2) };

fn join(relation: Relation) -> Join {
    let carrier = &Trip::TABLE.relations[0];
    let to = (carrier.to)();
    Join {
        from: "trips".into(),
        from_column: "carrier_code",
        table: to,
        alias: "trips__carrier".into(),
        to_column: to.columns[carrier.to_column].name,
        outer: matches!(relation, Relation::Optional),
    }
}

/// An update of the delay and the share of rows with a delay, or their end.
fn changed<DB: Driver>(rows: Rows, delete: bool) -> String {
    let (late, delay, share, keys) = (trip().late, trip().delay, trip().share, KeyColumns(Trip::TABLE));
    let join = rows.join.map(join);
    let mut found = select::<DB>(Columns::Expression(&keys));
    found.filters.push((&late, true));
    found.limit = rows.limit;
    found.joins.extend(&join);
    let sets = vec![Assigned::value(1, &delay), Assigned::value(2, &share)];
    let action = if delete { Action::Delete } else { Action::Update(Assignments::new(Trip::TABLE, sets)) };
    written(&Change { action, rows: found })
}

fn inserted<DB: Driver>(conflict: &Conflict, returning: bool) -> String
where
    Trip: ToRow<DB>,
{
    let rows = [Trip { id: 1, delay: None, share: 0.5, late: false, carrier_code: None }];
    let insert = Insert { rows: &rows, columns: &[0, 1], conflict, text_keys: &[], returning, recurs: false };
    DB::sql(&insert)
        .expect("it can be written")
        .split_once("VALUES ")
        .map_or_else(String::new, |(_, rest)| rest.to_owned())
}

fn updated<DB: Driver>(values: bool) -> String
where
    Trip: ToRow<DB>,
{
    let trip = |id| Trip { id, delay: None, share: 0.5, late: false, carrier_code: None };
    let update = UpdateRows {
        rows: &[trip(1), trip(2)],
        columns: &[1, 2],
        recurs: false,
        values,
        model: PhantomData::<fn() -> Trip>,
    };
    DB::sql(&update).expect("it can be written")
}

fn counted<DB: Driver>() -> String
where
    Trip: ToRow<DB>,
{
    let trip = |id| Trip { id, delay: None, share: 0.5, late: false, carrier_code: None };
    DB::sql(&CountRows::<Trip, Trip>::new(&[trip(1), trip(2)], false)).expect("it can be written")
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::*;
    use crate::{backend::Mysql, field::assignment::computed};

    #[test]
    fn joins_are_the_statements_own_and_limits_stand_in_a_table_of_their_own() {
        let changed = changed::<Mysql>;
        assert_eq!(
            changed(PLAIN, false),
            "UPDATE `trips` SET `delay` = `trips`.`delay`, `share` = `trips`.`share` WHERE (`trips`.`late`) IS NOT TRUE"
        );
        let joined =
            "`trips` LEFT JOIN `carriers` AS `trips__carrier` ON `trips__carrier`.`code` = `trips`.`carrier_code`";
        assert_eq!(
            changed(JOINED, false),
            format!(
                "UPDATE {joined} SET `trips`.`delay` = `trips`.`delay`, `trips`.`share` = `trips`.`share` \
                 WHERE (`trips`.`late`) IS NOT TRUE"
            )
        );
        assert_eq!(changed(JOINED, true), format!("DELETE `trips` FROM {joined} WHERE (`trips`.`late`) IS NOT TRUE"));
        assert_eq!(
            changed(LIMITED, true),
            "DELETE FROM `trips` WHERE `trips`.`id` IN (SELECT * FROM (SELECT `trips`.`id` FROM `trips` \
             WHERE (`trips`.`late`) IS NOT TRUE LIMIT 2 FOR UPDATE) AS `matched`)"
        );
    }

    /// An update of every row, by these assignments.
    fn assigned(sets: Vec<Assigned<'_, Mysql>>) -> String {
        let keys = KeyColumns(Trip::TABLE);
        let action = Action::Update(Assignments::new(Trip::TABLE, sets));
        written(&Change { action, rows: select(Columns::Expression(&keys)) })
    }

    #[test]
    fn a_column_is_assigned_after_its_readers() {
        let set = |column, value| Assigned::<Mysql>::computed(column, value, &[]).expect("it can be written");
        let (delay, planned) = (computed(trip().delay + 1), computed(trip().id + 0));
        // Column 0 gets what column 1 was, so column 1 comes last.
        let ordered = assigned(vec![set(1, &delay), set(0, &delay)]);
        assert_eq!(ordered, "UPDATE `trips` SET `id` = (`trips`.`delay` + ?), `delay` = (`trips`.`delay` + ?)");
        // What raw SQL reads is not known, so it comes first.
        let raw = computed(diesel::dsl::sql::<diesel::sql_types::Integer>("delay * 2"));
        let ordered = assigned(vec![set(1, &delay), set(0, &raw)]);
        assert_eq!(ordered, "UPDATE `trips` SET `id` = delay * 2, `delay` = (`trips`.`delay` + ?)");
        // No order does.
        let first = |a: &str, b: &str| {
            format!(
                "UPDATE `trips` INNER JOIN (SELECT `trips`.`id` AS `k0`, {a} AS `v0`, {b} AS `v1` FROM `trips` WHERE \
                 `trips`.`id` IN (SELECT * FROM (SELECT `trips`.`id` FROM `trips` LIMIT 18446744073709551615 FOR UPDATE) \
                 AS `matched`) LIMIT 18446744073709551615 FOR UPDATE) AS `matched` ON `trips`.`id` = `matched`.`k0` \
                 SET `trips`.`delay` = `matched`.`v0`, `trips`.`id` = `matched`.`v1`"
            )
        };
        let circle = assigned(vec![set(1, &planned), set(0, &delay)]);
        assert_eq!(circle, first("(`trips`.`id` + ?)", "(`trips`.`delay` + ?)"));
        assert_eq!(assigned(vec![set(1, &raw), set(0, &raw)]), first("delay * 2", "delay * 2"));
    }

    #[test]
    fn conflicts_are_told_apart_by_the_columns_that_are_named() {
        let any = Conflict::Ignore { keys: vec![] };
        assert_eq!(
            inserted::<Mysql>(&any, false),
            "(?, ?) ON DUPLICATE KEY UPDATE `id` = IF(@orm_core_kept := @orm_core_kept + 1, `trips`.`id`, `trips`.`id`)"
        );
        let update = Conflict::Update { keys: vec![0], columns: vec![1] };
        assert_eq!(
            inserted::<Mysql>(&update, false),
            "(?, ?) ON DUPLICATE KEY UPDATE `id` = IF(IF(`trips`.`id` = VALUES(`id`), 1, \
             9223372036854770062 + 1062000 * (`trips`.`id` IS NOT NULL)), `trips`.`id`, `trips`.`id`), \
             `delay` = VALUES(`delay`)"
        );
        let ignore = inserted::<Mysql>(&Conflict::Ignore { keys: vec![0] }, false);
        assert!(
            ignore.contains("IF(IF(`trips`.`id` = VALUES(`id`), @orm_core_kept := @orm_core_kept + 1, 9223"),
            "{ignore}"
        );
    }

    #[test]
    fn rows_are_a_table_with_the_columns_own_types() {
        assert_eq!(
            updated::<Mysql>(false),
            "UPDATE `trips` INNER JOIN (SELECT `trips`.`id` + 0 AS `id`, `trips`.`delay` + 0 AS `delay`, `trips`.`share` FROM `trips` \
             WHERE 1 = 0 UNION ALL SELECT ?, ?, ? UNION ALL SELECT ?, ?, ?) AS `given_rows` ON `trips`.`id` = `given_rows`.`id` \
             SET `trips`.`delay` = `given_rows`.`delay`, `trips`.`share` = `given_rows`.`share`"
        );
        // MariaDB has a shorter form for many rows.
        assert!(
            updated::<Mysql>(true).contains("WHERE 1 = 0 UNION ALL VALUES (?, ?, ?), (?, ?, ?)) AS `given_rows` ON")
        );
        assert_eq!(
            counted::<Mysql>(),
            "SELECT COUNT(*) FROM `trips` INNER JOIN (SELECT `trips`.`id` + 0 AS `id` FROM `trips` WHERE 1 = 0 UNION ALL SELECT ? \
             UNION ALL SELECT ?) AS `given_rows` ON `trips`.`id` = `given_rows`.`id` FOR UPDATE"
        );
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use crate::backend::Pg;

    #[test]
    fn a_list_is_made_once_and_its_rows_are_locked() {
        let late = "(\"trips\".\"late\") IS NOT TRUE";
        assert_eq!(changed::<Pg>(PLAIN, true), format!("DELETE FROM \"trips\" WHERE {late}"));
        assert_eq!(
            changed::<Pg>(LIMITED, true),
            format!(
                "WITH \"matched\" AS MATERIALIZED (SELECT \"trips\".\"id\" FROM \"trips\" WHERE {late} LIMIT 2 FOR UPDATE) \
                 DELETE FROM \"trips\" WHERE \"trips\".\"id\" IN (SELECT * FROM \"matched\")"
            )
        );
        let rows = "SELECT \"trips\".\"id\" FROM \"trips\" LEFT JOIN \"carriers\" AS \"trips__carrier\" \
                    ON \"trips__carrier\".\"code\" = \"trips\".\"carrier_code\"";
        let list = |lock| format!("WITH \"matched\" AS MATERIALIZED ({rows} WHERE {late} {lock} OF \"trips\")");
        let in_list = "WHERE \"trips\".\"id\" IN (SELECT * FROM \"matched\")";
        assert_eq!(
            changed::<Pg>(JOINED, false),
            format!(
                "{} UPDATE \"trips\" SET \"delay\" = \"trips\".\"delay\", \"share\" = \"trips\".\"share\" {in_list}",
                list("FOR NO KEY UPDATE")
            )
        );
        assert_eq!(changed::<Pg>(JOINED, true), format!("{} DELETE FROM \"trips\" {in_list}", list("FOR UPDATE")));
    }

    #[test]
    fn a_row_with_its_relation_is_found_by_a_subquery() {
        let related = "EXISTS (SELECT 1 FROM \"carriers\" AS \"trips__carrier\" WHERE (\"trips\".\"late\") IS NOT TRUE \
                       AND \"trips__carrier\".\"code\" = \"trips\".\"carrier_code\")";
        assert_eq!(changed::<Pg>(RELATED, true), format!("DELETE FROM \"trips\" WHERE {related}"));
        let set = "\"delay\" = \"trips\".\"delay\", \"share\" = \"trips\".\"share\"";
        assert_eq!(changed::<Pg>(RELATED, false), format!("UPDATE \"trips\" SET {set} WHERE {related}"));
    }

    #[test]
    fn conflicts_and_rows_are_written_in_the_standards_words() {
        let update = Conflict::Update { keys: vec![0], columns: vec![1] };
        assert_eq!(
            inserted::<Pg>(&update, true),
            "($1, $2) ON CONFLICT (\"id\") DO UPDATE SET \"delay\" = \"excluded\".\"delay\" \
             RETURNING \"id\", \"delay\", \"share\", \"late\", \"carrier_code\""
        );
        assert_eq!(inserted::<Pg>(&Conflict::Ignore { keys: vec![] }, false), "($1, $2) ON CONFLICT DO NOTHING");
        assert_eq!(
            updated::<Pg>(false),
            "UPDATE \"trips\" SET \"delay\" = \"given_rows\".\"delay\", \"share\" = \"given_rows\".\"share\" \
             FROM (VALUES ($1, $2, $3), ($4, $5, $6)) AS \"given_rows\" (\"id\", \"delay\", \"share\") \
             WHERE \"trips\".\"id\" = \"given_rows\".\"id\""
        );
        assert_eq!(
            counted::<Pg>(),
            "SELECT COUNT(*) FROM \"trips\" INNER JOIN (VALUES ($1), ($2)) AS \"given_rows\" (\"id\") \
             ON \"trips\".\"id\" = \"given_rows\".\"id\""
        );
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use crate::backend::Sqlite;

    #[test]
    fn rows_are_found_by_key_where_there_is_more_than_a_condition() {
        let late = "(`trips`.`late`) IS NOT TRUE";
        assert_eq!(changed::<Sqlite>(PLAIN, true), format!("DELETE FROM `trips` WHERE {late}"));
        assert_eq!(
            changed::<Sqlite>(LIMITED, true),
            format!(
                "DELETE FROM `trips` WHERE `trips`.`id` IN (SELECT `trips`.`id` FROM `trips` WHERE {late} LIMIT 2)"
            )
        );
        assert!(changed::<Sqlite>(JOINED, true).contains(" IN (SELECT `trips`.`id` FROM `trips` LEFT JOIN "));
        assert_eq!(
            updated::<Sqlite>(false),
            "WITH `given_rows` (`id`, `delay`, `share`) AS (VALUES (?, ?, ?), (?, ?, ?)) UPDATE `trips` \
             SET `delay` = `given_rows`.`delay`, `share` = `given_rows`.`share` FROM `given_rows` \
             WHERE `trips`.`id` = `given_rows`.`id`"
        );
        assert_eq!(
            counted::<Sqlite>(),
            "WITH `given_rows` (`id`) AS (VALUES (?), (?)) SELECT COUNT(*) FROM `trips` INNER JOIN `given_rows` \
             ON `trips`.`id` = `given_rows`.`id`"
        );
        let ignore = Conflict::Ignore { keys: vec![0] };
        assert_eq!(inserted::<Sqlite>(&ignore, false), "(?, ?) ON CONFLICT (`id`) DO NOTHING");
    }
}
