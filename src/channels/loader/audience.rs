//! Which channels concern a user, and since when.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::channels::model::ChannelId;
use crate::channels::query::audience::{self, Since};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of channels of each kind for a user.
const MOST: i64 = 500;

/// Channels with the times since when.
pub(super) type ChannelsSince = Arc<Vec<(ChannelId, DateTime<Utc>)>>;

/// The channels that a user follows, the 500 that they followed last; missing if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowedSince(pub UserId);

impl Load for FollowedSince {
    type Value = ChannelsSince;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = audience::followed_since(&mut *app.db.read().await?, &users, MOST).await?;
        Ok(by_user(rows).map(|(user, channels)| (FollowedSince(user), channels)).collect())
    }
}

/// The channels whose courses a user may edit because their owners let members do so, at most 500; missing if there are
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EditableSince(pub UserId);

impl Load for EditableSince {
    type Value = ChannelsSince;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = audience::editable_since(&mut *app.db.read().await?, &users, MOST).await?;
        Ok(by_user(rows).map(|(user, channels)| (EditableSince(user), channels)).collect())
    }
}

fn by_user(rows: Vec<Since>) -> impl Iterator<Item = (UserId, ChannelsSince)> {
    let mut found: HashMap<UserId, Vec<(ChannelId, DateTime<Utc>)>> = HashMap::new();
    for Since { user_id, channel_id, since } in rows {
        found.entry(user_id).or_default().push((channel_id, since));
    }
    found.into_iter().map(|(user, channels)| (user, Arc::new(channels)))
}
