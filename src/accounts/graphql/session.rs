//! Sessions in the schema: sign-in, refresh and sign-out.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::session_list::SessionObject;
use super::user::UserObject;
use crate::accounts::model::{
    Admission, Challenge, IssuedTokens, ReauthenticateInput, RefreshSessionInput, RevokeSessionInput, SessionId,
    SessionSelection, SignInInput, SignOutInput, SignedIn, TokenTransport,
};
use crate::accounts::{command, error};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::page::slice;
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential, UserError, UserErrorCode};
use crate::platform::auth::TokenCookie;

const SESSIONS: &str = "sessions";
const SET_COOKIE: &str = "set-cookie";

/// The payload of `signIn`.
#[derive(SimpleObject)]
pub(super) struct SignInPayload {
    #[graphql(flatten)]
    entrance: Entrance,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `reauthenticate`.
#[derive(SimpleObject)]
pub(super) struct ReauthenticatePayload {
    /// Until when sensitive mutations need no further authentication in this session. Null if there are `userErrors`.
    valid_until: Option<DateTime<Utc>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `refreshSession`.
#[derive(SimpleObject)]
pub(super) struct RefreshSessionPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `signOut`.
#[derive(SimpleObject)]
pub(super) struct SignOutPayload {
    /// The number of sessions that ended; null if there are `userErrors`.
    ended_count: Option<usize>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `revokeSession`.
#[derive(SimpleObject)]
pub(super) struct RevokeSessionPayload {
    /// The session that ended; null if there are `userErrors`.
    session_id: Option<SessionId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The viewer's sessions.
#[derive(Default)]
pub(super) struct ViewerSessions;

#[Object]
impl ViewerSessions {
    /// The sessions that have neither ended nor expired, most recently used first.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<SessionObject>>>> {
        let sessions = command::sessions(app(ctx), actor(ctx)).await?;
        let objects = sessions.into_iter().map(|session| SessionObject(Arc::new(session))).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, SESSIONS, objects, |SessionObject(session)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(session.last_used_at.timestamp_micros()), Reverse(session.id.uuid()))
        })
        .map(|page| Some(Sequential(page)))
    }
}

/// The session mutations.
#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Exchanges an email address and a password for a session. Returns a `challenge` instead if there is a second
    /// factor.
    #[graphql(directive = public::apply())]
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The email address and the password.")] input: SignInInput,
    ) -> Result<Option<Sequential<SignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (admission, user_errors) = payload(command::sign_in(app(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(SignInPayload { entrance: let_in(ctx, transport, admission), user_errors })))
    }

    /// Confirms that the session is still the viewer's, with the password and the second factor as far as the account
    /// has them. Mutations that could hand the account over to someone else need this, or the sign-in, within the last
    /// 15 minutes; otherwise they return `REAUTHENTICATION_REQUIRED`. An account without both signs in again instead.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn reauthenticate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password and the code.")] input: ReauthenticateInput,
    ) -> Result<Option<Sequential<ReauthenticatePayload>>> {
        let outcome = command::reauthenticate(app(ctx), actor(ctx), client(ctx), input).await;
        let (valid_until, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(ReauthenticatePayload { valid_until, user_errors })))
    }

    /// Exchanges a refresh token for the next pair of tokens. Each refresh token is valid once: if it is reused, the
    /// session ends and an email notifies the user. A client that lost the response may retry with the same token after
    /// one second and within 30 seconds.
    #[graphql(directive = public::apply())]
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshSessionInput,
    ) -> Result<Option<Sequential<RefreshSessionPayload>>> {
        let transport = if input.refresh_token.is_some() { TokenTransport::Bearer } else { TokenTransport::Cookie };
        let refreshed = command::refresh(app(ctx), client(ctx), input.refresh_token).await;
        let (signed_in, user_errors) = payload(refreshed)?;
        if transport == TokenTransport::Cookie
            && user_errors.iter().any(|error| error.0.code == UserErrorCode::SessionOver)
        {
            clear_cookies(ctx);
        }
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Sequential(RefreshSessionPayload { handed, user_errors })))
    }

    /// Ends the session of this request, the viewer's other sessions, or all. Within a second their access tokens are
    /// rejected and their WebSocket connections close. If the access token has expired, the refresh token is enough.
    #[graphql(directive = public::apply())]
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sessions to end.")] input: SignOutInput,
    ) -> Result<Option<Sequential<SignOutPayload>>> {
        let keeps_this = input.sessions == SessionSelection::Others;
        let outcome = command::sign_out(app(ctx), actor(ctx), client(ctx), input).await;
        let (ended_count, user_errors) = payload(outcome)?;
        if !keeps_this && client(ctx).refresh_cookie.is_some() {
            clear_cookies(ctx);
        }
        Ok(Some(Sequential(SignOutPayload { ended_count, user_errors })))
    }

    /// Ends one of the viewer's sessions.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: RevokeSessionInput,
    ) -> Result<Option<Sequential<RevokeSessionPayload>>> {
        let outcome = command::revoke(app(ctx), actor(ctx), client(ctx), input).await;
        let (session_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RevokeSessionPayload { session_id, user_errors })))
    }
}

