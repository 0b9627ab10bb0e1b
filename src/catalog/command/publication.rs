//! Commands that publish, unpublish, schedule, unlock, archive and delete.
//!
//! A lesson is announced ([`LessonPublished`]) when it becomes visible for the first time. Lessons that are published
//! together with a new course are not announced: only the course is ([`CoursePublished`]). What is published again is
//! not announced again, and returns to its old place in lists. An unpublished course is visible only to those who may
//! edit it; an archived course also to entitled users.

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;
use uuid::Uuid;

use super::editable;
use super::outline::{check_total, editable_lesson};
use crate::catalog::error;
use crate::catalog::event::{CourseArchived, CourseDeleted, CoursePublished, LessonPublished};
use crate::catalog::model::{
    ArchiveCourseInput, Course, CourseId, DeleteCourseInput, Deleted, Lesson, LessonId, LessonKind, LessonUnlockInput,
    PublishCourseInput, PublishLessonInput, ScheduleCourseInput, ScheduleLessonInput, SetLessonUnlockInput,
    UnarchiveCourseInput, UnpublishCourseInput, UnpublishLessonInput,
};
use crate::catalog::query::course as courses;
use crate::catalog::query::publication as query;
use crate::catalog::query::{arrange, outline};
use crate::entitlements;
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::graphql::{Error, Result, Time};
use crate::media::{self, VideoId, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::{jobs, outbox};

/// The job that publishes what is due in a course.
pub(crate) const PUBLISH_DUE: &str = "catalog.publish_due";

/// Publishes a course, even if it is archived. Publishing a published course changes nothing.
///
/// If its only lessons to publish wait for their videos, the course waits with them: it is scheduled for now.
///
/// # Errors
/// It has no published lesson; the actor may not edit it.
pub async fn publish_course(app: &App, actor: &Actor, input: PublishCourseInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            match course {
                Course { published_at: Some(_), .. } => Ok(course),
                Course { lesson_count: 0, archived_at: None, .. } => wait_with_lessons(tx, app, course).await,
                Course { lesson_count: 0, .. } => Err(error::nothing_to_publish()),
                _ => Ok(show_course(tx, app, &course).await?),
            }
        })
        .await
}

/// Schedules a course for now if one of its lessons waits for its video.
async fn wait_with_lessons(tx: &mut Tx, app: &App, course: Course) -> Result<Course> {
    let now = app.clock.now();
    match query::due_lessons(tx, course.id, now).await?.is_empty() {
        true => Err(error::nothing_to_publish()),
        false if course.publish_at.is_some_and(|at| at <= now) => Ok(course),
        false => Ok(query::schedule(tx, course.id, Some(now), now).await?),
    }
}

/// Publishes a lesson, and announces it if it becomes visible for the first time.
///
/// If its video is still being processed, the lesson is scheduled for now, and published when the processing ends.
/// Publishing a published lesson changes nothing.
///
/// # Errors
/// It has no video, or one that cannot be played; the course would be too long; the actor may not edit it.
pub async fn publish_lesson(app: &App, actor: &Actor, input: PublishLessonInput) -> Result<(Course, Lesson)> {
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.published_at.is_some() {
                return Ok((course, lesson));
            }
            check_total(&course, lesson.seconds())?;
            if is_ready(tx, &lesson).await? {
                return Ok(show_lesson(tx, app, &course, &lesson).await?);
            }
            let now = app.clock.now();
            if lesson.publish_at.is_some_and(|at| at <= now) {
                return Ok((course, lesson));
            }
            let lesson = query::schedule_lesson(tx, lesson.id, Some(now), now).await?;
            Ok((course, lesson))
        })
        .await
}

