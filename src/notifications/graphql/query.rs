//! The notifications of the viewer.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::notification::NotificationObject;
use super::settings::{SettingsObject, settings_object};
use crate::accounts::viewer;
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::wants_total;
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential};
use crate::notifications::command::audiences_of;
use crate::notifications::loader::{FeedCount, FeedPage, UnreadOf};
use crate::notifications::model::{Feed, LIST, NotificationFilter};

/// The guard of the fields.
const READER: Scoped = Scoped(Role::Student, Scope::ReadNotifications);

/// The fields of `Viewer`.
#[derive(Default)]
pub(super) struct ViewerNotifications;

#[Object]
impl ViewerNotifications {
    /// What has happened and concerns the user, latest first; without what is archived, unless the filter asks for that.
    /// `totalCount` stops at 100.
    #[graphql(guard = "READER", directive = scoped::apply(Role::Student, Scope::ReadNotifications))]
    #[allow(clippy::too_many_arguments)]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which notifications to return; defaults to all that are not archived.")] filter: Option<
            NotificationFilter,
        >,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<NotificationObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let NotificationFilter { kinds, state } = filter.unwrap_or_default();
        let user = viewer(within(ctx, Scope::ReadNotifications))?;
        let audiences = audiences_of(loaders(ctx), user).await?;
        let feed = Arc::new(Feed { audiences, kinds, state });
        let rows = loaders(ctx).load(FeedPage(feed.clone(), page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, NotificationObject::new, NotificationObject::cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(FeedCount(feed)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }

    /// The number of unread notifications; it stops at 100.
    #[graphql(guard = "READER", directive = scoped::apply(Role::Student, Scope::ReadNotifications))]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        let user = viewer(within(ctx, Scope::ReadNotifications))?;
        let audiences = audiences_of(loaders(ctx), user).await?;
        Ok(Some(loaders(ctx).load(UnreadOf(audiences)).await?.unwrap_or_default()))
    }

    /// How the user wants to be told.
    #[graphql(guard = "READER", directive = scoped::apply(Role::Student, Scope::ReadNotifications))]
    async fn notification_settings(&self, ctx: &Context<'_>) -> Result<Option<Sequential<SettingsObject>>> {
        let user = viewer(within(ctx, Scope::ReadNotifications))?;
        Ok(Some(settings_object(ctx, user).await?))
    }
}
