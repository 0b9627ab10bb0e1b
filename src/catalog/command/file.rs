//! Commands for course thumbnails and lesson resources.

use std::collections::{HashMap, HashSet};

use super::editable;
use crate::catalog::model::{Course, Lesson, LessonResource, SetCourseThumbnailInput};
use crate::catalog::query::file as query;
use crate::catalog::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::media::{self, FileId, MediaFile, UploadPurpose};
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
    let ids: Vec<FileId> = file_id.into_iter().chain(course.thumbnail_id).collect();
    let files = media::lock_files(tx, &ids).await?;
    let file = match file_id {
        None => None,
        Some(id) => {
            let file = files.iter().find(|file| file.id == id && policy::can_show(actor, course, file.owner_id));
            Some(file.ok_or_else(error::no_such_file)?)
        }
    };
    if file.is_some_and(|file| file.purpose != UploadPurpose::Image) {
        return Err(error::no_picture());
    }
    let changed = query::set_thumbnail(tx, course.id, file, app.clock.now()).await?;
    let shown: Vec<FileId> = file_id.into_iter().collect();
    media::refer_to_files(tx, app, course.id.into(), &shown).await?;
    Ok(changed)
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
