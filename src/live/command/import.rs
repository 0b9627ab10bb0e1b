//! Sessions of the demo school.

use chrono::{DateTime, TimeDelta, Utc};

use super::create::create_sessions;
use crate::catalog::Course;
use crate::graphql::loaders::Loaders;
use crate::graphql::{Idempotency, Result, Time};
use crate::live::loader::SessionCount;
use crate::live::model::{CreateLiveSessionInput, RecurrenceInput, SessionWhich};
use crate::platform::auth::Actor;

/// Creates weekly sessions about a course of the actor's, the first at `start`. A course that has sessions gets no more.
///
/// # Errors
/// The actor may not create them; the database failed.
pub async fn import(
    loaders: &Loaders,
    actor: &Actor,
    course: &Course,
    (title, start): (&str, DateTime<Utc>),
) -> Result<()> {
    let which = SessionWhich { course: Some(course.id), ..SessionWhich::default() };
    if loaders.load(SessionCount(which)).await?.is_some_and(|count| count > 0) {
        return Ok(());
    }
    let length = loaders.app().config.live.minutes.first().copied().unwrap_or_default();
    let input = CreateLiveSessionInput {
        course_id: Some(course.id),
        category_id: None,
        host_id: None,
        title: title.to_owned(),
        starts_at: Time(start),
        ends_at: Time(start + TimeDelta::minutes(i64::from(length))),
        capacity: Some(20),
        meeting_url: Some("https://meet.example/lyceum".to_owned()),
        recurrence: Some(RecurrenceInput { rule: "FREQ=WEEKLY;COUNT=4".to_owned(), time_zone: "UTC".to_owned() }),
        once: Idempotency::default(),
    };
    create_sessions(loaders, actor, input).await.map(drop)
}
