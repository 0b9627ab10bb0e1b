//! Errors of the catalog that clients can act on.

use crate::graphql::money::CurrencyCode;
use crate::graphql::{Error, UserError, UserErrorCode};

pub(crate) fn slug_taken() -> Error {
    Error::invalid(
        UserErrorCode::Taken,
        &["slug"],
        "Another course has this slug, or had it before; choose a different one.",
    )
}

/// The entity that the input `<what>Id` names does not exist.
pub fn no_such(what: &str) -> Error {
    Error::invalid(UserErrorCode::NotFound, &[&format!("{what}Id")], format!("There is no such {what}."))
}

pub(crate) fn not_yours() -> Error {
    Error::Forbidden("Only the course's instructor and administrators may change it.".into())
}

pub(crate) fn no_such_video() -> Error {
    let message = "There is no such video, or it belongs to neither you nor the course's instructor.";
    Error::invalid(UserErrorCode::NotFound, &["videoId"], message)
}

pub(crate) fn unplayable_video() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["videoId"], "The video can't be played; look at its failure.")
}

pub(crate) const NO_SUCH_FILE: &str =
    "There is no such file, or it belongs to neither you nor the course's instructor.";
pub(crate) const NO_DOWNLOAD: &str = "This picture was not uploaded for downloads: that is the purpose FILE.";

pub(crate) fn no_such_file() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["fileId"], NO_SUCH_FILE)
}

pub(crate) fn no_picture() -> Error {
    let message = "This file was not uploaded as a picture to show: that is the purpose IMAGE.";
    Error::invalid(UserErrorCode::NotAllowed, &["fileId"], message)
}

pub(crate) fn nothing_to_publish() -> Error {
    let message = "A course needs a published lesson before it can be published.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(crate) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators change the categories.".into())
}

pub(crate) fn category_slug_taken() -> Error {
    Error::invalid(
        UserErrorCode::Taken,
        &["slug"],
        "Another category has this slug, or had it before; choose a different one.",
    )
}

pub(crate) fn no_such_parent() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["parentId"], "There is no such category.")
}

pub(crate) fn part_of_itself() -> Error {
    let message = "A category cannot become a part of itself or of one of its own parts.";
    Error::invalid(UserErrorCode::NotAllowed, &["parentId"], message)
}

pub(crate) fn category_in_use(by: &str) -> Error {
    let message = format!("The category has {by}; move them to another one first.");
    Error::invalid(UserErrorCode::NotAllowed, &["categoryId"], message)
}

pub(crate) const ARCHIVED_CATEGORY: &str = "The category is archived; choose another one.";

pub(crate) fn archived_parent() -> Error {
    let message = "This parent is archived; choose another one, or bring it back first, with unarchiveCategory.";
    Error::invalid(UserErrorCode::NotAllowed, &["parentId"], message)
}

pub(crate) fn below_archived() -> Error {
    let message = "The parent of the category is archived; bring that back first, or move the category.";
    Error::invalid(UserErrorCode::NotAllowed, &["categoryId"], message)
}

pub(crate) fn has_parts() -> Error {
    let message = "The category has subcategories that are not archived; archive or move them first.";
    Error::invalid(UserErrorCode::NotAllowed, &["categoryId"], message)
}

/// The course is archived.
pub fn archived() -> Error {
    let message = "The course is archived; bring it back first, with unarchiveCourse.";
    Error::invalid(UserErrorCode::NotAllowed, &["courseId"], message)
}

pub(crate) fn already_published(field: &str) -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[field], "It is published already.")
}

pub(crate) fn too_many(what: &str, most: i32, within: &str) -> Error {
    let message = format!("A {within} has at most {most} {what}.");
    Error::invalid(UserErrorCode::OutOfRange, &[], message)
}

pub(crate) fn too_long() -> Error {
    let message = format!("The lessons of a course last at most {} seconds together.", i32::MAX);
    Error::invalid(UserErrorCode::OutOfRange, &[], message)
}

/// An order does not list exactly the existing ids.
///
/// `ids` are the ids that are wrong, and `what` is the problem with them.
pub(crate) fn wrong_order(code: UserErrorCode, ids: &[String], what: &str) -> UserError {
    const NAMED: usize = 10;
    let named = ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match ids.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    UserError::new(code, &["sections"], format!("{what}: {named}{more}."))
}

pub(crate) fn other_currency(currency: CurrencyCode, field: &str) -> String {
    format!("Both prices are in one currency; {field} is in {}.", currency.code())
}

pub(crate) fn duration_is_the_videos() -> Error {
    let message = "The lesson is as long as its video, which says so itself.";
    Error::invalid(UserErrorCode::NotAllowed, &["durationSeconds"], message)
}

pub(crate) fn published_article() -> Error {
    let message = "The article is published; unpublish it before it becomes a video.";
    Error::invalid(UserErrorCode::NotAllowed, &["kind"], message)
}

pub(crate) fn article_without_video() -> Error {
    let message = "The lesson is an article, which has no video; change its kind to VIDEO first.";
    Error::invalid(UserErrorCode::NotAllowed, &["videoId"], message)
}

pub(crate) fn no_target() -> Error {
    Error::invalid(UserErrorCode::Invalid, &["avatar"], "avatar is true, or another target is named.")
}

pub(crate) fn published_video() -> Error {
    let message = "The lesson is published and needs its video; unpublish it, or make it an article.";
    Error::invalid(UserErrorCode::NotAllowed, &["videoId"], message)
}

pub(crate) fn no_video() -> Error {
    let message = "The lesson has no video yet; upload one, or make it an article.";
    Error::invalid(UserErrorCode::NotAllowed, &["lessonId"], message)
}

pub(crate) fn uploader_gone() -> Error {
    Error::Forbidden("The user who uploaded the file can't edit courses any more.".into())
}

pub(crate) fn failed_video() -> Error {
    let message = "The lesson's video can't be played; upload another one.";
    Error::invalid(UserErrorCode::NotAllowed, &["lessonId"], message)
}

pub(crate) fn only_administrators_transfer() -> Error {
    Error::Forbidden("Only administrators give courses to other instructors.".into())
}

pub(crate) fn no_such_instructor() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["instructorId"], "There is no instructor with this id.")
}

pub(crate) fn cannot_teach() -> Error {
    let message = "This instructor is banned, or their account is about to be deleted.";
    Error::invalid(UserErrorCode::NotAllowed, &["instructorId"], message)
}

pub(crate) fn channel_in_use() -> Error {
    let message = "The channel has courses, published or not; move them to another one first.";
    Error::invalid(UserErrorCode::NotAllowed, &["channelId"], message)
}

/// The viewer may not see the settings of the course.
pub fn settings_forbidden() -> Error {
    Error::Forbidden("Only the course's instructor and administrators see its settings.".into())
}

/// The viewer may not see who has access to the course.
pub fn ledger_forbidden() -> Error {
    Error::Forbidden("Only the course's instructor and administrators see who has access.".into())
}

pub(crate) fn own_currency(place: usize) -> Error {
    let message = "The price in the course's own currency is `price`.";
    Error::invalid(UserErrorCode::Taken, &["prices", &place.to_string(), "currency"], message)
}
