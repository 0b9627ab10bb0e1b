//! The viewer's data.

use serde_json::{Value, json};

use crate::accounts::viewer;
use crate::graphql::export::{FETCH, items};
use crate::graphql::{Result, YearMonth};
use crate::live::model::{Attendance, LiveSession, MemberUsage, Usage, hours};
use crate::live::query::{attendance, calendar, family, list, usage};
use crate::platform::App;
use crate::platform::auth::Actor;

/// Returns the viewer's sessions, attendances and hours, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let hosted = list::hosted(&mut conn, user, FETCH).await?;
    let attended = attendance::latest_of(&mut conn, user, FETCH).await?;
    let months = usage::latest_of(&mut conn, user, FETCH).await?;
    let shares = family::latest_of(&mut conn, user, FETCH).await?;
    let calendar = calendar::since(&mut conn, user).await?;
    drop(conn);
    let session = |row: LiveSession| {
        json!({
            "id": row.id.encode(),
            "title": row.title,
            "startsAt": row.starts_at,
            "endsAt": row.ends_at,
            "meetingUrl": row.meeting_url,
            "canceledAt": row.canceled_at,
        })
    };
    let attendance = |row: Attendance| {
        json!({
            "liveSession": row.session_id.encode(),
            "status": row.status,
            "minutes": row.minutes,
            "since": row.since,
            "joinedAt": row.joined_at,
            "leftAt": row.left_at,
            "settledAt": row.settled_at,
        })
    };
    let month = |row: Usage| {
        json!({
            "month": YearMonth::of_day(row.month).to_string(),
            "allowedHours": hours(row.allowed_minutes).to_string(),
            "extraHours": hours(row.extra_minutes).to_string(),
            "attendedHours": hours(row.attended_minutes).to_string(),
            "heldHours": hours(row.held_minutes).to_string(),
            "sessionsAttended": row.sessions_attended,
        })
    };
    // Whose hours they were, is the other one's data.
    let share = |row: MemberUsage| {
        json!({
            "month": YearMonth::of_day(row.month).to_string(),
            "allowedHours": row.allowed_minutes.map(|minutes| hours(minutes).to_string()),
            "attendedHours": hours(row.attended_minutes).to_string(),
            "heldHours": hours(row.held_minutes).to_string(),
            "sessionsAttended": row.sessions_attended,
        })
    };
    Ok(json!({
        "calendarFeed": calendar.map(|created_at| json!({ "createdAt": created_at })),
        "sessions": items(hosted.into_iter().map(session)),
        "attendances": items(attended.into_iter().map(attendance)),
        "months": items(months.into_iter().map(month)),
        "familyMonths": items(shares.into_iter().map(share)),
    }))
}
