//! Cancelling a running statement from another thread.

use std::{
    fmt,
    io::{ErrorKind as IoErrorKind, Read},
    sync::Arc,
    time::Duration,
};

use postgres_protocol::message::frontend;

use super::{
    options::{Host, Options},
    reach::{Way, reach},
    refusal::{self, Refusal},
};
use crate::{
    error::Result,
    net::{
        socket::{Deadline, TcpSettings},
        tls::Tls,
    },
};

/// Cancels what a connection is doing, from any thread: made by `PgConnection::cancel_token`.
#[derive(Clone)]
pub struct PgCancelToken {
    inner: Arc<Inner>,
}

struct Inner {
    host: Host,
    /// `None` where the connection is in the clear.
    tls: Option<Tls>,
    is_direct: bool,
    tcp: TcpSettings,
    timeout: Option<Duration>,
    /// The server's process and its secret.
    key: Option<(i32, i32)>,
}

impl PgCancelToken {
    /// `host` is where the connection has ended up, and `tls` is given where it is encrypted.
    pub(super) fn new(host: Host, options: &Options, tls: Option<&Tls>, key: Option<(i32, i32)>) -> Self {
        let inner = Inner {
            host,
            tls: tls.cloned(),
            is_direct: options.security.is_direct,
            tcp: options.tcp.clone(),
            timeout: options.timeouts.connect,
            key,
        };
        PgCancelToken { inner: Arc::new(inner) }
    }

    /// Asks the server to cancel the statement that runs on the connection now, and waits until it has taken notice.
    ///
    /// It is asked over a second connection, which is encrypted if the first one is. Where a statement was running, it
    /// fails with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), unless it had come to its end just then; the
    /// server does not tell which. Where none is running, nothing happens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) where the server cannot be reached in the time that
    /// connecting may take.
    pub fn cancel(&self) -> Result<()> {
        self.send().map_err(|refusal| refusal::error(vec![(self.inner.host.address.to_string(), refusal)]))
    }

    fn send(&self) -> std::result::Result<(), Refusal> {
        let inner = &*self.inner;
        let Some((process, secret)) = inner.key else {
            return Err(Refusal::ours(
                "the server, or what stands before it, has not said how to cancel a statement",
                "there was no BackendKeyData",
            ));
        };
        let way = match &inner.tls {
            Some(tls) => Way::Encrypted { tls, is_direct: inner.is_direct, or_clear: false },
            None => Way::Clear,
        };
        let mut messages = reach(&inner.host, &inner.tcp, way, Deadline::after(inner.timeout))?;
        frontend::cancel_request(process, secret, messages.out());
        messages.flush()?;
        // The server closes the connection when it has signalled the process, and sends nothing, unless it is in trouble.
        match messages.socket_mut().read(&mut [0; 64]) {
            Ok(1..) => Err(Refusal::ours("the server has not cancelled the statement", "it answered the request")),
            Err(error) if error.kind() == IoErrorKind::TimedOut => Err(Refusal::unreached(&error)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PgCancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgCancelToken")
            .field("server", &format_args!("{}", self.inner.host.address))
            .field("process", &self.inner.key.map(|(process, _)| process))
            .finish_non_exhaustive()
    }
}
