//! The errors that a client can act on.

use super::model::{Access, AccessReason};
use crate::graphql::Error;

/// Returns the error for content to which access is not granted.
pub fn rejected(access: &Access) -> Error {
    let message = match access.reason {
        AccessReason::SignInRequired => "Sign in and enroll in the course to see this.".into(),
        AccessReason::Expired => "Your access to the course has expired.".into(),
        AccessReason::LockedUntil => match access.unlocks_at {
            Some(at) => format!("This lesson opens at {}.", at.to_rfc3339()),
            None => "This lesson opens later.".into(),
        },
        AccessReason::NotPublished => "This is not published.".into(),
        AccessReason::Archived => "The course is archived.".into(),
        AccessReason::NotEnrolled | AccessReason::Staff | AccessReason::Entitled | AccessReason::Preview => {
            "Enroll in the course to see this.".into()
        }
    };
    Error::NoAccess { reason: access.reason.as_str(), message }
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;

    use super::*;

    #[test]
    fn a_rejection_says_why_for_people_and_for_programs() {
        let access = |reason, granted| Access { granted, source: None, reason, unlocks_at: None, expires_at: None };
        for (reason, code, sentence) in [
            (AccessReason::SignInRequired, "SIGN_IN_REQUIRED", "Sign in and enroll in the course to see this."),
            (AccessReason::NotEnrolled, "NOT_ENROLLED", "Enroll in the course to see this."),
            (AccessReason::Expired, "EXPIRED", "Your access to the course has expired."),
            (AccessReason::NotPublished, "NOT_PUBLISHED", "This is not published."),
            (AccessReason::Archived, "ARCHIVED", "The course is archived."),
        ] {
            let Err(error) = access(reason, false).require() else { panic!("{reason:?} is granted") };
            let shown = async_graphql::Error::from(error);
            let extensions = shown.extensions.unwrap();
            assert_eq!(extensions.get("code"), Some(&Value::from("FORBIDDEN")));
            assert_eq!((extensions.get("reason"), shown.message.as_str()), (Some(&Value::from(code)), sentence));
        }
        let opens = chrono::DateTime::UNIX_EPOCH;
        let locked = Access { unlocks_at: Some(opens), ..access(AccessReason::LockedUntil, false) };
        let Err(Error::NoAccess { reason, message }) = locked.require() else { panic!("locked is granted") };
        assert_eq!((reason, message.as_str()), ("LOCKED_UNTIL", "This lesson opens at 1970-01-01T00:00:00+00:00."));
        assert!(access(AccessReason::Entitled, true).require().is_ok());
    }
}
