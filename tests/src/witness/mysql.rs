//! The witness on MySQL and MariaDB: the crate `mysql`.

use mysql::{Conn, Opts, OptsBuilder, Row, Value, prelude::Queryable};

use super::Answer;

pub(super) fn texts(url: &str, sql: &str) -> Answer<Vec<Option<String>>> {
    texts_on(&mut connect(url)?, sql)
}

pub(super) fn texts_on(connection: &mut Conn, sql: &str) -> Answer<Vec<Option<String>>> {
    let rows: Vec<Row> = connection.query(sql).map_err(|error| error.to_string())?;
    rows.into_iter().map(only_value).collect()
}

/// In this protocol the server sends every value as text.
fn only_value(row: Row) -> Answer<Option<String>> {
    let values = row.unwrap();
    match <[Value; 1]>::try_from(values) {
        Ok([Value::NULL]) => Ok(None),
        Ok([Value::Bytes(bytes)]) => String::from_utf8(bytes).map(Some).map_err(|error| error.to_string()),
        Ok([other]) => Err(format!("the server sent {other:?}, and no text")),
        Err(values) => Err(format!("a row has {} columns, and not one", values.len())),
    }
}

pub(super) fn execute(url: &str, sql: &str) -> Answer<()> {
    execute_on(&mut connect(url)?, sql)
}

pub(super) fn execute_on(connection: &mut Conn, sql: &str) -> Answer<()> {
    let mut results = connection.query_iter(sql).map_err(|error| error.to_string())?;
    // An error of a later statement comes with that statement's result.
    while let Some(mut result) = results.iter() {
        if let Some(error) = result.find_map(Result::err) {
            return Err(error.to_string());
        }
    }
    Ok(())
}

pub(super) fn connect(url: &str) -> Answer<Conn> {
    // The options are orm-core's, and that crate refuses those that it does not know.
    let server = url.split('?').next().unwrap_or(url).replacen("mariadb://", "mysql://", 1);
    let options = Opts::from_url(&server).map_err(|error| error.to_string())?;
    // Else it would go on to the server's socket, where the server may see another host.
    let options = OptsBuilder::from_opts(options).prefer_socket(false);
    Conn::new(options).map_err(|error| format!("the server does not answer the witness: {error}"))
}
