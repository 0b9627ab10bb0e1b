//! What a caller can act on.

use crate::graphql::{Error, UserErrorCode};

pub(super) fn email_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["email"], "This e-mail address is registered already. Sign in instead.")
}

/// The same for an unknown address and a wrong password, so that nobody learns who has an account.
pub(super) fn wrong_credentials() -> Error {
    Error::invalid(UserErrorCode::WrongCredentials, &[], "The e-mail address or the password is wrong.")
}

pub(super) fn last_admin() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["role"], "This is the last administrator; appoint another one first.")
}

pub(super) fn no_such_user() -> Error {
    Error::NotFound("There is no such user.".into())
}
