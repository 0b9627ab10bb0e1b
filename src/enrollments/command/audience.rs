//! Who is told of what happens in a course.

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;

use crate::accounts::UserId;
use crate::catalog::{CourseById, CourseId, category_path};
use crate::enrollments::loader::AllOf;
use crate::entitlements::ActiveOf;
use crate::graphql::loaders::Loaders;
use crate::platform::internal_error::InternalError;

/// Returns the courses that a user is enrolled in and has access to now, with the times since when they learn.
///
/// # Errors
/// The database failed.
pub async fn active_courses(loaders: &Loaders, user: UserId) -> Result<Vec<(CourseId, DateTime<Utc>)>, InternalError> {
    let (all, active) = tokio::try_join!(loaders.load(AllOf(user)), loaders.load(ActiveOf(user)))?;
    let (all, active) = (all.unwrap_or_default(), active.unwrap_or_default());
    // Only an entitlement to a category depends on where the course is.
    let by_category = active.has_categories();
    let covered = all.iter().map(async |row| {
        let path = match by_category {
            true => {
                let course = loaders.load(CourseById(row.course_id)).await?;
                category_path(loaders, course.and_then(|course| course.category_id)).await?
            }
            false => Vec::new(),
        };
        let covered = active.covers(row.course_id.uuid(), &path);
        Ok::<_, InternalError>(covered.then_some((row.course_id, row.since)))
    });
    Ok(try_join_all(covered).await?.into_iter().flatten().collect())
}
