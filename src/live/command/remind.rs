//! Reminds participants of sessions that start soon.

use crate::live::event::LiveSessionSoon;
use crate::live::model::{AttendanceStatus, LiveSession, LiveSessionId, LiveSessionStatus, next_reminder};
use crate::live::query::{attendance, session as query};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Reminds the participants of sessions a day before the start, and when they are let in; each once.
///
/// # Errors
/// The database failed.
pub(in crate::live) async fn remind(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let reminded = app.db.transaction(async |tx| {
            let now = app.clock.now();
            let due = query::lock_reminded(tx, now).await?;
            for session in &due {
                if session.status(now) == LiveSessionStatus::Scheduled {
                    tell(tx, app, session).await?;
                }
            }
            let next = |row: &LiveSession| (row.id, next_reminder(row.starts_at, now));
            let next: Vec<(LiveSessionId, _)> = due.iter().map(next).collect();
            query::set_reminders(tx, &next).await?;
            Ok::<_, InternalError>(due.len())
        });
        if reminded.await? == 0 {
            break;
        }
    }
    Ok(())
}

async fn tell(tx: &mut Tx, app: &App, session: &LiveSession) -> Result<(), InternalError> {
    let is_open = session.is_open(app.clock.now());
    let seated = attendance::in_state(tx, session.id, AttendanceStatus::Held, i64::MAX).await?;
    let soon =
        |participant| LiveSessionSoon { session: session.id, participant, starts_at: session.starts_at, is_open };
    let all: Vec<_> = seated.iter().map(|row| soon(row.user_id)).collect();
    outbox::record_all(tx, &app.clock, &all).await?;
    Ok(())
}
