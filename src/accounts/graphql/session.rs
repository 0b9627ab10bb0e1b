//! Signing in, staying signed in, signing out.

use std::cmp::Reverse;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::user::UserObject;
use crate::accounts::model::{
    Admission, Challenge, Device, IssuedTokens, RefreshSessionInput, RevokeSessionInput, Session, SessionId,
    SessionSelection, SignInInput, SignOutInput, SignedIn, TokenTransport,
};
use crate::accounts::{command, error};
use crate::graphql::context::{Role, actor, app, client, public, requires};
use crate::graphql::error::payload;
use crate::graphql::page::slice;
use crate::graphql::{Connection, Inline, PageArgs, Requires, Result, UserError, UserErrorCode};
use crate::platform::auth::TokenCookie;

const SESSIONS: &str = "sessions";
const SET_COOKIE: &str = "set-cookie";

/// A session in the schema, as its owner sees it.
#[derive(Clone)]
pub(super) struct SessionObject {
    session: Session,
    current: bool,
}

/// A sign-in of the viewer's, on one device.
#[Object(name = "Session")]
impl SessionObject {
    /// Identifies the session.
    async fn id(&self) -> SessionId {
        self.session.id
    }

    /// The device, as far as it tells.
    async fn device(&self) -> Inline<Device> {
        Inline(Device::of(&self.session.user_agent))
    }

    /// The network address that it had last.
    async fn ip(&self) -> Option<&str> {
        self.session.ip.as_deref()
    }

    /// When the viewer signed in there.
    async fn created_at(&self) -> DateTime<Utc> {
        self.session.created_at
    }

    /// When the session was last refreshed: to within the life of an access token, when it was last used.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.session.last_used_at
    }

    /// When it ends unless it is refreshed before.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.session.expires_at
    }

    /// Whether this request belongs to it.
    async fn current(&self) -> bool {
        self.current
    }
}

/// The answer to `signIn`.
#[derive(SimpleObject)]
pub(super) struct SignInPayload {
    #[graphql(flatten)]
    entrance: Entrance,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `refreshSession`.
#[derive(SimpleObject)]
pub(super) struct RefreshSessionPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `signOut`.
#[derive(SimpleObject)]
pub(super) struct SignOutPayload {
    /// How many sessions have ended; null when there are userErrors.
    ended_count: Option<usize>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `revokeSession`.
#[derive(SimpleObject)]
pub(super) struct RevokeSessionPayload {
    /// The session that has ended; null when there are userErrors.
    session_id: Option<SessionId>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The queries about sessions.
#[derive(Default)]
pub(super) struct SessionQuery;

#[Object]
impl SessionQuery {
    /// The viewer's sessions, the last used first.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<SessionObject>>> {
        let current = actor(ctx).session();
        let sessions = command::sessions(app(ctx), actor(ctx)).await?;
        let objects = sessions
            .into_iter()
            .map(|session| SessionObject { current: current == Some(session.id.uuid()), session })
            .collect();
        let args = PageArgs { first, after, last, before };
        slice(args, SESSIONS, objects, |SessionObject { session, .. }| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(session.last_used_at.timestamp_micros()), Reverse(session.id.uuid()))
        })
        .map(Inline)
    }
}

