//! Announcements in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::{UserObject, user_node};
use crate::catalog::{CourseObject, course_node};
use crate::channels::{ChannelObject, channel_node};
use crate::graphql::context::{app, client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential, UserError};
use crate::notifications::command::{self, Announced};
use crate::notifications::loader::{AnnouncementById, AnnouncementCount, AnnouncementPage, DeliveriesOf};
use crate::notifications::model::{
    Announcement, AnnouncementFilter, AnnouncementId, Audience, CancelAnnouncementInput, CreateAnnouncementInput,
    Report, Tally,
};
use crate::platform::auth;

const LIST: &str = "announcements";
/// The guard of the mutations.
const WRITER: Scoped = Scoped(Role::Instructor, Scope::WriteNotifications);

/// An announcement in the schema.
#[derive(Clone)]
pub(super) struct AnnouncementObject(Arc<Announcement>);

/// Something that an instructor announces to the students of a course or the followers of a channel, or an administrator
/// to all users with a role or to everyone. Visible to its author and to administrators; the others get a notification.
#[Object(name = "Announcement")]
impl AnnouncementObject {
    /// The id of the announcement.
    async fn id(&self) -> AnnouncementId {
        self.0.id
    }

    /// The author; null if the account was deleted.
    async fn author(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.author_id).await?.map(Sequential))
    }

    /// Whom it is for.
    async fn audience(&self) -> Sequential<AudienceObject> {
        Sequential(AudienceObject(Audience::parse(&self.0.audience)))
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text, plain.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// When it is to be published.
    async fn publish_at(&self) -> DateTime<Utc> {
        self.0.publish_at
    }

    /// When it was published; null before.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }

    /// When it was canceled; null if it was not. If it was published before, it is shown no longer.
    async fn canceled_at(&self) -> Option<DateTime<Utc>> {
        self.0.canceled_at
    }

    /// The number of users in the audience now, about: of a course, those with an entitlement to it, whether it is published
    /// or not.
    async fn audience_size(&self, ctx: &Context<'_>) -> Result<i64> {
        match Audience::parse(&self.0.audience) {
            Some(audience) => Ok(command::size_of(loaders(ctx), audience).await?),
            None => Ok(0),
        }
    }

    /// The number of users who were shown it in their notifications; 0 before it is published. It grows for some time while
    /// a large audience is gone through. Without the author, banned users, and those who have muted the course or the
    /// channel, or hide announcements.
    async fn delivered_count(&self) -> i64 {
        self.0.delivered_count
    }

    /// What became of the emails and push messages about it; null before it is published.
    async fn delivery(&self, ctx: &Context<'_>) -> Result<Option<Sequential<DeliveryObject>>> {
        if self.0.published_at.is_none() {
            return Ok(None);
        }
        let report = match self.0.report() {
            Some(report) => report,
            None => loaders(ctx).load(DeliveriesOf(self.0.id)).await?.unwrap_or_default(),
        };
        let Report { email, push } = report;
        Ok(Some(Sequential(DeliveryObject { email: Sequential(email), push: Sequential(push) })))
    }
}

/// What became of the emails and push messages about an announcement.
#[derive(Clone, SimpleObject)]
#[graphql(name = "AnnouncementDelivery")]
struct DeliveryObject {
    /// The emails. An email that sums up several notifications counts for each of them.
    email: Sequential<Tally>,
    /// The messages to devices, of which a user may have several.
    push: Sequential<Tally>,
}

/// Whom an announcement is for, in the schema.
pub(super) struct AudienceObject(Option<Audience>);

/// Whom an announcement is for: one of the fields.
#[Object(name = "Audience")]
impl AudienceObject {
    /// The course whose students it is for; null if it is for others, or if the course is gone.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(Audience::Course(id)) = self.0 else { return Ok(None) };
        Ok(course_node(ctx, id).await?.map(Sequential))
    }

    /// The channel whose followers it is for; null if it is for others, or if the channel is gone.
    async fn channel(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ChannelObject>>> {
        let Some(Audience::Channel(id)) = self.0 else { return Ok(None) };
        Ok(channel_node(ctx, id).await?.map(Sequential))
    }

    /// The role of the users whom it is for; null if it is for others.
    async fn role(&self) -> Option<Role> {
        match self.0 {
            Some(Audience::Role(role)) => Some(role.into()),
            _ => None,
        }
    }

    /// Whether it is for all users.
    async fn everyone(&self) -> bool {
        self.0 == Some(Audience::Everyone)
    }
}