/// Returns whether the lesson can be published; `false` while its video is processed.
///
/// # Errors
/// It has no video, or one that cannot be played.
async fn is_ready(tx: &mut Tx, lesson: &Lesson) -> Result<bool> {
    if lesson.kind == LessonKind::Article {
        return Ok(true);
    }
    let video = match lesson.video_id {
        Some(id) => media::video(tx, id).await?,
        None => None,
    };
    match video.map(|video| video.status) {
        None => Err(error::no_video()),
        Some(VideoStatus::Failed) => Err(error::failed_video()),
        Some(VideoStatus::Ready) => Ok(true),
        Some(VideoStatus::Uploaded | VideoStatus::Processing) => Ok(false),
    }
}

/// Publishes a course, on request or as scheduled, and records the events.
async fn show_course(tx: &mut Tx, app: &App, course: &Course) -> std::result::Result<Course, InternalError> {
    let (course, is_news) = query::publish(tx, course.id, app.clock.now()).await?;
    let lessons = query::first_seen(tx, course.id, app.clock.now()).await?;
    if is_news {
        outbox::record(tx, &app.clock, &CoursePublished { course_id: course.id }).await?;
        return Ok(course);
    }
    for (lesson_id, kind) in lessons {
        outbox::record(tx, &app.clock, &published(app, &course, lesson_id, kind)).await?;
    }
    Ok(course)
}

/// Publishes a lesson, on request or as scheduled, and records the event.
async fn show_lesson(
    tx: &mut Tx,
    app: &App,
    course: &Course,
    lesson: &Lesson,
) -> std::result::Result<(Course, Lesson), InternalError> {
    let now = app.clock.now();
    let (lesson, is_news) = query::publish_lesson(tx, lesson.id, course.published_at.is_some(), now).await?;
    let course = outline::outline_changed(tx, course.id, (1, lesson.seconds()), now).await?;
    if is_news {
        outbox::record(tx, &app.clock, &published(app, &course, lesson.id, lesson.kind)).await?;
    }
    Ok((course, lesson))
}

fn published(app: &App, course: &Course, lesson_id: LessonId, kind: LessonKind) -> LessonPublished {
    let (course_id, channel_id) = (course.id, course.channel_id);
    LessonPublished { lesson_id, course_id, channel_id, kind, published_at: Some(app.clock.now()) }
}

/// Unpublishes a course, so that it is a draft. Nothing changes if it is not published.
///
/// # Errors
/// The actor may not edit the course.
pub async fn unpublish_course(app: &App, actor: &Actor, input: UnpublishCourseInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.published_at.is_none() {
                return Ok(course);
            }
            Ok(query::withdraw(tx, &course, None, app.clock.now()).await?)
        })
        .await
}

/// Unpublishes a lesson, which then no longer counts in its course.
///
/// # Errors
/// The actor may not edit the course.
pub async fn unpublish_lesson(app: &App, actor: &Actor, input: UnpublishLessonInput) -> Result<(Course, Lesson)> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.published_at.is_none() {
                return Ok((course, lesson));
            }
            let lesson = query::withdraw_lesson(tx, lesson.id, now).await?;
            let course = outline::outline_changed(tx, course.id, (-1, -lesson.seconds()), now).await?;
            Ok((course, lesson))
        })
        .await
}

/// Schedules the publication of a draft course, or cancels the schedule.
///
/// # Errors
/// The time is in the past; the course is published or archived; the actor may not edit it.
pub async fn schedule_course(app: &App, actor: &Actor, input: ScheduleCourseInput) -> Result<Edit<Course>> {
    let at = check_time(app, input.publish_at)?;
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            match course {
                Course { archived_at: Some(_), .. } => return Err(error::archived()),
                Course { published_at: Some(_), .. } => return Err(error::already_published("courseId")),
                _ => {}
            }
            let course = query::schedule(tx, course.id, at, app.clock.now()).await?;
            publish_at(tx, app, course.id, course.id.uuid(), at).await?;
            Ok(Edit::Saved(course))
        })
        .await
}

