//! What later features do with courses inside their own transaction.

use std::collections::HashMap;

use super::model::{Category, CategoryId, Course, CourseId};
use super::query::{category, course, price, stats};
use crate::graphql::money::CurrencyCode;
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

/// Returns a category, and prevents its deletion and its archiving until the transaction ends.
///
/// # Errors
/// The database failed.
pub async fn hold_category(tx: &mut Tx, id: CategoryId) -> Result<Option<Category>, InternalError> {
    Ok(category::hold(tx, id).await?)
}

/// Returns the prices of courses in a currency that is not their own, in minor units, as far as there are any.
///
/// # Errors
/// The database failed.
pub async fn prices_in(
    tx: &mut Tx,
    ids: &[CourseId],
    currency: CurrencyCode,
) -> Result<HashMap<CourseId, i64>, InternalError> {
    Ok(price::in_currency(tx, ids, currency).await?.into_iter().collect())
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

/// Locks the numbers of a course's ratings and returns them; `None` if there is no such course.
///
/// # Errors
/// The database failed.
pub async fn lock_ratings(tx: &mut Tx, id: CourseId) -> Result<Option<[i32; 5]>, InternalError> {
    Ok(stats::lock_ratings(tx, id).await?)
}

/// Adds to the numbers of a course's ratings with one to five stars, to repair them or after an import.
///
/// Call this last in a transaction.
///
/// # Errors
/// The database failed.
pub async fn add_ratings(tx: &mut Tx, id: CourseId, more: [i32; 5]) -> Result<(), InternalError> {
    stats::add_ratings(tx, id, more).await?;
    Ok(())
}

/// Replaces a rating of a course, 1 to 5 stars: `None` as `old` adds one, `None` as `new` removes one.
///
/// Call this last in a transaction, because all reviews of the course wait for this row.
///
/// # Errors
/// The database failed.
pub async fn rating_changed(
    tx: &mut Tx,
    id: CourseId,
    old: Option<i16>,
    new: Option<i16>,
) -> Result<(), InternalError> {
    let more = [1, 2, 3, 4, 5].map(|stars| i32::from(new == Some(stars)) - i32::from(old == Some(stars)));
    if more != [0; 5] {
        stats::add_ratings(tx, id, more).await?;
    }
    Ok(())
}
