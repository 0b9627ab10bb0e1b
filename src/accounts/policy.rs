//! Authorization and validation rules of accounts.

use url::Url;

use super::model::{User, UserId};
use crate::config::Config;
use crate::graphql::UserErrorCode;
use crate::platform::auth::{Actor, Role};

const SHORTEST_PASSWORD: usize = 10;
const LONGEST_PASSWORD: usize = 200;

/// Validates the length of a new password.
///
/// # Errors
/// The password is too short or too long: the error code and a message.
pub fn password(password: &str) -> Result<(), (UserErrorCode, String)> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        let characters = if length == 1 { "character" } else { "characters" };
        let message = format!("The password has {length} {characters}; at least {SHORTEST_PASSWORD} are needed.");
        return Err((UserErrorCode::TooShort, message));
    }
    if length > LONGEST_PASSWORD {
        let message = format!("The password has {length} characters; at most {LONGEST_PASSWORD} are allowed.");
        return Err((UserErrorCode::TooLong, message));
    }
    Ok(())
}

/// Whether a password is short enough to be valid. A longer one is rejected without hashing it.
pub(crate) fn can_be_password(password: &str) -> bool {
    password.chars().count() <= LONGEST_PASSWORD
}

/// Whether the actor may see the private fields of an account.
///
/// Its user and administrators may. Private are the email address, the ban, the linked identities, the language, the
/// time zone, the deletion date, and what the user learns.
pub fn can_see_private(actor: &Actor, user: UserId) -> bool {
    actor.is(user) || actor.has(Role::Admin)
}

/// Whether the actor may remove a user's picture or cancel the deletion of their account.
///
/// Administrators may, too: pictures can be offensive, and an attacker may have requested the deletion.
pub fn can_step_in_for(actor: &Actor, id: UserId) -> bool {
    actor.is(id) || actor.has(Role::Admin)
}

/// Whether `name` is a time zone of the IANA database. The database is compiled into the program.
pub(crate) fn is_time_zone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// Whether the actor may list users, manage the team, ban users and read the audit trail.
pub fn can_administer(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether the configuration grants the user administrator rights only with a second factor.
pub(crate) fn needs_second_factor(config: &Config, user: &User) -> bool {
    config.admins_need_second_factor && user.role == Role::Admin
}

/// Whether the actor may reset a user's second factor: administrators, but not their own.
///
/// Disabling one's own second factor requires a code.
pub(crate) fn can_reset_second_factor(actor: &Actor, user: UserId) -> bool {
    actor.has(Role::Admin) && !actor.is(user)
}

/// How to treat a user who signs in with an identity that is not linked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newcomer {
    /// Sign in the registered user with the same email address.
    Known,
    /// Create an account.
    New,
    /// Reject: the provider has not verified the email address, so it may belong to anyone.
    UnverifiedThere,
    /// Reject: the registered user has not verified the email address and may be someone else.
    UnverifiedHere,
}

/// Decides by whether the provider and the registered user have verified the email address.
///
/// `verified_here` is `None` if no user is registered with the address.
pub(crate) fn newcomer(verified_there: bool, verified_here: Option<bool>) -> Newcomer {
    match (verified_there, verified_here) {
        (false, _) => Newcomer::UnverifiedThere,
        (true, None) => Newcomer::New,
        (true, Some(true)) => Newcomer::Known,
        (true, Some(false)) => Newcomer::UnverifiedHere,
    }
}

/// Whether an identity can be unlinked without locking its user out.
///
/// There must be a password, or another identity whose provider is still configured.
pub(crate) fn can_unlink(has_password: bool, others: usize) -> bool {
    has_password || others > 0
}

/// Whether an authorization code may be sent to `address`.
///
/// It must be a page of this server or of a known app: any other page could capture the code (RFC 9700, section 4.1).
pub(crate) fn can_return_to(address: &Url, public_url: &str, origins: &[String]) -> bool {
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
            role_since: None,
            created_at: DateTime::UNIX_EPOCH,
            token_version: 0,
            banned_at: None,
            banned_until: None,
            ban_reason: None,
            locale: None,
            time_zone: None,
            avatar_id: None,
            updated_at: DateTime::UNIX_EPOCH,
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
            assert_eq!(can_see_private(&actor, user.id), sees_private, "{who}");
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