/// Schedules the publication of a draft lesson, or cancels the schedule.
///
/// # Errors
/// The time is in the past; the lesson is published; the actor may not edit the course.
pub async fn schedule_lesson(app: &App, actor: &Actor, input: ScheduleLessonInput) -> Result<Edit<(Course, Lesson)>> {
    let at = check_time(app, input.publish_at)?;
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.version != input.version {
                return Ok(Edit::Conflict { version: lesson.version, current: (course, lesson) });
            }
            if lesson.published_at.is_some() {
                return Err(error::already_published("lessonId"));
            }
            let lesson = query::schedule_lesson(tx, lesson.id, at, app.clock.now()).await?;
            publish_at(tx, app, course.id, lesson.id.uuid(), at).await?;
            Ok(Edit::Saved((course, lesson)))
        })
        .await
}

/// Checks that a time is in the future, and truncates it to microseconds like the database.
fn check_time(app: &App, at: Option<Time>) -> Result<Option<DateTime<Utc>>> {
    let at = at.map(|Time(at)| at.trunc_subsecs(6));
    let mut check = Check::new();
    if at.is_some_and(|at| at <= app.clock.now()) {
        check.error(UserErrorCode::OutOfRange, "publishAt", "This time is past; choose one in the future.");
    }
    check.finish()?;
    Ok(at)
}

/// Enqueues a job that publishes what is due in the course at that time.
///
/// The job checks the times in the rows, so a job of a canceled schedule does nothing.
pub(super) async fn publish_at(
    tx: &mut Tx,
    app: &App,
    course: CourseId,
    what: Uuid,
    at: Option<DateTime<Utc>>,
) -> std::result::Result<(), InternalError> {
    let Some(at) = at else { return Ok(()) };
    let key = format!("{PUBLISH_DUE}/{what}@{}", at.timestamp_micros());
    jobs::enqueue_at(tx, &app.clock, PUBLISH_DUE, &json!({ "course_id": course }), &key, at).await
}

/// Publishes what is due in a course.
///
/// Lessons come first, because a course needs one. A lesson whose video is still processed stays due, and a course
/// without another lesson with it. What cannot be published is logged and becomes a draft without a schedule.
///
/// # Errors
/// The database failed.
pub(crate) async fn publish_due(app: &App, id: CourseId) -> std::result::Result<(), InternalError> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let Some(mut course) = courses::lock(tx, id).await? else { return Ok(()) };
            let mut waits = false;
            for lesson in query::due_lessons(tx, id, now).await? {
                let is_ready = match check_total(&course, lesson.seconds()) {
                    Ok(()) => is_ready(tx, &lesson).await,
                    too_long => too_long.map(|()| false),
                };
                match is_ready {
                    Ok(true) => (course, _) = show_lesson(tx, app, &course, &lesson).await?,
                    Ok(false) => waits = true,
                    Err(Error::Internal(error)) => return Err(error),
                    Err(error) => {
                        let (lesson_id, why) = (lesson.id.encode(), error.into_message());
                        tracing::warn!(lesson = %lesson_id, %why, "a lesson was not published");
                        query::schedule_lesson(tx, lesson.id, None, now).await?;
                    }
                }
            }
            if course.publish_at.is_none_or(|at| now < at) {
                return Ok(());
            }
            if course.lesson_count > 0 {
                show_course(tx, app, &course).await?;
            } else if !waits {
                tracing::warn!(course = %id.encode(), "a course was not published: it has no published lesson");
                query::schedule(tx, id, None, now).await?;
            }
            Ok::<_, InternalError>(())
        })
        .await
}

/// Publishes the lessons that waited for a video, now that its processing has ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn publish_waiting(app: &App, id: VideoId) -> std::result::Result<(), InternalError> {
    let waiting = query::waiting_for(&mut *app.db.read().await?, id, app.clock.now()).await?;
    for course in waiting {
        publish_due(app, course).await?;
    }
    Ok(())
}

