//! Encryption of secrets that must be readable again, such as those of second factors.
//!
//! Uses XChaCha20-Poly1305 (RFC 8439 with a random nonce of 192 bits) with a key derived from the server's secret.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::platform::internal_error::InternalError;

const NONCE: usize = 24;

/// Encrypts and decrypts stored secrets; cheap to clone.
#[derive(Clone)]
pub struct Seal {
    /// The first key encrypts; all keys decrypt.
    keys: Vec<XChaCha20Poly1305>,
}

impl Seal {
    /// Encrypts with `secret`. Values that were encrypted with one of the `previous` secrets can still be decrypted.
    pub fn new(secret: &str, previous: &[String]) -> Seal {
        let key = |secret: &str| XChaCha20Poly1305::new(&Sha256::digest(format!("lyceum/seal/{secret}")));
        Seal { keys: std::iter::once(secret).chain(previous.iter().map(String::as_str)).map(key).collect() }
    }

    /// Encrypts `plain` for `owner`. Only the same `owner` decrypts it, so copying the row to another owner is useless.
    ///
    /// # Errors
    /// The text is too long for the cipher, which does not happen.
    pub fn close(&self, plain: &[u8], owner: &[u8]) -> Result<Vec<u8>, InternalError> {
        let nonce: [u8; NONCE] = rand::random();
        let key = self.keys.first().ok_or_else(|| InternalError::new("there is no key to encrypt with"))?;
        let sealed = key.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: owner });
        let sealed = sealed.map_err(|_| InternalError::new("cannot encrypt"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a value that [`Seal::close`] encrypted.
    ///
    /// # Errors
    /// The value was modified, belongs to another owner, or was encrypted with an unknown secret.
    pub fn open(&self, sealed: &[u8], owner: &[u8]) -> Result<Vec<u8>, InternalError> {
        let unreadable =
            || InternalError::new("an encrypted value cannot be read; is its key among LYCEUM_PREVIOUS_SECRETS?");
        let (nonce, msg) = sealed.split_at_checked(NONCE).ok_or_else(unreadable)?;
        let nonce = XNonce::from(<[u8; NONCE]>::try_from(nonce)?);
        let opened = self.keys.iter().find_map(|key| key.decrypt(&nonce, Payload { msg, aad: owner }).ok());
        opened.ok_or_else(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_with_a_known_key_opens_it() {
        let old = Seal::new("0123456789abcdef0123456789abcdef", &[]);
        let sealed = old.close(b"secret", b"ada").unwrap();
        assert_ne!(sealed, old.close(b"secret", b"ada").unwrap(), "each time with another nonce");
        assert_eq!(old.open(&sealed, b"ada").unwrap(), b"secret");
        assert!(old.open(&sealed, b"bob").is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(old.open(&changed, b"ada").is_err() && old.open(&sealed[..10], b"ada").is_err());
        let new = Seal::new("another secret, another secret!!", &["0123456789abcdef0123456789abcdef".into()]);
        assert_eq!(new.open(&sealed, b"ada").unwrap(), b"secret");
        assert!(Seal::new("another secret, another secret!!", &[]).open(&sealed, b"ada").is_err());
    }
}
