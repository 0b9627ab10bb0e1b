//! Commands that publish and archive many courses, each in a transaction of its own.

use super::{archive_course, publish_course};
use crate::catalog::model::{
    ArchiveCourseInput, BulkArchiveCoursesInput, BulkPublishCoursesInput, Course, PublishCourseInput,
};
use crate::graphql::Result;
use crate::graphql::bulk::{Done, for_each};
use crate::platform::App;
use crate::platform::auth::Actor;

const COURSES: &str = "courseIds";

/// Publishes courses, each as by [`publish_course`].
///
/// # Errors
/// There are no courses, too many, or one twice.
pub async fn publish_courses(
    app: &App,
    actor: &Actor,
    input: BulkPublishCoursesInput,
) -> Result<Vec<Done<Course, Course>>> {
    for_each(COURSES, input.course_ids, |course_id| publish_course(app, actor, PublishCourseInput { course_id })).await
}

/// Archives courses, each as by [`archive_course`].
///
/// # Errors
/// There are no courses, too many, or one twice.
pub async fn archive_courses(
    app: &App,
    actor: &Actor,
    input: BulkArchiveCoursesInput,
) -> Result<Vec<Done<Course, Course>>> {
    for_each(COURSES, input.course_ids, |course_id| archive_course(app, actor, ArchiveCourseInput { course_id })).await
}
