//! Users in batches, kept for a moment.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::UserRoleChanged;
use super::model::{Identity, User, UserId};
use super::query::{identity, user as query};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::outbox::Event;

/// One user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserById(pub UserId);

impl Load for UserById {
    type Value = Arc<User>;
    // Not the registration: nobody asks for an id before it is given.
    const DROPPED_BY: Option<&'static [&'static str]> = Some(&[UserRoleChanged::KIND, query::ROWS]);

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<User>>, Fault> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let users = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(users.into_iter().map(|user| (UserById(user.id), Arc::new(user))).collect())
    }
}

/// The accounts at other services that are linked to a user, in the order in which they were linked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct IdentitiesOf(pub(super) UserId);

impl Load for IdentitiesOf {
    type Value = Arc<Vec<Identity>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Vec<Identity>>>, Fault> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<Identity>> = HashMap::new();
        for linked in identity::of_users(&mut *app.db.read().await?, &users).await? {
            found.entry(IdentitiesOf(linked.user_id)).or_default().push(linked);
        }
        Ok(found.into_iter().map(|(key, linked)| (key, Arc::new(linked))).collect())
    }
}
