//! Streams that go well: what is read, in which order, from which snapshot, and how adaptors see it.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Number, number, numbers};

on_each_backend! {
    chunk_boundaries, chunk_size_zero, chunk_sizes_that_are_huge, fused, fused_when_empty, itertools_compose,
    chunk_by_takes_groups_in_order, snapshot_while_writing, the_snapshot_is_of_when_the_stream_was_opened,
    two_streams_of_one_database, rows_and_try_rows_agree,
    size_hint_never_lies, rows_given_counts, debug_says_how_far_it_is, a_stream_may_end_on_another_thread,
    a_half_read_stream_moves_to_another_thread, streams_of_every_shape_move_to_another_thread,
    a_half_read_stream_of_a_transaction_moves_to_another_thread,
    fetch_bytes_changes_nothing_but_the_size_of_a_fetch, a_stream_is_one_statement,
}

fn ids(rows: impl Iterator<Item = Number>) -> Vec<i64> {
    rows.map(|row| row.id).collect()
}

fn chunk_boundaries(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    // Around the size of the first fetch, and of those after it.
    const CHUNKS: [usize; 6] = [1, 2, 15, 16, 17, 100];
    numbers(&db, 300)?;
    for chunk in CHUNKS {
        let chunk_rows = chunk as u64;
        for rows in [0, 1, chunk_rows - 1, chunk_rows, chunk_rows + 1, 2 * chunk_rows, 128, 144, 145, 300] {
            let expected: Vec<Number> = (1..=i64::try_from(rows)?).map(number).collect();
            let read = Number::objects(&db).order_by(|n| n.id.asc()).limit(rows).iterator(chunk)?.collect_vec();
            assert_eq!(read, expected, "{rows} rows in chunks of {chunk}");
        }
    }
    Ok(())
}

fn chunk_size_zero(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    let error = Number::objects(&db).iterator(0).expect_err("it would never end");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert_eq!(error.model(), Some("Number"));
    assert!(error.to_string().contains("at least 1"), "{error}");
    assert!(Number::objects(&db).try_iterator(0).is_err());
    Ok(())
}

fn chunk_sizes_that_are_huge(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1000)?;
    for chunk in [u32::MAX as usize, usize::MAX, i32::MAX as usize + 1] {
        let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(chunk)?;
        assert_eq!(ids(rows), (1..=1000).collect_vec());
    }
    Ok(())
}

fn fused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 20)?;
    let mut rows = Number::objects(&db).iterator(7)?;
    assert_eq!(rows.by_ref().count(), 20);
    for _ in 0..5 {
        assert_eq!(rows.next(), None);
    }
    let mut rows = Number::objects(&db).try_iterator(20)?;
    assert_eq!(rows.by_ref().filter_map(Result::ok).count(), 20);
    for _ in 0..5 {
        assert!(rows.next().is_none());
    }
    Ok(())
}

fn fused_when_empty(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    let mut rows = Number::objects(&db).iterator(7)?;
    assert_eq!(rows.next(), None);
    // What has ended has given its connection back, and starts no new statement.
    Number::bulk_create(&db, [number(1)])?;
    for _ in 0..5 {
        assert_eq!(rows.next(), None);
    }
    Ok(())
}

fn itertools_compose(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 50)?;
    let stream = || Number::objects(&db).order_by(|n| n.id.asc()).iterator(8).map(|rows| rows.map(|row| row.id));
    let oracle = || 1..=50_i64;

    assert_eq!(stream()?.chain(stream()?).collect_vec(), oracle().chain(oracle()).collect_vec());
    assert_eq!(
        stream()?.chunks(7).into_iter().map(|chunk| chunk.collect_vec()).collect_vec(),
        oracle().chunks(7).into_iter().map(|chunk| chunk.collect_vec()).collect_vec()
    );
    assert_eq!(stream()?.zip_longest(1..10).collect_vec(), oracle().zip_longest(1..10).collect_vec());
    assert_eq!(
        stream()?.tuple_windows::<(_, _, _)>().collect_vec(),
        oracle().tuple_windows::<(_, _, _)>().collect_vec()
    );
    assert_eq!(stream()?.step_by(9).collect_vec(), oracle().step_by(9).collect_vec());
    assert_eq!(stream()?.merge(stream()?).dedup().collect_vec(), oracle().collect_vec());
    let (left, right) = stream()?.tee();
    assert_eq!(left.zip(right.skip(1)).collect_vec(), oracle().zip(oracle().skip(1)).collect_vec());
    let mut peekable = stream()?.peekable();
    assert_eq!(peekable.peek(), Some(&1));
    assert_eq!(peekable.next(), Some(1));
    assert_eq!(peekable.peeking_take_while(|id| *id < 5).collect_vec(), [2, 3, 4]);
    assert_eq!(peekable.collect_vec(), (5..=50).collect_vec());

    let sum = itertools::process_results(Number::objects(&db).try_iterator(8)?, |rows| {
        rows.map(|row| row.id).filter(|id| id % 2 == 0).sum::<i64>()
    })?;
    assert_eq!(sum, oracle().filter(|id| id % 2 == 0).sum::<i64>());
    Ok(())
}

