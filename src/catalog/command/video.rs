//! Videos of lessons and courses: who shows which, and who may watch.

use super::outline::{LONGEST_LESSON, check_total, editable_lesson};
use super::{content, editable};
use crate::catalog::loader::{CourseById, LessonById};
use crate::catalog::model::{Course, Lesson, SetCourseDemoVideoInput, SetLessonVideoInput, Showing, ShownAs};
use crate::catalog::query::{course, outline, video as query};
use crate::catalog::{error, policy};
use crate::enrollments::{self, Access};
use crate::graphql::Result;
use crate::graphql::loaders::Load;
use crate::media::{self, Video, VideoId, VideoProcessed, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::fault::Fault;

/// Gives a lesson another video, or none. When the video's duration is known it becomes the lesson's. A video that
/// nothing shows any more is deleted after the grace.
///
/// # Errors
/// There is no such video, it is not the actor's or the instructor's, or can't be played; a timestamp of the lesson is
/// after its end; the course is not the actor's.
pub async fn set_lesson_video(app: &App, actor: &Actor, input: SetLessonVideoInput) -> Result<(Course, Lesson)> {
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            let video = usable(tx, app, actor, &course, input.video_id).await?;
            if lesson.video_id == input.video_id {
                return Ok((course, lesson));
            }
            let seconds = video.and_then(|video| video.duration_seconds()).unwrap_or(lesson.duration_seconds);
            content::check_kept(tx, &lesson, seconds, "videoId").await?;
            let (course, changed) = write(tx, app, &course, &lesson, input.video_id, seconds).await?;
            if let Some(old) = lesson.video_id {
                media::detach(tx, app, old).await?;
            }
            Ok((course, changed))
        })
        .await
}

async fn write(
    tx: &mut Tx,
    app: &App,
    course: &Course,
    lesson: &Lesson,
    video: Option<VideoId>,
    seconds: i32,
) -> Result<(Course, Lesson)> {
    let (now, seconds) = (app.clock.now(), seconds.clamp(1, LONGEST_LESSON));
    let changed = query::set_lesson_video(tx, lesson.id, video, seconds, now).await?;
    let longer = if lesson.published_at.is_some() { seconds - lesson.duration_seconds } else { 0 };
    check_total(course, longer)?;
    Ok((outline::outline_changed(tx, course.id, (0, longer), now).await?, changed))
}

/// Gives a course another video to show to everybody, or none.
///
/// # Errors
/// As for [`set_lesson_video`].
pub async fn set_course_demo_video(app: &App, actor: &Actor, input: SetCourseDemoVideoInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            usable(tx, app, actor, &course, input.video_id).await?;
            if course.demo_video_id == input.video_id {
                return Ok(course);
            }
            let changed = query::set_demo_video(tx, course.id, input.video_id, app.clock.now()).await?;
            if let Some(old) = course.demo_video_id {
                media::detach(tx, app, old).await?;
            }
            Ok(changed)
        })
        .await
}

/// The video, locked, if the actor may show it in the course: their own or its instructor's; an administrator any.
async fn usable(tx: &mut Tx, app: &App, actor: &Actor, course: &Course, id: Option<VideoId>) -> Result<Option<Video>> {
    let Some(id) = id else { return Ok(None) };
    let may = |video: &Video| policy::can_show(actor, course, video.owner_id);
    match media::attach(tx, app, id, may).await? {
        None => Err(error::no_such_video()),
        Some(video) if video.status == VideoStatus::Failed => Err(error::unplayable_video()),
        Some(video) => Ok(Some(video)),
    }
}

/// Gives the lessons that show a video its duration, now that it is known.
///
/// # Errors
/// The database failed, or a course would be too long: then its lesson keeps the duration that it has.
pub(crate) async fn take_duration(app: &App, event: VideoProcessed) -> std::result::Result<(), Fault> {
    let Some(seconds) = event.duration_seconds else { return Ok(()) };
    let outcome = app
        .db
        .transaction(async |tx| {
            for (lesson_id, course_id) in query::lessons_with(tx, event.video_id).await? {
                let Some(course) = course::lock(tx, course_id).await? else { continue };
                // Read again under the course's lock.
                let lesson = outline::lesson(tx, lesson_id).await?;
                let lesson = lesson.filter(|lesson| lesson.video_id == Some(event.video_id));
                let Some(lesson) = lesson.filter(|lesson| lesson.duration_seconds != seconds) else { continue };
                content::cut(tx, &lesson, seconds).await?;
                write(tx, app, &course, &lesson, lesson.video_id, seconds).await?;
            }
            Ok::<_, crate::graphql::Error>(())
        })
        .await;
    match outcome {
        Err(crate::graphql::Error::Internal(fault)) => Err(fault),
        Err(_) => {
            tracing::warn!(video = %event.video_id.encode(), "a course would be too long");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// What is shown as this, as it is now.
///
/// # Errors
/// The database failed.
pub async fn showing(app: &App, shown_as: ShownAs) -> std::result::Result<Option<Showing>, Fault> {
    let (course_id, lesson) = match shown_as {
        ShownAs::Demo(id) => (id, None),
        ShownAs::Lesson(id) => match LessonById::load(app, &[LessonById(id)]).await?.remove(&LessonById(id)) {
            Some(lesson) => (lesson.course_id, Some(lesson)),
            None => return Ok(None),
        },
    };
    let course = CourseById::load(app, &[CourseById(course_id)]).await?.remove(&CourseById(course_id));
    Ok(course.map(|course| match lesson {
        Some(lesson) => Showing::Lesson(course, lesson),
        None => Showing::Demo(course),
    }))
}

/// Whether the actor may watch what is shown, and why not. This is the one place that says so, for addresses and for
/// playlists. A demo is for all who may know of its course.
///
/// # Errors
/// The database failed.
pub async fn access_to(app: &App, actor: &Actor, showing: &Showing) -> std::result::Result<Access, Fault> {
    match showing {
        Showing::Lesson(course, lesson) => enrollments::access_for(app, actor, course, Some(lesson.as_ref())).await,
        Showing::Demo(course) => {
            let access = enrollments::access_for(app, actor, course, None).await?;
            Ok(Access { granted: policy::can_see(actor, course, access.granted), ..access })
        }
    }
}
