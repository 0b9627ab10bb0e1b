//! What later features do with courses inside their own transaction.

use super::model::{Course, CourseId};
use super::query::{course, stats};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Returns a course, and prevents its deletion until the transaction ends.
///
/// It can still be edited, so that granting access to a course does not wait for its author.
///
/// # Errors
/// The database failed.
pub async fn hold_course(tx: &mut Tx, id: CourseId) -> Result<Option<Course>, InternalError> {
    Ok(course::hold(tx, id).await?)
}

/// Adds `more` to a course's number of students.
///
/// Call this last in a transaction, because all enrollments in the course wait for this row.
///
/// # Errors
/// The database failed.
pub async fn students_changed(tx: &mut Tx, id: CourseId, more: i32) -> Result<(), InternalError> {
    if more != 0 {
        stats::add_students(tx, id, more).await?;
    }
    Ok(())
}
