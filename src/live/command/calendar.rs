//! The calendar of a user's sessions, and a single session, for calendar programs (RFC 5545).

use chrono::TimeDelta;
use icalendar::{Calendar, Component, Event, EventLike, EventStatus};

use crate::accounts::viewer;
use crate::graphql::Result;
use crate::graphql::page::Page;
use crate::live::model::{LiveSession, LiveSessionId, SessionWhich, SetCalendarFeedInput};
use crate::live::query::{calendar as query, list, session};
use crate::platform::App;
use crate::platform::auth::{Actor, Link, Proof, hash_token, opaque};
use crate::platform::internal_error::InternalError;

/// For how long sessions stay in the calendar.
const PAST: TimeDelta = TimeDelta::days(90);
/// The maximum number of sessions in it: the earliest ones.
const MOST: usize = 500;
/// The longest token that is looked up.
const LONGEST_TOKEN: usize = 100;
/// How long the URL of a session is valid.
const URL_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// What the URL of a session proves.
const STATE: &str = "live_session";

/// Gives the actor's calendar a new secret address and returns its URL, or removes it. The earlier one is not valid
/// anymore.
///
/// # Errors
/// The actor is not signed in.
pub async fn set_feed(app: &App, actor: &Actor, input: SetCalendarFeedInput) -> Result<Option<String>> {
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
        calendar.push(event(app, session, session.host_id == user));
    }
    Ok(Some(calendar.to_string()))
}

/// The URL of a session as a file for calendar programs, which is valid for an hour. The caller has checked that the
/// viewer may see the session.
pub fn session_url(app: &App, id: LiveSessionId) -> String {
    let token = app.codes.link(Proof::Download, id.uuid(), app.clock.now() + URL_LIFETIME, STATE);
    format!("{}/live-sessions/{}.ics?token={token}", app.config.public_url, id.encode())
}

/// Returns the calendar with a single session; `None` if the token of its URL is not valid, or not anymore.
///
/// # Errors
/// The database failed.
pub async fn session_file(app: &App, token: &str) -> std::result::Result<Option<String>, InternalError> {
    let link = Link::parse(token).filter(|link| app.codes.is_link(link, Proof::Download, STATE, app.clock.now()));
    let Some(Link { id, .. }) = link else { return Ok(None) };
    let found = session::by_ids(&mut *app.db.read().await?, &[LiveSessionId::new(id)]).await?.pop();
    Ok(found.map(|session| {
        // Without a name, so that programs add the session to the user's own calendar.
        let mut calendar = Calendar::new();
        calendar.push(event(app, &session, false));
        calendar.to_string()
    }))
}

fn event(app: &App, session: &LiveSession, is_host: bool) -> Event {
    let status = if session.canceled_at.is_some() { EventStatus::Cancelled } else { EventStatus::Confirmed };
    let title = if is_host { format!("{} (host)", session.title) } else { session.title.clone() };
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
