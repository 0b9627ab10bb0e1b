//! Time-based one-time passwords (RFC 6238) for authenticator apps. SHA-1, six digits, a period of 30 seconds.

use chrono::{DateTime, Utc};
use totp_rs::{Builder, Secret, Totp};

use crate::platform::internal_error::{Context, InternalError};

/// The length of a secret in bytes, as RFC 4226 (section 4, R6) recommends.
const SECRET: usize = 20;

/// The one-time passwords of one user.
pub struct OneTimePasswords(Totp);

impl OneTimePasswords {
    /// Generates a secret.
    pub fn secret() -> [u8; SECRET] {
        rand::random()
    }

    /// Returns the generator for `secret`. Apps display the names of the school and the account.
    ///
    /// # Errors
    /// The secret is too short.
    pub fn new(secret: &[u8], school: &str, account: &str) -> Result<OneTimePasswords, InternalError> {
        // A colon separates the two names in the otpauth URI.
        let plain = |name: &str| name.replace(':', " ");
        // A phone's clock may be off by one step in each direction (RFC 6238, section 5.2).
        let builder = Builder::new()
            .with_secret(Secret::new(secret.into()))
            .with_skew(1)
            .with_issuer(Some(plain(school)))
            .with_account_name(plain(account));
        Ok(OneTimePasswords(builder.build().context("a second factor's secret is unusable")?))
    }

    /// Returns the time step of `code` if the code is valid at `now`. Accept each step once only.
    pub fn step(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let step = self.0.check(code, u64::try_from(now.timestamp()).ok()?)?;
        i64::try_from(step).ok()
    }

    /// The URI that apps read from a QR code: `otpauth://totp/…`.
    ///
    /// # Errors
    /// The account has no name.
    pub fn uri(&self) -> Result<String, InternalError> {
        self.0.to_url().context("a second factor has no address")
    }
}

/// Encodes the secret for manual entry in an app that cannot scan the QR code.
pub fn base32(secret: &[u8]) -> String {
    Secret::new(secret.into()).to_base32()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, truncated to six digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let codes = OneTimePasswords::new(b"12345678901234567890", "School: one", "ada@people.example").unwrap();
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let at = |seconds: i64| DateTime::from_timestamp(time + seconds, 0).unwrap();
            assert_eq!(codes.step(code, at(0)), Some(time / 30), "{time}");
            assert_eq!(codes.step(code, at(30)), Some(time / 30), "a slow phone");
            assert_eq!(codes.step(code, at(61)), None);
            assert_eq!(codes.step("000000", at(0)), None);
        }
        assert_eq!(codes.step("not a code", DateTime::UNIX_EPOCH), None);
        let uri = codes.uri().unwrap();
        assert!(uri.starts_with("otpauth://totp/") && uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
    }
}
