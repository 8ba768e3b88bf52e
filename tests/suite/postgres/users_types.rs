//! Types that users make: enums, domains and composite types, found by their names, in the `search_path` or in a schema.

use diesel::{
    Connection, RunQueryDsl,
    connection::SimpleConnection,
    deserialize::{self, FromSql, FromSqlRow},
    dsl::sql,
    expression::AsExpression,
    pg::{Pg, PgValue},
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql, WriteTuple},
    sql_query,
    sql_types::{Array, Citext, Integer, Nullable, Record, SqlType, Text},
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult};

use super::{PgConnection, raw::round_trip};

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(name = "mood"))]
struct MoodType;

/// An enum; its last variant is known to another schema alone.
#[derive(Clone, Copy, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = MoodType)]
#[diesel(sql_type = MoodElsewhere)]
enum Mood {
    Sad,
    Happy,
    Grim,
}

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(name = "mood", schema = "Else where"))]
struct MoodElsewhere;

macro_rules! as_its_name {
    ($($sql:ty),+) => { $(
        impl ToSql<$sql, Pg> for Mood {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let name: &[u8] = match self { Mood::Sad => b"sad", Mood::Happy => b"so happy", Mood::Grim => b"grim" };
                std::io::Write::write_all(out, name)?;
                Ok(IsNull::No)
            }
        }

        impl FromSql<$sql, Pg> for Mood {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                match value.as_bytes() {
                    b"sad" => Ok(Mood::Sad),
                    b"so happy" => Ok(Mood::Happy),
                    b"grim" => Ok(Mood::Grim),
                    other => Err(format!("{other:?} is no mood").into()),
                }
            }
        }
    )+ };
}

as_its_name!(MoodType, MoodElsewhere);

const MOODS: &str = "CREATE TYPE mood AS ENUM ('sad', 'so happy')";

#[test]
fn an_enum() -> TestResult {
    let bed = &Bed::postgres();
    bed.execute(MOODS);
    let texts = vec![None, Some("sad".to_owned()), Some("so happy".to_owned())];
    round_trip!(bed, "MOOD", MoodType, Mood, vec![None, Some(Mood::Sad), Some(Mood::Happy)], texts)
}

#[test]
fn an_array_of_an_enum() -> TestResult {
    let bed = &Bed::postgres();
    bed.execute(MOODS);
    let values = vec![None, Some(vec![]), Some(vec![Some(Mood::Happy), None, Some(Mood::Sad)])];
    let texts = vec![None, Some("{}".to_owned()), Some("{\"so happy\",NULL,sad}".to_owned())];
    round_trip!(bed, "MOOD[]", Array<Nullable<MoodType>>, Vec<Option<Mood>>, values, texts)
}

/// Two types of one name: each is found where it was said to be.
#[test]
fn an_enum_in_a_schema() -> TestResult {
    let bed = &Bed::postgres_database();
    bed.execute("CREATE SCHEMA \"Else where\"; CREATE TYPE \"Else where\".mood AS ENUM ('grim')");
    bed.execute(MOODS);
    let connection = &mut PgConnection::establish(bed.url())?;
    for _ in 0..2 {
        let here = sql::<MoodType>("SELECT ").bind::<MoodType, _>(Mood::Sad);
        assert_eq!(here.get_result::<Mood>(connection)?, Mood::Sad);
        let there = sql::<MoodElsewhere>("SELECT ").bind::<MoodElsewhere, _>(Mood::Grim);
        assert_eq!(there.get_result::<Mood>(connection)?, Mood::Grim);
        // And not in the other.
        let there = sql::<MoodElsewhere>("SELECT ").bind::<MoodElsewhere, _>(Mood::Sad);
        assert!(there.get_result::<Mood>(connection).is_err());
    }
    round_trip!(
        bed,
        "\"Else where\".MOOD",
        MoodElsewhere,
        Mood,
        vec![Some(Mood::Grim), None],
        vec![Some("grim".to_owned()), None]
    )
}

#[test]
fn a_type_that_there_is_not() -> TestResult {
    let bed = Bed::postgres();
    let connection = &mut PgConnection::establish(bed.url())?;
    let query = || sql::<MoodType>("SELECT ").bind::<MoodType, _>(Mood::Sad);
    let error = query().get_result::<Mood>(connection).expect_err("there is no such type");
    assert!(error.to_string().contains("mood"), "{error}");
    assert_eq!(sql::<Integer>("SELECT 7").get_result::<i32>(connection)?, 7);
    // Once there is, it is found.
    bed.execute(MOODS);
    assert_eq!(query().get_result::<Mood>(connection)?, Mood::Sad);
    Ok(())
}

