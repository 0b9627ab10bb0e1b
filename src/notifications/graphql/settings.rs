//! How a user wants to be told, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use futures_util::future::try_join_all;

use crate::accounts::UserId;
use crate::graphql::context::loaders;
use crate::graphql::node::{self, Node};
use crate::graphql::{Result, Sequential, SequentialList};
use crate::notifications::job::default_of;
use crate::notifications::loader::SettingsOf;
use crate::notifications::model::{Digest, NotificationKind, Preference, Settings, muted_id, time_of_day};
use crate::notifications::policy::preference;

/// The settings in the schema.
pub(super) struct SettingsObject(pub(super) Arc<Settings>);

/// How a user wants to be told of what happens.
#[Object(name = "NotificationSettings")]
impl SettingsObject {
    /// By which ways the user is told of each kind.
    async fn preferences(&self) -> SequentialList<PreferenceObject> {
        let object = |kind| {
            let Preference { in_app, email, push } = preference(&self.0, kind, default_of(kind));
            PreferenceObject { kind, in_app, email, push }
        };
        SequentialList(NotificationKind::ALL.map(object).to_vec())
    }

    /// When the quiet hours begin, in the user's time zone, such as `22:00`; null if there are none. Nothing is sent to
    /// the user's devices in them.
    async fn quiet_from(&self) -> Option<String> {
        self.0.quiet.map(|(from, _)| time_of_day(from))
    }

    /// When the quiet hours end; null if there are none. Earlier than their begin: on the next day.
    async fn quiet_to(&self) -> Option<String> {
        self.0.quiet.map(|(_, to)| time_of_day(to))
    }

    /// How often the user gets a summary by email.
    async fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The courses, channels and questions of which the user does not want to be told, without those that they cannot
    /// see anymore.
    async fn muted(&self, ctx: &Context<'_>) -> Result<Vec<Node>> {
        let ids: Vec<String> = self.0.muted.iter().filter_map(|key| muted_id(key)).collect();
        let found = try_join_all(ids.iter().map(|id| node::find(ctx, id))).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// By which ways a user is told of a kind of notifications.
#[derive(Clone, SimpleObject)]
#[graphql(name = "NotificationPreference")]
pub(super) struct PreferenceObject {
    /// The kind.
    kind: NotificationKind,
    /// Whether it is shown in the list of notifications. What is not shown is not sent either.
    in_app: bool,
    /// Whether it is sent by email.
    email: bool,
    /// Whether it is sent to the user's devices.
    push: bool,
}

/// Returns the settings of a user.
pub(super) async fn settings_object(ctx: &Context<'_>, user: UserId) -> Result<Sequential<SettingsObject>> {
    Ok(Sequential(SettingsObject(loaders(ctx).load(SettingsOf(user)).await?.unwrap_or_default())))
}
