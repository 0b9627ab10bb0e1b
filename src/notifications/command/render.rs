//! Makes the text of a notification.

use crate::accounts::UserById;
use crate::catalog::{self, CourseById, LessonById, Showing};
use crate::channels::ChannelById;
use crate::discussions::question_title;
use crate::entitlements::AccessReason;
use crate::graphql::loaders::Loaders;
use crate::live::session_title;
use crate::memberships::PlanById;
use crate::notifications::job::{self, Language, Names};
use crate::notifications::loader::AnnouncementById;
use crate::notifications::model::{Facts, Notification, Text};
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Returns the text of a notification in the language of its user.
///
/// Names are those of now, and only of what the user may see now: `actor` is the user, with the rights in force.
///
/// # Errors
/// The database failed.
pub async fn render(loaders: &Loaders, actor: &Actor, row: &Notification) -> Result<Text, InternalError> {
    let facts = row.facts();
    let (user, names) = tokio::try_join!(loaders.load(UserById(row.user_id)), names(loaders, actor, row, &facts))?;
    let locale = user.as_ref().and_then(|user| user.locale.as_deref()).unwrap_or_default();
    job::text(row.kind, Language::of(locale), &names)
}

async fn names(loaders: &Loaders, actor: &Actor, row: &Notification, facts: &Facts) -> Result<Names, InternalError> {
    let by = async {
        match row.actor_id {
            Some(id) => loaders.load(UserById(id)).await,
            None => Ok(None),
        }
    };
    let channel = async {
        match facts.channel {
            Some(id) => loaders.load(ChannelById(id)).await,
            None => Ok(None),
        }
    };
    let question = async {
        match facts.question {
            Some(id) => question_title(loaders, actor, id).await,
            None => Ok(None),
        }
    };
    let session = async {
        match facts.session {
            Some(id) => session_title(loaders, actor, id).await,
            None => Ok(None),
        }
    };
    let announcement = async {
        match facts.announcement {
            Some(id) => loaders.load(AnnouncementById(id)).await,
            None => Ok(None),
        }
    };
    let plan = async {
        match facts.plan {
            Some(id) => loaders.load(PlanById(id)).await,
            None => Ok(None),
        }
    };
    let (by, channel, question, session, announcement, plan, (course, lesson)) =
        tokio::try_join!(by, channel, question, session, announcement, plan, titles(loaders, actor, facts))?;
    Ok(Names {
        count: row.count,
        by: by.map(|user| user.name.clone()),
        course,
        lesson,
        channel: channel.map(|channel| channel.name.clone()),
        question,
        session,
        announcement: announcement.map(|row| (row.title.clone(), row.body.clone())),
        plan: plan.map(|plan| plan.name.clone()),
        detail: facts.detail.clone(),
    })
}

/// Returns the titles of the course and the lesson as far as the user may see them.
async fn titles(
    loaders: &Loaders,
    actor: &Actor,
    facts: &Facts,
) -> Result<(Option<String>, Option<String>), InternalError> {
    let Some(id) = facts.course else { return Ok((None, None)) };
    let Some(course) = loaders.load(CourseById(id)).await? else { return Ok((None, None)) };
    let access = catalog::access_to(loaders, actor, &Showing::Demo(course.clone())).await?;
    let title = access.granted.then(|| course.title.clone());
    let Some(lesson) = facts.lesson else { return Ok((title, None)) };
    let lesson = loaders.load(LessonById(lesson)).await?.filter(|lesson| lesson.course_id == course.id);
    let Some(lesson) = lesson.filter(|_| access.granted) else { return Ok((title, None)) };
    // The titles of published lessons are in the outline, for all who see the course.
    let access = catalog::access_to(loaders, actor, &Showing::Lesson(course, lesson.clone())).await?;
    Ok((title, (access.reason != AccessReason::NotPublished).then(|| lesson.title.clone())))
}
