//! Signing in, and the session that begins with it.

use serde_json::json;

use super::second_factor::admit;
use super::session::end_recorded;
use crate::accounts::model::{Admission, IssuedTokens, SessionEnd, SessionId, SignInInput, SignedIn, User};
use crate::accounts::query::session::{self, Span, Which};
use crate::accounts::query::{second_factor, user};
use crate::accounts::{error, policy};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Client, Grant, Role, Verdict, opaque};
use crate::platform::db::Tx;
use crate::platform::throttle::Purpose;

/// What refresh tokens begin with.
pub(super) const REFRESH_PREFIX: &str = "lyr_";

/// Exchanges an address and a password for a session, or for the question for the second factor.
///
/// # Errors
/// Either is wrong: one answer for both, after the same work. The user is banned. Too many attempts were made, or more
/// passwords wait to be checked than is good.
pub async fn sign_in(app: &App, client: &Client, input: SignInInput) -> Result<Admission> {
    let email = super::user::normalise(&input.email);
    let attempt = app.throttle.attempt(Purpose::SignIn, client.address(), Some(&email)).await?;
    let found = user::credentials(&mut *app.db.read().await?, &email).await?;
    let stored = found.as_ref().and_then(|found| found.password_hash.clone());
    let verdict = match policy::can_be_password(&input.password) {
        true => app.passwords.check(input.password.clone(), stored.clone()).await?,
        false => Verdict::Wrong,
    };
    let Some(user) = found.as_ref().map(|found| &found.user).filter(|_| verdict != Verdict::Wrong) else {
        let known = found.map(|found| found.user.id.uuid());
        let entry = Entry { action: Action::SignInFailed, actor: None, subject: known, client, details: json!({}) };
        audit::record(&mut *app.db.read().await?, app.clock.uuid(), app.clock.now(), entry).await?;
        return Err(error::wrong_credentials());
    };
    app.throttle.succeeded(attempt).await;
    let better = match verdict {
        Verdict::Outdated => Some(app.passwords.hash(input.password).await?),
        Verdict::Right | Verdict::Wrong => None,
    };
    app.db
        .transaction(async |tx| {
            // Whoever replaced the password while this one was checked has ended its sessions; there is no new one.
            let now = user::lock_credentials(tx, user.id).await?.ok_or_else(error::wrong_credentials)?;
            if now.password_hash != stored {
                return Err(error::wrong_credentials());
            }
            if let Some(hash) = &better {
                user::set_password(tx, user.id, hash, app.clock.now()).await?;
            }
            admit(tx, app, client, user).await
        })
        .await
}

/// Begins a session for somebody who has proved who they are, with the second factor if there is one. The oldest sessions end if there are too many then.
///
/// # Errors
/// The user is banned.
pub async fn open(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<SignedIn> {
    let now = app.clock.now();
    // Read again under a lock: a ban that was committed while the password was checked counts, one that comes later
    // finds the session, and two sign-ins at once cannot both be the last that is allowed.
    let user = user::lock(tx, user.id).await?.ok_or_else(error::wrong_credentials)?;
    if user.is_banned(now) {
        return Err(error::banned(&user));
    }
    end_oldest(tx, app, client, &user).await?;
    let id = SessionId::new(app.clock.uuid());
    let span = Span { from: now, to: now + app.config.session_lifetime };
    session::insert(tx, id, user.id, client, &span).await?;
    let actor = Some(user.id.uuid());
    let entry = Entry { action: Action::SignedIn, actor, subject: actor, client, details: json!({ "sessionId": id }) };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    issue(tx, app, user, id, &span).await
}

/// The next pair of tokens of a session.
pub(super) async fn issue(tx: &mut Tx, app: &App, user: User, id: SessionId, span: &Span) -> Result<SignedIn> {
    let (refresh_token, hash) = opaque(REFRESH_PREFIX);
    session::insert_token(tx, id, &hash, span.from).await?;
    let lacks_second_factor = lacks_second_factor(tx, app, &user).await?;
    // Everything but an administrator's powers, so that the second factor can be set up.
    let role = if lacks_second_factor { Role::Student } else { user.role };
    let grant = Grant { user: user.id.uuid(), role, session: id.uuid(), version: user.token_version };
    let (access_token, access_expires_at) = app.tokens.issue(grant)?;
    let refresh_expires_at = span.to;
    let tokens = IssuedTokens { session: id, access_token, access_expires_at, refresh_token, refresh_expires_at };
    Ok(SignedIn { user, tokens, lacks_second_factor })
}

/// Whether the settings ask for a second factor that this user has not set up.
async fn lacks_second_factor(tx: &mut Tx, app: &App, user: &User) -> Result<bool> {
    let needed = app.config.admins_need_second_factor && user.role == Role::Admin;
    Ok(needed && !second_factor::is_enabled(tx.conn(), user.id).await?)
}

/// Makes room for one more session.
async fn end_oldest(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<()> {
    let most = app.config.max_sessions;
    if most == 0 {
        return Ok(());
    }
    let live = session::live(tx.conn(), user.id, app.clock.now()).await?;
    for old in live.iter().skip(most - 1) {
        end_recorded(tx, app, client, user.id, Which::Only(old.id), SessionEnd::TooMany).await?;
    }
    // Like the other nodes, this one reads soon that they have ended. It must not believe so now: should the
    // transaction fail, it would refuse sessions that go on.
    Ok(())
}
