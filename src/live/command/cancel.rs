//! Cancels and deletes sessions.

use super::seat::tell_of_usage;
use super::update::{lock_scope, managed};
use crate::catalog::CourseId;
use crate::graphql::loaders::Loaders;
use crate::graphql::page::Page;
use crate::graphql::{Error, Result};
use crate::live::error;
use crate::live::event::{LiveSessionChanged, SessionChange};
use crate::live::model::{
    CancelLiveSessionInput, DeleteLiveSessionInput, LiveSession, LiveSessionId, LiveSessionStatus, SessionWhich,
};
use crate::live::query::{attendance, list, session as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The number of sessions in one batch of those to cancel.
const BATCH: usize = 100;

/// Cancels a session that is not over, and others of its series; all hours that they hold are given back.
///
/// # Errors
/// There is no such session, or it is over or was canceled; the actor does not manage it.
pub async fn cancel_session(
    loaders: &Loaders,
    actor: &Actor,
    input: CancelLiveSessionInput,
) -> Result<Vec<LiveSession>> {
    let app = loaders.app();
    managed(loaders, actor, input.live_session_id).await?;
    app.db
        .transaction(async |tx| {
            let (own, others) = lock_scope(tx, app, input.live_session_id, input.scope).await?;
            let status = own.status(app.clock.now());
            // One that has ended is being settled.
            if matches!(status, LiveSessionStatus::Ended | LiveSessionStatus::Canceled) || own.settled_at.is_some() {
                return Err(error::is_over());
            }
            let ids: Vec<_> = [own].iter().chain(&others).map(|row| row.id).collect();
            Ok::<_, Error>(cancel(tx, app, &ids).await?)
        })
        .await
}

/// Cancels locked sessions, tells their participants and gives their hours back; returns the sessions, earliest first.
async fn cancel(tx: &mut Tx, app: &App, ids: &[LiveSessionId]) -> std::result::Result<Vec<LiveSession>, InternalError> {
    let mut canceled = query::cancel(tx, ids, app.clock.now()).await?;
    canceled.sort_by_key(|row| (row.starts_at, row.id.uuid()));
    tell_participants(tx, app, ids, SessionChange::Canceled).await?;
    attendance::release_waiting(tx, ids).await?;
    let months = attendance::release_seats(tx, ids).await?;
    tell_of_usage(tx, app, &months).await?;
    Ok(canceled)
}

/// Tells all who have a place in one of the sessions what has happened to it.
pub(super) async fn tell_participants(
    tx: &mut Tx,
    app: &App,
    sessions: &[LiveSessionId],
    change: SessionChange,
) -> std::result::Result<(), InternalError> {
    let participants = attendance::participants(tx, sessions).await?;
    let told = |(session, version, participant)| LiveSessionChanged { session, participant, change, version };
    outbox::record_all(tx, &app.clock, &participants.into_iter().map(told).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Cancels the sessions to come about a deleted course.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_course(app: &App, course: CourseId) -> std::result::Result<(), InternalError> {
    cancel_all(app, SessionWhich { course: Some(course), ..SessionWhich::default() }).await
}

/// Cancels all sessions of a list that have not started, each in a transaction of its own.
pub(super) async fn cancel_all(app: &App, which: SessionWhich) -> std::result::Result<(), InternalError> {
    let page = Page { limit: BATCH, backward: false, after: None, before: None };
    loop {
        let statuses = Some((vec![LiveSessionStatus::Scheduled], app.clock.now()));
        let conn = app.db.read().await?;
        let scheduled = list::page(&conn, &SessionWhich { statuses, ..which.clone() }, &page).await?;
        drop(conn);
        if scheduled.is_empty() {
            return Ok(());
        }
        for row in scheduled {
            app.db.transaction(async |tx| cancel_scheduled(tx, app, row.id).await).await?;
        }
    }
}

async fn cancel_scheduled(tx: &mut Tx, app: &App, id: LiveSessionId) -> std::result::Result<(), InternalError> {
    let locked = query::lock(tx, id).await?;
    if locked.is_some_and(|row| row.status(app.clock.now()) == LiveSessionStatus::Scheduled) {
        cancel(tx, app, &[id]).await?;
    }
    Ok(())
}

/// Deletes a session in which no user has ever had a place.
///
/// # Errors
/// There is no such session; it has had participants; the actor does not manage it.
pub async fn delete_session(loaders: &Loaders, actor: &Actor, input: DeleteLiveSessionInput) -> Result<LiveSessionId> {
    let (app, id) = (loaders.app(), input.live_session_id);
    managed(loaders, actor, id).await?;
    app.db
        .transaction(async |tx| {
            let session = query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
            if had_places(tx, app, &session).await? {
                return Err(error::has_participants());
            }
            query::delete(tx, id).await?;
            Ok::<_, Error>(id)
        })
        .await
}

/// Whether a user has ever had a place in a locked session. A place that an earlier version has given is only known from
/// its attendance.
async fn had_places(tx: &mut Tx, app: &App, session: &LiveSession) -> std::result::Result<bool, InternalError> {
    // Those of an old session may be deleted.
    let may_have = app.config.live.attendance_age.is_some_and(|age| session.created_at < app.clock.now() - age);
    Ok(session.had_places.unwrap_or(may_have) || attendance::count(tx.conn(), session.id).await? > 0)
}
