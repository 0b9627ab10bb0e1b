//! Loads the devices that are sent push messages.

use std::collections::HashMap;
use std::sync::Arc;

use crate::accounts::{SessionId, UserId, live_sessions};
use crate::graphql::loaders::Load;
use crate::notifications::model::{PushSubscription, PushSubscriptionId};
use crate::notifications::query::push_subscription;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The devices of a user whose sessions have not ended, the latest first; missing if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DevicesOf(pub UserId);

impl Load for DevicesOf {
    type Value = Arc<Vec<PushSubscription>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found = push_subscription::of_users(&mut *app.db.read().await?, &users).await?;
        let sessions: Vec<SessionId> = found.values().flatten().map(|device| device.session_id).collect();
        let live = live_sessions(app, &sessions).await?;
        found.values_mut().for_each(|devices| devices.retain(|device| live.contains(&device.session_id)));
        Ok(found.into_iter().map(|(user, devices)| (DevicesOf(user), Arc::new(devices))).collect())
    }
}

/// One device whose session has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceById(pub PushSubscriptionId);

impl Load for DeviceById {
    type Value = PushSubscription;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, PushSubscription>, InternalError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0.uuid()).collect();
        let found = push_subscription::by_ids(&mut *app.db.read().await?, &ids).await?;
        let sessions: Vec<SessionId> = found.iter().map(|device| device.session_id).collect();
        let live = live_sessions(app, &sessions).await?;
        let found = found.into_iter().filter(|device| live.contains(&device.session_id));
        Ok(found.map(|device| (DeviceById(device.id), device)).collect())
    }
}
