//! Commands for course thumbnails and lesson resources.

use std::collections::{HashMap, HashSet};

use super::editable;
use crate::catalog::model::{Course, Lesson, LessonResource, SetCourseThumbnailInput};
use crate::catalog::query::file as query;
use crate::catalog::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::media::{self, FileId, MediaFile, Referrer, UploadPurpose};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

/// Sets or removes the thumbnail of a course.
///
/// A file that is no longer referenced is deleted after the grace period.
///
/// # Errors
/// The file does not exist, belongs to neither the actor nor the instructor, or was not uploaded as an image; the actor
/// may not edit the course.
pub async fn set_course_thumbnail(app: &App, actor: &Actor, input: SetCourseThumbnailInput) -> Result<Edit<Course>> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            if course.thumbnail_id == input.file_id {
                return Ok(Edit::Saved(course));
            }
            set_on_course(tx, app, actor, &course, input.file_id).await.map(Edit::Saved)
        })
        .await
}

/// Like [`set_course_thumbnail`], in the caller's transaction and whatever the course's version.
pub(super) async fn set_on_course(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    course: &Course,
    file_id: Option<FileId>,
) -> Result<Course> {
    let may = |file: &MediaFile| policy::can_show(actor, course, file.owner_id);
    let file = show_picture(tx, app, course.id.into(), (course.thumbnail_id, file_id), may).await?;
    Ok(query::set_thumbnail(tx, course.id, file.as_ref(), app.clock.now()).await?)
}

/// Makes a course or a category show a picture instead of its current one.
///
/// # Errors
/// The new one does not exist, `may` rejects it, or it was not uploaded as an image.
pub(super) async fn show_picture(
    tx: &mut Tx,
    app: &App,
    referrer: Referrer,
    (current, new): (Option<FileId>, Option<FileId>),
    may: impl Fn(&MediaFile) -> bool + Send,
) -> Result<Option<MediaFile>> {
    match (new, media::show_picture(tx, app, referrer, (current, new), may).await?) {
        (Some(_), None) => Err(error::no_such_file()),
        (_, Some(file)) if file.purpose != UploadPurpose::Image => Err(error::no_picture()),
        (_, file) => Ok(file),
    }
}

/// Replaces the resources of a lesson, whose course must be locked.
///
/// # Errors
/// A file does not exist, was not uploaded for downloads, or belongs to neither the actor nor the instructor and is not
/// among the lesson's current resources.
pub(super) async fn set_resources(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    (course, lesson): (&Course, &Lesson),
    resources: &[LessonResource],
) -> Result<()> {
    let before: HashSet<FileId> = media::files_of(tx, lesson.id.into()).await?.into_iter().collect();
    let named = resources.iter().filter_map(|resource| resource.file_id);
    // Includes the files that are removed: all are locked at once, in the order of their ids.
    let ids: HashSet<FileId> = before.iter().copied().chain(named).collect();
    let ids: Vec<FileId> = ids.into_iter().collect();
    let files = media::lock_files(tx, &ids).await?;
    let files: HashMap<FileId, MediaFile> = files.into_iter().map(|file| (file.id, file)).collect();
    let mut check = Check::new();
    for (place, id) in resources.iter().enumerate().filter_map(|(place, one)| Some((place, one.file_id?))) {
        let may = |file: &&MediaFile| before.contains(&id) || policy::can_show(actor, course, file.owner_id);
        let (code, message) = match files.get(&id).filter(may) {
            None => (UserErrorCode::NotFound, error::NO_SUCH_FILE),
            Some(file) if file.purpose != UploadPurpose::File => (UserErrorCode::NotAllowed, error::NO_DOWNLOAD),
            Some(_) => continue,
        };
        let path = ["content", "resources", &place.to_string(), "source"];
        check.part(&path, |check| check.error(code, "fileId", message));
    }
    check.finish()?;
    query::set_resources(tx, lesson, resources).await?;
    let offered: Vec<FileId> = resources.iter().filter_map(|resource| resource.file_id).collect();
    media::refer_to_files(tx, app, lesson.id.into(), &offered).await?;
    Ok(())
}
