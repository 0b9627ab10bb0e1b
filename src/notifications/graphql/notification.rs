//! Notifications in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use crate::accounts::{UserId, UserObject, user_node};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::node::{self, Node};
use crate::graphql::page::encode_cursor;
use crate::graphql::{Result, Sequential};
use crate::notifications::command;
use crate::notifications::loader::NotificationFor;
use crate::notifications::model::{LIST, Notification, NotificationId, NotificationKind, Text};
use crate::platform::internal_error::InternalError;

/// A notification in the schema.
#[derive(Clone)]
pub(super) struct NotificationObject {
    pub(super) row: Arc<Notification>,
    /// The text, which two fields share.
    text: Arc<OnceCell<Text>>,
}

impl NotificationObject {
    pub(super) fn new(row: Arc<Notification>) -> NotificationObject {
        NotificationObject { row, text: Arc::default() }
    }

    pub(super) fn cursor(&self) -> String {
        encode_cursor(LIST, &(self.row.at.timestamp_micros(), self.row.id))
    }

    async fn text(&self, ctx: &Context<'_>) -> Result<&Text> {
        let render = async || command::render(loaders(ctx), within(ctx, Scope::ReadNotifications), &self.row).await;
        Ok(self.text.get_or_try_init::<InternalError, _, _>(render).await?)
    }
}

/// Something that has happened and concerns the viewer. Similar events are one notification, which returns to the top of
/// the list and is unread again when another one happens.
#[Object(name = "Notification")]
impl NotificationObject {
    /// The id of the notification.
    async fn id(&self) -> NotificationId {
        self.row.id
    }

    /// What it is about.
    async fn kind(&self) -> NotificationKind {
        self.row.kind
    }

    /// One line, in the language that the viewer has chosen if there are texts in it: English or German.
    async fn title(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.text(ctx).await?.title)
    }

    /// One or two sentences in the same language.
    async fn body(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.text(ctx).await?.body)
    }

    /// What to show when the viewer opens it, such as the question; null if the viewer cannot see that anymore.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        if self.row.subject.is_empty() {
            return Ok(None);
        }
        node::find(ctx, &self.row.subject).await
    }

    /// The user who caused the latest event; null if no user did, or if the account was deleted.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        let Some(id) = self.row.actor_id else { return Ok(None) };
        Ok(user_node(ctx, UserId::new(id.uuid())).await?.map(Sequential))
    }

    /// The number of events: of those that the viewer has not read, or of all if they have read all. At most 100. The
    /// viewer's own actions are not counted.
    async fn count(&self) -> i64 {
        self.row.count
    }

    /// When the first of the events happened.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the latest of the events happened.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.active_at
    }

    /// When the viewer read it; null if it is unread.
    async fn read_at(&self) -> Option<DateTime<Utc>> {
        self.row.read_at
    }

    /// When the viewer archived it; null if it is not archived.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.row.archived_at
    }
}

/// Returns the notification with this id, if the viewer is in its audience.
pub(super) async fn notification_node(ctx: &Context<'_>, id: NotificationId) -> Result<Option<NotificationObject>> {
    let Some(user) = within(ctx, Scope::ReadNotifications).id().map(UserId::new) else { return Ok(None) };
    let audiences = command::audiences_of(loaders(ctx), user).await?;
    Ok(loaders(ctx).load(NotificationFor { audiences, id }).await?.map(NotificationObject::new))
}
