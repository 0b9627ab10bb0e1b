//! The calendar of a user's sessions, for calendar programs (RFC 5545).

use chrono::TimeDelta;
use icalendar::{Calendar, Component, Event, EventLike, EventStatus};

use crate::accounts::{UserId, viewer};
use crate::graphql::Result;
use crate::graphql::page::Page;
use crate::live::model::{LiveSession, SessionWhich, SetCalendarFeedInput};
use crate::live::query::{calendar as query, list};
use crate::platform::App;
use crate::platform::auth::{Actor, hash_token, opaque};
use crate::platform::internal_error::InternalError;

/// For how long sessions stay in the calendar.
const PAST: TimeDelta = TimeDelta::days(90);
/// The maximum number of sessions in it: the earliest ones.
const MOST: usize = 500;
/// The longest token that is looked up.
const LONGEST_TOKEN: usize = 100;

/// Gives the actor's calendar a new secret address and returns its URL, or removes it. The earlier one is not valid
/// anymore.
///
/// # Errors
/// The actor is not signed in.
pub(in crate::live) async fn set_feed(app: &App, actor: &Actor, input: SetCalendarFeedInput) -> Result<Option<String>> {
    let (user, mut writer) = (viewer(actor)?, app.db.write().await?);
    if !input.is_enabled {
        query::remove(&mut writer, user).await?;
        return Ok(None);
    }
    let (token, hash) = opaque("cal_");
    query::set(&mut writer, user, &hash, app.clock.now()).await?;
    Ok(Some(format!("{}/calendars/{token}.ics", app.config.public_url)))
}

/// Returns the calendar with a secret address; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn calendar_feed(app: &App, token: &str) -> std::result::Result<Option<String>, InternalError> {
    if token.len() > LONGEST_TOKEN {
        return Ok(None);
    }
    let mut conn = app.db.read().await?;
    let Some(user) = query::user_of(&mut conn, &hash_token(token)).await? else { return Ok(None) };
    let from = Some(app.clock.now() - PAST);
    let which = SessionWhich { of: Some(user), from, ..SessionWhich::default() };
    let page = Page { limit: MOST, backward: false, after: None, before: None };
    let sessions = list::page(&conn, &which, &page).await?;
    drop(conn);
    let mut calendar = Calendar::new();
    calendar.name(&app.config.site_name);
    for session in sessions.iter().take(MOST) {
        calendar.push(event(app, session, user));
    }
    Ok(Some(calendar.to_string()))
}

fn event(app: &App, session: &LiveSession, user: UserId) -> Event {
    let status = if session.canceled_at.is_some() { EventStatus::Cancelled } else { EventStatus::Confirmed };
    let title = if session.host_id == user { format!("{} (host)", session.title) } else { session.title.clone() };
    let mut event = Event::with_uid(&session.id.encode());
    // Times are in UTC, so that no time zones have to be described.
    event
        .summary(&title)
        .starts(session.starts_at)
        .ends(session.ends_at)
        .timestamp(session.created_at)
        .sequence(session.version.unsigned_abs())
        .status(status)
        .url(&format!("{}/open?id={}", app.config.app_url, session.id.encode()));
    event.done()
}
