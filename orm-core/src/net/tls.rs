//! TLS, by rustls: how much is asked of a server, and what is believed of its certificate.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::error::{Error, ErrorKind, Result};

/// How much is asked of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TlsMode {
    /// No TLS.
    Disabled,
    /// TLS where the server has it, with whatever certificate: it helps against those who listen, and no others.
    #[default]
    Preferred,
    /// TLS, with whatever certificate.
    Required,
    /// TLS, with a certificate that one of the known authorities signed.
    VerifyCa,
    /// The same, and the certificate is for this server.
    VerifyIdentity,
}

/// What a connection is told of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    pub(crate) mode: TlsMode,
    /// The authorities that are believed, instead of the system's.
    pub(crate) authorities: Option<PathBuf>,
    /// Who we are: a certificate chain and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// TLS, ready to begin.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// Reads the files that the settings name; `None` where there shall be no TLS.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or holds something else.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Option<Self>> {
        if settings.mode == TlsMode::Disabled {
            return Ok(None);
        }
        // Named rather than left to the process: a program with two providers would panic.
        let provider = Arc::new(ring::default_provider());
        let authorities = settings.authorities.as_deref();
        let trust: Arc<dyn ServerCertVerifier> = match settings.mode {
            TlsMode::VerifyIdentity => by_authority(authorities, &provider)?,
            TlsMode::VerifyCa => {
                Arc::new(Lenient { chain: Some(by_authority(authorities, &provider)?), provider: provider.clone() })
            }
            _ => Arc::new(Lenient { chain: None, provider: provider.clone() }),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| not_possible("TLS cannot be set up", error))?
            .dangerous()
            .with_custom_certificate_verifier(trust);
        let config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|error| not_possible("the client's certificate and key cannot be used", error))?,
        };
        Ok(Some(Tls { config: Arc::new(config) }))
    }

    /// A connection that is to begin its handshake with this server.
    pub(super) fn begin(&self, server: &str) -> io::Result<ClientConnection> {
        let name = ServerName::try_from(server.to_owned()).map_err(io::Error::other)?;
        ClientConnection::new(self.config.clone(), name).map_err(io::Error::other)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn not_possible(what: &str, error: TlsError) -> Error {
    Error::new(ErrorKind::Configuration, what).with_source(error)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |error| file_error("certificates", path, error);
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<std::result::Result<_, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("the file `{}` holds no certificate in PEM form", path.display()),
        ));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| file_error("a private key", path, error))
}

fn file_error(what: &str, path: &Path, error: rustls::pki_types::pem::Error) -> Error {
    Error::new(ErrorKind::Configuration, format!("the file `{}` cannot be read as {what} in PEM form", path.display()))
        .with_source(error)
}

/// What the web does: the chain must end at a known authority, and the certificate be for the server's name.
fn by_authority(authorities: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            for certificate in certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| not_possible("a certificate of the authorities' file cannot be used", error))?;
            }
        }
        None => {
            roots.clone_from(system_authorities());
            if roots.is_empty() {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    "this system has no certificate authorities to check the server's certificate by; name a file of \
                     them in the URL",
                ));
            }
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().map_err(|error| {
        Error::new(ErrorKind::Configuration, "the certificate authorities cannot be used").with_source(error)
    })
}

/// The system's authorities, read once in a process.
fn system_authorities() -> &'static RootCertStore {
    static READ: OnceLock<RootCertStore> = OnceLock::new();
    READ.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

/// Asks less of a certificate than the web does. Where its chain is not checked, nothing is: that the other side has the
/// key of a certificate that anybody can make proves nothing, and old ones that servers make for themselves (X.509
/// version 1) cannot be read.
#[derive(Debug)]
struct Lenient {
    /// By which the chain is checked, and not for whom the certificate is; `None` checks no chain either.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        let Some(verifier) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match verifier.verify_server_cert(certificate, chain, name, ocsp, now) {
            // The name is what is looked at last.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        if self.chain.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        if self.chain.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