/// Publishes everything that is due and was not published by its own job.
///
/// # Errors
/// The database failed.
pub(crate) async fn publish_missed(app: &App) -> std::result::Result<(), InternalError> {
    let mut after = CourseId::new(Uuid::nil());
    loop {
        let due = query::due(&mut *app.db.read().await?, app.clock.now(), after).await?;
        let Some(last) = due.last() else { return Ok(()) };
        after = *last;
        for id in due {
            publish_due(app, id).await?;
        }
    }
}

/// Sets when a lesson unlocks for users with access to its course.
///
/// # Errors
/// The number of days is out of range; the actor may not edit the course.
pub async fn set_lesson_unlock(
    app: &App,
    actor: &Actor,
    input: SetLessonUnlockInput,
) -> Result<Edit<(Course, Lesson)>> {
    if let Some(LessonUnlockInput::AfterDays(days)) = input.unlock
        && !(1..=3650).contains(&days)
    {
        let message = format!("A lesson opens 1 to 3650 days after access began; this one would after {days}.");
        return Err(Error::invalid(UserErrorCode::OutOfRange, &["unlock", "afterDays"], message));
    }
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.version != input.version {
                return Ok(Edit::Conflict { version: lesson.version, current: (course, lesson) });
            }
            let lesson = query::set_unlock(tx, lesson.id, input.unlock.as_ref(), app.clock.now()).await?;
            Ok(Edit::Saved((course, lesson)))
        })
        .await
}

/// Archives a course: only entitled users and those who may edit it see it then.
///
/// Archiving it again changes nothing.
///
/// # Errors
/// The actor may not edit the course.
pub async fn archive_course(app: &App, actor: &Actor, input: ArchiveCourseInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            Ok(archive(tx, app, course).await?)
        })
        .await
}

async fn archive(tx: &mut Tx, app: &App, course: Course) -> std::result::Result<Course, InternalError> {
    if course.archived_at.is_some() {
        return Ok(course);
    }
    let now = app.clock.now();
    let course = query::withdraw(tx, &course, Some(now), now).await?;
    outbox::record(tx, &app.clock, &CourseArchived { course_id: course.id }).await?;
    Ok(course)
}

/// Restores an archived course as a draft. Nothing changes if it is not archived.
///
/// # Errors
/// The actor may not edit the course.
pub async fn unarchive_course(app: &App, actor: &Actor, input: UnarchiveCourseInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.archived_at.is_none() {
                return Ok(course);
            }
            Ok(query::withdraw(tx, &course, None, app.clock.now()).await?)
        })
        .await
}

/// Deletes a course with its outline, or archives it if a user is entitled to it.
///
/// Its videos and files are deleted after the grace period, unless something else references them.
///
/// # Errors
/// The actor may not edit the course.
pub async fn delete_course(app: &App, actor: &Actor, input: DeleteCourseInput) -> Result<Deleted> {
    app.db
        .transaction(async |tx| {
            courses::lock_to_delete(tx, input.course_id).await?;
            let course = editable(tx, actor, input.course_id, "course").await?;
            let now = app.clock.now();
            if entitlements::is_owned(tx, course.id.uuid(), now).await? {
                return Ok(Deleted::Archived(Box::new(archive(tx, app, course).await?)));
            }
            let lessons = arrange::lesson_ids(tx, course.id).await?;
            let referrers: Vec<Uuid> = lessons.into_iter().map(LessonId::uuid).chain([course.id.uuid()]).collect();
            // An expired entitlement may still be open, and an open one references its course.
            entitlements::end_expired_of_course(tx, course.id.uuid(), now).await?;
            query::delete(tx, &course).await?;
            media::release(tx, app, &referrers).await?;
            outbox::record(tx, &app.clock, &CourseDeleted { course_id: course.id }).await?;
            Ok(Deleted::Removed(course.id))
        })
        .await
}
