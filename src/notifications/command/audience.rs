//! Which audiences a user is in.

use std::collections::HashSet;
use std::sync::Arc;

use crate::accounts::{UserById, UserId};
use crate::catalog::{CourseId, TeamCoursesOf};
use crate::channels::FollowedSince;
use crate::discussions::FollowedQuestionsOf;
use crate::enrollments::active_courses;
use crate::graphql::loaders::Loaders;
use crate::notifications::model::{Audience, Audiences};
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;

/// The number of courses that a user learns of which they are told: those in which they enrolled last.
const MOST_COURSES: usize = 500;

/// Returns the audiences that a user is in now, and since when; none for a user who does not exist.
///
/// Of what follows from memberships, follows and enrollments, the latest 500 of each kind count, so that reading has a
/// bound.
///
/// # Errors
/// The database failed.
pub async fn audiences_of(loaders: &Loaders, user: UserId) -> Result<Arc<Audiences>, InternalError> {
    let (row, mut learned, taught, followed, questions) = tokio::try_join!(
        loaders.load(UserById(user)),
        active_courses(loaders, user),
        loaders.load(TeamCoursesOf(user)),
        loaders.load(FollowedSince(user)),
        loaders.load(FollowedQuestionsOf(user)),
    )?;
    let Some(row) = row.filter(|row| row.deleted_at.is_none()) else {
        return Ok(Arc::new(Audiences::new(user, [])));
    };
    let (taught, followed, questions) =
        (taught.unwrap_or_default(), followed.unwrap_or_default(), questions.unwrap_or_default());
    let open: HashSet<CourseId> = learned.iter().chain(taught.iter()).map(|(course, _)| *course).collect();
    let is_open = |course: &CourseId| row.role == Role::Admin || open.contains(course);
    learned.sort_unstable_by_key(|(course, since)| std::cmp::Reverse((*since, course.uuid())));
    learned.truncate(MOST_COURSES);
    let own = [
        (Audience::User(user), row.created_at),
        (Audience::Everyone, row.created_at),
        (Audience::Role(row.role), row.role_since.unwrap_or(row.created_at)),
    ];
    let learned = learned.into_iter().map(|(course, since)| (Audience::Course(course), since));
    let taught = taught.iter().map(|(course, since)| (Audience::Team(*course), *since));
    let followed = followed.iter().map(|(channel, since)| (Audience::Channel(*channel), *since));
    let questions = questions.iter().filter(|(_, course, _)| is_open(course));
    let questions = questions.map(|(question, _, since)| (Audience::Question(*question), *since));
    let all = own.into_iter().chain(learned).chain(taught).chain(followed).chain(questions);
    Ok(Arc::new(Audiences::new(user, all)))
}
