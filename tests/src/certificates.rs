//! Certificates that are made for one run: an authority, and what it signs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SignatureAlgorithm, date_time_ymd};
pub use rcgen::{PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// The names of the machine that the tests run on.
pub const HERE: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// An authority, with a folder for files.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A certificate and its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    /// The certificate's file.
    pub certificate_file: PathBuf,
    /// The key's file.
    pub key_file: PathBuf,
}

/// What a certificate says.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// A word for its subject and its files.
    pub name: &'a str,
    /// The names and addresses that it is for.
    pub hosts: &'a [&'a str],
    /// Whether its time is over.
    pub expired: bool,
}

impl Authority {
    /// A new authority, whose certificate is in the file `ca.pem` of its folder.
    ///
    /// # Panics
    ///
    /// If the machine has no random numbers, or no place for temporary files.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder is needed for certificates");
        let key = KeyPair::generate().expect("a key can be made");
        let mut parameters = parameters(&Wanted { name: "authority", hosts: &[], expired: false });
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).expect("a certificate can be made");
        fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a file can be written");
        Authority { issuer: Issuer::new(parameters, key), folder }
    }

    /// The file of the authority's own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate that the authority has signed.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn identity(&self, wanted: Wanted<'_>) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let signed = parameters(&wanted).signed_by(&key, &self.issuer);
        Identity::new(self.folder.path(), wanted.name, signed.expect("a certificate can be made"), key)
    }

    /// A certificate that nobody but its owner has signed; the authority only gives room for its files.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn self_signed(&self, wanted: Wanted<'_>) -> Identity {
        self.self_signed_by(wanted, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// The same, with a signature of this kind.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn self_signed_by(&self, wanted: Wanted<'_>, signature: &'static SignatureAlgorithm) -> Identity {
        let key = KeyPair::generate_for(signature).expect("a key can be made");
        let signed = parameters(&wanted).self_signed(&key);
        Identity::new(self.folder.path(), wanted.name, signed.expect("a certificate can be made"), key)
    }
}

impl Identity {
    fn new(folder: &Path, name: &str, certificate: rcgen::Certificate, key: KeyPair) -> Self {
        let file = |kind: &str, content: String| {
            let path = folder.join(format!("{name}-{kind}.pem"));
            fs::write(&path, content).expect("a file can be written");
            path
        };
        Identity {
            certificate_file: file("certificate", certificate.pem()),
            key_file: file("key", key.serialize_pem()),
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// What a server of our own needs to show this certificate.
    ///
    /// # Panics
    ///
    /// If rustls does not take it.
    pub fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("the key is the certificate's");
        Arc::new(config)
    }
}

fn parameters(wanted: &Wanted<'_>) -> CertificateParams {
    let hosts: Vec<String> = wanted.hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut parameters = CertificateParams::new(hosts).expect("these are names");
    parameters.distinguished_name.push(DnType::CommonName, wanted.name);
    (parameters.not_before, parameters.not_after) = if wanted.expired {
        (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1))
    } else {
        (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1))
    };
    parameters
}
