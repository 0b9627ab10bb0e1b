//! Walks the students of a course.

use crate::accounts::UserId;
use crate::catalog::{CourseById, CourseId, category_path};
use crate::enrollments::query::enrollment;
use crate::entitlements::ActiveOf;
use crate::graphql::loaders::{Load, Loaders};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Returns those of the next `limit` students of a course after a user, in the order of their ids, who have access now,
/// and the last one that was looked at; `None` if there are no more.
///
/// # Errors
/// The database failed.
pub async fn students_after(
    app: &App,
    course: CourseId,
    after: UserId,
    limit: i64,
) -> Result<(Vec<UserId>, Option<UserId>), InternalError> {
    let enrolled = enrollment::students_after(&mut *app.db.read().await?, course, after, limit).await?;
    let Some(last) = enrolled.last().copied() else { return Ok((Vec::new(), None)) };
    let Some(row) = CourseById(course).load_one(app).await? else { return Ok((Vec::new(), None)) };
    let path = category_path(&Loaders::new(app.clone()), row.category_id).await?;
    let keys: Vec<ActiveOf> = enrolled.iter().map(|user| ActiveOf(*user)).collect();
    let active = ActiveOf::load(app, &keys).await?;
    let has_access = |user: &UserId| active.get(&ActiveOf(*user)).is_some_and(|it| it.covers(course.uuid(), &path));
    Ok((enrolled.into_iter().filter(has_access).collect(), Some(last)))
}
