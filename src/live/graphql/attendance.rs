//! Attendances in the schema.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::eligibility::EligibilityObject;
use super::session::{LiveSessionObject, session_node};
use crate::accounts::{UserObject, user_node};
use crate::graphql::context::{actor, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential, UserError};
use crate::live::loader::{AttendanceById, AttendanceCount, AttendancePage, LiveSessionById};
use crate::live::model::{
    Attendance, AttendanceId, AttendanceStatus, JoinLiveSessionInput, LeaveLiveSessionInput, LiveSessionId,
    RecordAttendanceInput,
};
use crate::live::{command, policy};

const LIST: &str = "attendances";

/// An attendance in the schema.
#[derive(Clone)]
pub(super) struct AttendanceObject(pub(super) Arc<Attendance>);

/// The place of a user in a live session.
#[Object(name = "Attendance")]
impl AttendanceObject {
    /// The id of the attendance, unique per user and session.
    async fn id(&self) -> AttendanceId {
        self.0.id
    }

    /// The user; of a deleted account only the id is left.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.user_id).await?.map(Sequential))
    }

    /// The session; null if the viewer may not see it anymore.
    async fn live_session(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LiveSessionObject>>> {
        Ok(session_node(ctx, self.0.session_id).await?.map(Sequential))
    }

    /// The state of the attendance.
    async fn status(&self) -> AttendanceStatus {
        self.0.status
    }

    /// When the user entered; null if they have not.
    async fn joined_at(&self) -> Option<DateTime<Utc>> {
        self.0.joined_at
    }

    /// When the user left; null if they have not, or have come back.
    async fn left_at(&self) -> Option<DateTime<Utc>> {
        self.0.left_at
    }

    /// What it costs in minutes: the whole session, however much of it was attended. If the school counts partial
    /// attendance, it is only what the user attended, from the end of the session on.
    async fn minutes(&self) -> i32 {
        self.0.minutes
    }

    /// When it was settled, after the end of the session; null until then.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.0.settled_at
    }
}

/// Returns an attendance to its user, to the host of the session and to administrators.
pub(super) async fn attendance_node(ctx: &Context<'_>, id: AttendanceId) -> Result<Option<AttendanceObject>> {
    let viewer = within(ctx, Scope::ReadLearning);
    let Some(row) = loaders(ctx).load(AttendanceById(id)).await? else { return Ok(None) };
    if policy::can_see_usage(viewer, row.user_id) {
        return Ok(Some(AttendanceObject(row)));
    }
    let session = loaders(ctx).load(LiveSessionById(row.session_id)).await?;
    Ok(session.filter(|session| policy::can_manage(viewer, session)).map(|_| AttendanceObject(row)))
}

/// Returns a page of the participants of a session, which the caller has checked that the viewer may see.
pub(super) async fn attendances_of(
    ctx: &Context<'_>,
    session: LiveSessionId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<AttendanceObject>>>> {
    let page = args.timed_page(LIST)?;
    let rows = loaders(ctx).load(AttendancePage(session, page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, AttendanceObject, |AttendanceObject(row)| {
        encode_cursor(LIST, &(row.since.timestamp_micros(), row.id.uuid()))
    });
    if !wants_total(ctx) {
        return Ok(Some(Sequential(connection)));
    }
    let total = loaders(ctx).load(AttendanceCount(session)).await?.unwrap_or_default();
    Ok(Some(Sequential(connection.with_total(total))))
}

/// The payload of `joinLiveSession`.
#[derive(SimpleObject)]
struct JoinLiveSessionPayload {
    /// The session, with the link to the meeting if the viewer is let in; null if there are `userErrors`.
    live_session: Option<Sequential<LiveSessionObject>>,
    /// The viewer's place in the session; null if they got none, or are its host.
    attendance: Option<Sequential<AttendanceObject>>,
    /// Whether the viewer could attend, and why not; its `usage` is as it is now. Null if there are `userErrors`.
    eligibility: Option<Sequential<EligibilityObject>>,
    /// Errors in the input; empty on success. That the viewer cannot attend is no error.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `leaveLiveSession`.
#[derive(SimpleObject)]
struct LeaveLiveSessionPayload {
    /// The session; null if there are `userErrors`.
    live_session: Option<Sequential<LiveSessionObject>>,
    /// The viewer's place in the session, as it is now; null if there are `userErrors`.
    attendance: Option<Sequential<AttendanceObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

// Marker: names the payload type of the mutation.
struct Record;

/// The payload of a mutation of attendances.
#[derive(SimpleObject)]
#[graphql(concrete(name = "RecordAttendancePayload", params(Record)))]
struct AttendancesPayload<M: Send + Sync> {
    /// The attendances in the order of the entries; null if there are `userErrors`.
    attendances: Option<Vec<Sequential<AttendanceObject>>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The mutations of attendances.
#[derive(Default)]
pub(super) struct AttendanceMutation;

#[Object]
impl AttendanceMutation {
    /// Takes a seat in a live session, and enters it from 15 minutes before the start. Call it when the viewer books, and
    /// again when they enter. Doing so more often changes nothing.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn join_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to join.")] input: JoinLiveSessionInput,
    ) -> Result<Option<Sequential<JoinLiveSessionPayload>>> {
        let (joined, user_errors) = payload(command::join_session(loaders(ctx), actor(ctx), input).await)?;
        let Some(joined) = joined else {
            let (live_session, attendance, eligibility) = (None, None, None);
            return Ok(Some(Sequential(JoinLiveSessionPayload { live_session, attendance, eligibility, user_errors })));
        };
        Ok(Some(Sequential(JoinLiveSessionPayload {
            live_session: Some(Sequential(LiveSessionObject(joined.session))),
            attendance: joined.attendance.map(|row| Sequential(AttendanceObject(Arc::new(row)))),
            eligibility: Some(Sequential(EligibilityObject(joined.eligibility))),
            user_errors,
        })))
    }

    /// Leaves a live session. Before its start, the seat goes to who waits for one and the hours are given back. Later,
    /// only the time is noted.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn leave_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to leave.")] input: LeaveLiveSessionInput,
    ) -> Result<Option<Sequential<LeaveLiveSessionPayload>>> {
        let (left, user_errors) = payload(command::leave_session(loaders(ctx), actor(ctx), input).await)?;
        let (live_session, attendance) = left.unzip();
        Ok(Some(Sequential(LeaveLiveSessionPayload {
            live_session: live_session.map(|row| Sequential(LiveSessionObject(row))),
            attendance: attendance.map(|row| Sequential(AttendanceObject(Arc::new(row)))),
            user_errors,
        })))
    }

    /// Records who was in a live session and who was not: all entries, or none. Its host and administrators may, from its
    /// start on. Doing so again changes nothing.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn record_attendance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session and who was there.")] input: RecordAttendanceInput,
    ) -> Result<Option<Sequential<AttendancesPayload<Record>>>> {
        let (rows, user_errors) = payload(command::record_attendance(loaders(ctx), actor(ctx), input).await)?;
        let object = |row| Sequential(AttendanceObject(Arc::new(row)));
        let attendances = rows.map(|rows| rows.into_iter().map(object).collect());
        Ok(Some(Sequential(AttendancesPayload { attendances, user_errors, mutation: PhantomData })))
    }
}
