//! What a user may see and do with sessions, outside of a transaction.

use std::sync::Arc;

use crate::accounts::{UserById, UserId};
use crate::catalog::{self, CourseById, Showing};
use crate::graphql::Result;
use crate::graphql::loaders::Loaders;
use crate::live::command::seat::month_of;
use crate::live::loader::{AttendanceIn, LiveSessionById, SeatsOf, UsageOf};
use crate::live::model::{Eligibility, LiveSession, LiveSessionId};
use crate::live::policy::{self, Facts};
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Whether the actor may see a session: who may see its course, or has a place in it, or manages it.
///
/// # Errors
/// The database failed.
pub async fn sees(loaders: &Loaders, actor: &Actor, session: &LiveSession) -> std::result::Result<bool, InternalError> {
    let Some(course) = session.course_id else { return Ok(true) };
    if policy::can_manage(actor, session) {
        return Ok(true);
    }
    let course = loaders.load(CourseById(course)).await?;
    if let Some(course) = course
        && catalog::access_to(loaders, actor, &Showing::Demo(course)).await?.granted
    {
        return Ok(true);
    }
    let Some(user) = actor.id().map(UserId::new) else { return Ok(false) };
    Ok(loaders.load(AttendanceIn { session: session.id, user }).await?.is_some())
}

/// Returns the title of a session; `None` if the actor may not see it.
///
/// # Errors
/// The database failed.
pub async fn session_title(
    loaders: &Loaders,
    actor: &Actor,
    id: LiveSessionId,
) -> std::result::Result<Option<String>, InternalError> {
    let Some(session) = loaders.load(LiveSessionById(id)).await? else { return Ok(None) };
    Ok(sees(loaders, actor, &session).await?.then(|| session.title.clone()))
}

/// Returns whether a user can attend a session now.
///
/// # Errors
/// The database failed.
pub async fn eligibility_of(loaders: &Loaders, user: UserId, session: &Arc<LiveSession>) -> Result<Eligibility> {
    let app = loaders.app();
    let now = app.clock.now();
    // The membership that counts is that at the time of the session.
    let hours = UsageOf { user, month: month_of(app, session), at: Some(session.starts_at.max(now)) };
    let (account, hours, place, seats) = futures_util::try_join!(
        loaders.load(UserById(user)),
        loaders.load(hours),
        loaders.load(AttendanceIn { session: session.id, user }),
        loaders.load(SeatsOf(session.id)),
    )?;
    let facts = Facts {
        status: session.status(now),
        is_banned: account.is_none_or(|account| !account.is_active(now)),
        place: place.map(|place| place.status),
        has_valid_length: app.config.live.minutes.contains(&session.minutes()),
        allowance: hours.as_ref().and_then(|hours| hours.allowance),
        remaining: hours.as_ref().map_or(0, |hours| hours.pool.usage.remaining() - hours.lent),
        member_remaining: hours.as_ref().and_then(|hours| hours.pool.member_remaining()),
        minutes: session.minutes(),
        seats_left: seats.unwrap_or_default().left(session.capacity),
    };
    Ok(Eligibility {
        reason: policy::eligibility(&facts),
        minutes: session.minutes(),
        lengths: app.config.live.minutes.clone(),
        pool: hours.map(|hours| hours.pool),
    })
}
