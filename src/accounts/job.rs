//! Background jobs of the accounts feature: emails and cleanup.

mod email_change;
mod mails;
mod password;
mod registration;
mod retention;
mod team;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

pub use self::mails::mails;
use super::command;
use super::event::{
    AccountDeletionScheduled, ApiTokenCreated, IdentityChanged, SecondFactorChanged, SessionReplayed, UserBanned,
    UserRegistered,
};
use super::loader::UserById;
use super::model::{Device, FactorChange, User, UserId};
use super::query::{api_token, second_factor};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let here = [
        Handler::reaction("accounts.welcome", UserRegistered::KIND, Duration::from_secs(30), |app, payload| {
            async move { welcome(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::reaction("accounts.warn_of_replay", SessionReplayed::KIND, Duration::from_secs(30), |app, payload| {
            async move { warn_of_replay(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::reaction(
            "accounts.tell_of_api_token",
            ApiTokenCreated::KIND,
            Duration::from_secs(30),
            |app, payload| async move { tell_of_api_token(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction(
            "accounts.tell_of_identity",
            IdentityChanged::KIND,
            Duration::from_secs(30),
            |app, payload| async move { tell_of_identity(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction(
            "accounts.tell_of_second_factor",
            SecondFactorChanged::KIND,
            Duration::from_secs(30),
            |app, payload| async move { tell_of_second_factor(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction(
            "accounts.tell_of_deletion",
            AccountDeletionScheduled::KIND,
            Duration::from_secs(30),
            |app, payload| async move { tell_of_deletion(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::scheduled("accounts.delete_due", "*/5 * * * *", Duration::from_secs(1800), |app, _| {
            async move { command::delete_due(&app).await }.boxed()
        }),
        Handler::reaction("accounts.tell_of_ban", UserBanned::KIND, Duration::from_secs(30), |app, payload| {
            async move { tell_of_ban(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
    ];
    here.into_iter()
        .chain(registration::handlers())
        .chain(password::handlers())
        .chain(email_change::handlers())
        .chain(team::handlers())
        .chain(retention::handlers())
        .collect()
}

/// Returns the recipient of an email; `None` if the user was deleted in the meantime.
async fn recipient(app: &App, id: UserId) -> Result<Option<Arc<User>>, InternalError> {
    let found = UserById(id).load_one(app).await?;
    Ok(found.filter(|user| user.deleted_at.is_none()))
}

async fn welcome(app: &App, event: UserRegistered) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    let mail = mail::render(&app.config, &mails::WELCOME, &user.email, mails::Welcome { name: &user.name })?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_api_token(app: &App, event: ApiTokenCreated) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    let token = api_token::by_id(&mut *app.db.read().await?, event.api_token_id).await?;
    let Some(token) = token else { return Ok(()) };
    let (at, until) = (token.created_at, token.expires_at);
    let context = mails::ApiTokenCreated { name: &user.name, token_name: &token.name, at, until };
    let mail = mail::render(&app.config, &mails::API_TOKEN_CREATED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn warn_of_replay(app: &App, event: SessionReplayed) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    let context = mails::SessionStolen {
        name: &user.name,
        device: &Device::of(&event.user_agent).name,
        ip: event.ip.as_deref().unwrap_or("unknown"),
        at: event.at,
    };
    let mail = mail::render(&app.config, &mails::SESSION_STOLEN, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_identity(app: &App, event: IdentityChanged) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    let context =
        mails::IdentityChanged { name: &user.name, provider: &event.provider, linked: event.linked, at: event.at };
    let mail = mail::render(&app.config, &mails::IDENTITY_CHANGED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_second_factor(app: &App, event: SecondFactorChanged) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    let change = match event.change {
        FactorChange::Enabled => mails::SecondFactorChange::Enabled,
        FactorChange::Disabled => mails::SecondFactorChange::Disabled,
        FactorChange::RecoveryCodeUsed => {
            let state = second_factor::state(&mut *app.db.read().await?, event.user_id).await?;
            mails::SecondFactorChange::RecoveryCodeUsed { left: state.map_or(0, |state| state.codes_left) }
        }
        FactorChange::CodesRenewed => mails::SecondFactorChange::CodesRenewed,
    };
    let context = mails::SecondFactorChanged { name: &user.name, at: event.at, change };
    let mail = mail::render(&app.config, &mails::SECOND_FACTOR_CHANGED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_deletion(app: &App, event: AccountDeletionScheduled) -> Result<(), InternalError> {
    let Some(user) = recipient(app, event.user_id).await? else { return Ok(()) };
    // The deletion was canceled in the meantime.
    if user.deletion_due_at != Some(event.due_at) {
        return Ok(());
    }
    let context = mails::AccountDeletionScheduled { name: &user.name, until: event.due_at };
    let mail = mail::render(&app.config, &mails::ACCOUNT_DELETION_SCHEDULED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}

async fn tell_of_ban(app: &App, event: UserBanned) -> Result<(), InternalError> {
    // The user was deleted or unbanned in the meantime.
    let user = recipient(app, event.user_id).await?.filter(|user| user.is_banned(app.clock.now()));
    let Some(user) = user else { return Ok(()) };
    let context = mails::AccountBanned { name: &user.name, reason: &event.reason, until: event.until };
    let mail = mail::render(&app.config, &mails::ACCOUNT_BANNED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
