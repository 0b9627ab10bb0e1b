//! Live sessions in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::attendance::{AttendanceObject, attendances_of};
use super::eligibility::EligibilityObject;
use crate::accounts::{UserId, UserObject, user_node};
use crate::catalog::{CategoryObject, CourseObject, category_node, course_node};
use crate::graphql::context::{app, loaders, viewer_loaders, within};
use crate::graphql::guard::{Role, Scope, owned};
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential};
use crate::live::loader::{AttendanceIn, LiveSessionById, SeatsOf};
use crate::live::model::{LiveSeriesId, LiveSession, LiveSessionId, LiveSessionStatus, Seats};
use crate::live::{command, policy};

/// A live session in the schema.
#[derive(Clone)]
pub struct LiveSessionObject(pub(super) Arc<LiveSession>);

/// A live class: a session with a host at a time, which members attend with the hours of their membership.
#[Object(name = "LiveSession")]
impl LiveSessionObject {
    /// The id of the session.
    async fn id(&self) -> LiveSessionId {
        self.0.id
    }

    /// Who gives it.
    async fn host(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.host_id).await?.map(Sequential))
    }

    /// The course that it is about; null if it is about none, or the viewer may not see it.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(course) = self.0.course_id else { return Ok(None) };
        Ok(course_node(ctx, course).await?.map(Sequential))
    }

    /// The category that it is about as a whole; null if it is about none, or about a course.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CategoryObject>>> {
        let Some(category) = self.0.category_id else { return Ok(None) };
        Ok(category_node(ctx, category).await?.map(Sequential))
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// When it starts. Participants are let in from 15 minutes before.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// When it ends.
    async fn ends_at(&self) -> DateTime<Utc> {
        self.0.ends_at
    }

    /// The state, which follows from the time unless the session was canceled.
    async fn status(&self, ctx: &Context<'_>) -> LiveSessionStatus {
        self.0.status(app(ctx).clock.now())
    }

    /// The number of seats; null for no limit.
    async fn capacity(&self) -> Option<i32> {
        self.0.capacity
    }

    /// The number of seats that are left; null if there is no limit.
    async fn seats_left(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        if self.0.capacity.is_none() {
            return Ok(None);
        }
        Ok(self.seats(ctx).await?.left(self.0.capacity))
    }

    /// The number of users who wait for a seat.
    async fn waiting_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.seats(ctx).await?.waiting)
    }

    /// Where the meeting is. Null if that is not known, and for others than the host and administrators, unless they
    /// have entered with `joinLiveSession`, which is possible from 15 minutes before the start until the end.
    async fn meeting_url(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let Some(url) = self.0.meeting_url.as_deref() else { return Ok(None) };
        let actor = within(ctx, Scope::ReadLearning);
        if policy::can_manage(actor, &self.0) {
            return Ok(Some(url));
        }
        let Some(user) = actor.id().filter(|_| self.0.is_open(app(ctx).clock.now())) else { return Ok(None) };
        let key = AttendanceIn { session: self.0.id, user: UserId::new(user) };
        let place = viewer_loaders(ctx).load(key).await?;
        Ok(place.is_some_and(|place| place.is_inside()).then_some(url))
    }

    /// The session as a file for calendar programs (RFC 5545), without the address of the meeting. The URL works for an
    /// hour, for all who have it.
    async fn calendar_url(&self, ctx: &Context<'_>) -> String {
        command::session_url(app(ctx), self.0.id)
    }

    /// The id that all sessions of a series have in common; null for a single session.
    async fn series_id(&self) -> Option<LiveSeriesId> {
        self.0.series_id
    }

    /// When the host or the first participant entered; null if nobody has.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When the last participant left, or the end if a participant stayed; null until the session is settled.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// The version, which each change increments; pass it to `updateLiveSession`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether the viewer can attend now, and why not; null if the viewer is not signed in.
    async fn viewer_eligibility(&self, ctx: &Context<'_>) -> Result<Option<Sequential<EligibilityObject>>> {
        let Some(user) = within(ctx, Scope::ReadLearning).id() else { return Ok(None) };
        let found = command::eligibility_of(loaders(ctx), UserId::new(user), &self.0).await?;
        Ok(Some(Sequential(EligibilityObject(found))))
    }

    /// The viewer's place in the session; null if they have never had one.
    async fn viewer_attendance(&self, ctx: &Context<'_>) -> Result<Option<Sequential<AttendanceObject>>> {
        let Some(user) = within(ctx, Scope::ReadLearning).id() else { return Ok(None) };
        let key = AttendanceIn { session: self.0.id, user: UserId::new(user) };
        let place = viewer_loaders(ctx).load(key).await?;
        Ok(place.map(|place| Sequential(AttendanceObject(place))))
    }

    /// All who have or had a place in the session, by when they got it. Visible to the host and administrators; for
    /// others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadLearning)))]
    async fn attendances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<AttendanceObject>>>> {
        if !policy::can_manage(within(ctx, Scope::ReadLearning), &self.0) {
            return Err(Error::Forbidden("Only the host of a session and administrators see its participants.".into()));
        }
        attendances_of(ctx, self.0.id, PageArgs { first, after, last, before }).await
    }
}

impl LiveSessionObject {
    async fn seats(&self, ctx: &Context<'_>) -> Result<Seats> {
        Ok(loaders(ctx).load(SeatsOf(self.0.id)).await?.unwrap_or_default())
    }
}

/// Returns a session, if the viewer may see it.
pub(super) async fn session_node(ctx: &Context<'_>, id: LiveSessionId) -> Result<Option<LiveSessionObject>> {
    let Some(session) = loaders(ctx).load(LiveSessionById(id)).await? else { return Ok(None) };
    let seen = command::sees(loaders(ctx), within(ctx, Scope::ReadLearning), &session).await?;
    Ok(seen.then_some(LiveSessionObject(session)))
}
