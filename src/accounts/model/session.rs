//! Sessions, their refresh tokens, and what may be done with one of those.

use std::fmt;

use async_graphql::{Enum, InputObject, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::User;
use crate::graphql::{Entity, Id};
use crate::platform::auth::Client;
use crate::platform::db::schema::{refresh_tokens, sessions};

/// Two exchanges of one token within this time are a race of one client with itself: several tabs, a double click.
const RACE: TimeDelta = TimeDelta::seconds(1);
/// After a race is over and within this time, a second exchange is a retry of a client that did not get the answer.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// A session's id: `session_01j…`.
pub(crate) type SessionId = Id<Session>;

/// One sign-in and what followed: the family of its refresh tokens.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// Whose.
    pub user_id: Id<User>,
    /// What the client called itself last.
    pub user_agent: String,
    /// The address that the client had last.
    pub ip: Option<String>,
    /// When the user signed in.
    pub created_at: DateTime<Utc>,
    /// When the session was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed before.
    pub expires_at: DateTime<Utc>,
    /// The refresh token that was exchanged last.
    pub previous_hash: Option<Vec<u8>>,
    /// When it ended early.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Entity for Session {
    const PREFIX: &'static str = "session";
}

/// Why a session ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// The user signed out.
    SignedOut,
    /// The user ended it from another session.
    Revoked,
    /// A refresh token was used twice.
    Replayed,
    /// The user gave the account up.
    AccountGivenUp,
    /// The user has more sessions than are allowed, and this was the oldest.
    TooMany,
    /// An administrator has shut the user out.
    Banned,
    /// The user changed the password in another session.
    PasswordChanged,
    /// Somebody with access to the user's mail chose a new password.
    PasswordReset,
}

impl SessionEnd {
    /// As it is stored.
    pub(crate) fn as_str(self) -> &'static str {
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

/// What to do about a refresh token that somebody wants to exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// Its first use.
    First,
    /// The same client again, soon: it did not get the answer, or has two tabs. It gets the same answer again.
    Retry,
    /// The same token twice at once: the other one gets the answer.
    Race,
    /// Somebody has a token that was used: the session is no longer safe.
    Replay,
    /// The session is over.
    Over,
}

impl Exchange {
    /// Decides about `token` of `session`, which `client` presents at `now`.
    pub(crate) fn of(session: &Session, token: &RefreshToken, client: &Client, now: DateTime<Utc>) -> Exchange {
        if session.ended_at.is_some() || session.expires_at <= now {
            return Exchange::Over;
        }
        let Some(used_at) = token.used_at else { return Exchange::First };
        let latest = session.previous_hash.as_ref() == Some(&token.hash);
        // Not its address: answers get lost when a phone changes networks. A thief who is taken for the client here gets
        // what the client has, so that the next of the two to refresh gives the theft away.
        let same_client = session.user_agent == client.user_agent;
        match now - used_at {
            since if latest && since < RACE => Exchange::Race,
            since if latest && same_client && since < GRACE => Exchange::Retry,
            _ => Exchange::Replay,
        }
    }
}

/// What a user agent says about the device.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub(crate) struct Device {
    /// For people: "Firefox on Linux".
    pub name: String,
    /// The browser, when it is a known one.
    pub browser: Option<String>,
    /// The operating system, when it is a known one.
    pub os: Option<String>,
}

impl Device {
    /// Reads a `User-Agent` header.
    pub(crate) fn of(user_agent: &str) -> Device {
        let parsed = woothee::parser::Parser::new().parse(user_agent);
        let known = |text: &str| (text != "UNKNOWN" && !text.is_empty()).then(|| text.to_owned());
        let browser = parsed.as_ref().and_then(|found| known(found.name));
        let os = parsed.as_ref().and_then(|found| known(found.os));
        let name = match (&browser, &os) {
            (Some(browser), Some(os)) => format!("{browser} on {os}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            // An app or a script: its own first word.
            (None, None) => user_agent.split_whitespace().next().unwrap_or("Unknown device").to_owned(),
        };
        Device { name, browser, os }
    }
}

/// How a browser or an app is given its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum TokenTransport {
    /// In the payload; the client sends them itself.
    #[default]
    Bearer,
    /// In `HttpOnly` cookies, out of reach of scripts. Requests that change something then need the header
    /// `x-lyceum-csrf` or an `Origin` that the server knows.
    Cookie,
}

/// The tokens of a session.
#[derive(Clone)]
pub struct IssuedTokens {
    /// Which session.
    pub session: SessionId,
    /// Sent with every request.
    pub access_token: String,
    /// When the access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// Exchanged, once, for the next pair.
    pub refresh_token: String,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}

/// A user with fresh tokens.
#[derive(Clone)]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// The tokens.
    pub tokens: IssuedTokens,
    /// Whether an administrator has no powers until a second factor is set up.
    pub lacks_second_factor: bool,
}

/// What a person fills in to sign in.
#[derive(Clone, InputObject)]
pub struct SignInInput {
    /// The address that the account was registered with.
    pub email: String,
    /// The password.
    pub password: String,
    /// How the tokens are given to the client.
    #[graphql(default)]
    pub transport: TokenTransport,
}

// Passwords must not reach a log by way of a derived Debug.
impl fmt::Debug for SignInInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInInput").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Asks for the next pair of tokens.
#[derive(Clone, InputObject)]
pub(crate) struct RefreshSessionInput {
    /// The refresh token. Leave it out when it is in a cookie; the answer then sets cookies again.
    pub refresh_token: Option<String>,
}

/// Some of the viewer's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum SessionSelection {
    /// The one that this request belongs to.
    #[default]
    Current,
    /// All others.
    Others,
    /// All of them.
    All,
}

/// Signs out.
#[derive(Clone, InputObject)]
pub(crate) struct SignOutInput {
    /// The refresh token, when the access token has ended. Leave it out when it is in a cookie.
    pub(crate) refresh_token: Option<String>,
    /// Which sessions end.
    #[graphql(default)]
    pub(crate) sessions: SessionSelection,
}

// Tokens must not reach a log by way of a derived Debug.
impl fmt::Debug for SignOutInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutInput").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// Ends one of the viewer's sessions.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct RevokeSessionInput {
    /// Which one.
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
