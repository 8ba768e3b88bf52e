//! A value that was read is found again: by conditions, in bulk, in orders, groups and subqueries, and it is the value that is
//! saved, updated and deleted. Or reading it is refused, and then `check_schema` says so beforehand.
//!
//! The tables are written by hand and have no constraint, so that a row that is not found and stored a second time is seen.

mod floats;
mod json;
#[cfg(feature = "mysql")]
mod mysql;
mod uuids;

/// What came of storing a value by SQL and using it as a field.
pub(crate) struct Walked {
    /// Why it is not read: the error and its causes.
    pub(crate) refusal: Option<String>,
    /// What `check_schema` says of the column's type.
    pub(crate) complaint: Option<String>,
}

/// What `check_schema` says of the type of the column `k`.
pub(crate) fn complaint(checked: orm_core::Result<()>) -> Option<String> {
    let error = checked.err()?.to_string();
    error.lines().find(|line| line.contains("`Kept::k` (column `k` of `kept`) has ")).map(str::to_owned)
}

/// An error with its causes.
pub(crate) fn chain(error: &orm_core::Error) -> String {
    let first: Option<&dyn std::error::Error> = Some(error);
    let texts: Vec<String> = std::iter::successors(first, |error| error.source()).map(ToString::to_string).collect();
    texts.join(": ")
}

/// A field of a type over whichever column: each function stores a value by SQL in a column of the type that is named, reads it,
/// and uses it in every way, unless reading it is refused.
macro_rules! fields {
    ($($name:ident: $rust:ty $(, $sql:ty)?;)*) => { $( $crate::found_again::fields!(@field $name, $rust, [$(, sql_type = $sql)?], keyed); )* };
    // Floats, which are no keys of maps.
    (unhashed $($name:ident: $rust:ty;)*) => { $( $crate::found_again::fields!(@field $name, $rust, [], unkeyed); )* };
    (@in_bulk keyed $db:ident $kept:ident) => {
        let by_key = Kept::objects(&$db).in_bulk([$kept.k.clone()])?;
        assert_eq!(by_key.get(&$kept.k), Some($kept), "in_bulk");
    };
    (@in_bulk unkeyed $db:ident $kept:ident) => {};
    (@field $name:ident, $rust:ty, [$($attribute:tt)*], $keyed:ident) => {
        pub(super) fn $name(
            bed: &orm_tests::Bed,
            column: &str,
            value: &str,
        ) -> Result<$crate::found_again::Walked, Box<dyn std::error::Error>> {
            use $crate::found_again::{Walked, chain, complaint};
            use orm_core::prelude::*;
            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = "kept")]
            struct Kept {
                #[model(primary_key $($attribute)*)]
                k: $rust,
                v: i32,
            }
            bed.execute(&format!(
                "DROP TABLE IF EXISTS kept; CREATE TABLE kept (k {column}, v INTEGER NOT NULL); \
                 INSERT INTO kept VALUES ({value}, 1)"
            ));
            let db = bed.db()?;
            let complaint = complaint(db.check_schema::<(Kept,)>());
            let all = || Kept::objects(&db);
            let rows = match all().load() {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
                    assert_eq!((error.model(), error.field(), error.row()), (Some("Kept"), Some("k"), Some(1)), "{error}");
                    return Ok(Walked { refusal: Some(chain(&error)), complaint });
                }
                Ok(rows) => rows,
            };
            let [kept] = &rows[..] else { panic!("one row was stored") };
            let of = format!("{} over {column}, of {value}: {kept:?}", stringify!($name));
            let is = |v: i32| assert_eq!(bed.texts("SELECT v FROM kept"), [Some(v.to_string())], "{of}");
            let equal = || all().filter(|r| r.k.eq(kept.k.clone()));
            assert_eq!(equal().count()?, 1, "eq: {of}");
            assert_eq!(all().filter(|r| r.k.ne(kept.k.clone())).count()?, 0, "ne: {of}");
            assert_eq!(all().filter(|r| r.k.is_in([kept.k.clone()])).count()?, 1, "is_in: {of}");
            assert_eq!(all().filter(|r| r.k.not_in(vec![kept.k.clone(); 3000])).count()?, 0, "not_in of many: {of}");
            assert_eq!(all().filter(|r| r.k.is_in(all().values(|r| r.k))).count()?, 1, "is_in of a queryset: {of}");
            assert_eq!(all().order_by(|r| r.k.asc()).load()?, rows, "order: {of}");
            let groups = all().group_by(|r| r.k).aggregate(|_| orm_core::dsl::count_star()).load()?;
            assert_eq!(groups, [(kept.k.clone(), 1)], "group_by: {of}");
            $crate::found_again::fields!(@in_bulk $keyed db kept);
            let mut again = kept.clone();
            again.refresh(&db)?;
            assert_eq!(&again, kept, "refresh: {of}");
            again.v = 2;
            again.save(&db)?;
            is(2);
            assert_eq!(Kept::bulk_update(&db, [Kept { v: 3, ..again.clone() }], |r| r.v)?, 1, "bulk_update: {of}");
            is(3);
            assert_eq!(equal().update(|r| r.k.set(kept.k.clone()))?, 1, "update: {of}");
            assert_eq!(equal().count()?, 1, "after an update: {of}");
            assert!(again.delete(&db)?, "delete: {of}");
            assert_eq!(bed.number("SELECT count(*) FROM kept"), 0);
            Kept::create(&db, again.clone())?;
            assert_eq!(equal().get()?, again, "after create: {of}");
            Kept::bulk_create(&db, [again.clone()])?;
            assert_eq!(equal().count()?, 2, "after bulk_create: {of}");
            Ok(Walked { refusal: None, complaint })
        }
    };
}
pub(crate) use fields;

/// The values are read and found again, and `check_schema` passes the column, or says what is named behind `but`.
macro_rules! found {
    ($bed:expr, $($field:ident $column:expr $(, but $complaint:literal)? => $($value:expr),+;)+) => { $(
        for value in [$($value),+] {
            let walked = $field($bed, $column, value)?;
            let of = format!("{} over {}, of {value}", stringify!($field), $column);
            assert_eq!(walked.refusal, None, "{of}");
            match (walked.complaint, None::<&str>$(.or(Some($complaint)))?) {
                (None, None) => {}
                (Some(complaint), Some(expected)) => assert!(complaint.contains(expected), "{of}: {complaint}"),
                (complaint, _) => panic!("{of}: {complaint:?}"),
            }
        }
    )+ };
}
pub(crate) use found;

/// Reading the value is refused, by an error that contains the text. `check_schema` says so of the column, unless it is refused
/// `by value` alone.
macro_rules! refused {
    (@by_type) => { true };
    (@by_type value) => { false };
    ($bed:expr, $($field:ident $column:expr $(, by $of:ident)? => $value:expr, $text:expr;)+) => { $(
        let walked = $field($bed, $column, $value)?;
        let of = format!("{} over {}, of {}", stringify!($field), $column, $value);
        let refusal = walked.refusal.unwrap_or_else(|| panic!("{of} is read"));
        assert!(refusal.contains($text), "{of}: {refusal}");
        assert_eq!(walked.complaint.is_some(), refused!(@by_type $($of)?), "{of}: {:?}", walked.complaint);
    )+ };
}
pub(crate) use refused;