/// The fields of every payload that can contain tokens.
#[derive(Default, SimpleObject)]
pub(super) struct Handed {
    /// The user who signed in; null if no user did.
    pub(super) user: Option<Sequential<UserObject>>,
    /// The access token. Send it as `Authorization: Bearer …`, or as `authorization` in the payload of
    /// `connection_init`. Null if no user signed in or the token is in a cookie.
    pub(super) access_token: Option<String>,
    /// When the access token expires; refresh the session before. Null if no user signed in.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// The refresh token, to be exchanged once with `refreshSession`. Null if no user signed in or the token is in a
    /// cookie.
    pub(super) refresh_token: Option<String>,
    /// When the refresh token expires, and with it the session. Null if no user signed in.
    pub(super) refresh_expires_at: Option<DateTime<Utc>>,
    /// Whether administrator rights are withheld until a second factor is set up. Null if no user signed in.
    pub(super) second_factor_required: Option<bool>,
}

/// A challenge to provide the second factor.
#[derive(Clone, SimpleObject)]
pub(super) struct SignInChallenge {
    /// The token to pass to `completeSignIn` together with the code.
    token: String,
    /// When the challenge expires.
    expires_at: DateTime<Utc>,
}

/// The fields of every payload that completes a sign-in or asks for the second factor.
#[derive(SimpleObject)]
pub(super) struct Entrance {
    #[graphql(flatten)]
    handed: Handed,
    /// The challenge, if the user has a second factor; otherwise null. The tokens are returned by `completeSignIn`
    /// then.
    challenge: Option<Sequential<SignInChallenge>>,
}

/// Checks that the client can receive its tokens by this transport.
///
/// # Errors
/// Cookies are requested but cannot be set for this request.
pub(super) fn check_transport(ctx: &Context<'_>, transport: TokenTransport) -> Result<()> {
    match transport {
        TokenTransport::Cookie if !client(ctx).takes_cookies => Err(error::no_cookies_here()),
        _ => Ok(()),
    }
}

/// Returns the tokens or the second-factor challenge to the client.
pub(super) fn let_in(ctx: &Context<'_>, transport: TokenTransport, admission: Option<Admission>) -> Entrance {
    let (signed_in, challenge) = match admission {
        Some(Admission::Open(signed_in)) => (Some(*signed_in), None),
        Some(Admission::Challenge(challenge)) => (None, Some(challenge)),
        None => (None, None),
    };
    let challenge = challenge.map(|Challenge { token, expires_at }| Sequential(SignInChallenge { token, expires_at }));
    Entrance { handed: hand_over(ctx, transport, signed_in), challenge }
}

/// Returns the tokens to the client by the requested transport.
pub(super) fn hand_over(ctx: &Context<'_>, transport: TokenTransport, signed_in: Option<SignedIn>) -> Handed {
    let Some(SignedIn { user, tokens, lacks_second_factor }) = signed_in else { return Handed::default() };
    let IssuedTokens { access_token, access_expires_at, refresh_token, refresh_expires_at, .. } = tokens;
    let handed = Handed {
        user: Some(Sequential(UserObject::own(user))),
        expires_at: Some(access_expires_at),
        refresh_expires_at: Some(refresh_expires_at),
        second_factor_required: Some(lacks_second_factor),
        ..Handed::default()
    };
    match transport {
        TokenTransport::Bearer => {
            Handed { access_token: Some(access_token), refresh_token: Some(refresh_token), ..handed }
        }
        TokenTransport::Cookie => {
            let (url, now) = (&app(ctx).config.public_url, app(ctx).clock.now());
            let access = TokenCookie::Access.set(url, &access_token, access_expires_at, now);
            let refresh = TokenCookie::Refresh.set(url, &refresh_token, refresh_expires_at, now);
            ctx.append_http_header(SET_COOKIE, access);
            ctx.append_http_header(SET_COOKIE, refresh);
            handed
        }
    }
}

/// Removes the session's cookies.
pub(super) fn clear_cookies(ctx: &Context<'_>) {
    let url = &app(ctx).config.public_url;
    for cookie in [TokenCookie::Access, TokenCookie::Refresh] {
        ctx.append_http_header(SET_COOKIE, cookie.clear(url));
    }
}
