//! What can be done with passwords.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::session::{encoded, signed_in};
use super::user::{check_email, check_password};
use crate::accounts::event::{PasswordChanged, PasswordResetRequested};
use crate::accounts::model::{
    CODE_LIFETIME, ChangePasswordInput, Credentials, RequestPasswordResetInput, ResetPasswordInput, SessionEnd, User,
    UserId,
};
use crate::accounts::query::session::{self, Which};
use crate::accounts::query::{api_token, email_change, second_factor, user as query};
use crate::accounts::{error, policy};
use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Link, Proof, Verdict};
use crate::platform::db::Tx;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// Has a link to a new password mailed to the address' user, if there is one. Returns until when it is good.
///
/// # Errors
/// The address is none. Too many were asked for. Not that nobody has the address: the answer is the same, after the
/// same work.
pub(crate) async fn request_password_reset(
    app: &App,
    client: &Client,
    input: RequestPasswordResetInput,
) -> Result<DateTime<Utc>> {
    let mut check = Check::new();
    let email = check_email(&mut check, "email", &input.email);
    check.finish()?;
    app.throttle.attempt(Purpose::PasswordReset, client.address(), Some(&email)).await?;
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

/// Sets a new password with a mailed link, and ends all sessions and API tokens: whoever asks for this may have lost
/// the account to somebody. The link is over with the old password.
///
/// # Errors
/// The link or the password is not good.
pub(crate) async fn reset_password(app: &App, client: &Client, input: ResetPasswordInput) -> Result<User> {
    let mut check = Check::new();
    check_password(&mut check, "newPassword", &input.new_password);
    check.finish()?;
    let link = Link::parse(&input.token).ok_or_else(error::link_over)?;
    let attempt = app.throttle.attempt(Purpose::PasswordReset, client.address(), None).await?;
    let id = UserId::new(link.id);
    // Nobody gets a password hashed for a link that is not good.
    proved(app, &link, query::credentials_of(&mut *app.db.read().await?, id).await?)?;
    let hash = app.passwords.hash(input.new_password).await?;
    let (user, ended) = app
        .db
        .transaction(async |tx| {
            // Again under a lock: of two who use it at once, one does.
            let user = proved(app, &link, query::lock_credentials(tx, id).await?)?;
            // Whoever reads the mail of an address has shown that it is theirs.
            query::set_verified(tx, id, app.clock.now()).await?;
            let how =
                Replacement { sessions: Which::All, why: SessionEnd::PasswordReset, action: Action::PasswordReset };
            let (user, mut ended) = replace(tx, app, client, &user, &hash, how).await?;
            ended.extend(api_token::revoke_all(tx, id, app.clock.now()).await?);
            Ok::<_, Error>((user, ended))
        })
        .await?;
    app.revocations.learn(ended, []);
    app.throttle.succeeded(attempt).await;
    Ok(user)
}

/// Whose password the link may replace.
fn proved(app: &App, link: &Link, found: Option<Credentials>) -> Result<User> {
    let found = found.ok_or_else(error::link_over)?;
    match app.codes.is_link(link, Proof::PasswordReset, &found.reset_state(), app.clock.now()) {
        true => Ok(found.user),
        false => Err(error::link_over()),
    }
}

/// Replaces the viewer's password, and ends their other sessions.
///
/// # Errors
/// The current password is wrong, or there is none; the new one's mistakes.
pub(crate) async fn change_password(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: ChangePasswordInput,
) -> Result<User> {
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

/// Asks a user who is signed in for the password, which counts like signing in with it. `field` is where it stands in
/// the input.
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
    compare(app, client, &found, &password, field).await?;
    Ok(found)
}

/// The same for those who may have none, because they sign in with another service only: there is nothing to ask them.
pub(super) async fn confirm_if_any(
    app: &App,
    client: &Client,
    id: UserId,
    password: Option<String>,
    field: &'static str,
) -> Result<()> {
    let found = query::credentials_of(&mut *app.db.read().await?, id).await?.ok_or_else(error::no_such_user)?;
    match found.password_hash {
        Some(_) => compare(app, client, &found, &password.unwrap_or_default(), field).await,
        None => Ok(()),
    }
}

async fn compare(app: &App, client: &Client, found: &Credentials, password: &str, field: &'static str) -> Result<()> {
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

/// Locks the user whose password was confirmed; it may have been replaced since.
pub(super) async fn still(tx: &mut Tx, known: &Credentials, field: &'static str) -> Result<User> {
    let now = query::lock_credentials(tx, known.user.id).await?.ok_or_else(error::no_such_user)?;
    if now.password_hash == known.password_hash { Ok(now.user) } else { Err(error::wrong_password(field)) }
}

/// What a new password goes with.
struct Replacement {
    sessions: Which,
    why: SessionEnd,
    action: Action,
}

/// Stores a new password, and ends what somebody with the old one may have begun; returns the sessions.
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
