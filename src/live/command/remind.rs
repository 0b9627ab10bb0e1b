//! Reminds participants of sessions that start soon.

use uuid::Uuid;

use crate::accounts::UserId;
use crate::live::event::LiveSessionSoon;
use crate::live::model::{LiveSession, LiveSessionStatus, next_reminder};
use crate::live::query::{attendance, session as query};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Reminds the participants of sessions a day before the start, and when they are let in; each once. Each session has a
/// transaction of its own.
///
/// # Errors
/// The database failed.
pub(crate) async fn remind(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        if !app.db.transaction(async |tx| remind_of_one(tx, app).await).await? {
            break;
        }
    }
    Ok(())
}

/// Reminds of the session that is due the longest; returns whether there is one.
async fn remind_of_one(tx: &mut Tx, app: &App) -> Result<bool, InternalError> {
    let now = app.clock.now();
    let Some(session) = query::lock_reminded(tx, now).await? else { return Ok(false) };
    if session.status(now) == LiveSessionStatus::Scheduled {
        tell(tx, app, &session).await?;
    }
    query::set_reminder(tx, session.id, next_reminder(session.starts_at, now)).await?;
    Ok(true)
}

async fn tell(tx: &mut Tx, app: &App, session: &LiveSession) -> Result<(), InternalError> {
    let is_open = session.is_open(app.clock.now());
    let mut after = UserId::new(Uuid::nil());
    loop {
        let seated = attendance::seated(tx, session.id, after).await?;
        let Some(last) = seated.last() else { return Ok(()) };
        after = *last;
        let soon =
            |participant| LiveSessionSoon { session: session.id, participant, starts_at: session.starts_at, is_open };
        outbox::record_all(tx, &app.clock, &seated.into_iter().map(soon).collect::<Vec<_>>()).await?;
    }
}
