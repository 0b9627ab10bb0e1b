//! Commands for the catalog.

mod access;
mod arrange;
mod attach;
mod bulk;
mod category;
mod channel;
mod content;
mod course;
mod facts;
mod file;
mod import;
mod outline;
mod publication;
mod stats;
mod transfer;
mod video;

pub use access::{access_to, category_path, is_in_team, opening_of, taught_courses, team_of};
pub use access::{covered_path, edits_course};
pub use arrange::{delete_lesson, delete_section, reorder_course};
pub(crate) use attach::attach_upload;
pub use attach::upload_target;
pub use bulk::{archive_courses, publish_courses};
pub use category::{archive_category, set_category_image, unarchive_category};
pub use category::{create_category, delete_category, move_category, update_category};
pub use channel::delete_channel;
pub use course::{create_course, my_data, update_course};
pub use file::set_course_thumbnail;
pub use import::{
    ImportedCategory, ImportedCourse, ImportedLesson, ImportedSection, ImportedStatus, import_category, import_course,
};
pub use outline::{create_lesson, create_section, update_lesson, update_section};
pub(crate) use publication::{PUBLISH_DUE, publish_due, publish_missed, publish_waiting};
pub use publication::{
    archive_course, delete_course, schedule_course, schedule_lesson, set_lesson_unlock, unarchive_course,
    unpublish_course, unpublish_lesson,
};
pub use publication::{publish_course, publish_lesson};
pub(crate) use stats::recount_students;
pub use stats::refresh_sort_keys;
pub use transfer::transfer_course;
pub(crate) use video::take_duration;
pub use video::{set_course_demo_video, set_lesson_video, showing};

use self::access::edits;
use super::model::{Course, CourseId};
use super::query::course as query;
use super::{error, policy};
use crate::graphql::Result;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

const LONGEST_TITLE: usize = 120;

/// Locks a course that the actor may edit.
///
/// If the actor may not even see it, the error is the same as if it did not exist.
async fn editable(tx: &mut Tx, actor: &Actor, id: CourseId, asked_for: &str) -> Result<Course> {
    let course = query::lock(tx, id).await?.ok_or_else(|| error::no_such(asked_for))?;
    let edits = edits(tx, actor, &course).await?;
    permit(edits, policy::can_see(&course, edits, false), asked_for)?;
    Ok(course)
}

fn permit(edits: bool, sees: bool, asked_for: &str) -> Result<()> {
    match (edits, sees) {
        (true, _) => Ok(()),
        (false, true) => Err(error::not_yours()),
        (false, false) => Err(error::no_such(asked_for)),
    }
}
