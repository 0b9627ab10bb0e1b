//! Background jobs of channels: default channels, emails, and cleanup after an account or a channel is deleted.

mod mails;

use std::time::Duration;

use futures_util::FutureExt;

pub use self::mails::mails;
use super::command;
use super::event::{ChannelDeleted, ChannelMemberInvited};
use super::loader::ChannelById;
use crate::accounts::{UserById, UserDeleted, UserId, UserRegistered, UserRoleChanged};
use crate::graphql::Error;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    let timeout = Duration::from_secs(60);
    vec![
        Handler::reaction("channels.forget_user", UserDeleted::KIND, timeout, |app, payload| {
            async move { forget_user(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::reaction("channels.mail_invitation", ChannelMemberInvited::KIND, timeout, |app, payload| {
            async move { mail_invitation(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::reaction("channels.remove_deleted", ChannelDeleted::KIND, Duration::from_secs(600), |app, payload| {
            async move {
                let event: ChannelDeleted = serde_json::from_value(payload)?;
                command::remove_deleted(&app, event.channel_id).await
            }
            .boxed()
        }),
        Handler::reaction("channels.provide_to_new_user", UserRegistered::KIND, timeout, |app, payload| {
            async move {
                let event: UserRegistered = serde_json::from_value(payload)?;
                provide(&app, event.user_id).await
            }
            .boxed()
        }),
        Handler::reaction("channels.provide_to_new_instructor", UserRoleChanged::KIND, timeout, |app, payload| {
            async move {
                let event: UserRoleChanged = serde_json::from_value(payload)?;
                provide(&app, event.user_id).await
            }
            .boxed()
        }),
    ]
}

async fn forget_user(app: &App, event: UserDeleted) -> Result<(), InternalError> {
    command::forget(app, event.user_id).await.map_err(|error| internal("channels.forget_user", error))
}

async fn provide(app: &App, user: UserId) -> Result<(), InternalError> {
    command::provide_channel(app, user).await.map_err(|error| internal("channels.provide", error))
}

fn internal(job: &str, error: Error) -> InternalError {
    match error {
        Error::Internal(error) => error,
        other => InternalError::new(format!("{job}: {other:?}")),
    }
}

async fn mail_invitation(app: &App, event: ChannelMemberInvited) -> Result<(), InternalError> {
    let user = UserById(event.user_id).load_one(app).await?.filter(|user| user.deleted_at.is_none());
    let channel = ChannelById(event.channel_id).load_one(app).await?;
    let inviter = UserById(event.invited_by).load_one(app).await?;
    let (Some(user), Some(channel), Some(inviter)) = (user, channel, inviter) else { return Ok(()) };
    let context = mails::ChannelInvitation { name: &user.name, channel: &channel.name, inviter: &inviter.name };
    let mail = mail::render(&app.config, &mails::CHANNEL_INVITATION, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
