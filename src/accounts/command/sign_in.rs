//! Sign-in with a password.

use serde_json::{Value, json};

use super::second_factor::admit;
use crate::accounts::model::{Admission, SignInInput, UserId};
use crate::accounts::query::user;
use crate::accounts::{error, policy};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Client, Verdict};
use crate::platform::throttle::Purpose;

/// Exchanges an email address and a password for a session, or for a second-factor challenge.
///
/// # Errors
/// The email address or the password is wrong: the same error for both, after the same work. The user is banned. There
/// were too many attempts, or too many passwords are waiting to be checked.
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
        let known = found.map(|found| found.user.id);
        record_failure(app, client, known, json!({})).await?;
        return Err(error::wrong_credentials());
    };
    app.throttle.succeeded(attempt).await;
    if user.is_banned(app.clock.now()) {
        record_failure(app, client, Some(user.id), json!({ "banned": true })).await?;
        return Err(error::banned(user));
    }
    let better = match verdict {
        Verdict::Outdated => Some(app.passwords.hash(input.password).await?),
        Verdict::Right | Verdict::Wrong => None,
    };
    app.db
        .transaction(async |tx| {
            // If the password was replaced during the check, its sessions have ended and no new one must begin.
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

async fn record_failure(app: &App, client: &Client, user: Option<UserId>, details: Value) -> Result<()> {
    let subject = user.map(UserId::uuid);
    let entry = Entry { action: Action::SignInFailed, actor: None, subject, client, details };
    Ok(audit::record(&mut *app.db.read().await?, app.clock.uuid(), app.clock.now(), entry).await?)
}