/// What can be done with sessions.
#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Exchanges an e-mail address and a password for a session, or for a `challenge` if there is a second factor.
    #[graphql(directive = public::apply())]
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address and the password.")] input: SignInInput,
    ) -> Result<Option<Inline<SignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (admission, user_errors) = payload(command::sign_in(app(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(SignInPayload { entrance: let_in(ctx, transport, admission), user_errors })))
    }

    /// Exchanges a refresh token for the next pair of tokens. Each is good once: when one is used twice the session
    /// ends and its user is told by mail. A client that did not get the answer may ask again with the same token, a
    /// second later and within half a minute.
    #[graphql(directive = public::apply())]
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshSessionInput,
    ) -> Result<Option<Inline<RefreshSessionPayload>>> {
        let transport = if input.refresh_token.is_some() { TokenTransport::Bearer } else { TokenTransport::Cookie };
        let refreshed = command::refresh(app(ctx), client(ctx), input.refresh_token).await;
        let (signed_in, user_errors) = payload(refreshed)?;
        if transport == TokenTransport::Cookie
            && user_errors.iter().any(|error| error.0.code == UserErrorCode::SessionOver)
        {
            clear_cookies(ctx);
        }
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Inline(RefreshSessionPayload { handed, user_errors })))
    }

    /// Ends the session that this request belongs to, the viewer's other ones, or all. Their access tokens are refused
    /// and their sockets close within a second. When the access token has ended, the refresh token is enough.
    #[graphql(directive = public::apply())]
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.")] input: SignOutInput,
    ) -> Result<Option<Inline<SignOutPayload>>> {
        let keeps_this = input.sessions == SessionSelection::Others;
        let outcome = command::sign_out(app(ctx), actor(ctx), client(ctx), input).await;
        let (ended_count, user_errors) = payload(outcome)?;
        if !keeps_this && client(ctx).refresh_cookie.is_some() {
            clear_cookies(ctx);
        }
        Ok(Some(Inline(SignOutPayload { ended_count, user_errors })))
    }

    /// Ends one of the viewer's sessions.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: RevokeSessionInput,
    ) -> Result<Option<Inline<RevokeSessionPayload>>> {
        let outcome = command::revoke(app(ctx), actor(ctx), client(ctx), input).await;
        let (session_id, user_errors) = payload(outcome)?;
        Ok(Some(Inline(RevokeSessionPayload { session_id, user_errors })))
    }
}

/// What every payload has that may hand tokens over.
#[derive(Default, SimpleObject)]
pub(super) struct Handed {
    /// Who signed in; null when there are userErrors, and when there is a challenge.
    pub(super) user: Option<Inline<UserObject>>,
    /// Send it as `Authorization: Bearer …`, or as `authorization` in the payload of connection_init. Null when there
    /// are userErrors, and when it is in a cookie.
    pub(super) access_token: Option<String>,
    /// When the access token ends. Refresh the session before.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Exchange it with `refreshSession`, once. Null when there are userErrors, and when it is in a cookie.
    pub(super) refresh_token: Option<String>,
    /// When the refresh token, and with it the session, ends.
    pub(super) refresh_expires_at: Option<DateTime<Utc>>,
    /// Whether an administrator has no powers until a second factor is set up; null when nobody signed in.
    pub(super) second_factor_required: Option<bool>,
}

/// The question for the second factor.
#[derive(Clone, SimpleObject)]
pub(super) struct SignInChallenge {
    /// Pass it to `completeSignIn` together with the code.
    token: String,
    /// Until when it can be answered.
    expires_at: DateTime<Utc>,
}

/// What every payload has that ends a sign-in, or asks for the second factor.
#[derive(SimpleObject)]
pub(super) struct Entrance {
    #[graphql(flatten)]
    handed: Handed,
    /// Asks for the second factor, if the user has one: there are no tokens then until `completeSignIn` has answered.
    challenge: Option<Inline<SignInChallenge>>,
}

/// # Errors
/// Cookies are wanted where none can be set.
pub(super) fn check_transport(ctx: &Context<'_>, transport: TokenTransport) -> Result<()> {
    match transport {
        TokenTransport::Cookie if !client(ctx).takes_cookies => Err(error::no_cookies_here()),
        _ => Ok(()),
    }
}

/// Gives the client its tokens or the question for the second factor.
pub(super) fn let_in(ctx: &Context<'_>, transport: TokenTransport, admission: Option<Admission>) -> Entrance {
    let (signed_in, challenge) = match admission {
        Some(Admission::Open(signed_in)) => (Some(*signed_in), None),
        Some(Admission::Challenge(challenge)) => (None, Some(challenge)),
        None => (None, None),
    };
    let challenge = challenge.map(|Challenge { token, expires_at }| Inline(SignInChallenge { token, expires_at }));
    Entrance { handed: hand_over(ctx, transport, signed_in), challenge }
}

/// Gives tokens to the client in the way that it asked for.
pub(super) fn hand_over(ctx: &Context<'_>, transport: TokenTransport, signed_in: Option<SignedIn>) -> Handed {
    let Some(SignedIn { user, tokens, lacks_second_factor }) = signed_in else { return Handed::default() };
    let IssuedTokens { access_token, access_expires_at, refresh_token, refresh_expires_at, .. } = tokens;
    let handed = Handed {
        user: Some(Inline(UserObject::own(user))),
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