fn chunk_by_takes_groups_in_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let groups = Number::objects(&db).order_by(|n| n.id.asc()).iterator(16)?.chunk_by(|row| row.id / 30);
    let read = groups.into_iter().map(|(key, rows)| (key, ids(rows))).collect_vec();
    let oracle = (1..=100_i64).chunk_by(|id| id / 30);
    assert_eq!(read, oracle.into_iter().map(|(key, ids)| (key, ids.collect_vec())).collect_vec());
    Ok(())
}

fn snapshot_while_writing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 500)?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(10)?;
    let mut read = rows.by_ref().take(5).collect_vec();
    // All behind the stream's back: rows before and after where it stands, and in the chunk that it has.
    bed.execute(
        "INSERT INTO numbers (id, name) VALUES (0, 'new'), (501, 'new'), (10001, 'new'); \
         DELETE FROM numbers WHERE id IN (3, 8, 300, 499); \
         UPDATE numbers SET name = 'changed' WHERE id > 200; \
         UPDATE numbers SET id = id + 2000 WHERE id BETWEEN 400 AND 410",
    );
    read.extend(rows);
    assert_eq!(read, (1..=500).map(number).collect_vec());
    assert_eq!(Number::objects(&db).count()?, 499, "a new query sees what was written");
    Ok(())
}

fn the_snapshot_is_of_when_the_stream_was_opened(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 500)?;
    let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(10)?;
    bed.execute("DELETE FROM numbers WHERE id < 400; INSERT INTO numbers (id, name) VALUES (0, 'new')");
    assert_eq!(rows.collect_vec(), (1..=500).map(number).collect_vec());
    Ok(())
}

fn two_streams_of_one_database(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let up = Number::objects(&db).order_by(|n| n.id.asc()).iterator(7)?;
    let down = Number::objects(&db).order_by(|n| n.id.desc()).iterator(3)?;
    for (a, b) in up.zip_eq(down) {
        assert_eq!(a.id + b.id, 101);
    }
    Ok(())
}

fn rows_and_try_rows_agree(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let query = Number::objects(&db).order_by(|n| n.id.desc());
    let tried = query.clone().try_iterator(9)?.collect::<orm_core::Result<Vec<_>>>()?;
    assert_eq!(tried, query.clone().iterator(9)?.collect_vec());
    assert_eq!(tried, query.load()?);
    Ok(())
}

fn size_hint_never_lies(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 40)?;
    let mut rows = Number::objects(&db).iterator(16)?;
    for left in (0..=40_usize).rev() {
        let (least, most) = rows.size_hint();
        assert!(least <= left && most.is_none_or(|most| most >= left), "{left} left, and ({least}, {most:?})");
        assert_eq!(rows.next().is_some(), left > 0);
    }
    assert_eq!(rows.size_hint(), (0, Some(0)));
    Ok(())
}

fn rows_given_counts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 40)?;
    let mut rows = Number::objects(&db).iterator(16)?;
    assert_eq!(rows.rows_given(), 0);
    for given in 1..=40 {
        rows.next();
        assert_eq!(rows.rows_given(), given);
    }
    rows.next();
    assert_eq!(rows.rows_given(), 40);
    Ok(())
}

fn debug_says_how_far_it_is(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 40)?;
    let mut rows = Number::objects(&db).iterator(1)?;
    assert_eq!(rows.by_ref().take(2).count(), 2);
    assert_eq!(format!("{rows:?}"), "Rows(TryRows { rows_given: 2, in_hand: 0, open: true })");
    Ok(())
}

