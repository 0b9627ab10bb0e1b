//! Commands for lesson videos and demo videos, and who may watch them.

use super::outline::{LONGEST_LESSON, check_total, editable_lesson};
use super::{content, editable};
use crate::catalog::loader::{CourseById, LessonById};
use crate::catalog::model::{
    Course, Lesson, LessonKind, SetCourseDemoVideoInput, SetLessonVideoInput, Showing, ShownAs,
};
use crate::catalog::query::{course, outline, video as query};
use crate::catalog::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::Edit;
use crate::graphql::loaders::Load;
use crate::media::{self, Referrer, Video, VideoById, VideoId, VideoProcessed, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Sets or removes the video of a lesson.
///
/// The lesson takes the video's duration if it is known. A video that is no longer referenced is deleted after the
/// grace period.
///
/// # Errors
/// The video does not exist, belongs to neither the actor nor the instructor, or cannot be played; the lesson is an
/// article, or published and would have no video; a chapter of the lesson would be after its end; the course would be
/// too long; the actor may not edit the course.
pub async fn set_lesson_video(app: &App, actor: &Actor, input: SetLessonVideoInput) -> Result<Edit<(Course, Lesson)>> {
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.version != input.version {
                return Ok(Edit::Conflict { version: lesson.version, current: (course, lesson) });
            }
            if lesson.video_id == input.video_id {
                return Ok(Edit::Saved((course, lesson)));
            }
            set_on_lesson(tx, app, actor, (&course, &lesson), input.video_id).await.map(Edit::Saved)
        })
        .await
}

/// Like [`set_lesson_video`], in the caller's transaction and whatever the lesson's version.
pub(super) async fn set_on_lesson(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    (course, lesson): (&Course, &Lesson),
    video_id: Option<VideoId>,
) -> Result<(Course, Lesson)> {
    match (lesson.kind, video_id) {
        (LessonKind::Article, _) => return Err(error::article_without_video()),
        (LessonKind::Video, None) if lesson.published_at.is_some() => return Err(error::published_video()),
        (LessonKind::Video, _) => {}
    }
    let video = show(tx, app, actor, (course, lesson.id.into()), video_id).await?;
    let seconds = video.and_then(|video| video.duration_seconds()).or(lesson.duration_seconds);
    content::check_kept(tx, lesson, seconds, "videoId").await?;
    write(tx, app, course, lesson, video_id, seconds).await
}

async fn write(
    tx: &mut Tx,
    app: &App,
    course: &Course,
    lesson: &Lesson,
    video: Option<VideoId>,
    seconds: Option<i32>,
) -> Result<(Course, Lesson)> {
    let (now, seconds) = (app.clock.now(), seconds.map(|seconds| seconds.clamp(1, LONGEST_LESSON)));
    let changed = query::set_lesson_video(tx, lesson.id, video, seconds, now).await?;
    let longer = if lesson.published_at.is_some() { changed.seconds() - lesson.seconds() } else { 0 };
    check_total(course, longer)?;
    Ok((outline::outline_changed(tx, course.id, (0, longer), now).await?, changed))
}

/// Sets or removes the demo video of a course.
///
/// # Errors
/// As for [`set_lesson_video`].
pub async fn set_course_demo_video(app: &App, actor: &Actor, input: SetCourseDemoVideoInput) -> Result<Edit<Course>> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            if course.demo_video_id == input.video_id {
                return Ok(Edit::Saved(course));
            }
            set_on_course(tx, app, actor, &course, input.video_id).await.map(Edit::Saved)
        })
        .await
}

/// Like [`set_course_demo_video`], in the caller's transaction and whatever the course's version.
pub(super) async fn set_on_course(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    course: &Course,
    video_id: Option<VideoId>,
) -> Result<Course> {
    show(tx, app, actor, (course, course.id.into()), video_id).await?;
    Ok(query::set_demo_video(tx, course.id, video_id, app.clock.now()).await?)
}

/// Makes a lesson or the course show a video.
///
/// Actors may use videos of their own and of the course's instructor; administrators may use any.
async fn show(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    (course, referrer): (&Course, Referrer),
    id: Option<VideoId>,
) -> Result<Option<Video>> {
    let may = |video: &Video| policy::can_show(actor, course, video.owner_id);
    match (id, media::show_video(tx, app, referrer, id, may).await?) {
        (Some(_), None) => Err(error::no_such_video()),
        (_, Some(video)) if video.status == VideoStatus::Failed => Err(error::unplayable_video()),
        (_, video) => Ok(video),
    }
}

/// Sets the duration of the lessons that show a video, now that it is known.
///
/// If a course would be too long, nothing is changed and a warning is logged.
///
/// # Errors
/// The database failed.
pub(crate) async fn take_duration(app: &App, event: &VideoProcessed) -> std::result::Result<(), InternalError> {
    let Some(seconds) = event.duration_seconds else { return Ok(()) };
    let outcome = app
        .db
        .transaction(async |tx| {
            for (lesson_id, course_id) in query::lessons_with(tx, event.video_id).await? {
                let Some(course) = course::lock(tx, course_id).await? else { continue };
                // Reread it under the course's lock.
                let lesson = outline::lesson(tx, lesson_id).await?;
                let lesson = lesson.filter(|lesson| lesson.video_id == Some(event.video_id));
                let Some(lesson) = lesson.filter(|lesson| lesson.duration_seconds != Some(seconds)) else { continue };
                content::cut(tx, &lesson, seconds).await?;
                write(tx, app, &course, &lesson, lesson.video_id, Some(seconds)).await?;
            }
            Ok::<_, crate::graphql::Error>(())
        })
        .await;
    match outcome {
        Err(crate::graphql::Error::Internal(error)) => Err(error),
        Err(_) => {
            tracing::warn!(video = %event.video_id.encode(), "a course would be too long");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Returns the current rows for a place where a video is shown; `None` if it does not exist.
///
/// # Errors
/// The database failed.
pub async fn showing(app: &App, shown_as: ShownAs) -> std::result::Result<Option<Showing>, InternalError> {
    let (course_id, lesson) = match shown_as {
        ShownAs::Demo(id) => (id, None),
        ShownAs::Own(id) => return Ok(VideoById(id).load_one(app).await?.map(Showing::Own)),
        ShownAs::Lesson(id) => match LessonById(id).load_one(app).await? {
            Some(lesson) => (lesson.course_id, Some(lesson)),
            None => return Ok(None),
        },
    };
    let course = CourseById(course_id).load_one(app).await?;
    Ok(course.map(|course| match lesson {
        Some(lesson) => Showing::Lesson(course, lesson),
        None => Showing::Demo(course),
    }))
}
