//! Certificates.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::certificates;

/// A certificate's id: `certificate_01j…`.
pub type CertificateId = Id<Certificate>;

/// That a user has completed a course: issued once, and kept whatever becomes of the course.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = certificates, check_for_backend(diesel::pg::Pg))]
pub struct Certificate {
    /// The id.
    pub id: CertificateId,
    /// By what everybody can verify it.
    pub code: String,
    /// The user.
    pub user_id: UserId,
    /// The course; `None` once it is deleted.
    pub course_id: Option<CourseId>,
    /// What the user was called when it was issued.
    pub holder_name: String,
    /// What the course was called when it was issued.
    pub course_title: String,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it was revoked; `None` while it is valid.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether everybody who has the code may see the name.
    pub is_public: bool,
}

impl Entity for Certificate {
    const PREFIX: &'static str = "certificate";
}

/// The input of `revokeCertificate`.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeCertificateInput {
    /// The certificate.
    pub(crate) certificate_id: CertificateId,
    /// The reason, 1 to 500 characters, shown to administrators only.
    pub reason: String,
}

/// The input of `setCertificateVisibility`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct SetCertificateVisibilityInput {
    /// The certificate.
    pub(crate) certificate_id: CertificateId,
    /// Whether everybody who has the code may see your name.
    pub is_public: bool,
}

/// The characters of codes: Crockford's Base32, in which no two look alike.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The number of characters of a code: 60 bits.
const LENGTH: usize = 12;

/// Writes random bits as a code.
pub(crate) fn code_of(mut bits: u64) -> String {
    let mut code = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let letter = usize::try_from(bits & 31).ok().and_then(|index| ALPHABET.get(index));
        code.push(char::from(letter.copied().unwrap_or(b'0')));
        bits >>= 5;
    }
    code
}

/// Returns a code in its stored spelling: people may type it in lower case, with hyphens and spaces, and mistake letters
/// for digits.
pub(crate) fn normal_code(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|letter| !matches!(letter, '-' | ' ')).take(LENGTH + 1);
    let code: String = letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let known = |letter: u8| ALPHABET.contains(&letter);
    (code.len() == LENGTH && code.bytes().all(known)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let code = code_of(u64::MAX << 5 | 1);
        assert_eq!(code, "1ZZZZZZZZZZZ");
        for typed in ["1zzz-zzzz-zzzz", "IZZZ ZZZZ ZZZZ", "lzzzzzzzzzzz"] {
            assert_eq!(normal_code(typed).as_ref(), Some(&code), "{typed}");
        }
        for wrong in ["", "1ZZZZZZZZZZ", "1ZZZZZZZZZZZZ", "1ZZZZZZZZZZU", "1ZZZZZZZZZZé"] {
            assert_eq!(normal_code(wrong), None, "{wrong}");
        }
    }
}
