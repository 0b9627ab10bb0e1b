//! What later features do with courses inside their own transaction.

use super::model::{Course, CourseId};
use super::query::{course, stats};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Returns a course that cannot be deleted before the transaction ends. It may be edited meanwhile: giving access to a
/// course does not wait for its author.
///
/// # Errors
/// The database failed.
pub async fn hold_course(tx: &mut Tx, id: CourseId) -> Result<Option<Course>, InternalError> {
    Ok(course::hold(tx, id).await?)
}

/// Adds to the number of a course's students. To be called last in a transaction: everyone who enrolls in the course
/// waits for this row.
///
/// # Errors
/// The database failed.
pub async fn students_changed(tx: &mut Tx, id: CourseId, more: i32) -> Result<(), InternalError> {
    if more != 0 {
        stats::add_students(tx, id, more).await?;
    }
    Ok(())
}
