//! Primary keys, unique columns and foreign keys.

use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! {
    a_composite_key_in_any_order, a_part_of_a_key_is_none, a_unique_key_will_do, a_foreign_key_to_another_table,
    a_composite_foreign_key, a_reference_to_what_is_not_unique,
}

#[derive(Model)]
#[model(primary_key(year, number))]
struct Invoice {
    number: i32,
    year: i32,
}

#[derive(Model)]
struct Item {
    #[model(primary_key)]
    id: i32,
    #[model(belongs_to(Owner))]
    owner_id: i32,
}

#[derive(Model)]
struct Owner {
    #[model(primary_key)]
    id: i32,
}

fn told(answer: orm_core::Result<()>) -> Vec<String> {
    let Err(error) = answer else { return Vec::new() };
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error:?}");
    error.to_string().lines().filter_map(|line| line.strip_prefix("- ").map(str::to_owned)).collect()
}

fn invoices(bed: &Bed, key: &str) -> TestResult {
    bed.execute("DROP TABLE IF EXISTS invoices");
    bed.execute(&format!("CREATE TABLE invoices (year INT NOT NULL, number INT NOT NULL, {key})"));
    bed.db()?.check_schema::<(Invoice,)>()?;
    Ok(())
}

fn a_composite_key_in_any_order(bed: &Bed) -> TestResult {
    invoices(bed, "PRIMARY KEY (number, year)")?;
    invoices(bed, "PRIMARY KEY (year, number)")
}

fn a_unique_key_will_do(bed: &Bed) -> TestResult {
    let id = bed.pick(Pick { postgres: "id SERIAL", mysql: "id INT AUTO_INCREMENT", sqlite: "id INTEGER" });
    invoices(bed, &format!("{id} PRIMARY KEY, UNIQUE (year, number)"))
}

fn a_part_of_a_key_is_none(bed: &Bed) -> TestResult {
    for key in [
        "PRIMARY KEY (number)",
        "UNIQUE (year)",
        "line INT DEFAULT 0, PRIMARY KEY (year, number, line)",
        "CHECK (1 = 1)",
    ] {
        let error = invoices(bed, key).expect_err("it is another key").to_string();
        assert!(error.contains("`Invoice`: its primary key (year, number) is neither"), "{key}: {error}");
        assert!(error.contains("1 difference ("), "{key}: {error}");
    }
    Ok(())
}

fn items(bed: &Bed, more: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    for table in ["items", "owners", "others"] {
        bed.execute(&format!("DROP TABLE IF EXISTS {table}"));
    }
    bed.execute(&format!(
        "CREATE TABLE owners (id INT NOT NULL PRIMARY KEY, kind INT DEFAULT 1, UNIQUE (kind, id)); \
         CREATE TABLE others (id INT NOT NULL PRIMARY KEY); \
         CREATE TABLE items (id INT NOT NULL PRIMARY KEY, owner_id INT NOT NULL, kind INT DEFAULT 1, {more})"
    ));
    Ok(told(bed.db()?.check_schema::<(Item, Owner)>()))
}

fn a_foreign_key_to_another_table(bed: &Bed) -> TestResult {
    assert_eq!(items(bed, "FOREIGN KEY (owner_id) REFERENCES owners (id)")?, [""; 0]);
    for more in [
        "FOREIGN KEY (owner_id) REFERENCES others (id)",
        "FOREIGN KEY (id) REFERENCES owners (id)",
        "FOREIGN KEY (kind) REFERENCES owners (id)",
        "CHECK (1 = 1)",
    ] {
        let told = items(bed, more)?;
        assert!(
            matches!(&told[..], [one] if one.contains("the relation `owner` has no foreign key to `owners` (`id`)")),
            "{told:#?}"
        );
    }
    if bed.backend() == orm_core::BackendKind::Sqlite {
        assert_eq!(items(bed, "FOREIGN KEY (owner_id) REFERENCES owners")?, [""; 0], "its primary key");
    }
    Ok(())
}

fn a_composite_foreign_key(bed: &Bed) -> TestResult {
    let both = "FOREIGN KEY (kind, owner_id) REFERENCES owners (kind, id)";
    assert_eq!(items(bed, both)?, [""; 0]);
    let crossed = items(bed, "FOREIGN KEY (owner_id, kind) REFERENCES owners (kind, id)")?;
    assert_eq!(crossed.len(), 1, "{crossed:#?}");
    Ok(())
}

fn a_reference_to_what_is_not_unique(bed: &Bed) -> TestResult {
    #[derive(Model)]
    struct Town {
        #[model(primary_key)]
        id: i32,
        name: String,
    }
    #[derive(Model)]
    struct Street {
        #[model(primary_key)]
        id: i32,
        #[model(belongs_to(Town, key = name, name = town, optional))]
        town_name: String,
    }
    let db = bed.db()?;
    bed.execute(
        "CREATE TABLE towns (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL); \
         CREATE TABLE streets (id INT NOT NULL PRIMARY KEY, town_name VARCHAR(20) NOT NULL)",
    );
    let expected = "the relation `town` leads to the column `name` of `towns`, which is not unique";
    let found = told(db.check_schema::<(Street,)>());
    assert!(matches!(&found[..], [one] if one.contains(expected)), "{found:#?}");
    bed.execute("CREATE UNIQUE INDEX more ON towns (name, id)");
    assert_eq!(told(db.check_schema::<(Street,)>()).len(), 1, "both together are");
    if bed.backend() != orm_core::BackendKind::Mysql {
        bed.execute("CREATE UNIQUE INDEX great ON towns (name) WHERE id > 5");
        bed.execute("CREATE UNIQUE INDEX lower_names ON towns (lower(name))");
        assert_eq!(told(db.check_schema::<(Street,)>()).len(), 1, "some of them are, and something of it is");
    }
    bed.execute("CREATE UNIQUE INDEX all_names ON towns (name)");
    assert_eq!(told(db.check_schema::<(Street, Town)>()), [""; 0]);
    Ok(())
}
