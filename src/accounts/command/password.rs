//! Commands for passwords.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::linking::unlink;
use super::session::{encoded, signed_in, viewer};
use super::user::{check_email, check_password};
use crate::accounts::event::{PasswordChanged, PasswordResetRequested};
use crate::accounts::model::{
    CODE_LIFETIME, ChangePasswordInput, Credentials, RequestPasswordResetInput, ResetPasswordInput, SessionEnd, User,
    UserId,
};
use crate::accounts::query::session::{self, Which};
use crate::accounts::query::{api_token, email_change, identity, second_factor, user as query};
use crate::accounts::{error, policy};
use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Link, Proof, Verdict};
use crate::platform::db::Tx;
use crate::platform::mail::suppression;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// Whether the viewer has a password, rather than identity providers only.
///
/// # Errors
/// The caller is not signed in; the database failed.
pub async fn has_password(app: &App, actor: &Actor) -> Result<bool> {
    let credentials = query::credentials_of(&mut *app.db.read().await?, viewer(actor)?).await?;
    Ok(credentials.is_some_and(|credentials| credentials.password_hash.is_some()))
}

/// Emails a password reset link to the user with the address, if any. Returns when the link expires.
///
/// # Errors
/// The email address is invalid; too many requests. An unknown address is not an error: the response and the work are
/// the same.
pub async fn request_password_reset(
    app: &App,
    client: &Client,
    input: RequestPasswordResetInput,
) -> Result<DateTime<Utc>> {
    let mut check = Check::new();
    let email = check_email(&mut check, "email", &input.email);
    check.finish()?;
    app.throttle.attempt(Purpose::PasswordReset, client.address(), Some(&email)).await?;
    app.throttle.email(&email).await?;
    let at = app.clock.now();
    app.db
        .transaction(async |tx| {
            let user_id = query::id_by_email(tx.conn(), &email).await?;
            outbox::record(tx, &app.clock, &PasswordResetRequested { user_id, at }).await?;
            let (subject, details) = (user_id.map(UserId::uuid), json!({}));
            let entry = Entry { action: Action::PasswordResetRequested, actor: None, subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), at, entry).await?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(at + CODE_LIFETIME)
}

/// Sets a new password with an emailed link, and ends all sessions and API tokens.
///
/// These end because an attacker may have taken over the account. The new password invalidates the link.
///
/// # Errors
/// The link or the new password is invalid.
pub async fn reset_password(app: &App, client: &Client, input: ResetPasswordInput) -> Result<User> {
    let mut check = Check::new();
    check_password(&mut check, "newPassword", &input.new_password);
    check.finish()?;
    let link = Link::parse(&input.token).ok_or_else(error::link_over)?;
    let attempt = app.throttle.attempt(Purpose::PasswordReset, client.address(), None).await?;
    let id = UserId::new(link.id);
    // Check the link before the expensive hashing of the password.
    proved(app, &link, query::credentials_of(&mut *app.db.read().await?, id).await?)?;
    let hash = app.passwords.hash(input.new_password).await?;
    let (user, ended) = app
        .db
        .transaction(async |tx| {
            // Check again under a lock: of concurrent requests with one link, only one succeeds.
            let user = proved(app, &link, query::lock_credentials(tx, id).await?)?;
            // The link proves ownership of the email address.
            query::set_verified(tx, id, app.clock.now()).await?;
            suppression::lift(tx, &user.email).await?;
            let how =
                Replacement { sessions: Which::All, why: SessionEnd::PasswordReset, action: Action::PasswordReset };
            let (user, mut ended) = replace(tx, app, client, &user, &hash, how).await?;
            if input.unlink_identities {
                for linked in identity::of_users(tx.conn(), &[id]).await? {
                    unlink(tx, app, client, &linked).await?;
                }
            }
            ended.extend(api_token::revoke_all(tx, id, app.clock.now()).await?);
            Ok::<_, Error>((user, ended))
        })
        .await?;
    app.revocations.learn(ended, []);
    app.throttle.succeeded(attempt).await;
    Ok(user)
}

/// Returns the user whose password the link may replace.
fn proved(app: &App, link: &Link, found: Option<Credentials>) -> Result<User> {
    let found = found.ok_or_else(error::link_over)?;
    match app.codes.is_link(link, Proof::PasswordReset, &found.reset_state(), app.clock.now()) {
        true => Ok(found.user),
        false => Err(error::link_over()),
    }
}

/// Changes the viewer's password, and ends their other sessions.
///
/// # Errors
/// The current password is wrong, or there is none; the new one is invalid.
pub async fn change_password(app: &App, actor: &Actor, client: &Client, input: ChangePasswordInput) -> Result<User> {
    let (id, session) = signed_in(actor)?;
    let mut check = Check::new();
    check_password(&mut check, "newPassword", &input.new_password);
    check.finish()?;
    let known = confirm(app, client, id, input.current_password, "currentPassword").await?;
    let hash = app.passwords.hash(input.new_password).await?;
    let (user, ended) = app
        .db
        .transaction(async |tx| {
            let user = still(tx, &known, "currentPassword").await?;
            let sessions = Which::AllBut(session);
            let how = Replacement { sessions, why: SessionEnd::PasswordChanged, action: Action::PasswordChanged };
            replace(tx, app, client, &user, &hash, how).await
        })
        .await?;
    app.revocations.learn(ended, []);
    Ok(user)
}

/// Checks the password of a signed-in user, throttled like a sign-in. `field` is the input field with the password.
pub(super) async fn confirm(
    app: &App,
    client: &Client,
    id: UserId,
    password: String,
    field: &'static str,
) -> Result<Credentials> {
    let found = query::credentials_of(&mut *app.db.read().await?, id).await?.ok_or_else(error::no_such_user)?;
    if found.password_hash.is_none() {
        return Err(error::no_password(field));
    }
    check(app, client, &found, &password, field).await?;
    Ok(found)
}

/// Checks the password of a user who has one.
pub(super) async fn check(
    app: &App,
    client: &Client,
    found: &Credentials,
    password: &str,
    field: &'static str,
) -> Result<()> {
    let attempt = app.throttle.attempt(Purpose::SignIn, client.address(), Some(&found.user.email)).await?;
    let verdict = match policy::can_be_password(password) {
        true => app.passwords.check(password.to_owned(), found.password_hash.clone()).await?,
        false => Verdict::Wrong,
    };
    if verdict == Verdict::Wrong {
        let user = Some(found.user.id.uuid());
        let entry = Entry { action: Action::PasswordRefused, actor: user, subject: user, client, details: json!({}) };
        audit::record(&mut *app.db.read().await?, app.clock.uuid(), app.clock.now(), entry).await?;
        return Err(error::wrong_password(field));
    }
    app.throttle.succeeded(attempt).await;
    Ok(())
}

/// Locks the user whose password was confirmed. Fails if the password has changed since.
pub(super) async fn still(tx: &mut Tx, known: &Credentials, field: &'static str) -> Result<User> {
    let now = query::lock_credentials(tx, known.user.id).await?.ok_or_else(error::no_such_user)?;
    if now.password_hash == known.password_hash { Ok(now.user) } else { Err(error::wrong_password(field)) }
}

/// How to replace a password: which sessions end and why, and the audit action.
struct Replacement {
    sessions: Which,
    why: SessionEnd,
    action: Action,
}

/// Stores a new password, and invalidates what was started with the old one.
///
/// This ends sessions, the pending email change and sign-in challenges. Returns the user and the ended sessions.
async fn replace(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    user: &User,
    hash: &str,
    how: Replacement,
) -> Result<(User, Vec<Uuid>)> {
    let at = app.clock.now();
    let changed = query::set_password(tx, user.id, hash, at).await?;
    email_change::end(tx, user.id, at).await?;
    second_factor::delete_challenges(tx, user.id).await?;
    let ended = session::end(tx, user.id, how.sessions, how.why, at).await?;
    let who = Some(user.id.uuid());
    let details = json!({ "endedSessionIds": encoded(&ended) });
    let entry = Entry { action: how.action, actor: who, subject: who, client, details };
    audit::record(tx.conn(), app.clock.uuid(), at, entry).await?;
    outbox::record(tx, &app.clock, &PasswordChanged { user_id: user.id, at }).await?;
    Ok((changed, ended))
}
