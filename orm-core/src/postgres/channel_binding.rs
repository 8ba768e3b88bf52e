//! What binds a login to the server's certificate: its hash, as `tls-server-end-point` has it (RFC 5929, section 4.1).

use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

/// The hash of a certificate in DER form, by the algorithm of its signature; `None` where that names no hash, as with
/// Ed25519, or cannot be read.
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(digest(hash_of_signature(certificate)?, certificate).as_ref().to_vec())
}

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;
const FIRST_FIELD: u8 = 0xA0;

// Objects of PKCS #1 (RFC 8017), of ECDSA (RFC 5758) and of hashes (RFC 5754), as DER writes them.
const PKCS_1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
const ECDSA_WITH_SHA1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01];
const ECDSA_WITH_SHA2: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03];
const SHA1_ALONE: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
const SHA2_ALONE: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// The hash of the certificate's signature; SHA-256 in place of MD5 and SHA-1.
fn hash_of_signature(certificate: &[u8]) -> Option<&'static Algorithm> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, _, after_content) = element(certificate)? else { return None };
    let (SEQUENCE, algorithm, _) = element(after_content)? else { return None };
    let (OBJECT, object, parameters) = element(algorithm)? else { return None };
    if let Some(&[which]) = object.strip_prefix(PKCS_1) {
        return match which {
            4 | 5 => Some(&SHA256), // with MD5, with SHA-1
            10 => hash_of_pss(parameters),
            11 => Some(&SHA256),
            12 => Some(&SHA384),
            13 => Some(&SHA512),
            _ => None,
        };
    }
    if object == ECDSA_WITH_SHA1 {
        return Some(&SHA256);
    }
    match object.strip_prefix(ECDSA_WITH_SHA2)? {
        [2] => Some(&SHA256),
        [3] => Some(&SHA384),
        [4] => Some(&SHA512),
        _ => None,
    }
}

/// RSASSA-PSS names its hash in its parameters; SHA-1 where it does not.
fn hash_of_pss(parameters: &[u8]) -> Option<&'static Algorithm> {
    let (SEQUENCE, fields, _) = element(parameters)? else { return None };
    let Some((FIRST_FIELD, hash, _)) = element(fields) else { return Some(&SHA256) };
    let (SEQUENCE, hash, _) = element(hash)? else { return None };
    let (OBJECT, object, _) = element(hash)? else { return None };
    if object == SHA1_ALONE {
        return Some(&SHA256);
    }
    match object.strip_prefix(SHA2_ALONE)? {
        [1] => Some(&SHA256),
        [2] => Some(&SHA384),
        [3] => Some(&SHA512),
        _ => None,
    }
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else { return None };
    let (length, rest) = match *length {
        short @ 0..=0x7F => (usize::from(short), rest),
        // A length of up to four bytes is plenty for a certificate.
        long @ 0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            (length.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of DER.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let length = match u8::try_from(length) {
            Ok(short) if short < 0x80 => vec![short],
            _ => [&[0x82][..], &u16::try_from(length).expect("it is short").to_be_bytes()].concat(),
        };
        [&[tag][..], &length, content].concat()
    }

    /// An object by its numbers, as standards write it.
    fn object(dotted: &str) -> Vec<u8> {
        let numbers: Vec<u32> = dotted.split('.').map(|number| number.parse().expect("a number")).collect();
        let mut bytes = vec![u8::try_from(numbers[0] * 40 + numbers[1]).expect("it is small")];
        for number in &numbers[2..] {
            let septets = [number >> 14, number >> 7, *number].map(|rest| (rest & 0x7F).to_le_bytes()[0]);
            let first = septets.iter().position(|septet| *septet != 0).unwrap_or(2);
            bytes.extend(septets[first..2].iter().map(|septet| septet | 0x80));
            bytes.push(septets[2]);
        }
        der(OBJECT, &bytes)
    }

    /// A certificate with nothing in it but the algorithm of its signature.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        der(SEQUENCE, &[der(SEQUENCE, &[7; 300]), der(SEQUENCE, algorithm), der(3, &[0; 9])].concat())
    }

    fn is(certificate: &[u8], hash: Option<&'static Algorithm>) -> bool {
        end_point(certificate) == hash.map(|hash| digest(hash, certificate).as_ref().to_vec())
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (name, dotted, hash) in [
            ("md5WithRSAEncryption", "1.2.840.113549.1.1.4", Some(&SHA256)),
            ("sha1WithRSAEncryption", "1.2.840.113549.1.1.5", Some(&SHA256)),
            ("sha256WithRSAEncryption", "1.2.840.113549.1.1.11", Some(&SHA256)),
            ("sha384WithRSAEncryption", "1.2.840.113549.1.1.12", Some(&SHA384)),
            ("sha512WithRSAEncryption", "1.2.840.113549.1.1.13", Some(&SHA512)),
            ("sha224WithRSAEncryption", "1.2.840.113549.1.1.14", None),
            ("ecdsa-with-SHA1", "1.2.840.10045.4.1", Some(&SHA256)),
            ("ecdsa-with-SHA256", "1.2.840.10045.4.3.2", Some(&SHA256)),
            ("ecdsa-with-SHA384", "1.2.840.10045.4.3.3", Some(&SHA384)),
            ("ecdsa-with-SHA512", "1.2.840.10045.4.3.4", Some(&SHA512)),
            ("id-Ed25519", "1.3.101.112", None),
        ] {
            assert!(is(&certificate(&object(dotted)), hash), "{name}");
            assert!(is(&certificate(&[object(dotted), der(5, b"")].concat()), hash), "{name}, with NULL");
        }
        let pss = object("1.2.840.113549.1.1.10");
        let with = |dotted: &str| {
            let hash = der(FIRST_FIELD, &der(SEQUENCE, &[object(dotted), der(5, b"")].concat()));
            certificate(&[pss.clone(), der(SEQUENCE, &[hash, der(0xA2, &der(2, &[32]))].concat())].concat())
        };
        assert!(is(&with("2.16.840.1.101.3.4.2.1"), Some(&SHA256)));
        assert!(is(&with("2.16.840.1.101.3.4.2.2"), Some(&SHA384)));
        assert!(is(&with("2.16.840.1.101.3.4.2.3"), Some(&SHA512)));
        assert!(is(&with("1.3.14.3.2.26"), Some(&SHA256)), "SHA-1");
        assert!(is(&with("1.3.101.112"), None));
        assert!(is(&certificate(&[pss.clone(), der(SEQUENCE, b"")].concat()), Some(&SHA256)), "SHA-1, not named");
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let whole = certificate(&object("1.2.840.113549.1.1.11"));
        for length in 0..whole.len() {
            assert_eq!(end_point(&whole[..length]), None, "{length} bytes");
        }
        for nonsense in [&b"no certificate"[..], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0xFF, 0]] {
            assert_eq!(end_point(nonsense), None);
        }
    }
}
