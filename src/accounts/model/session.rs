//! Sessions, their refresh tokens, and the rules for exchanging those.

use std::fmt;

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, InputObject, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::User;
use crate::graphql::{Entity, Id};
use crate::platform::auth::Client;
use crate::platform::db::schema::{refresh_tokens, sessions};

/// The time within which two exchanges of one token are a race within one client.
///
/// Several tabs or a double click cause such races.
const RACE: TimeDelta = TimeDelta::seconds(1);
/// The time within which, after [`RACE`], a second exchange is a retry.
///
/// The client did not receive the response to the first one.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// A session's id: `session_01j…`.
pub type SessionId = Id<Session>;

/// A sign-in and the family of its refresh tokens.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The user who signed in.
    pub user_id: Id<User>,
    /// The last user agent of the client.
    pub user_agent: String,
    /// The last IP address of the client.
    pub ip: Option<String>,
    /// When the user signed in.
    pub created_at: DateTime<Utc>,
    /// When the session was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it expires unless it is refreshed before.
    pub expires_at: DateTime<Utc>,
    /// The hash of the refresh token that was exchanged last.
    pub previous_hash: Option<Vec<u8>>,
    /// When it was ended before its expiry.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was ended; see [`SessionEnd::parse`].
    pub end_reason: Option<String>,
}

impl Entity for Session {
    const PREFIX: &'static str = "session";
}

/// Why a session ended before its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "SessionEndReason")]
pub enum SessionEnd {
    /// The user signed out.
    SignedOut,
    /// The user ended it from another session.
    Revoked,
    /// A refresh token was reused.
    Replayed,
    /// The user requested the deletion of the account.
    AccountGivenUp,
    /// The user reached the session limit, and this session was the least recently used one.
    TooMany,
    /// An administrator banned the user.
    Banned,
    /// The user changed the password in another session.
    PasswordChanged,
    /// The password was reset with an emailed link.
    PasswordReset,
}

impl SessionEnd {
    /// Returns the stored form of the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionEnd::SignedOut => "signed_out",
            SessionEnd::Revoked => "revoked",
            SessionEnd::Replayed => "replayed",
            SessionEnd::AccountGivenUp => "account_given_up",
            SessionEnd::TooMany => "too_many",
            SessionEnd::Banned => "banned",
            SessionEnd::PasswordChanged => "password_changed",
            SessionEnd::PasswordReset => "password_reset",
        }
    }

    /// Parses a stored reason; `None` if only another version of the program knows it.
    pub fn parse(text: &str) -> Option<SessionEnd> {
        SessionEnd::items().iter().map(|item| item.value).find(|end| end.as_str() == text)
    }
}

/// A refresh token as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = refresh_tokens, check_for_backend(diesel::pg::Pg))]
pub(crate) struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// When it was exchanged.
    pub used_at: Option<DateTime<Utc>>,
}

/// What to do with a refresh token that a client presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// The first use of the token.
    First,
    /// The same client retries within the grace period because it lost the response. It gets the same refresh token
    /// again.
    Retry,
    /// The token is exchanged twice at the same time; the other request gets the new tokens.
    Race,
    /// The token was used before: it may be stolen, so the session must end.
    Replay,
    /// The session has ended or expired.
    Over,
}

impl Exchange {
    /// Decides what to do with `token` of `session`, which `client` presents at `now`.
    pub(crate) fn of(session: &Session, token: &RefreshToken, client: &Client, now: DateTime<Utc>) -> Exchange {
        if session.ended_at.is_some() || session.expires_at <= now {
            return Exchange::Over;
        }
        let Some(used_at) = token.used_at else { return Exchange::First };
        let latest = session.previous_hash.as_ref() == Some(&token.hash);
        // The IP address is not compared: responses get lost when a phone changes networks. A thief with the same user
        // agent gets the same token as the client, so the next refresh by either of them reveals the theft.
        let same_client = session.user_agent == client.user_agent;
        match now - used_at {
            since if latest && since < RACE => Exchange::Race,
            since if latest && same_client && since < GRACE => Exchange::Retry,
            _ => Exchange::Replay,
        }
    }
}

/// A device, as far as its user agent identifies it.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Device {
    /// The display name, such as "Firefox on Linux".
    pub name: String,
    /// The browser; null if it is unknown.
    pub browser: Option<String>,
    /// The operating system; null if it is unknown.
    pub os: Option<String>,
}

impl Device {
    /// Parses a `User-Agent` header.
    pub fn of(user_agent: &str) -> Device {
        let parsed = woothee::parser::Parser::new().parse(user_agent);
        let known = |text: &str| (text != "UNKNOWN" && !text.is_empty()).then(|| text.to_owned());
        let browser = parsed.as_ref().and_then(|found| known(found.name));
        let os = parsed.as_ref().and_then(|found| known(found.os));
        let name = match (&browser, &os) {
            (Some(browser), Some(os)) => format!("{browser} on {os}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            // An app or a script: use the first word of its user agent.
            (None, None) => user_agent.split_whitespace().next().unwrap_or("Unknown device").to_owned(),
        };
        Device { name, browser, os }
    }
}

/// How a client receives and sends its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum TokenTransport {
    /// In the payload. The client sends the access token in the `Authorization` header.
    #[default]
    Bearer,
    /// In `HttpOnly` cookies, which scripts cannot read. Requests other than `GET` then need the header `x-lyceum-csrf`
    /// or an `Origin` that the server knows.
    Cookie,
}

