//! What Diesel wants to know of a connection that is being made: by its URL, and told to its instrumentation.

use diesel::{
    ConnectionError, ConnectionResult,
    connection::{DynInstrumentation, InstrumentationEvent},
};

use crate::{
    database::url::DatabaseUrl,
    error::{ErrorKind, Result},
};

/// Opens a connection by a URL, and returns it with the instrumentation that was told of it; `scheme` stands for a URL
/// that cannot be read.
pub(crate) fn establish<C>(
    url: &str,
    scheme: &str,
    open: impl FnOnce(DatabaseUrl) -> Result<C>,
) -> ConnectionResult<(C, DynInstrumentation)> {
    let mut instrumentation = DynInstrumentation::default_instrumentation();
    // With `…` in place of the password.
    let shown = DatabaseUrl::parse(url).map_or_else(|_| format!("{scheme}:…"), |url| format!("{url:?}"));
    instrumentation.on_connection_event(InstrumentationEvent::start_establish_connection(&shown));
    let connection = DatabaseUrl::parse(url).and_then(open).map_err(|error| match error.kind() {
        ErrorKind::Configuration => ConnectionError::InvalidConnectionUrl(format!("{error:?}")),
        _ => ConnectionError::BadConnection(format!("{error:?}")),
    });
    let error = connection.as_ref().err();
    instrumentation.on_connection_event(InstrumentationEvent::finish_establish_connection(&shown, error));
    connection.map(|connection| (connection, instrumentation))
}
