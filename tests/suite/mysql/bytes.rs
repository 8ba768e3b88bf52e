//! Bytes through `MysqlConnection`: of every type that holds them, and of every length.

use diesel::{
    Connection, RunQueryDsl,
    dsl::sql,
    mysql::sql_types::Unsigned,
    sql_query,
    sql_types::{BigInt, Binary, Integer, Nullable, Text},
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql, private_server::PrivateServer};

on_mysql! { bytes, bits, geometry, lengths }

fn bytes(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let all: Vec<u8> = (0..=255).collect();
    for (number, column) in ["VARBINARY(300)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"].iter().enumerate() {
        let table = format!("t{number}");
        bed.execute(&format!("CREATE TABLE {table} (n INT PRIMARY KEY, v {column})"));
        let values = [None, Some(vec![]), Some(all[..255].to_vec()), Some(vec![0xFF, 0xFE, 0xFB, 0])];
        for (n, value) in values.iter().enumerate() {
            let insert = sql_query(format!("INSERT INTO {table} VALUES (?, ?)")).bind::<Integer, _>(i32::try_from(n)?);
            insert.bind::<Nullable<Binary>, _>(value).execute(connection)?;
        }
        let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let shown: Vec<_> = values.iter().map(|value| value.as_ref().map(hex)).collect();
        assert_eq!(bed.texts(&format!("SELECT HEX(v) FROM {table} ORDER BY n")), shown, "{column}");
        let query = sql::<Nullable<Binary>>(&format!("SELECT v FROM {table} ORDER BY n"));
        assert_eq!(query.load::<Option<Vec<u8>>>(connection)?, values, "{column}");
    }
    bed.execute("CREATE TABLE padded (v BINARY(4)); INSERT INTO padded VALUES ('a')");
    assert_eq!(sql::<Binary>("SELECT v FROM padded").get_result::<Vec<u8>>(connection)?, b"a\0\0\0");
    Ok(())
}

fn bits(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (v BIT(64), w BIT(9)); INSERT INTO t VALUES (b'1', b'100000010')");
    sql_query("INSERT INTO t VALUES (?, ?)")
        .bind::<Binary, _>(vec![0x80, 0, 0, 0, 0, 0, 0, 0xFF])
        .bind::<Unsigned<BigInt>, _>(511)
        .execute(connection)?;
    let shown = |sql: &str| bed.texts(sql).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(shown("SELECT CONCAT(v + 0, ' ', w + 0) FROM t ORDER BY v"), ["1 258", "9223372036854776063 511"]);
    let read: Vec<(Vec<u8>, Vec<u8>)> = sql::<(Binary, Binary)>("SELECT v, w FROM t ORDER BY v").load(connection)?;
    assert_eq!(read[0], (vec![0, 0, 0, 0, 0, 0, 0, 1], vec![1, 2]));
    assert_eq!(read[1], (vec![0x80, 0, 0, 0, 0, 0, 0, 0xFF], vec![1, 0xFF]));
    Ok(())
}

fn geometry(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute(
        "CREATE TABLE t (n INT, v GEOMETRY); INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)')), (2, NULL)",
    );
    let read: Vec<Option<Vec<u8>>> = sql::<Nullable<Binary>>("SELECT v FROM t ORDER BY n").load(connection)?;
    let [Some(point), None] = &read[..] else { panic!("{read:?}") };
    // The reference system; then little-endian, a point, and its coordinates.
    let expected = [&[0; 4][..], &[1], &1_u32.to_le_bytes(), &1.0_f64.to_le_bytes(), &2.0_f64.to_le_bytes()].concat();
    assert_eq!(*point, expected);
    sql_query("INSERT INTO t VALUES (3, ?)").bind::<Binary, _>(point).execute(connection)?;
    assert_eq!(bed.texts("SELECT ST_AsText(v) FROM t WHERE n = 3"), [Some("POINT(1 2)".to_owned())]);
    Ok(())
}

/// Lengths where the protocol's way to write them changes, and a row that is larger than a packet can be.
fn lengths(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&["max_allowed_packet=67108864"]);
    let connection = &mut MysqlConnection::establish(server.url())?;
    server.execute("CREATE TABLE t (n INT PRIMARY KEY, v LONGBLOB, w LONGTEXT)");
    // The length of a statement that is sent in a full part and an empty one: the values and what stands around them.
    let around = 1 + 4 + 1 + 4 + 1 + 1 + 3 * 2 + 4 + 4 + 1;
    let full = 0xFF_FFFF - around;
    let sizes = [0, 1, 250, 251, 252, 65_535, 65_536, 65_537, full - 1, full, full + 1, 17 << 20, 33 << 20];
    for (n, size) in sizes.into_iter().enumerate() {
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let insert = sql_query("INSERT INTO t VALUES (?, ?, ?)").bind::<Integer, _>(i32::try_from(n)?);
        insert.bind::<Binary, _>(&bytes).bind::<Text, _>("").execute(connection)?;
        server.execute(&format!("UPDATE t SET w = REPEAT('é', {}) WHERE n = {n}", size.min(9 << 20) / 2));
        // Its length and its last bytes, as the server has them.
        let end: String = bytes.iter().rev().take(3).rev().map(|byte| format!("{byte:02X}")).collect();
        let shown = format!("SELECT CONCAT(LENGTH(v), ' ', HEX(RIGHT(v, 3))) FROM t WHERE n = {n}");
        assert_eq!(server.texts(&shown), [Some(format!("{size} {end}"))]);
        let (read, text): (Vec<u8>, String) =
            sql::<(Binary, Text)>(&format!("SELECT v, w FROM t WHERE n = {n}")).get_result(connection)?;
        assert!(read == bytes, "{size} bytes come back as they were");
        assert!(text == "é".repeat(size.min(9 << 20) / 2), "{size} bytes of text, too");
    }
    // The largest, and small ones around it, one after the other.
    let lengths = sql::<Binary>("SELECT v FROM t ORDER BY n DESC").load::<Vec<u8>>(connection)?;
    assert!(lengths.iter().map(Vec::len).eq(sizes.into_iter().rev()));
    Ok(())
}
