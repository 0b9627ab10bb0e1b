//! Opaque tokens: random strings of which only a hash is stored. They have 256 random bits, so a fast hash is enough.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The SHA-256 of an opaque token, the form in which it is stored.
pub type TokenHash = [u8; 32];

/// Generates a token and its hash. The `prefix` lets humans and secret scanners recognize the token's kind.
pub fn opaque(prefix: &str) -> (String, TokenHash) {
    let token = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let hash = hash_token(&token);
    (token, hash)
}

/// The hash under which `token` is looked up.
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}
