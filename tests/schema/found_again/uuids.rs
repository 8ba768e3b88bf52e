//! UUIDs, in each form in which a column may keep them.

use orm_core::{
    diesel::sql_types::Nullable,
    prelude::*,
    sql_types::{UuidSimple, UuidText},
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};
use uuid::Uuid;

use super::{fields, found, refused};

on_each_backend! { each_form_is_found, other_forms_are_refused, optional_keys_and_joins, tables_of_ours, forms_by_schema }

fields! {
    uuid: Uuid;
    uuid_text: Uuid, UuidText;
    uuid_simple: Uuid, UuidSimple;
}

const TEXT: &str = "'6f9619ff-8b86-d011-b42d-00c04fc964ff'";
const SIMPLE: &str = "'6f9619ff8b86d011b42d00c04fc964ff'";

fn each_form_is_found(bed: &Bed) -> TestResult {
    for column in ["CHAR(36)", "VARCHAR(36)", "VARCHAR(50)", "TEXT"] {
        found! { bed, uuid_text column => TEXT; }
    }
    for column in ["CHAR(32)", "VARCHAR(32)", "TEXT"] {
        found! { bed, uuid_simple column => SIMPLE; }
    }
    let (column, stored) = bed.pick(Pick {
        postgres: ("UUID", TEXT),
        mysql: ("BINARY(16)", "x'6f9619ff8b86d011b42d00c04fc964ff'"),
        sqlite: ("BLOB", "x'6f9619ff8b86d011b42d00c04fc964ff'"),
    });
    found! { bed, uuid column => stored; }
    Ok(())
}