/// To look it up is a statement of its own, wherever the statement stands that needs it.
#[test]
fn an_enum_is_looked_up_in_a_transaction() -> TestResult {
    let bed = Bed::postgres();
    let connection = &mut PgConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        connection.batch_execute(MOODS)?;
        let read = sql::<MoodType>("SELECT ").bind::<MoodType, _>(Mood::Happy).get_result::<Mood>(connection)?;
        connection.batch_execute("CREATE TABLE t (v MOOD)")?;
        sql_query("INSERT INTO t VALUES ($1)").bind::<MoodType, _>(Mood::Sad).execute(connection)?;
        Ok::<_, diesel::result::Error>(read)
    });
    assert_eq!(answer, Ok(Mood::Happy));
    assert_eq!(bed.texts("SELECT v FROM t"), [Some("sad".to_owned())]);
    // In one that has failed, nothing can be looked up: the error says so.
    let connection = &mut PgConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        assert!(connection.batch_execute("SELECT 1 / 0").is_err());
        sql::<MoodType>("SELECT ").bind::<MoodType, _>(Mood::Happy).get_result::<Mood>(connection)
    });
    assert!(answer.is_err());
    assert_eq!(
        sql::<MoodType>("SELECT ").bind::<MoodType, _>(Mood::Happy).get_result::<Mood>(connection)?,
        Mood::Happy
    );
    Ok(())
}

/// A statement's parameters may be of several types that are not known yet.
#[test]
fn several_that_are_not_known_yet() -> TestResult {
    let bed = Bed::postgres();
    bed.execute(&format!("{MOODS}; CREATE DOMAIN citext AS TEXT"));
    let connection = &mut PgConnection::establish(bed.url())?;
    let query = sql::<(Text, MoodType, Array<MoodType>)>("SELECT ")
        .bind::<Citext, _>("A")
        .sql("::text, ")
        .bind::<MoodType, _>(Mood::Sad)
        .sql(", ")
        .bind::<Array<MoodType>, _>(vec![Mood::Happy]);
    let read: (String, Mood, Vec<Mood>) = query.get_result(connection)?;
    assert_eq!(read, ("A".to_owned(), Mood::Sad, vec![Mood::Happy]));
    Ok(())
}

/// Diesel's type of an extension is found by its name; here a domain has that name.
#[test]
fn a_type_by_the_name_of_an_extensions() -> TestResult {
    let bed = &Bed::postgres();
    bed.execute("CREATE DOMAIN citext AS TEXT");
    let texts = vec![Some("É".to_owned()), None];
    round_trip!(bed, "CITEXT", Citext, String, texts.clone(), texts)
}

#[test]
fn domains() -> TestResult {
    let bed = &Bed::postgres();
    bed.execute("CREATE DOMAIN positive AS INT CHECK (value > 0)");
    let connection = &mut PgConnection::establish(bed.url())?;
    let error = sql::<Integer>("SELECT ").bind::<Integer, _>(-1).sql("::positive").get_result::<i32>(connection);
    assert!(matches!(
        error,
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::CheckViolation, _))
    ));
    round_trip!(bed, "POSITIVE", Integer, i32, vec![None, Some(5)], vec![None, Some("5".to_owned())])
}

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(name = "place"))]
struct PlaceType;

/// A composite type.
#[derive(Clone, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = PlaceType)]
struct Place {
    name: Option<String>,
    floor: i32,
    mood: Mood,
}

type PlaceParts = (Nullable<Text>, Integer, MoodType);

impl ToSql<PlaceType, Pg> for Place {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        WriteTuple::<PlaceParts>::write_tuple(&(self.name.clone(), self.floor, self.mood), &mut out.reborrow())
    }
}

impl FromSql<PlaceType, Pg> for Place {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (name, floor, mood) = FromSql::<Record<PlaceParts>, Pg>::from_sql(value)?;
        Ok(Place { name, floor, mood })
    }
}

#[test]
fn composite_types() -> TestResult {
    let bed = &Bed::postgres();
    bed.execute(&format!("{MOODS}; CREATE TYPE place AS (name TEXT, floor INT, mood MOOD)"));
    let values = [
        Place { name: Some("a \"b\"".to_owned()), floor: -1, mood: Mood::Happy },
        Place { name: None, floor: 2, mood: Mood::Sad },
    ];
    let texts = [None, Some("(\"a \"\"b\"\"\",-1,\"so happy\")"), Some("(,2,sad)")];
    let texts = texts.map(|text| text.map(str::to_owned)).to_vec();
    round_trip!(bed, "PLACE", PlaceType, Place, [None].into_iter().chain(values.clone().map(Some)).collect(), texts)?;
    bed.execute("DROP TABLE ours; DROP TABLE theirs; DROP TABLE libpqs");
    let text = "{\"(\\\"a \\\"\\\"b\\\"\\\"\\\",-1,\\\"so happy\\\")\",\"(,2,sad)\"}".to_owned();
    round_trip!(bed, "PLACE[]", Array<PlaceType>, Vec<Place>, vec![Some(values.to_vec())], vec![Some(text)])
}
