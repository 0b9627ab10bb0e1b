//! Creates sessions.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use url::Url;

use crate::accounts::{self, UserId, viewer};
use crate::catalog::{self, CourseById};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result, Time};
use crate::live::model::{
    Bad, CreateLiveSessionInput, LiveSeriesId, LiveSession, LiveSessionId, NewSession, RecurrenceInput, next_reminder,
    occurrences, wrong_length,
};
use crate::live::query::session as query;
use crate::live::{error, policy};
use crate::platform::App;
use crate::platform::auth::{Actor, Role};
use crate::platform::db::Tx;

const LONGEST_TITLE: usize = 200;
const LONGEST_URL: usize = 1000;
const MOST_SEATS: i32 = 10_000;

/// What a new session is, after its check.
struct New {
    title: String,
    capacity: Option<i32>,
    meeting_url: Option<String>,
    starts: Vec<DateTime<Utc>>,
    series: Option<(String, Tz)>,
}

/// Creates a session, or all sessions of a series; returns them, earliest first.
///
/// # Errors
/// The input is invalid; the host is in another session at the time; the actor may not create the session.
pub async fn create_sessions(
    loaders: &Loaders,
    actor: &Actor,
    input: CreateLiveSessionInput,
) -> Result<Vec<LiveSession>> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let host = input.host_id.unwrap_or(user);
    let in_team = match input.course_id {
        None => false,
        Some(id) => {
            let course = loaders.load(CourseById(id)).await?.ok_or_else(error::no_such_course)?;
            catalog::is_in_team(loaders, actor, &course).await?
        }
    };
    if !policy::can_create(actor, in_team, host) {
        return Err(error::may_not_create());
    }
    let new = check(app, &input)?;
    app.db
        .transaction(async |tx| {
            let claimed =
                match input.once.claim::<LiveSession>(tx, app, user.uuid(), "createLiveSession", &input).await? {
                    Turn::Create(claimed) => claimed,
                    Turn::Repeat(id) => return made_before(tx, id).await,
                };
            if let Some(course) = input.course_id {
                catalog::hold_course(tx, course).await?.ok_or_else(error::no_such_course)?;
            }
            hold_host(tx, host).await?;
            let made = insert(tx, app, &input, &new, host).await?;
            let first = made.first().ok_or_else(gone)?;
            claimed.keep(tx, first.id.uuid()).await?;
            Ok::<_, Error>(made)
        })
        .await
}

async fn made_before(tx: &mut Tx, id: LiveSessionId) -> Result<Vec<LiveSession>> {
    let first = query::by_ids(tx.conn(), &[id]).await?.pop().ok_or_else(gone)?;
    Ok(match first.series_id {
        Some(series) => query::of_series(tx.conn(), series).await?,
        None => vec![first],
    })
}

/// Locks the host of a session, who must be able to teach.
async fn hold_host(tx: &mut Tx, host: UserId) -> Result<()> {
    accounts::lock_user(tx, host).await?;
    let account = accounts::user_by_id(tx, host).await?;
    account.filter(|account| account.role != Role::Student).map(drop).ok_or_else(error::no_such_host)
}

async fn insert(
    tx: &mut Tx,
    app: &App,
    input: &CreateLiveSessionInput,
    new: &New,
    host: UserId,
) -> Result<Vec<LiveSession>> {
    let now = app.clock.now();
    let series_id = new.series.as_ref().map(|_| LiveSeriesId::new(app.clock.uuid()));
    if let (Some(id), Some((rule, zone))) = (series_id, &new.series) {
        query::insert_series(tx, id, (rule, *zone), now).await?;
    }
    let length = input.ends_at.0 - input.starts_at.0;
    let session = |start: &DateTime<Utc>| NewSession {
        id: LiveSessionId::new(app.clock.uuid()),
        series_id,
        host_id: host,
        course_id: input.course_id,
        category_id: input.category_id,
        title: new.title.clone(),
        starts_at: *start,
        ends_at: *start + length,
        capacity: new.capacity,
        meeting_url: new.meeting_url.clone(),
        created_at: now,
        remind_at: next_reminder(*start, now),
    };
    query::insert(tx, new.starts.iter().map(session).collect()).await.map_err(refused)
}

/// Turns the violation of a constraint by a new session into what its host can correct.
fn refused(failed: diesel::result::Error) -> Error {
    use diesel::result::{DatabaseErrorKind, Error as Failed};
    match &failed {
        // The course and the host are held.
        Failed::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => error::no_such_category(),
        _ => error::refused(failed),
    }
}

fn check(app: &App, input: &CreateLiveSessionInput) -> Result<New> {
    let mut check = Check::new();
    if input.course_id.is_some() && input.category_id.is_some() {
        check.error(UserErrorCode::Invalid, "categoryId", "A session is about a course or a category, not both.");
    }
    let title = check_title(&mut check, &input.title);
    let meeting_url = input.meeting_url.as_ref().map(|url| check_url(&mut check, url));
    check_capacity(&mut check, input.capacity);
    let Time(start) = input.starts_at;
    check_times(&mut check, app, start, input.ends_at.0);
    let (starts, series) = match &input.recurrence {
        None => (vec![start], None),
        Some(recurrence) => check.part(&["recurrence"], |check| check_recurrence(check, recurrence, start)),
    };
    check.finish()?;
    Ok(New { title, capacity: input.capacity, meeting_url, starts, series })
}

fn check_recurrence(
    check: &mut Check,
    recurrence: &RecurrenceInput,
    start: DateTime<Utc>,
) -> (Vec<DateTime<Utc>>, Option<(String, Tz)>) {
    let rule = check.required("rule", &recurrence.rule, LONGEST_URL);
    let Ok(zone) = recurrence.time_zone.parse::<Tz>() else {
        check.malformed("timeZone", &recurrence.time_zone, "is not an IANA time zone, like Europe/Berlin");
        return Default::default();
    };
    match occurrences(&rule, zone, start) {
        Ok(starts) => (starts, Some((rule, zone))),
        Err(Bad(why)) => {
            check.error(UserErrorCode::Invalid, "rule", format!("{why}."));
            Default::default()
        }
    }
}

pub(super) fn check_title(check: &mut Check, title: &str) -> String {
    check.required("title", title, LONGEST_TITLE)
}

/// Validates the URL of a meeting: other schemes could run a script.
pub(super) fn check_url(check: &mut Check, url: &str) -> String {
    let text = check.required("meetingUrl", url, LONGEST_URL);
    let is_web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !text.is_empty() && !is_web {
        let what = "is not an address; one begins with https:// or http://, such as https://meet.example/engines";
        check.malformed("meetingUrl", &text, what);
    }
    text
}

pub(super) fn check_capacity(check: &mut Check, capacity: Option<i32>) {
    if capacity.is_some_and(|seats| !(1..=MOST_SEATS).contains(&seats)) {
        check.error(UserErrorCode::OutOfRange, "capacity", format!("A session has 1 to {MOST_SEATS} seats."));
    }
}

/// Validates that a session is in the future and has an allowed length.
pub(super) fn check_times(check: &mut Check, app: &App, start: DateTime<Utc>, end: DateTime<Utc>) {
    if start <= app.clock.now() {
        check.error(UserErrorCode::OutOfRange, "startsAt", "A session starts in the future.");
    }
    let (length, allowed) = (end - start, &app.config.live.minutes);
    if !allowed.iter().any(|minutes| length.num_milliseconds() == i64::from(*minutes) * 60_000) {
        check.error(UserErrorCode::OutOfRange, "endsAt", wrong_length(allowed, length.num_minutes()));
    }
}
