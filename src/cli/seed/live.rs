//! The live classes of the demo school.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::actor;
use super::people::People;
use super::progress::Progress;
use crate::catalog::Course;
use crate::cli::explain;
use crate::graphql::loaders::Loaders;
use crate::live;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// What a week has: a title, and the hour of the day (UTC).
const WEEK: [(&str, i64); 5] = [
    ("Office hour", 16),
    ("Questions and answers", 17),
    ("Study group", 18),
    ("Exam preparation", 15),
    ("Workshop", 10),
];

/// Creates weekly sessions about published courses, one on each of the next days.
pub(super) async fn import(
    app: &App,
    people: &People,
    courses: &[Course],
    progress: &Progress,
) -> Result<(), InternalError> {
    let loaders = Loaders::new(app.clone());
    let published = courses.iter().filter(|course| course.published_at.is_some());
    progress.step("live classes", WEEK.len())?;
    let today: DateTime<Utc> = app.clock.now().date_naive().and_time(NaiveTime::MIN).and_utc();
    for ((day, (title, hour)), course) in (1..).zip(WEEK).zip(published) {
        let host = people.instructors.iter().find(|user| user.id == course.instructor_id);
        let start = today + TimeDelta::days(day) + TimeDelta::hours(hour);
        if let Some(host) = host {
            live::import(&loaders, &actor(host), course, (title, start)).await.map_err(explain)?;
        }
        progress.done(1);
    }
    Ok(())
}
