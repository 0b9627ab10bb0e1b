//! Commands that ask questions and reply.

use std::sync::Arc;

use chrono::TimeDelta;

use super::count::count_reply;
use super::find::{Found, Subject, find};
use super::moderate::queue;
use crate::accounts::{self, UserById, UserId, viewer};
use crate::catalog::{LessonById, LessonId};
use crate::discussions::event::{Place, QuestionAsked, ReplyPosted};
use crate::discussions::model::{
    CreateQuestionInput, CreateReplyInput, HiddenReason, NewPost, Post, PostAction, PostKind, Question, Reply,
};
use crate::discussions::query::{follow, post, question};
use crate::discussions::{error, policy};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::outbox;

pub(super) const LONGEST_TITLE: usize = 150;
/// The number of characters of the longest post.
pub const LONGEST_BODY: usize = 10_000;
/// The seconds of the longest lesson.
const LONGEST_LESSON: i32 = 86_400;

/// Asks a question about a lesson. The asker follows it.
///
/// # Errors
/// The input is invalid; the actor may not see the lesson, or is not entitled to it.
pub async fn create_question(
    loaders: &Loaders,
    actor: &Actor,
    input: CreateQuestionInput,
) -> Result<(Arc<Question>, Arc<Subject>)> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let subject = subject_of(loaders, actor, input.lesson_id).await?;
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    let body = check.required_text("body", &input.body, LONGEST_BODY);
    check_second(&mut check, &subject, input.at_seconds);
    check.finish()?;
    if !subject.rights.writes {
        return Err(error::not_entitled());
    }
    let now = app.clock.now();
    let held = held(loaders, &subject, [&title, &body]).await?;
    let made = app
        .db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Question>(tx, app, user.uuid(), "createQuestion", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return question::by_id(tx, id.uuid()).await?.ok_or_else(gone),
            };
            admit(tx, app, user, &subject).await?;
            let new = NewPost {
                id: app.clock.uuid(),
                kind: PostKind::Question,
                course_id: subject.course.id,
                lesson_id: Some(input.lesson_id),
                parent_id: None,
                author_id: user,
                body: &body,
                is_by_team: subject.rights.is_team,
                held,
            };
            let written = post::insert(tx, &new, now).await?;
            let asked = question::insert(tx, &written, input.lesson_id, &title, input.at_seconds).await?;
            claimed.keep(tx, written.id).await?;
            follow::add(tx, written.id, user, now).await?;
            match held {
                Some(reason) => queue(tx, app, &written, reason).await?,
                None => publish(tx, app, &written, Some(&title)).await?,
            }
            Ok::<_, Error>(asked)
        })
        .await?;
    Ok((Arc::new(made), subject))
}

/// Replies to a question. The author of the reply follows the question.
///
/// # Errors
/// The input is invalid; the actor may not see the question, or not reply to it.
pub async fn create_reply(
    loaders: &Loaders,
    actor: &Actor,
    input: CreateReplyInput,
) -> Result<(Arc<Post>, Option<Arc<Question>>, Arc<Subject>)> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let no_such = || error::no_such_post("parentId");
    let Found { post: parent, subject, .. } = find(loaders, actor, input.parent_id).await?.ok_or_else(no_such)?;
    let mut check = Check::new();
    let body = check.required_text("body", &input.body, LONGEST_BODY);
    check.finish()?;
    let now = app.clock.now();
    let held = held(loaders, &subject, ["", &body]).await?;
    let (reply, question) = app
        .db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Reply>(tx, app, user.uuid(), "createReply", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => {
                    let reply = post::by_id(tx, id.uuid()).await?.ok_or_else(gone)?;
                    return Ok((reply, question::by_id(tx, parent.id).await?));
                }
            };
            admit(tx, app, user, &subject).await?;
            // Many reply to one question at once; only one replies to what takes one reply.
            let kept = match parent.kind {
                PostKind::Question => post::hold(tx, parent.id).await?,
                PostKind::Reply | PostKind::Review => post::lock(tx, parent.id).await?,
            };
            let parent = kept.ok_or_else(no_such)?;
            let question = question::by_id(tx, parent.id).await?;
            if !policy::permits(&subject.rights, PostAction::Reply, &parent, question.as_ref()) {
                return Err(error::not_allowed(PostAction::Reply, "parentId"));
            }
            let new = NewPost {
                id: app.clock.uuid(),
                kind: PostKind::Reply,
                course_id: parent.course_id,
                lesson_id: parent.lesson_id,
                parent_id: Some(parent.id),
                author_id: user,
                body: &body,
                is_by_team: subject.rights.is_team,
                held,
            };
            let reply = post::insert(tx, &new, now).await?;
            claimed.keep(tx, reply.id).await?;
            if question.is_some() {
                follow::add(tx, parent.id, user, now).await?;
            }
            match held {
                Some(reason) => queue(tx, app, &reply, reason).await?,
                None => publish(tx, app, &reply, None).await?,
            }
            Ok::<_, Error>((reply, question))
        })
        .await?;
    Ok((Arc::new(reply), question.map(Arc::new), subject))
}