/// Returns the announcement with this id, if the viewer may see it.
pub(super) async fn announcement_node(ctx: &Context<'_>, id: AnnouncementId) -> Result<Option<AnnouncementObject>> {
    let row = loaders(ctx).load(AnnouncementById(id)).await?;
    let seen = row.filter(|row| command::can_see(within(ctx, Scope::ReadNotifications), row));
    Ok(seen.map(AnnouncementObject))
}

/// The list of announcements.
#[derive(Default)]
pub(super) struct AnnouncementQuery;

#[Object]
impl AnnouncementQuery {
    /// The announcements of the viewer, and for administrators those of all, latest first.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadNotifications)",
        directive = scoped::apply(Role::Instructor, Scope::ReadNotifications)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn announcements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which announcements to return; defaults to all that the viewer may see.")] filter: Option<
            AnnouncementFilter,
        >,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<AnnouncementObject>>>> {
        let page = PageArgs { first, after, last, before }.page::<Uuid>(LIST)?;
        let viewer = within(ctx, Scope::ReadNotifications);
        let author = match viewer.has(auth::Role::Admin) {
            true => None,
            false => Some(crate::accounts::viewer(viewer)?),
        };
        let which = (author, filter.unwrap_or_default().state);
        let rows = loaders(ctx).load(AnnouncementPage(which, page.clone())).await?.unwrap_or_default();
        let cursor = |row: &AnnouncementObject| encode_cursor(LIST, &row.0.id.uuid());
        let connection = page.connection(rows, AnnouncementObject, cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(AnnouncementCount(which)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The payload of `createAnnouncement`.
#[derive(SimpleObject)]
struct CreateAnnouncementPayload {
    /// The announcement; null with `dryRun`, and if there are `userErrors`.
    announcement: Option<Sequential<AnnouncementObject>>,
    /// The number of users in the audience now, about; null if there are `userErrors`.
    audience_size: Option<i64>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `cancelAnnouncement`.
#[derive(SimpleObject)]
struct CancelAnnouncementPayload {
    /// The canceled announcement; null if there are `userErrors`.
    announcement: Option<Sequential<AnnouncementObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of announcements.
#[derive(Default)]
pub(super) struct AnnouncementMutation;

#[Object]
impl AnnouncementMutation {
    /// Announces something: to the students of a course, for its team; to the followers of a channel, for its owner; to the
    /// users with a role or to everyone, for administrators. With `dryRun`, checks the input and counts the audience only.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Instructor, Scope::WriteNotifications))]
    async fn create_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The announcement.")] input: CreateAnnouncementInput,
    ) -> Result<Option<Sequential<CreateAnnouncementPayload>>> {
        let actor = within(ctx, Scope::WriteNotifications);
        let (made, user_errors) = payload(command::create_announcement(loaders(ctx), actor, client(ctx), input).await)?;
        let audience_size = made.as_ref().map(|Announced { audience_size, .. }| *audience_size);
        let announcement = made.and_then(|made| made.announcement).map(|row| Sequential(AnnouncementObject(row)));
        Ok(Some(Sequential(CreateAnnouncementPayload { announcement, audience_size, user_errors })))
    }

    /// Cancels an announcement of the viewer; administrators may cancel any. One that is published is shown no longer.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Instructor, Scope::WriteNotifications))]
    async fn cancel_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The announcement to cancel.")] input: CancelAnnouncementInput,
    ) -> Result<Option<Sequential<CancelAnnouncementPayload>>> {
        let actor = within(ctx, Scope::WriteNotifications);
        let (row, user_errors) = payload(command::cancel_announcement(app(ctx), actor, client(ctx), input).await)?;
        let announcement = row.map(|row| Sequential(AnnouncementObject(row)));
        Ok(Some(Sequential(CancelAnnouncementPayload { announcement, user_errors })))
    }
}
