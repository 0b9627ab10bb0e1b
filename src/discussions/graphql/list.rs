//! Lists of questions.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;

use super::question::QuestionObject;
use crate::accounts::UserId;
use crate::catalog::{self, Course, Lesson, LessonId};
use crate::discussions::command::Subject;
use crate::discussions::loader::{QuestionCount, QuestionPage};
use crate::discussions::model::{QuestionFilter, QuestionSort, Scope, Seer, Which};
use crate::discussions::policy::Rights;
use crate::graphql::context::{client, loaders, within};
use crate::graphql::loaders::Load;
use crate::graphql::page::wants_total;
use crate::graphql::{Connection, PageArgs, Result, Sequential, guard};
use crate::platform::auth::Actor;

/// A page of questions.
pub(crate) type QuestionConnection = Connection<QuestionObject>;

/// Returns the questions about a lesson; `None` if the viewer may not see its content.
pub(crate) async fn lesson_questions(
    ctx: &Context<'_>,
    course: &Arc<Course>,
    lesson: &Arc<Lesson>,
    (filter, sort): (Option<QuestionFilter>, QuestionSort),
    args: PageArgs,
) -> Result<Option<Sequential<QuestionConnection>>> {
    let reader = reader(ctx);
    let Some(subject) = Subject::load(loaders(ctx), reader, course.id, Some(lesson.id)).await? else {
        return Ok(None);
    };
    let subjects = HashMap::from([(lesson.id, subject)]);
    let scope = Some(Scope::Lesson(lesson.id));
    list(ctx, course, (scope, subjects), (filter, sort), args).await.map(Some)
}

/// Returns the questions about those lessons of a course whose content the viewer may see.
pub(crate) async fn course_questions(
    ctx: &Context<'_>,
    course: &Arc<Course>,
    (filter, sort): (Option<QuestionFilter>, QuestionSort),
    args: PageArgs,
) -> Result<Sequential<QuestionConnection>> {
    let reader = reader(ctx);
    let open = catalog::open_lessons(loaders(ctx), reader, course).await?;
    let viewer = reader.id().map(UserId::new);
    let subjects: HashMap<LessonId, Arc<Subject>> = open
        .into_iter()
        .map(|(lesson, access)| {
            let rights = Rights::new(viewer, &access);
            (lesson.id, Arc::new(Subject { course: course.clone(), lesson: Some(lesson), rights }))
        })
        .collect();
    let is_team = subjects.values().any(|subject| subject.rights.is_team);
    let mut lessons: Vec<LessonId> = subjects.keys().copied().collect();
    lessons.sort_by_key(|id| id.uuid());
    let scope = (!lessons.is_empty()).then(|| Scope::Course(course.id, (!is_team).then(|| lessons.into())));
    list(ctx, course, (scope, subjects), (filter, sort), args).await
}

/// Returns the page of a list. It is empty without a scope.
async fn list(
    ctx: &Context<'_>,
    course: &Course,
    (scope, subjects): (Option<Scope>, HashMap<LessonId, Arc<Subject>>),
    (filter, sort): (Option<QuestionFilter>, QuestionSort),
    args: PageArgs,
) -> Result<Sequential<QuestionConnection>> {
    let page = sort.page(args)?;
    let cursor = move |question: &QuestionObject| sort.cursor(question.row());
    let is_team = subjects.values().any(|subject| subject.rights.is_team);
    let viewer = subjects.values().find_map(|subject| subject.rights.viewer);
    let which = scope.and_then(|scope| which(course, scope, filter.unwrap_or_default(), viewer, is_team));
    let Some(which) = which.map(Arc::new) else {
        return Ok(Sequential(page.connection(Vec::new(), |question| question, cursor)));
    };
    let rows = read(ctx, &which, QuestionPage(which.clone(), sort, page.clone())).await?.unwrap_or_default();
    // A lesson that was added to the course in this moment is not among the subjects.
    let subject = |lesson: Option<LessonId>| subjects.get(&lesson?).cloned();
    let rows = rows.into_iter().filter_map(|row| Some((subject(row.post.lesson_id)?, row))).collect();
    let connection = page.connection(rows, |(subject, row)| QuestionObject::new(row, subject), cursor);
    if !wants_total(ctx) {
        return Ok(Sequential(connection));
    }
    let total = read(ctx, &which, QuestionCount(which.clone())).await?.unwrap_or_default();
    Ok(Sequential(connection.with_total(total)))
}

/// Returns which questions a list has; `None` if it has none.
fn which(
    course: &Course,
    scope: Scope,
    filter: QuestionFilter,
    viewer: Option<UserId>,
    is_team: bool,
) -> Option<Which> {
    let words = match filter.query {
        Some(query) => Some(catalog::search_query(&query)?),
        None => None,
    };
    // An anonymous viewer has asked and follows no question.
    if viewer.is_none() && (filter.is_mine == Some(true) || filter.is_followed == Some(true)) {
        return None;
    }
    let seer = match viewer {
        _ if is_team => Seer::Team,
        Some(user) => Seer::User(user),
        None => Seer::Anonymous,
    };
    Some(Which {
        scope,
        course: course.id,
        seer,
        mine: viewer.zip(filter.is_mine),
        followed: viewer.zip(filter.is_followed),
        is_answered: filter.is_answered,
        is_resolved: filter.is_resolved,
        words,
    })
}

/// Reads a list; of searches, a client has only some in flight.
async fn read<K: Load>(ctx: &Context<'_>, which: &Which, key: K) -> Result<Option<K::Value>> {
    match which.words.is_some() {
        true => loaders(ctx).load_for(client(ctx).address(), key).await,
        false => Ok(loaders(ctx).load(key).await?),
    }
}

fn reader<'a>(ctx: &Context<'a>) -> &'a Actor {
    within(ctx, guard::Scope::ReadDiscussions)
}
