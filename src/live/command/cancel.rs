//! Cancels and deletes sessions.

use super::seat::tell_of_usage;
use super::update::{lock_scope, managed};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::live::error;
use crate::live::event::{LiveSessionChanged, SessionChange};
use crate::live::model::{
    CancelLiveSessionInput, DeleteLiveSessionInput, LiveSession, LiveSessionId, LiveSessionStatus,
};
use crate::live::query::{attendance, session as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Cancels a session that is not over, and others of its series; all hours that they hold are given back.
///
/// # Errors
/// There is no such session, or it is over or was canceled; the actor does not manage it.
pub(in crate::live) async fn cancel_session(
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
            let mut canceled = query::cancel(tx, &ids, app.clock.now()).await?;
            canceled.sort_by_key(|row| (row.starts_at, row.id.uuid()));
            for row in &canceled {
                tell_participants(tx, app, row, SessionChange::Canceled).await?;
            }
            attendance::release_waiting(tx, &ids).await?;
            let months = attendance::release_seats(tx, &ids).await?;
            tell_of_usage(tx, app, &months).await?;
            Ok::<_, Error>(canceled)
        })
        .await
}

/// Tells all who have a place in a session what has happened to it.
pub(super) async fn tell_participants(
    tx: &mut Tx,
    app: &App,
    session: &LiveSession,
    change: SessionChange,
) -> std::result::Result<(), InternalError> {
    let participants = attendance::participants(tx, session.id).await?;
    let told = |participant| LiveSessionChanged { session: session.id, participant, change, version: session.version };
    outbox::record_all(tx, &app.clock, &participants.into_iter().map(told).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Deletes a session in which no user has ever had a place.
///
/// # Errors
/// There is no such session; it has had participants; the actor does not manage it.
pub(in crate::live) async fn delete_session(
    loaders: &Loaders,
    actor: &Actor,
    input: DeleteLiveSessionInput,
) -> Result<LiveSessionId> {
    let id = input.live_session_id;
    managed(loaders, actor, id).await?;
    loaders
        .app()
        .db
        .transaction(async |tx| {
            query::lock(tx, id).await?.ok_or_else(|| error::no_such_session(id))?;
            if attendance::any(tx, id).await? {
                return Err(error::has_participants());
            }
            query::delete(tx, id).await?;
            Ok::<_, Error>(id)
        })
        .await
}
