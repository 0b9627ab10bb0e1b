//! Attaches uploaded files to what shows them.
//!
//! The target is checked when the upload is created, and again, as of the user who created it, when the file is ready:
//! in between, the lesson may have been deleted or the user may have lost the course. Attaching and noting it are one
//! transaction, so that nothing is attached twice.

use super::outline::{add_lesson, check_new_lesson, editable_lesson, editable_section};
use super::{category, editable, file, video};
use crate::accounts;
use crate::catalog::error;
use crate::catalog::model::{CreateLessonInput, LessonKind, NewLessonInput, UploadTarget};
use crate::channels;
use crate::graphql::{Error, Idempotency, Result, UserError};
use crate::media::{self, FileId, Upload, UploadId, VideoId, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Checks that the actor may attach a file to the target, and returns it as the upload keeps it.
///
/// # Errors
/// The target does not exist, is not chosen, or is a lesson that has no video; the title of a new lesson is invalid; the
/// actor may not edit the course.
pub async fn upload_target(app: &App, actor: &Actor, target: &UploadTarget) -> Result<media::Target> {
    let checked = app.db.transaction(async |tx| match target {
        UploadTarget::LessonId(id) => match editable_lesson(tx, actor, *id).await? {
            (_, lesson) if lesson.kind == LessonKind::Article => Err(error::article_without_video()),
            _ => Ok(()),
        },
        UploadTarget::NewLesson(lesson) => {
            check_new_lesson(&new_lesson(lesson))?;
            editable_section(tx, actor, lesson.section_id).await.map(drop)
        }
        UploadTarget::CourseDemoId(id) | UploadTarget::CourseThumbnailId(id) => {
            editable(tx, actor, *id, "course").await.map(drop)
        }
        // No scope opens their own mutations to an API token.
        UploadTarget::CategoryImageId(id) => category::editable_category(tx, actor.in_session(), *id).await.map(drop),
        UploadTarget::ChannelImageId(id) => channels::lock_editable(tx, actor.in_session(), *id).await.map(drop),
        UploadTarget::Avatar(true) => accounts::viewer(actor.in_session()).map(drop),
        UploadTarget::Avatar(false) => Err(error::no_target()),
    });
    checked.await.map_err(|error| within(error, target))?;
    Ok(media::Target { purpose: target.purpose(), role: target.role(), value: serde_json::to_value(target)? })
}

/// Moves the paths of user errors to the target.
fn within(error: Error, target: &UploadTarget) -> Error {
    let Error::Invalid(errors) = error else { return error };
    let place = |UserError { code, field, message }| {
        let mut path = target.path();
        if matches!(target, UploadTarget::NewLesson(_)) {
            path.extend(field);
        }
        UserError { code, field: path, message }
    };
    Error::Invalid(errors.into_iter().map(place).collect())
}

fn new_lesson(NewLessonInput { section_id, title }: &NewLessonInput) -> CreateLessonInput {
    CreateLessonInput {
        section_id: *section_id,
        title: title.clone(),
        kind: LessonKind::Video,
        duration_seconds: None,
        once: Idempotency::default(),
    }
}

/// Attaches the file of an upload to its target, if it has one that it was not attached to yet.
///
/// If that is not possible any more, the upload says why.
///
/// # Errors
/// The database failed.
pub(crate) async fn attach_upload(app: &App, id: UploadId) -> std::result::Result<(), InternalError> {
    let Some(upload) = media::unattached(app, id).await? else { return Ok(()) };
    let outcome = match accounts::actor_now(app, upload.user_id, None).await? {
        None => Err(error::uploader_gone()),
        Some(actor) => {
            app.db
                .transaction(async |tx| {
                    let shown_by = attach(tx, app, &actor, &upload).await?;
                    media::set_attached(tx, app, id, Ok(&shown_by)).await?;
                    Ok(())
                })
                .await
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(Error::Internal(error)) => Err(error),
        Err(error) => {
            let why = error.into_message();
            app.db.transaction(async |tx| media::set_attached(tx, app, id, Err(&why)).await).await
        }
    }
}

/// Returns the id of the object that shows the file now.
async fn attach(tx: &mut Tx, app: &App, actor: &Actor, upload: &Upload) -> Result<String> {
    let target: UploadTarget = serde_json::from_value(upload.attach_to.clone().unwrap_or_default())?;
    let (video, file) = (VideoId::new(upload.id.uuid()), FileId::new(upload.id.uuid()));
    if target.purpose() == media::UploadPurpose::Video
        && media::video(tx, video).await?.is_none_or(|video| video.status != VideoStatus::Ready)
    {
        return Err(error::unplayable_video());
    }
    match target {
        UploadTarget::LessonId(id) => {
            let (course, lesson) = editable_lesson(tx, actor, id).await?;
            video::set_on_lesson(tx, app, actor, (&course, &lesson), Some(video)).await?;
            Ok(id.encode())
        }
        UploadTarget::NewLesson(lesson) => {
            let (course, lesson) = add_lesson(tx, app, actor, &new_lesson(&lesson)).await?;
            video::set_on_lesson(tx, app, actor, (&course, &lesson), Some(video)).await?;
            Ok(lesson.id.encode())
        }
        UploadTarget::CourseDemoId(id) => {
            let course = editable(tx, actor, id, "course").await?;
            video::set_on_course(tx, app, actor, &course, Some(video)).await?;
            Ok(id.encode())
        }
        UploadTarget::CourseThumbnailId(id) => {
            let course = editable(tx, actor, id, "course").await?;
            file::set_on_course(tx, app, actor, &course, Some(file)).await?;
            Ok(id.encode())
        }
        UploadTarget::CategoryImageId(id) => {
            let category = category::editable_category(tx, actor, id).await?;
            category::set_image(tx, app, &category, Some(file)).await?;
            Ok(id.encode())
        }
        UploadTarget::ChannelImageId(id) => {
            let channel = channels::lock_editable(tx, actor, id).await?;
            media::set_on_channel(tx, app, actor, &channel, Some(file)).await?;
            Ok(id.encode())
        }
        UploadTarget::Avatar(_) => {
            media::set_avatar(tx, app, upload.user_id, file).await?;
            Ok(upload.user_id.encode())
        }
    }
}
