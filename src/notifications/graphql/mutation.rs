//! The mutations of notifications.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::notification::NotificationObject;
use super::settings::SettingsObject;
use crate::graphql::context::{loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, SequentialList, UserError};
use crate::notifications::command;
use crate::notifications::loader::UnreadOf;
use crate::notifications::model::{
    MarkNotificationsInput, MuteNotificationsInput, Settings, UpdateNotificationSettingsInput,
};
use crate::platform::auth::Actor;

/// The guard of the mutations.
const WRITER: Scoped = Scoped(Role::Student, Scope::WriteNotifications);

fn writer<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, Scope::WriteNotifications)
}

/// The payload of `markNotifications`.
#[derive(SimpleObject)]
struct MarkNotificationsPayload {
    /// The notifications with the given ids, in their order; empty with `upTo`, and null if there are `userErrors`.
    notifications: Option<SequentialList<NotificationObject>>,
    /// The number of unread notifications, which stops at 100; null if there are `userErrors`.
    unread_notification_count: Option<i64>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Update;
struct Mute;

/// The payload of a mutation of settings.
#[derive(SimpleObject)]
#[graphql(concrete(name = "UpdateNotificationSettingsPayload", params(Update)))]
#[graphql(concrete(name = "MuteNotificationsPayload", params(Mute)))]
struct SettingsPayload<M: Send + Sync> {
    /// The settings as they are now; null if there are `userErrors`.
    notification_settings: Option<Sequential<SettingsObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

fn settings_payload<M: Send + Sync>(outcome: Result<Arc<Settings>>) -> Result<Option<Sequential<SettingsPayload<M>>>> {
    let (settings, user_errors) = payload(outcome)?;
    let notification_settings = settings.map(|settings| Sequential(SettingsObject(settings)));
    Ok(Some(Sequential(SettingsPayload { notification_settings, user_errors, mutation: PhantomData })))
}

/// The mutations of notifications.
#[derive(Default)]
pub(super) struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks notifications as read, unread or archived: some by their ids, or all up to a cursor. All of the user's devices
    /// that subscribe to `notificationReceived` get the new number of unread ones.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteNotifications))]
    async fn mark_notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which notifications, and their new state.")] input: MarkNotificationsInput,
    ) -> Result<Option<Sequential<MarkNotificationsPayload>>> {
        let (marked, user_errors) = payload(command::mark_notifications(loaders(ctx), writer(ctx), input).await)?;
        let (notifications, unread_notification_count) = match marked {
            Some((audiences, rows)) => {
                let unread = loaders(ctx).load(UnreadOf(audiences)).await?.unwrap_or_default();
                (Some(SequentialList(rows.into_iter().map(NotificationObject::new).collect())), Some(unread))
            }
            None => (None, None),
        };
        Ok(Some(Sequential(MarkNotificationsPayload { notifications, unread_notification_count, user_errors })))
    }

    /// Mutes a course, a channel or a question: the user is not told of what happens there, and earlier notifications
    /// about it are hidden. Or shows them again.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteNotifications))]
    async fn mute_notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to mute, or to show again.")] input: MuteNotificationsInput,
    ) -> Result<Option<Sequential<SettingsPayload<Mute>>>> {
        settings_payload(command::mute_notifications(loaders(ctx), writer(ctx), input).await)
    }

    /// Changes how the user wants to be told. Omitted fields stay unchanged. Notifications about the security of the
    /// account cannot be hidden.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteNotifications))]
    async fn update_notification_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new settings.")] input: UpdateNotificationSettingsInput,
    ) -> Result<Option<Sequential<SettingsPayload<Update>>>> {
        settings_payload(command::update_notification_settings(loaders(ctx), writer(ctx), input).await)
    }
}
