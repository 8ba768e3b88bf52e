//! Rows that are changed or deleted for what is related to them, and by it.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    deleted_without_related_rows, deleted_for_rows_of_the_same_table, updated_for_related_rows, updated_by_related_rows,
    updated_across_a_link, updated_by_rows_of_the_same_table,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Node {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Node, name = parent, reverse = children))]
    parent_id: Option<i64>,
    weight: Option<i64>,
    latest: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Visit {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Node, reverse = visits))]
    node_id: i64,
    day: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Label {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Node, name = node, reverse = labels))]
    node_id: i64,
    #[model(belongs_to(Visit, name = visit, reverse = labels))]
    visit_id: i64,
}

/// 1 is over 2 and 3, 2 is over 4; visits of 2 and 4.
fn tree(db: &Database) -> orm_core::Result<()> {
    db.create_tables::<(Node, Visit, Label)>()?;
    let nodes = [(1, None), (2, Some(1)), (3, Some(1)), (4, Some(2))];
    Node::bulk_create(db, nodes.map(|(id, parent_id)| Node { id, parent_id, weight: Some(id * 10), latest: None }))?;
    let visits = [(1, 2, 20), (2, 2, 30), (3, 4, 40)];
    Visit::bulk_create(db, visits.map(|(id, node_id, day)| Visit { id, node_id, day }))?;
    Ok(())
}

fn ids(bed: &Bed) -> Vec<String> {
    bed.texts("SELECT id FROM nodes ORDER BY id").into_iter().flatten().collect()
}

fn deleted_without_related_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    tree(&db)?;
    // Leaves that nobody has visited.
    assert_eq!(Node::objects(&db).filter(|n| n.visits().is_empty().and(n.id.gt(2))).delete()?, 1);
    assert_eq!(ids(bed), ["1", "2", "4"]);
    let visits = Visit::objects(&db).filter(|v| v.node().visits().count().gt(1));
    assert_eq!(visits.delete()?, 2, "each is one of two when the statement begins");
    assert_eq!(bed.number("SELECT COUNT(*) FROM visits"), 1);
    Ok(())
}

fn deleted_for_rows_of_the_same_table(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    tree(&db)?;
    Visit::objects(&db).delete()?;
    let leaves = Node::objects(&db).filter(|n| n.children().is_empty());
    assert_eq!(leaves.delete()?, 2, "2 has a child when the statement begins");
    assert_eq!(ids(bed), ["1", "2"]);
    assert_eq!(leaves.delete()?, 1);
    assert_eq!(leaves.delete()?, 1);
    assert_eq!(leaves.delete()?, 0);
    Ok(())
}

fn updated_for_related_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    tree(&db)?;
    let visited = Node::objects(&db).filter(|n| n.visits().any(|v| v.day.ge(30)).and(n.children().exists()));
    assert_eq!(visited.update(|n| n.weight.set(n.weight + 1))?, 1);
    let first = Node::objects(&db).filter(|n| n.visits().exists()).order_by(|n| n.visits().count().asc()).limit(1);
    assert_eq!(first.update(|n| n.weight.set(0))?, 1);
    let weights: Vec<_> = bed.texts("SELECT weight FROM nodes ORDER BY id").into_iter().flatten().collect();
    assert_eq!(weights, ["10", "21", "30", "0"]);
    Ok(())
}

fn updated_by_related_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    tree(&db)?;
    let rows = Node::objects(&db)
        .update(|n| (n.latest.set(n.visits().max(|v| v.day)), n.weight.set(n.visits().sum(|v| v.day))))?;
    assert_eq!(rows, 4);
    let of = |column: &str| bed.texts(&format!("SELECT {column} FROM nodes ORDER BY id"));
    assert_eq!(of("latest"), [None, Some("30".into()), None, Some("40".into())]);
    assert_eq!(of("weight"), [None, Some("50".into()), None, Some("40".into())]);
    Ok(())
}

fn updated_across_a_link(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    tree(&db)?;
    Label::bulk_create(
        &db,
        [(1, 1, 3), (2, 1, 1), (3, 3, 1)].map(|(id, node_id, visit_id)| Label { id, node_id, visit_id }),
    )?;
    Node::objects(&db).update(|n| n.latest.set(n.labels().max(|l| l.visit().day)))?;
    assert_eq!(bed.texts("SELECT latest FROM nodes ORDER BY id"), [Some("40".into()), None, Some("20".into()), None]);
    Ok(())
}

/// Each row is computed from rows as they were, though those it is computed from are changed before it.
fn updated_by_rows_of_the_same_table(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Node, Visit, Label)>()?;
    let nodes = [(4, None), (3, Some(4)), (2, Some(3)), (1, Some(3))];
    Node::bulk_create(&db, nodes.map(|(id, parent_id)| Node { id, parent_id, weight: Some(id * 10), latest: None }))?;
    let all = Node::objects(&db);
    let weights = || bed.texts("SELECT weight FROM nodes ORDER BY id");
    let text = |weight: i64| Some(weight.to_string());
    assert_eq!(all.update(|n| (n.weight.set(n.children().sum(|c| c.weight)), n.latest.set(7)))?, 4);
    assert_eq!(weights(), [None, None, text(30), text(30)]);
    assert_eq!(bed.number("SELECT COUNT(*) FROM nodes WHERE latest = 7"), 4);
    // With a condition, an order and a limit.
    assert_eq!(all.update(|n| n.weight.set(n.id))?, 4);
    let two = all.filter(|n| n.children().exists().or(n.id.eq(1))).order_by(|n| n.id.asc()).limit(2);
    assert_eq!(two.update(|n| n.weight.set(n.children().sum(|c| c.weight) + n.id))?, 2);
    assert_eq!(weights(), [None, text(2), text(6), text(4)]);
    Ok(())
}