/// Writes a post of a later feature's kind about a course as a whole. Locks the author, who must have the right to.
///
/// `held` is the result of [`held`].
///
/// # Errors
/// The author has written too much lately, or is not there anymore.
pub async fn write_post(
    tx: &mut Tx,
    app: &App,
    subject: &Subject,
    (kind, body): (PostKind, &str),
    held: Option<HiddenReason>,
) -> Result<Post> {
    let author_id = subject.rights.viewer.ok_or_else(error::not_signed_in)?;
    admit(tx, app, author_id, subject).await?;
    let new = NewPost {
        id: app.clock.uuid(),
        kind,
        course_id: subject.course.id,
        lesson_id: None,
        parent_id: None,
        author_id,
        body,
        is_by_team: subject.rights.is_team,
        held,
    };
    let written = post::insert(tx, &new, app.clock.now()).await?;
    match held {
        Some(reason) => queue(tx, app, &written, reason).await?,
        None => publish(tx, app, &written, None).await?,
    }
    Ok(written)
}

/// Returns why texts that the user writes are held for moderation.
///
/// # Errors
/// The database failed.
pub async fn held(loaders: &Loaders, subject: &Subject, texts: [&str; 2]) -> Result<Option<HiddenReason>> {
    let (app, rights) = (loaders.app(), &subject.rights);
    let author = match rights.viewer {
        Some(user) => loaders.load(UserById(user)).await?,
        None => None,
    };
    let now = app.clock.now();
    let age = author.map_or(TimeDelta::zero(), |author| now - author.created_at);
    Ok(policy::hold(&app.config.discussions, rights, age, texts))
}

/// Makes a post known that everybody sees from now on: to the search, to those who react, and to the counts.
pub(super) async fn publish(tx: &mut Tx, app: &App, written: &Post, title: Option<&str>) -> Result<()> {
    post::write_words(tx, written, (title.unwrap_or_default(), &written.body)).await?;
    let place = Place::of(written);
    match written.parent_id {
        None => {
            if written.kind == PostKind::Question {
                outbox::record(tx, &app.clock, &QuestionAsked { place }).await?;
            }
        }
        Some(_) => {
            outbox::record(tx, &app.clock, &ReplyPosted { place }).await?;
            count_reply(tx, app, written, 1, Some(written.created_at)).await?;
        }
    }
    Ok(())
}

/// Returns a lesson that the actor may see.
async fn subject_of(loaders: &Loaders, actor: &Actor, id: LessonId) -> Result<Arc<Subject>> {
    let lesson = loaders.load(LessonById(id)).await?.ok_or_else(error::no_such_lesson)?;
    Subject::load(loaders, actor, lesson.course_id, Some(id)).await?.ok_or_else(error::no_such_lesson)
}

/// Checks the second of a lesson's video.
pub(super) fn check_second(check: &mut Check, subject: &Subject, second: Option<i32>) {
    let longest = subject.lesson.as_ref().and_then(|lesson| lesson.duration_seconds).unwrap_or(LONGEST_LESSON);
    if second.is_some_and(|second| !(0..=longest).contains(&second)) {
        let message = format!("The lesson has the seconds 0 to {longest}.");
        check.error(UserErrorCode::OutOfRange, "atSeconds", message);
    }
}

/// Checks how much a user has written in a course lately, and serializes what they write. The team is not limited.
async fn admit(tx: &mut Tx, app: &App, user: UserId, subject: &Subject) -> Result<()> {
    if !accounts::lock_user(tx, user).await? {
        return Err(error::not_signed_in());
    }
    let most = app.config.discussions.hourly_posts;
    // The ids sort by time.
    let hour_ago = u64::try_from((app.clock.now() - TimeDelta::hours(1)).timestamp_millis()).unwrap_or_default();
    let since = uuid::Builder::from_unix_timestamp_millis(hour_ago, &[0; 10]).into_uuid();
    let is_limited = most > 0 && !subject.rights.is_team;
    if is_limited && post::count_lately(tx, (user, subject.course.id), since, i64::try_from(most)?).await? >= most {
        return Err(error::too_often(most));
    }
    Ok(())
}
