//! TLS, by rustls: how much is asked of a server, and what is believed of its certificate.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    result::Result as StdResult,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme, SupportedProtocolVersion,
    client::{
        Resumption, WebPkiServerVerifier,
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
    /// What is spoken within TLS (ALPN), where that is told.
    pub(crate) protocol: Option<&'static str>,
    pub(crate) versions: Versions,
    /// The server's name is not told to whoever listens (SNI).
    pub(crate) hides_name: bool,
}

/// The versions of TLS that may be spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL's URLs can say so"))]
    Only12,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL's URLs can say so"))]
    Only13,
}

impl Versions {
    fn of_rustls(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Versions::Both => rustls::DEFAULT_VERSIONS.to_vec(),
            Versions::Only12 => vec![&rustls::version::TLS12],
            Versions::Only13 => vec![&rustls::version::TLS13],
        }
    }
}

/// TLS, ready to begin.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    /// Set where the server's certificate is not checked.
    unchecked: Option<Arc<CryptoProvider>>,
}

/// Whether the server has proven that it has the key of the certificate that it shows.
#[derive(Debug)]
pub(super) enum Proof {
    /// There would be no connection otherwise.
    Checked,
    /// It was looked at, and the connection is there either way.
    Noted(#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL asks"))] Arc<AtomicBool>),
}

impl Proof {
    #[cfg(feature = "postgres")]
    pub(super) fn is_given(&self) -> bool {
        match self {
            Proof::Checked => true,
            Proof::Noted(proven) => proven.load(Ordering::Acquire),
        }
    }
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
        let mut unchecked = None;
        let trust: Arc<dyn ServerCertVerifier> = match settings.mode {
            TlsMode::VerifyIdentity => by_authority(authorities, &provider)?,
            TlsMode::VerifyCa => Arc::new(AnyName(by_authority(authorities, &provider)?)),
            _ => {
                unchecked = Some(provider.clone());
                Arc::new(Unchecked::new(provider.clone()))
            }
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&settings.versions.of_rustls())
            .map_err(|error| not_possible("TLS cannot be set up", error))?
            .dangerous()
            .with_custom_certificate_verifier(trust);
        let mut config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|error| not_possible("the client's certificate and key cannot be used", error))?,
        };
        config.enable_sni = !settings.hides_name;
        config.alpn_protocols.extend(settings.protocol.map(|protocol| protocol.as_bytes().to_vec()));
        Ok(Some(Tls { config: Arc::new(config), unchecked }))
    }

    /// A connection that is to begin its handshake with this server.
    pub(super) fn begin(&self, server: &str) -> io::Result<(ClientConnection, Proof)> {
        let name = ServerName::try_from(server.to_owned()).map_err(io::Error::other)?;
        let (config, proof) = match &self.unchecked {
            None => (self.config.clone(), Proof::Checked),
            Some(provider) => {
                // Each connection has one of its own, to know what this server has proven. A session that is taken up
                // again would prove nothing.
                let trust = Unchecked::new(provider.clone());
                let proof = Proof::Noted(trust.proven.clone());
                let mut config = ClientConfig::clone(&self.config);
                config.resumption = Resumption::disabled();
                config.dangerous().set_certificate_verifier(Arc::new(trust));
                (Arc::new(config), proof)
            }
        };
        Ok((ClientConnection::new(config, name).map_err(io::Error::other)?, proof))
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
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<StdResult<_, _>>().map_err(unreadable)?;
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

/// Checks the chain of a certificate, and not for whom it is.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> StdResult<ServerCertVerified, TlsError> {
        match self.0.verify_server_cert(certificate, chain, name, ocsp, now) {
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
    ) -> StdResult<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> StdResult<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Checks nothing: that the other side has the key of a certificate that anybody can make proves nothing by itself, and
/// old ones that servers make for themselves (X.509 version 1) cannot be read. Whether it has the key is noted, for a
/// protocol that proves by other means that the certificate is the server's own.
#[derive(Debug)]
struct Unchecked {
    provider: Arc<CryptoProvider>,
    proven: Arc<AtomicBool>,
}

impl Unchecked {
    fn new(provider: Arc<CryptoProvider>) -> Self {
        Unchecked { provider, proven: Arc::default() }
    }

    fn note(&self, verified: &StdResult<HandshakeSignatureValid, TlsError>) -> HandshakeSignatureValid {
        self.proven.store(verified.is_ok(), Ordering::Release);
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> StdResult<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> StdResult<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.note(&rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> StdResult<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.note(&rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
