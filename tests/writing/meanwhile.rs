//! `update` and `delete` of rows that another transaction is changing: they wait for it, and look at the rows again.

use std::{sync::mpsc, thread, time::Duration};

use orm_core::{IsolationLevel, prelude::*};
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::pairs;

on_each_backend! {
    each_claims_another_job, each_claims_another_across_a_relation, a_purge_goes_on, a_purge_across_a_relation_spares_the_renewed,
    what_waits_is_not_what_refers_to_it, ordered_by_a_window,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Queue {
    #[model(primary_key)]
    id: i64,
    open: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Job {
    #[model(primary_key)]
    id: i64,
    state: String,
    worker: Option<String>,
    #[model(belongs_to(Queue, name = queue))]
    queue_id: i64,
}

fn jobs(bed: &Bed, last: i64) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Queue, Job)>()?;
    Queue::bulk_create(&db, [Queue { id: 1, open: true }])?;
    Job::bulk_create(&db, (1..=last).map(|id| Job { id, state: "new".into(), worker: None, queue_id: 1 }))?;
    Ok(db)
}

/// Whether a connection waits for another one's lock, in this test's database.
fn is_waiting(bed: &Bed) -> bool {
    let sql = bed.pick(Pick {
        postgres: "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = current_schema()",
        mysql: "SELECT count(*) FROM information_schema.innodb_trx t INNER JOIN information_schema.processlist p \
                ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'",
        sqlite: "SELECT 1",
    });
    bed.number(sql) > 0
}

/// Runs the first in a transaction, the second in one that begins before that has ended, and commits the first when the second
/// waits for it. Both see what is committed while they run.
fn meanwhile<F, S>(bed: &Bed, db: &Database, first: F, second: S) -> orm_core::Result<(u64, u64)>
where
    F: Fn(&Transaction) -> orm_core::Result<u64>,
    S: Fn(&Transaction) -> orm_core::Result<u64> + Send + Sync,
{
    let committed = || db.build_transaction().isolation(IsolationLevel::ReadCommitted).immediate();
    thread::scope(|scope| {
        let (begin, begun) = mpsc::channel::<()>();
        let second = &second;
        let waiting = scope.spawn(move || {
            begun.recv().expect("the first one is there");
            committed().run(|tx| {
                if bed.backend() == orm_core::BackendKind::Postgres {
                    tx.batch_execute("SELECT set_config('application_name', current_schema(), true)")?;
                }
                second(tx)
            })
        });
        let changed = committed().run(|tx| {
            let changed = first(tx)?;
            // It may have been dropped already, by a failure of the second.
            let _ = begin.send(());
            while !waiting.is_finished() && !is_waiting(bed) {
                // The server looks at its transactions no more often than every 100 ms.
                thread::sleep(Duration::from_millis(150));
            }
            ok(changed)
        })?;
        Ok((changed, waiting.join().expect("it does not panic")?))
    })
}

fn each_claims_another_job(bed: &Bed) -> TestResult {
    let db = jobs(bed, 3)?;
    let claim = |tx: &Transaction, worker: &str| {
        let new = Job::objects(tx).filter(|j| j.state.eq("new")).order_by(|j| j.id.asc()).limit(1);
        new.update(|j| (j.state.set("mine"), j.worker.set(worker)))
    };
    assert_eq!(meanwhile(bed, &db, |tx| claim(tx, "A"), |tx| claim(tx, "B"))?, (1, 1));
    assert_eq!(pairs(bed, "id", "worker", "jobs"), ["1=A", "2=B", "3=NULL"]);
    Ok(())
}

fn each_claims_another_across_a_relation(bed: &Bed) -> TestResult {
    let db = jobs(bed, 3)?;
    let claim = |tx: &Transaction, worker: &str, rows: u64| {
        let new = Job::objects(tx).filter(|j| j.state.eq("new").and(j.queue().open.eq(true)));
        let new = new.order_by(|j| (j.queue().id.asc(), j.id.desc())).limit(rows);
        new.update(|j| (j.state.set("mine"), j.worker.set(worker)))
    };
    assert_eq!(meanwhile(bed, &db, |tx| claim(tx, "A", 2), |tx| claim(tx, "B", 2))?, (2, 1));
    assert_eq!(pairs(bed, "id", "worker", "jobs"), ["1=B", "2=A", "3=A"]);
    Ok(())
}

/// Until nothing is deleted, so an early 0 leaves rows.
fn a_purge_goes_on(bed: &Bed) -> TestResult {
    let db = jobs(bed, 4)?;
    let purge =
        |tx: &Transaction| Job::objects(tx).filter(|j| j.state.eq("new")).order_by(|j| j.id.asc()).limit(2).delete();
    assert_eq!(meanwhile(bed, &db, purge, purge)?, (2, 2));
    assert_eq!(bed.number("SELECT count(*) FROM jobs"), 0);
    Ok(())
}

fn a_purge_across_a_relation_spares_the_renewed(bed: &Bed) -> TestResult {
    let db = jobs(bed, 3)?;
    let renew = |tx: &Transaction| Job::objects(tx).filter(|j| j.id.eq(2)).update(|j| j.state.set("renewed"));
    let purge = |tx: &Transaction| Job::objects(tx).filter(|j| j.state.eq("new").and(j.queue().open.eq(true))).delete();
    assert_eq!(meanwhile(bed, &db, renew, purge)?, (1, 2));
    assert_eq!(pairs(bed, "id", "state", "jobs"), ["2=renewed"]);
    Ok(())
}

/// What keeps its key may be referred to by new rows of others at once, on PostgreSQL as with an update without a limit.
fn what_waits_is_not_what_refers_to_it(bed: &Bed) -> TestResult {
    let db = jobs(bed, 1)?;
    if bed.backend() == orm_core::BackendKind::Postgres {
        db.transaction(|tx| {
            assert_eq!(Queue::objects(tx).limit(1).update(|q| q.open.set(false))?, 1);
            // It would wait for ever.
            Job { id: 2, state: "new".into(), worker: None, queue_id: 1 }.save(&db)
        })?;
        assert_eq!(bed.number("SELECT count(*) FROM jobs"), 2);
    }
    Ok(())
}

/// No row that a window was computed of can be locked on PostgreSQL.
fn ordered_by_a_window(bed: &Bed) -> TestResult {
    use orm_core::dsl::row_number;
    let db = jobs(bed, 3)?;
    let last = Job::objects(&db).order_by(|j| row_number().over(|w| w.order_by(j.id.desc())).asc()).limit(1);
    assert_eq!(last.update(|j| j.state.set("last"))?, 1);
    assert_eq!(pairs(bed, "id", "state", "jobs"), ["1=new", "2=new", "3=last"]);
    Ok(())
}
