//! Imports questions and other posts with their replies. For the command line, where there is no actor.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::discussions::model::PostKind;
use crate::discussions::query::import::{self as query, Asked, Row};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// A post to import.
#[derive(Clone, Debug)]
pub struct ImportedPost {
    /// The author.
    pub author_id: UserId,
    /// The text in Markdown.
    pub body: String,
    /// Whether the author is in the course's team.
    pub is_by_team: bool,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Who votes for it, each user once.
    pub voters: Vec<UserId>,
}

/// What a question to import has besides its post.
#[derive(Clone, Debug)]
pub struct ImportedQuestion {
    /// The title.
    pub title: String,
    /// The second of the video that it is about.
    pub at_seconds: Option<i32>,
    /// The place of the accepted reply, from 0, which has resolved the question.
    pub accepted: Option<usize>,
}

/// A post to import, which is no reply, with the replies to it.
#[derive(Clone, Debug)]
pub struct ImportedThread {
    /// What it is.
    pub kind: PostKind,
    /// The course.
    pub course_id: CourseId,
    /// The lesson; `None` if it is about the course as a whole.
    pub lesson_id: Option<LessonId>,
    /// The post.
    pub post: ImportedPost,
    /// If it is a question, the rest of it.
    pub question: Option<ImportedQuestion>,
    /// The replies.
    pub replies: Vec<ImportedPost>,
}

/// Imports posts with their replies, votes and counts, without events; returns their ids, in their order. Their authors
/// and those who reply follow the questions.
///
/// A course that has posts of a kind gets no more of it: what was imported before stays, and for posts that are left
/// out there is no id. The texts are not validated.
///
/// # Errors
/// Something that is referred to does not exist; the database failed.
pub async fn import(tx: &mut Tx, app: &App, threads: &[ImportedThread]) -> Result<Vec<Option<Uuid>>, InternalError> {
    let mut taken = HashSet::new();
    for kind in [PostKind::Question, PostKind::Review] {
        let of_kind = threads.iter().filter(|thread| thread.kind == kind);
        let courses: HashSet<CourseId> = of_kind.map(|thread| thread.course_id).collect();
        let there = query::with_posts(tx, kind, courses.into_iter().collect()).await?;
        taken.extend(there.into_iter().map(|course| (kind, course)));
    }
    let (mut rows, mut votes, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for thread in threads {
        if taken.contains(&(thread.kind, thread.course_id)) {
            ids.push(None);
            continue;
        }
        let of_thread = rows_of(app, thread)?;
        ids.push(of_thread.first().map(|row| row.id));
        for (row, post) in of_thread.iter().zip(std::iter::once(&thread.post).chain(&thread.replies)) {
            votes.extend(post.voters.iter().map(|user| (row.id, *user, post.at)));
        }
        rows.extend(of_thread);
    }
    query::insert_posts(tx, &rows).await?;
    query::insert_questions(tx, &rows).await?;
    query::insert_votes(tx, &votes).await?;
    Ok(ids)
}

/// The rows of a post and of its replies.
fn rows_of<'a>(app: &App, thread: &'a ImportedThread) -> Result<Vec<Row<'a>>, InternalError> {
    let new = |post: &'a ImportedPost, kind, parent_id| {
        Ok::<_, InternalError>(Row {
            id: app.clock.uuid_of(post.at),
            kind,
            course_id: thread.course_id,
            lesson_id: thread.lesson_id,
            parent_id,
            author_id: post.author_id,
            body: &post.body,
            is_by_team: post.is_by_team,
            at: post.at,
            votes: i32::try_from(post.voters.len())?,
            replies: 0,
            active_at: post.at,
            question: None,
        })
    };
    let mut first = new(&thread.post, thread.kind, None)?;
    let mut replies = Vec::new();
    for reply in &thread.replies {
        replies.push(new(reply, PostKind::Reply, Some(first.id))?);
        first.active_at = first.active_at.max(reply.at);
    }
    first.replies = i32::try_from(replies.len())?;
    first.question = thread.question.as_ref().map(|question| {
        let accepted = question.accepted.and_then(|place| replies.get(place));
        let accepted = accepted.map(|reply| (reply.id, reply.at));
        Asked { title: &question.title, at_seconds: question.at_seconds, accepted }
    });
    Ok(std::iter::once(first).chain(replies).collect())
}