fn a_stream_may_end_on_another_thread(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let read = std::thread::scope(|scope| {
        let query = Number::objects(&db).order_by(|n| n.id.asc());
        scope.spawn(move || query.iterator(8).map(ids)).join().unwrap_or_else(|_| panic!("the reader panicked"))
    })?;
    assert_eq!(read, (1..=100).collect_vec());
    Ok(())
}

fn on_another_thread<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(f).join().unwrap_or_else(|_| panic!("the other thread panicked")))
}

fn a_half_read_stream_moves_to_another_thread(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(1).connect(bed.url())?;
    numbers(&db, 5000)?;
    for taken in [0, 1, 3, 8, 2500, 5000] {
        let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
        let mut read = ids(rows.by_ref().take(taken));
        // Back and forth, with rows in hand and rows to be fetched.
        let (middle, rows) = on_another_thread(move || (ids(rows.by_ref().take(333)), rows));
        read.extend(middle);
        read.extend(ids(rows));
        assert_eq!(read, (1..=5000).collect_vec(), "after {taken} rows");
        // Dropped on another thread: the pool's only connection is free again.
        let mut rows = Number::objects(&db).try_iterator(100)?;
        assert_eq!(rows.by_ref().take(taken).count(), taken);
        on_another_thread(move || drop(rows));
        assert_eq!(Number::objects(&db).count()?, 5000);
    }
    Ok(())
}

fn streams_of_every_shape_move_to_another_thread(bed: &Bed) -> TestResult {
    fn rest<T: Send>(mut rows: Rows<'_, T>) -> usize {
        let first = rows.next();
        usize::from(first.is_some()) + on_another_thread(move || rows.count())
    }
    let db = bed.db()?;
    crate::models::schedule(&db)?;
    let flights = || crate::models::Flight::objects(&db);
    let number: usize = flights().count()?.try_into()?;
    assert!(number > 2);
    assert_eq!(rest(flights().select_related(|f| (f.origin(), f.dest())).iterator(1)?), number);
    assert_eq!(rest(flights().values(|f| (f.id, f.origin().city, f.dep_delay)).iterator(1)?), number);
    assert_eq!(rest(flights().filter(|f| f.id.gt(0)).union_all([flights()]).iterator(1)?), 2 * number);
    assert_eq!(rest(crate::models::Flight::raw(&db, "SELECT * FROM flights").iterator(1)?), number);
    let raw = db.raw_values::<(i64, String)>("SELECT id, origin_code FROM flights");
    assert_eq!(rest(raw.iterator(1)?), number);
    let groups = flights().group_by(|f| f.id).aggregate(|f| orm_core::dsl::sum(f.seats));
    assert_eq!(rest(groups.iterator(1)?), number);
    Ok(())
}

fn a_half_read_stream_of_a_transaction_moves_to_another_thread(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3000)?;
    db.atomic(|tx| {
        Number::bulk_create(tx, [number(3001)])?;
        let mut rows = Number::objects(tx).order_by(|n| n.id.asc()).iterator(100)?;
        let mut read = ids(rows.by_ref().take(50));
        read.extend(on_another_thread(move || ids(rows)));
        assert_eq!(read, (1..=3001).collect_vec());
        // The connection is the transaction's again.
        assert_eq!(Number::objects(tx).count()?, 3001);
        Ok(())
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 3001);
    Ok(())
}

fn fetch_bytes_changes_nothing_but_the_size_of_a_fetch(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 200)?;
    for bytes in [1, 100, 1000, usize::MAX] {
        let bytes = bytes.try_into()?;
        let rows = Number::objects(&db).order_by(|n| n.id.asc()).fetch_bytes(bytes).iterator(50)?;
        assert_eq!(ids(rows), (1..=200).collect_vec(), "{bytes} bytes");
    }
    Ok(())
}

fn a_stream_is_one_statement(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 200)?;
    let query = Number::objects(&db).order_by(|n| n.id.asc());
    let sql = query.sql()?;
    assert_eq!(sql.matches("SELECT").count(), 1, "{sql}");
    assert!(!sql.contains("LIMIT") && !sql.contains("OFFSET"), "chunks are no pages: {sql}");
    assert_eq!(query.iterator(20)?.count(), 200);
    Ok(())
}