/// The tokens of a session.
#[derive(Clone)]
pub struct IssuedTokens {
    /// The session.
    pub session: SessionId,
    /// The access token, sent with every request.
    pub access_token: String,
    /// When the access token expires.
    pub access_expires_at: DateTime<Utc>,
    /// The refresh token, exchanged once for the next pair.
    pub refresh_token: String,
    /// When the refresh token expires.
    pub refresh_expires_at: DateTime<Utc>,
}

/// A user who has signed in, with new tokens.
#[derive(Clone)]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// The tokens.
    pub tokens: IssuedTokens,
    /// Whether the user's administrator rights are withheld until a second factor is set up.
    pub lacks_second_factor: bool,
}

/// The input of `signIn`.
#[derive(Clone, InputObject)]
pub struct SignInInput {
    /// The email address of the account.
    pub email: String,
    /// The password.
    pub password: String,
    /// How the client receives the tokens; defaults to `BEARER`.
    #[graphql(default)]
    pub transport: TokenTransport,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for SignInInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInInput").field("email", &self.email).finish_non_exhaustive()
    }
}

/// The input of `refreshSession`.
#[derive(Clone, InputObject)]
pub struct RefreshSessionInput {
    /// The refresh token. Omit it if it is in a cookie; the response then sets new cookies.
    pub refresh_token: Option<String>,
}

/// The input of `reauthenticate`.
#[derive(Clone, InputObject)]
pub struct ReauthenticateInput {
    /// The viewer's password. Omit it if the account has none.
    pub password: Option<String>,
    /// The code that the authenticator app shows, or a recovery code. Omit it if there is no second factor.
    pub code: Option<String>,
}

/// Selects sessions of the viewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum SessionSelection {
    /// The session that this request belongs to.
    #[default]
    Current,
    /// All other sessions.
    Others,
    /// All sessions.
    All,
}

/// The input of `signOut`.
#[derive(Clone, InputObject)]
pub struct SignOutInput {
    /// The refresh token, if the access token has expired. Omit it if it is in a cookie.
    pub refresh_token: Option<String>,
    /// Which sessions to end; defaults to `CURRENT`.
    #[graphql(default)]
    pub sessions: SessionSelection,
}

// Tokens must not reach a log by way of a derived Debug.
impl fmt::Debug for SignOutInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutInput").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// The input of `revokeSession`.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeSessionInput {
    /// The session to end, which must be one of the viewer's.
    pub session_id: SessionId,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_table_of_exchanges() {
        let client = Client::new(Some([192, 0, 2, 1].into()), "Firefox");
        let moved = Client::new(Some([192, 0, 2, 9].into()), "Firefox");
        let thief = Client::new(Some([192, 0, 2, 1].into()), "Chrome");
        let session = Session {
            id: SessionId::new(Uuid::from_u128(1)),
            user_id: Id::new(Uuid::from_u128(2)),
            user_agent: "Firefox".into(),
            ip: client.ip_text(),
            created_at: at(0),
            last_used_at: at(100),
            expires_at: at(1000),
            previous_hash: Some(vec![1]),
            ended_at: None,
            end_reason: None,
        };
        let ended = Session { ended_at: Some(at(101)), ..session.clone() };
        let unused = RefreshToken { hash: vec![2], used_at: None };
        let latest = RefreshToken { hash: vec![1], used_at: Some(at(100)) };
        let older = RefreshToken { hash: vec![0], used_at: Some(at(99)) };
        for (case, session, token, client, now, expected) in [
            ("the current one", &session, &unused, &client, 200, Exchange::First),
            ("the current one from elsewhere", &session, &unused, &thief, 200, Exchange::First),
            ("two tabs at once", &session, &latest, &client, 100, Exchange::Race),
            ("a lost answer", &session, &latest, &client, 101, Exchange::Retry),
            ("a lost answer and another network", &session, &latest, &moved, 101, Exchange::Retry),
            ("the end of the grace", &session, &latest, &client, 129, Exchange::Retry),
            ("after the grace", &session, &latest, &client, 130, Exchange::Replay),
            ("another client in the grace", &session, &latest, &thief, 101, Exchange::Replay),
            ("an older one at once", &session, &older, &client, 100, Exchange::Replay),
            ("an expired session", &session, &unused, &client, 1000, Exchange::Over),
            ("an ended session", &ended, &unused, &client, 200, Exchange::Over),
            ("a replay after the end", &ended, &older, &client, 200, Exchange::Over),
        ] {
            assert_eq!(Exchange::of(session, token, client, at(now)), expected, "{case}");
        }
    }

    #[test]
    fn devices_have_names() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        assert_eq!(Device::of(firefox).name, "Firefox on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(Device::of(phone).name, "Safari on iPhone");
        assert_eq!(Device::of("lyceum-app/2.1 (build 7)").name, "lyceum-app/2.1");
        assert_eq!(Device::of(""), Device { name: "Unknown device".into(), browser: None, os: None });
    }
}
