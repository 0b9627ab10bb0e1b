//! Finds what a user may see.

use std::sync::Arc;

use crate::accounts::UserId;
use crate::catalog::{self, Course, CourseById, CourseId, Lesson, LessonById, LessonId, Showing};
use crate::discussions::error;
use crate::discussions::loader::{PostById, QuestionById};
use crate::discussions::model::{Post, PostAction, PostId, PostKind, Question, QuestionId};
use crate::discussions::policy::{self, Rights};
use crate::graphql::Result;
use crate::graphql::loaders::Loaders;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// What a discussion is about, with what a user may do in it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The course.
    pub course: Arc<Course>,
    /// The lesson, if it was read; never for the course as a whole.
    pub lesson: Option<Arc<Lesson>>,
    /// What the user may do.
    pub rights: Rights,
}

impl Subject {
    /// The lessons of a course that are open to a user in the same way.
    pub fn of_lessons(course: Arc<Course>, rights: Rights) -> Arc<Subject> {
        Arc::new(Subject { course, lesson: None, rights })
    }

    /// Returns the subject with the rights of the actor; `None` if the actor may not read what is written about it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn load(
        loaders: &Loaders,
        actor: &Actor,
        course: CourseId,
        lesson: Option<LessonId>,
    ) -> std::result::Result<Option<Arc<Subject>>, InternalError> {
        let Some(course) = loaders.load(CourseById(course)).await? else { return Ok(None) };
        let showing = match lesson {
            None => Showing::Demo(course),
            Some(lesson) => match loaders.load(LessonById(lesson)).await? {
                Some(lesson) if lesson.course_id == course.id => Showing::Lesson(course, lesson),
                _ => return Ok(None),
            },
        };
        let access = catalog::access_to(loaders, actor, &showing).await?;
        let rights = Rights::new(actor.id().map(UserId::new), &access);
        let (course, lesson) = match showing {
            Showing::Lesson(course, lesson) => (course, Some(lesson)),
            Showing::Demo(course) => (course, None),
            Showing::Own(_) => return Ok(None),
        };
        Ok(rights.reads.then(|| Arc::new(Subject { course, lesson, rights })))
    }
}

/// A post that a user may see.
#[derive(Clone, Debug)]
pub struct Found {
    /// The post.
    pub post: Arc<Post>,
    /// The question that it is, or that it is a reply to; `None` for other kinds of posts and replies to them.
    pub question: Option<Arc<Question>>,
    /// What it is about.
    pub subject: Arc<Subject>,
}

impl Found {
    /// Whether the user may do something with the post, as it was when it was found.
    pub fn permits(&self, action: PostAction) -> bool {
        policy::permits(&self.subject.rights, action, &self.post, self.question.as_deref())
    }
}

/// Returns a post that the actor may see.
///
/// # Errors
/// The database failed.
pub async fn find(loaders: &Loaders, actor: &Actor, id: PostId) -> std::result::Result<Option<Found>, InternalError> {
    let (post, question) = match id.kind {
        PostKind::Question => match loaders.load(QuestionById(QuestionId::new(id.id))).await? {
            Some(question) => (Arc::new(question.post.clone()), Some(question)),
            None => return Ok(None),
        },
        PostKind::Reply | PostKind::Review => {
            let Some(post) = loaders.load(PostById(id.id)).await?.filter(|post| post.kind == id.kind) else {
                return Ok(None);
            };
            let question = match post.parent_id {
                Some(parent) => loaders.load(QuestionById(QuestionId::new(parent))).await?,
                None => None,
            };
            (post, question)
        }
    };
    let Some(subject) = Subject::load(loaders, actor, post.course_id, post.lesson_id).await? else { return Ok(None) };
    let parent = match post.parent_id.filter(|_| question.is_none()) {
        Some(parent) => loaders.load(PostById(parent)).await?,
        None => None,
    };
    let seen = policy::can_see(&subject.rights, &post, question.as_deref())
        && parent.is_none_or(|parent| policy::can_see(&subject.rights, &parent, None));
    Ok(seen.then_some(Found { post, question, subject }))
}

/// Returns a post of a later feature's kind that the actor may see.
///
/// # Errors
/// The database failed.
pub async fn find_post(
    loaders: &Loaders,
    actor: &Actor,
    id: PostId,
) -> std::result::Result<Option<(Arc<Post>, Arc<Subject>)>, InternalError> {
    Ok(find(loaders, actor, id).await?.map(|found| (found.post, found.subject)))
}

/// Returns the title of a question; `None` if the actor may not see it.
///
/// # Errors
/// The database failed.
pub async fn question_title(
    loaders: &Loaders,
    actor: &Actor,
    id: QuestionId,
) -> std::result::Result<Option<String>, InternalError> {
    let found = find(loaders, actor, PostId { kind: PostKind::Question, id: id.uuid() }).await?;
    Ok(found.and_then(|found| Some(found.question?.title.clone())))
}

/// Returns a question that the actor may see.
///
/// # Errors
/// There is no such question; the database failed.
pub(crate) async fn find_question(
    loaders: &Loaders,
    actor: &Actor,
    id: QuestionId,
) -> Result<(Arc<Question>, Arc<Subject>)> {
    let found = find(loaders, actor, PostId { kind: PostKind::Question, id: id.uuid() }).await?;
    let question = found.and_then(|found| Some((found.question?, found.subject)));
    question.ok_or_else(error::no_such_question)
}