fn other_forms_are_refused(bed: &Bed) -> TestResult {
    let upper = "'6F9619FF-8B86-D011-B42D-00C04FC964FF'";
    refused! { bed,
        uuid "CHAR(36)" => TEXT, "::UuidText)]`";
        uuid "CHAR(32)" => SIMPLE, "`UuidSimple` for 32 hexadecimal digits";
        uuid "TEXT" => TEXT, "compared as 16 bytes";
        uuid_text "VARCHAR(36)", by value => upper, "`6F9619FF-8B86-D011-B42D-00C04FC964FF`, a UUID that is not spelled as";
        uuid_text "VARCHAR(36)", by value => SIMPLE, "with hyphens, in lower case";
        uuid_text "VARCHAR(40)", by value => "'{6f9619ff-8b86-d011-b42d-00c04fc964ff}'", "update the column";
        uuid_simple "VARCHAR(40)", by value => TEXT, "32 hexadecimal digits in lower case";
        uuid_simple "VARCHAR(40)", by value => "'nothing'", "holds text that is not a UUID";
    }
    let (column, stored) = bed.pick(Pick {
        postgres: ("UUID", TEXT),
        mysql: ("BINARY(16)", "x'6f9619ff8b86d011b42d00c04fc964ff'"),
        sqlite: ("BLOB", "x'6f9619ff8b86d011b42d00c04fc964ff'"),
    });
    refused! { bed, uuid_text column => stored, "not text"; }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Doc {
    #[model(primary_key, sql_type = UuidSimple)]
    id: Uuid,
    #[model(belongs_to(Doc, name = original, reverse = copies), sql_type = Nullable<UuidSimple>)]
    original_id: Option<Uuid>,
    #[model(sql_type = Nullable<UuidText>)]
    token: Option<Uuid>,
}

fn docs() -> [Doc; 3] {
    let id = |n: u128| Uuid::from_u128(0xFF00_0000_0000_0000_0000_0000_0000_0000 + n);
    [
        Doc { id: id(1), original_id: None, token: Some(id(7)) },
        Doc { id: id(2), original_id: Some(id(1)), token: None },
        Doc { id: id(3), original_id: Some(id(2)), token: Some(id(9)) },
    ]
}

fn optional_keys_and_joins(bed: &Bed) -> TestResult {
    let char = bed.pick(Pick { postgres: "VARCHAR", mysql: "CHAR", sqlite: "CHAR" });
    bed.execute(&format!(
        "CREATE TABLE docs (id {char}(32) PRIMARY KEY, original_id {char}(32), token {char}(36), \
         FOREIGN KEY (original_id) REFERENCES docs (id)); \
         INSERT INTO docs VALUES ('ff000000000000000000000000000001', NULL, 'ff000000-0000-0000-0000-000000000007'), \
         ('ff000000000000000000000000000002', 'ff000000000000000000000000000001', NULL), \
         ('ff000000000000000000000000000003', 'ff000000000000000000000000000002', 'ff000000-0000-0000-0000-000000000009')"
    ));
    let db = bed.db()?;
    db.check_schema::<(Doc,)>()?;
    let docs = docs();
    let all = || Doc::objects(&db).order_by(|d| d.id.asc());
    assert_eq!(all().load()?, docs);
    let pairs = all().filter(|d| d.original_id.is_not_null()).select_related(|d| d.original()).load()?;
    assert_eq!(pairs, [(docs[1].clone(), Some(docs[0].clone())), (docs[2].clone(), Some(docs[1].clone()))]);
    assert_eq!(all().filter(|d| d.original().token.eq(docs[0].token)).get()?, docs[1]);
    assert_eq!(all().filter(|d| d.copies().any(|c| c.token.eq(docs[2].token))).get()?, docs[1]);
    assert_eq!(all().filter(|d| d.original_id.eq(d.original().id)).count()?, 2);
    assert_eq!(all().filter(|d| d.token.eq(None::<Uuid>)).count()?, 0);
    assert_eq!(all().filter(|d| d.token.is_in([docs[0].token, docs[2].token])).count()?, 2);
    assert_eq!(all().filter(|d| d.id.gt(docs[0].id).and(d.id.le(docs[2].id))).count()?, 2);
    assert_eq!(all().values(|d| (d.token, d.original().id)).first()?, Some((docs[0].token, None)));
    let tokens = all().filter(|d| d.token.is_not_null()).in_bulk_by(|d| d.token, docs.iter().map(|d| d.token))?;
    assert_eq!(tokens.len(), 2);
    let changed = Doc { original_id: None, token: Some(docs[1].id), ..docs[1].clone() };
    assert_eq!(Doc::bulk_update(&db, [&changed], |d| (d.original_id, d.token))?, 1);
    assert_eq!(Doc::objects(&db).filter(|d| d.id.eq(docs[1].id)).get()?, changed);
    assert_eq!(bed.texts("SELECT token FROM docs WHERE original_id IS NULL AND token LIKE '%2'").len(), 1);
    assert_eq!(
        all().filter(|d| d.id.eq(docs[2].id)).update(|d| (d.token.set(None), d.original_id.set(docs[0].id)))?,
        1
    );
    assert_eq!(
        bed.texts("SELECT original_id FROM docs WHERE token IS NULL"),
        [Some("ff000000000000000000000000000001".to_owned())]
    );
    Ok(())
}

fn tables_of_ours(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Doc,)>()?;
    db.check_schema::<(Doc,)>()?;
    let docs = docs();
    Doc::bulk_create(&db, docs.clone())?;
    assert_eq!(
        bed.texts("SELECT id FROM docs WHERE token = 'ff000000-0000-0000-0000-000000000009'"),
        [Some("ff000000000000000000000000000003".to_owned())]
    );
    let changed = docs.map(|doc| Doc { token: Some(Uuid::nil()), ..doc });
    Doc::insert_into(&db).update_conflicts(|d| d.id, |d| d.token).bulk_create(changed.clone())?;
    assert_eq!(Doc::objects(&db).order_by(|d| d.id.asc()).load()?, changed);
    for doc in changed.iter().rev() {
        assert!(doc.delete(&db)?);
    }
    assert_eq!(bed.number("SELECT count(*) FROM docs"), 0);
    Ok(())
}

fn forms_by_schema(bed: &Bed) -> TestResult {
    #[derive(Model)]
    #[model(table = "docs")]
    struct Mixed {
        #[model(primary_key, belongs_to(Doc, name = doc))]
        id: Uuid,
    }
    let db = bed.db()?;
    db.create_tables::<(Doc,)>()?;
    let error = db.check_schema::<(Mixed,)>().expect_err("it is text").to_string();
    assert!(error.contains("are not found by 16 bytes") && error.contains("UuidSimple"), "{error}");
    assert!(error.contains("leads to `Doc::id`, which keeps UUIDs in another form"), "{error}");
    Ok(())
}
