//! Lists of questions.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::question::{QuestionObject, replies_selected};
use crate::accounts::UserId;
use crate::catalog::{self, Course, Lesson};
use crate::discussions::command::Subject;
use crate::discussions::loader::{QuestionCount, QuestionPage, ReplyPage};
use crate::discussions::model::{Post, Question, QuestionFilter, QuestionSort, Scope, Seer, Which};
use crate::discussions::policy::Rights;
use crate::entitlements::Opening;
use crate::graphql::context::{client, loaders, within};
use crate::graphql::loaders::Load;
use crate::graphql::page::{Page, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential, guard};
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
    let rights = subject.rights;
    let subject = move |_| subject.clone();
    list(ctx, course, (Scope::Lesson(lesson.id), rights), subject, (filter, sort), args).await.map(Some)
}

/// Returns the questions about those lessons of a course whose content the viewer may see.
pub(crate) async fn course_questions(
    ctx: &Context<'_>,
    course: &Arc<Course>,
    (filter, sort): (Option<QuestionFilter>, QuestionSort),
    args: PageArgs,
) -> Result<Sequential<QuestionConnection>> {
    let reader = reader(ctx);
    let opening = catalog::opening_of(loaders(ctx), reader, course).await?;
    let (viewer, is_team) = (reader.id().map(UserId::new), opening == Opening::All);
    let entitled = Subject::of_lessons(course.clone(), Rights::of_open(viewer, is_team, false));
    let previewed = Subject::of_lessons(course.clone(), Rights::of_open(viewer, is_team, true));
    let rights = entitled.rights;
    let subject = move |is_entitled| if is_entitled { entitled.clone() } else { previewed.clone() };
    list(ctx, course, (Scope::Course(course.id, opening), rights), subject, (filter, sort), args).await
}

/// Returns the page of a list. `subject` is that of a question, given whether it is about a lesson that is open by more
/// than being a preview; `rights` are about any.
async fn list(
    ctx: &Context<'_>,
    course: &Course,
    (scope, rights): (Scope, Rights),
    subject: impl Fn(bool) -> Arc<Subject>,
    (filter, sort): (Option<QuestionFilter>, QuestionSort),
    args: PageArgs,
) -> Result<Sequential<QuestionConnection>> {
    let page = sort.page(args)?;
    let cursor = move |question: &QuestionObject| sort.cursor(question.row());
    let Some(which) = which(course, scope, filter.unwrap_or_default(), rights).map(Arc::new) else {
        return Ok(Sequential(page.connection(Vec::new(), |question| question, cursor)));
    };
    let rows = read(ctx, &which, QuestionPage(which.clone(), sort, page.clone())).await?.unwrap_or_default();
    let replies = replies_of(ctx, &rows, which.seer).await?;
    let question = |(row, is_entitled): (Arc<Question>, bool)| {
        let replies = replies.get(&row.post.id).cloned();
        QuestionObject::new(row, subject(is_entitled)).with_replies(replies)
    };
    let connection = page.connection(rows, question, cursor);
    if !wants_total(ctx) {
        return Ok(Sequential(connection));
    }
    let total = read(ctx, &which, QuestionCount(which.clone())).await?.unwrap_or_default();
    Ok(Sequential(connection.with_total(total)))
}

/// Reads the replies that are selected of each question of a page before anything of the questions, so that the authors
/// of both are loaded at once.
async fn replies_of(
    ctx: &Context<'_>,
    rows: &[(Arc<Question>, bool)],
    seer: Seer,
) -> Result<HashMap<Uuid, (Page<Uuid>, Vec<Arc<Post>>)>> {
    let Some(page) = replies_selected(ctx) else { return Ok(HashMap::new()) };
    let read = async |parent: Uuid| {
        let replies = loaders(ctx).load(ReplyPage { parent, page: page.clone(), seer }).await?;
        Ok::<_, Error>((parent, (page.clone(), replies.unwrap_or_default())))
    };
    let read = try_join_all(rows.iter().map(|(row, _)| read(row.post.id))).await?;
    Ok(read.into_iter().collect())
}

/// Returns which questions a list has; `None` if it has none.
fn which(course: &Course, scope: Scope, filter: QuestionFilter, rights: Rights) -> Option<Which> {
    let viewer = rights.viewer;
    if matches!(scope, Scope::Course(_, Opening::None)) {
        return None;
    }
    let words = match filter.query {
        Some(query) => Some(catalog::search_query(&query)?),
        None => None,
    };
    // An anonymous viewer has asked and follows no question.
    if viewer.is_none() && (filter.is_mine == Some(true) || filter.is_followed == Some(true)) {
        return None;
    }
    let seer = rights.seer();
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
