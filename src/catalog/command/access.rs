//! Who may edit a course, and who may watch what it shows.

use std::sync::Arc;

use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::loader::Categories;
use crate::catalog::model::{CategoryId, Course, CourseId, Showing};
use crate::catalog::policy;
use crate::catalog::query::course as query;
use crate::channels::{channel_editors, edits_courses, is_channel_editor};
use crate::entitlements::{Access, Entitlement, Held, Opening, Scope};
use crate::graphql::loaders::Loaders;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The maximum number of courses of [`taught_courses`].
const MOST_TAUGHT: i64 = 1000;

/// Returns whether the actor may edit a course, from within a transaction.
pub(super) async fn edits(tx: &mut Tx, actor: &Actor, course: &Course) -> Result<bool, InternalError> {
    let channel_editor = match policy::possible_editor(actor, course) {
        Some((user, channel)) => edits_courses(tx, user, channel).await?,
        None => false,
    };
    Ok(policy::can_edit(actor, course, channel_editor))
}

/// Returns whether the actor may edit a course.
///
/// # Errors
/// The database failed.
pub async fn edits_course(loaders: &Loaders, actor: &Actor, course: &Course) -> Result<bool, InternalError> {
    let channel_editor = match policy::possible_editor(actor, course) {
        Some((user, channel)) => is_channel_editor(loaders, user, channel).await?,
        None => false,
    };
    Ok(policy::can_edit(actor, course, channel_editor))
}

/// Returns the path of the course's category if one of the entitlements covers a category; otherwise nothing.
///
/// # Errors
/// The database failed.
pub async fn covered_path(
    loaders: &Loaders,
    course: &Course,
    held: &[Entitlement],
) -> Result<Vec<Uuid>, InternalError> {
    if !held.iter().any(|row| row.scope == Scope::Category) {
        return Ok(Vec::new());
    }
    category_path(loaders, course.category_id).await
}

/// Returns a category and its ancestors; nothing for `None`.
///
/// # Errors
/// The database failed.
pub async fn category_path(loaders: &Loaders, category: Option<CategoryId>) -> Result<Vec<Uuid>, InternalError> {
    if category.is_none() {
        return Ok(Vec::new());
    }
    let tree = loaders.load(Categories).await?.unwrap_or_default();
    Ok(tree.path(category))
}

/// Returns whether the actor may watch a video, and why.
///
/// Playback and playlists both use this function. A demo video is for everyone who may see its course, and a video
/// by itself for those who may manage it.
///
/// # Errors
/// The database failed.
pub async fn access_to(loaders: &Loaders, actor: &Actor, showing: &Showing) -> Result<Access, InternalError> {
    let (course, lesson) = match showing {
        Showing::Lesson(course, lesson) => (course, Some(lesson.as_ref())),
        Showing::Demo(course) => (course, None),
        Showing::Own(video) => return Ok(policy::own_access(actor, video, loaders.app().clock.now())),
    };
    let edits = edits_course(loaders, actor, course).await?;
    let (held, path) = held(loaders, actor, course, edits).await?;
    let access = policy::access(actor, course, edits, &path, lesson, &held, loaders.app().clock.now());
    Ok(match showing {
        Showing::Lesson(..) | Showing::Own(_) => access,
        Showing::Demo(course) => Access { granted: policy::can_see(course, edits, access.granted), ..access },
    })
}

/// Returns which lessons of a course have content that the actor may see, without reading them:
/// `open_lessons` selects them.
///
/// # Errors
/// The database failed.
pub async fn opening_of(loaders: &Loaders, actor: &Actor, course: &Course) -> Result<Opening, InternalError> {
    let edits = edits_course(loaders, actor, course).await?;
    let (held, path) = held(loaders, actor, course, edits).await?;
    Ok(policy::opening(actor, course, edits, &path, &held, loaders.app().clock.now()))
}

/// Returns whether the actor is in the team of a course: whether they may edit it.
///
/// # Errors
/// The database failed.
pub async fn is_in_team(loaders: &Loaders, actor: &Actor, course: &Course) -> Result<bool, InternalError> {
    edits_course(loaders, actor, course).await
}

/// Returns who is to be told of what happens in a course: its instructor, and who may edit it as a member of its channel.
///
/// # Errors
/// The database failed.
pub async fn team_of(app: &App, course: &Course) -> Result<Vec<UserId>, InternalError> {
    let mut team = match course.channel_id {
        Some(channel) => channel_editors(app, channel).await?,
        None => Vec::new(),
    };
    if !team.contains(&course.instructor_id) {
        team.push(course.instructor_id);
    }
    Ok(team)
}

/// Returns the courses that a user teaches, the latest thousand.
///
/// # Errors
/// The database failed.
pub async fn taught_courses(app: &App, user: UserId) -> Result<Vec<CourseId>, InternalError> {
    Ok(query::taught_ids(&mut *app.db.read().await?, user, MOST_TAUGHT).await?)
}

/// Returns the actor's entitlements that may cover the course, and the path of its category if that matters.
async fn held(
    loaders: &Loaders,
    actor: &Actor,
    course: &Course,
    edits: bool,
) -> Result<(Arc<Vec<Entitlement>>, Vec<Uuid>), InternalError> {
    let held = match actor.id().map(UserId::new).filter(|_| !edits) {
        Some(user) => loaders.load(Held { user, course: course.id.uuid() }).await?.unwrap_or_default(),
        None => Default::default(),
    };
    let path = covered_path(loaders, course, &held).await?;
    Ok((held, path))
}
