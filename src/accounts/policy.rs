//! Who may see and do what with accounts.

use url::Url;

use super::model::{User, UserId};
use crate::config::Config;
use crate::graphql::UserErrorCode;
use crate::platform::auth::{Actor, Role};

const SHORTEST_PASSWORD: usize = 10;
const LONGEST_PASSWORD: usize = 200;

/// What a password must be like.
///
/// # Errors
/// What is wrong with it.
pub(super) fn password(password: &str) -> Result<(), (UserErrorCode, String)> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        let message = format!("The password has {length} characters; at least {SHORTEST_PASSWORD} are needed.");
        return Err((UserErrorCode::TooShort, message));
    }
    if length > LONGEST_PASSWORD {
        let message = format!("The password has {length} characters; at most {LONGEST_PASSWORD} are allowed.");
        return Err((UserErrorCode::TooLong, message));
    }
    Ok(())
}

/// Whether this can be anybody's password. A longer one is not worth the work of hashing it.
pub(super) fn can_be_password(password: &str) -> bool {
    password.chars().count() <= LONGEST_PASSWORD
}

/// An address, a ban, the language, the time zone and the end of the account are the user's and the administrators'
/// business.
pub(super) fn can_see_private(actor: &Actor, user: &User) -> bool {
    actor.is(user.id) || actor.has(Role::Admin)
}

/// Pictures can be offensive, and an account may have been given up by somebody who broke into it: administrators
/// can take the one away and keep the other.
pub(super) fn can_step_in_for(actor: &Actor, id: UserId) -> bool {
    actor.is(id) || actor.has(Role::Admin)
}

/// Whether the IANA database has a time zone of this name. Its data is part of the program.
pub(super) fn is_time_zone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// Only administrators list users, appoint, ban and read the audit trail.
pub(super) fn can_administer(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether the settings give this user no powers without a second factor.
pub(super) fn needs_second_factor(config: &Config, user: &User) -> bool {
    config.admins_need_second_factor && user.role == Role::Admin
}

/// Only administrators help somebody who has lost a second factor; nobody gets rid of their own without it.
pub(super) fn can_reset_second_factor(actor: &Actor, user: UserId) -> bool {
    actor.has(Role::Admin) && !actor.is(user)
}

/// What becomes of somebody whom a service vouches for and who has not come with it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// Is the user with the same address.
    Known,
    /// Gets an account.
    New,
    /// The service has not seen that the address is theirs: it may be anybody's.
    UnverifiedThere,
    /// Nobody has shown that the registered user owns the address: they may be somebody else.
    UnverifiedHere,
}

/// Decides by whether the service has verified the address, and whether the user who is registered with it has.
pub(super) fn newcomer(verified_there: bool, verified_here: Option<bool>) -> Newcomer {
    match (verified_there, verified_here) {
        (false, _) => Newcomer::UnverifiedThere,
        (true, None) => Newcomer::New,
        (true, Some(true)) => Newcomer::Known,
        (true, Some(false)) => Newcomer::UnverifiedHere,
    }
}

/// Nobody locks themselves out: there has to be a password, or another service that is still set up.
pub(super) fn can_unlink(has_password: bool, others: usize) -> bool {
    has_password || others > 0
}

/// Whether a code may be sent to `address`: a page of this server or of an app that it knows. Anybody else's page
/// would be given codes (RFC 9700, section 4.1).
pub(super) fn can_return_to(address: &Url, public_url: &str, origins: &[String]) -> bool {
    let origin = address.origin().ascii_serialization();
    let own = Url::parse(public_url).is_ok_and(|url| url.origin() == address.origin());
    let plain = address.fragment().is_none() && address.username().is_empty() && address.password().is_none();
    ["http", "https"].contains(&address.scheme()) && plain && (own || origins.contains(&origin))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC, scopes: None }
    }

    #[test]
    fn the_table() {
        let user = User {
            id: UserId::new(Uuid::from_u128(1)),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            role: Role::Student,
            created_at: DateTime::UNIX_EPOCH,
            token_version: 0,
            banned_at: None,
            banned_until: None,
            ban_reason: None,
            locale: None,
            time_zone: None,
            avatar_key: None,
            deletion_due_at: None,
            deleted_at: None,
        };
        for (who, actor, sees_private, administers) in [
            ("anonymous", Actor::Anonymous, false, false),
            ("herself", actor(1, Role::Student), true, false),
            ("another student", actor(2, Role::Student), false, false),
            ("an instructor", actor(2, Role::Instructor), false, false),
            ("an administrator", actor(2, Role::Admin), true, true),
        ] {
            assert_eq!(can_see_private(&actor, &user), sees_private, "{who}");
            assert_eq!(can_step_in_for(&actor, user.id), sees_private, "{who}");
            assert_eq!(can_administer(&actor), administers, "{who}");
        }
    }

    #[test]
    fn who_comes_with_another_service_needs_verified_addresses_on_both_sides() {
        for (there, here, expected) in [
            (false, None, Newcomer::UnverifiedThere),
            (false, Some(false), Newcomer::UnverifiedThere),
            (false, Some(true), Newcomer::UnverifiedThere),
            (true, None, Newcomer::New),
            (true, Some(false), Newcomer::UnverifiedHere),
            (true, Some(true), Newcomer::Known),
        ] {
            assert_eq!(newcomer(there, here), expected, "{there} {here:?}");
        }
        assert!(can_unlink(true, 0) && can_unlink(false, 1) && !can_unlink(false, 0));
    }

    #[test]
    fn codes_go_to_known_pages_only() {
        let origins = ["https://app.acme.org".to_owned()];
        for (address, allowed) in [
            ("https://learn.acme.org/back", true),
            ("https://learn.acme.org/back?a=b", true),
            ("https://app.acme.org/", true),
            ("https://app.acme.org:444/", false),
            ("http://app.acme.org/", false),
            ("https://app.acme.org.evil.example/", false),
            ("https://app.acme.org@evil.example/", false),
            ("https://evil@app.acme.org/", false),
            ("https://app.acme.org/#token", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(can_return_to(&url, "https://learn.acme.org/base", &origins), allowed, "{address}");
        }
    }

    #[test]
    fn time_zones() {
        for name in ["Europe/Zurich", "America/Argentina/Buenos_Aires", "UTC", "Asia/Kolkata", "Asia/Calcutta"] {
            assert!(is_time_zone(name), "{name}");
        }
        for name in ["Europe/Entenhausen", "europe/zurich", "+01:00", "", "Europe/Zurich\0"] {
            assert!(!is_time_zone(name), "{name:?}");
        }
    }
}
