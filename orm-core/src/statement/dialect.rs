//! What each backend's SQL looks like: its own words, against statements that are written by hand.

use diesel::query_builder::QueryFragment;

use super::{
    more::More,
    schema::definitions,
    select::{Columns, Count, Select},
};
use crate::{
    backend::Driver,
    field::{Nulls, Place, order::Direction},
    model::{Model as _, Table},
    path::{Root, Scope},
    prelude::*,
};

#[derive(Model)]
pub(super) struct Carrier {
    #[model(primary_key)]
    code: String,
    name: String,
    logo: Vec<u8>,
}

#[derive(Model)]
pub(super) struct Trip {
    #[model(primary_key, generated)]
    pub(super) id: i64,
    pub(super) delay: Option<i32>,
    pub(super) share: f64,
    pub(super) late: bool,
    #[model(belongs_to(Carrier, name = carrier))]
    pub(super) carrier_code: Option<String>,
}

pub(super) fn trip() -> <Trip as Model>::Fields<Root<Trip>> {
    Trip::fields::<Root<Trip>>(&Scope::default())
}

pub(super) fn select<DB: Driver>(columns: Columns<'_, DB>) -> Select<'_, DB> {
    Select {
        columns,
        distinct: false,
        table: Trip::TABLE,
        alias: Trip::TABLE.name,
        joins: Vec::new(),
        filters: Vec::new(),
        order: Vec::new(),
        limit: None,
        offset: 0,
        place: Place::Elsewhere,
        more: More::default(),
    }
}

pub(super) fn written<DB: Driver>(statement: &impl QueryFragment<DB>) -> String {
    DB::sql(statement).expect("it can be written")
}

/// The trips' keys, ordered by their delays.
fn ordered<DB: Driver>(descending: bool, nulls: Option<Nulls>) -> String {
    let (key, delay) = (trip().id, trip().delay);
    let mut trips = select::<DB>(Columns::Expression(&key));
    trips.order.push((&delay, Direction::Ours { descending, nulls }));
    written(&trips).split_once(" ORDER BY ").map_or_else(String::new, |(_, order)| order.to_owned())
}

fn limited<DB: Driver>(limit: Option<u64>, offset: u64) -> String {
    let trips = Select::<DB> { limit, offset, ..select(Columns::Nothing) };
    written(&trips)
}

/// The number of different pairs of columns that are called alike.
fn counted<DB: Driver>() -> String {
    let pair = (trip().id, trip().id);
    written(&Count::<DB>(Select { distinct: true, ..select(Columns::Expression(&pair)) }))
}

/// Whole models are counted by their columns, without a part to write.
fn counted_models<DB: Driver>(tables: &[(String, &'static Table)]) -> String {
    written(&Count::<DB>(Select { distinct: true, ..select(Columns::Tables(tables)) }))
}

fn schema<DB: Driver>() -> Vec<String> {
    definitions::<DB>(&[Carrier::TABLE, Trip::TABLE]).iter().map(written::<DB>).collect()
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::*;
    use crate::backend::Mysql;

    #[test]
    fn nulls_are_moved_by_a_key_of_their_own_where_they_do_not_stand_there_already() {
        let order = ordered::<Mysql>;
        assert_eq!(order(false, None), "`trips`.`delay` ASC");
        assert_eq!(order(false, Some(Nulls::First)), "`trips`.`delay` ASC");
        assert_eq!(order(true, Some(Nulls::Last)), "`trips`.`delay` DESC");
        assert_eq!(order(false, Some(Nulls::Last)), "(`trips`.`delay`) IS NULL, `trips`.`delay` ASC");
        assert_eq!(order(true, Some(Nulls::First)), "(`trips`.`delay`) IS NULL DESC, `trips`.`delay` DESC");
    }

    #[test]
    fn an_offset_has_a_limit_before_it() {
        assert_eq!(limited::<Mysql>(Some(3), 2), "SELECT 1 FROM `trips` LIMIT 3 OFFSET 2");
        assert_eq!(limited::<Mysql>(None, 2), "SELECT 1 FROM `trips` LIMIT 18446744073709551615 OFFSET 2");
    }

    #[test]
    fn columns_that_are_counted_get_names_that_differ() {
        assert_eq!(
            counted::<Mysql>(),
            "WITH `counted` (`c1`, `c2`) AS (SELECT DISTINCT `trips`.`id`, `trips`.`id` FROM `trips`) \
             SELECT COUNT(*) FROM `counted`"
        );
        let tables = [("trips".to_owned(), Trip::TABLE), ("trips__carrier".to_owned(), Carrier::TABLE)];
        let count = counted_models::<Mysql>(&tables);
        assert!(count.starts_with("WITH `counted` (`c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7`, `c8`) AS ("), "{count}");
        assert_eq!(
            written(&Count::<Mysql>(select(Columns::Nothing))),
            "SELECT COUNT(*) FROM (SELECT 1 FROM `trips`) AS `counted`"
        );
    }

    #[test]
    fn integers_are_divided_as_integers_however_deep() {
        let sql = |part: &dyn QueryFragment<Mysql>| Mysql::sql(part).expect("it can be written");
        assert_eq!(sql(&(trip().id / 2)), "(`trips`.`id` DIV ?)");
        assert_eq!(sql(&((trip().delay + 1) / 2 * 3 - 4)), "((((`trips`.`delay` + ?) DIV ?) * ?) - ?)");
        assert_eq!(sql(&(trip().share / 2.0)), "(`trips`.`share` / ?)");
    }

    #[test]
    fn a_search_names_its_collation_and_leaves_a_prefix_to_the_index() {
        let sql = |part: &dyn QueryFragment<Mysql>| Mysql::sql(part).expect("it can be written");
        let like = "(`trips`.`carrier_code` LIKE ? COLLATE utf8mb4_bin ESCAPE '!')";
        assert_eq!(sql(&trip().carrier_code.contains("a")), like);
        assert_eq!(sql(&trip().carrier_code.ends_with("a")), like);
        assert_eq!(
            sql(&trip().carrier_code.starts_with("a")),
            "(`trips`.`carrier_code` LIKE ? ESCAPE '!' AND `trips`.`carrier_code` LIKE ? COLLATE utf8mb4_bin ESCAPE '!')"
        );
    }

    #[test]
    fn a_table_is_declared_by_what_its_columns_are_for() {
        let options = " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 \
                       /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */";
        assert_eq!(
            schema::<Mysql>(),
            [
                format!(
                    "CREATE TABLE `carriers` (`code` VARCHAR(255) NOT NULL, `name` LONGTEXT NOT NULL, \
                     `logo` LONGBLOB NOT NULL, PRIMARY KEY (`code`)){options}"
                ),
                format!(
                    "CREATE TABLE `trips` (`id` BIGINT NOT NULL AUTO_INCREMENT, `delay` INT, `share` DOUBLE NOT NULL, \
                     `late` BOOLEAN NOT NULL, `carrier_code` VARCHAR(255), PRIMARY KEY (`id`)){options}"
                ),
                "CREATE INDEX `trips__carrier_code` ON `trips` (`carrier_code`)".to_owned(),
                "ALTER TABLE `trips` ADD FOREIGN KEY (`carrier_code`) REFERENCES `carriers` (`code`)".to_owned(),
            ]
        );
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use crate::backend::Pg;

    #[test]
    fn the_words_of_the_standard_are_known() {
        assert_eq!(ordered::<Pg>(false, Some(Nulls::Last)), "\"trips\".\"delay\" ASC NULLS LAST");
        assert_eq!(limited::<Pg>(None, 2), "SELECT 1 FROM \"trips\" OFFSET 2");
        assert_eq!(Pg::sql(&(trip().id / 2)).ok().as_deref(), Some("(\"trips\".\"id\" / $1)"));
        let trips = [("trips".to_owned(), Trip::TABLE)];
        assert!(counted_models::<Pg>(&trips).starts_with("SELECT COUNT(*) FROM (SELECT DISTINCT \"trips\".\"id\", "));
        assert!(counted::<Pg>().starts_with("SELECT COUNT(*) FROM (SELECT DISTINCT \"trips\".\"id\", "));
    }

    #[test]
    fn a_table_is_declared_before_its_foreign_keys() {
        assert_eq!(
            schema::<Pg>()[1..],
            [
                "CREATE TABLE \"trips\" (\"id\" BIGINT NOT NULL GENERATED BY DEFAULT AS IDENTITY, \"delay\" INTEGER, \
                 \"share\" DOUBLE PRECISION NOT NULL, \"late\" BOOLEAN NOT NULL, \"carrier_code\" TEXT, \
                 PRIMARY KEY (\"id\"))",
                "CREATE INDEX \"trips__carrier_code\" ON \"trips\" (\"carrier_code\")",
                "ALTER TABLE \"trips\" ADD FOREIGN KEY (\"carrier_code\") REFERENCES \"carriers\" (\"code\")",
            ]
        );
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use crate::backend::Sqlite;

    #[test]
    fn the_words_of_the_standard_are_known() {
        assert_eq!(ordered::<Sqlite>(true, Some(Nulls::First)), "`trips`.`delay` DESC NULLS FIRST");
        assert_eq!(limited::<Sqlite>(None, 2), "SELECT 1 FROM `trips` LIMIT -1 OFFSET 2");
        assert_eq!(Sqlite::sql(&(trip().id / 2)).ok().as_deref(), Some("(`trips`.`id` / ?)"));
        let trips = [("trips".to_owned(), Trip::TABLE)];
        assert!(counted_models::<Sqlite>(&trips).starts_with("SELECT COUNT(*) FROM (SELECT DISTINCT `trips`.`id`, "));
        assert!(counted::<Sqlite>().starts_with("SELECT COUNT(*) FROM (SELECT DISTINCT `trips`.`id`, "));
    }

    #[test]
    fn a_table_is_declared_with_its_foreign_keys() {
        assert_eq!(
            schema::<Sqlite>()[1..],
            [
                "CREATE TABLE `trips` (`id` INTEGER NOT NULL, `delay` INTEGER, `share` REAL NOT NULL, \
                 `late` BOOLEAN NOT NULL, `carrier_code` TEXT, PRIMARY KEY (`id`), \
                 FOREIGN KEY (`carrier_code`) REFERENCES `carriers` (`code`))",
                "CREATE INDEX `trips__carrier_code` ON `trips` (`carrier_code`)",
            ]
        );
    }
}
