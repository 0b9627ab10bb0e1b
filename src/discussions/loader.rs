//! Loads posts in batches. They are not cached across requests, so that a count is the one that is in force.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{
    Post, PostEdit, Question, QuestionId, QuestionPlace, QuestionSort, Report, ReportId, Seer, Which, WhichReports,
};
use super::query::{follow, post, question, reply, report, vote};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::markdown;

/// The number of questions in [`FollowedQuestionsOf`].
const MOST_FOLLOWED: i64 = 500;

/// One post of any kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PostById(pub Uuid);

impl Load for PostById {
    type Value = Arc<Post>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Post>>, InternalError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = post::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (PostById(row.id), Arc::new(row))).collect())
    }
}

/// One question.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct QuestionById(pub(super) QuestionId);

impl Load for QuestionById {
    type Value = Arc<Question>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Question>>, InternalError> {
        let ids: Vec<QuestionId> = keys.iter().map(|key| key.0).collect();
        let rows = question::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (QuestionById(row.id()), Arc::new(row))).collect())
    }
}

/// The latest of the questions that a user follows, at most 500, with their courses and the times since when; missing if
/// there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowedQuestionsOf(pub UserId);

impl Load for FollowedQuestionsOf {
    type Value = Arc<Vec<(QuestionId, CourseId, DateTime<Utc>)>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<(QuestionId, CourseId, DateTime<Utc>)>> = HashMap::new();
        for row in follow::of_users(&mut *app.db.read().await?, &users, MOST_FOLLOWED).await? {
            let of_user = found.entry(FollowedQuestionsOf(row.user_id)).or_default();
            of_user.push((row.question_id, row.course_id, row.followed_at));
        }
        Ok(found.into_iter().map(|(key, questions)| (key, Arc::new(questions))).collect())
    }
}

/// A page of questions, in the direction of the page, each with whether its lesson is open by more than being a preview.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QuestionPage(pub Arc<Which>, pub QuestionSort, pub Page<QuestionPlace>);

impl Load for QuestionPage {
    type Value = Vec<(Arc<Question>, bool)>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, QuestionPage(which, sort, page)| {
            let arc = |(row, is_entitled)| (Arc::new(row), is_entitled);
            question::page(conn, which, *sort, page).map_ok(move |rows| rows.into_iter().map(arc).collect()).boxed()
        });
        read.await
    }
}

/// The number of questions in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QuestionCount(pub Arc<Which>);

impl Load for QuestionCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| question::count(conn, &key.0).boxed()).await
    }
}

/// A page of the replies to a post, in the direction of the page; missing if there are none.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReplyPage {
    /// The post that they reply to.
    pub parent: Uuid,
    /// The page.
    pub page: Page<Uuid>,
    /// Who sees it, and with it which replies.
    pub seer: Seer,
}

impl Load for ReplyPage {
    type Value = Vec<Arc<Post>>;

    /// Takes one statement for all posts whose replies are read in the same pages by the same viewer.
    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let mut alike: HashMap<(&Page<Uuid>, Seer), Vec<Uuid>> = HashMap::new();
        for ReplyPage { parent, page, seer } in keys {
            alike.entry((page, *seer)).or_default().push(*parent);
        }
        let mut found: HashMap<Self, Self::Value> = HashMap::new();
        for ((page, seer), parents) in alike {
            for row in reply::pages(&mut *app.db.read().await?, parents, page, seer).await? {
                let Some(parent) = row.parent_id else { continue };
                found.entry(ReplyPage { parent, page: page.clone(), seer }).or_default().push(Arc::new(row));
            }
        }
        for (key, rows) in &mut found {
            if key.page.backward {
                rows.reverse();
            }
        }
        Ok(found)
    }
}

/// The number of replies to a post that a viewer sees; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplyCount(pub Uuid, pub Seer);

impl Load for ReplyCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let mut alike: HashMap<Seer, Vec<Uuid>> = HashMap::new();
        for ReplyCount(parent, seer) in keys {
            alike.entry(*seer).or_default().push(*parent);
        }
        let mut found = HashMap::new();
        for (seer, parents) in alike {
            let counts = reply::counts(&mut *app.db.read().await?, &parents, seer).await?;
            found.extend(counts.into_iter().map(|(parent, count)| (ReplyCount(parent, seer), count)));
        }
        Ok(found)
    }
}

/// A page of the earlier versions of a post, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EditPage(pub Uuid, pub Page<i32>);

impl Load for EditPage {
    type Value = Vec<Arc<PostEdit>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| post::edits(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The number of earlier versions of a post.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EditCount(pub Uuid);

impl Load for EditCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| post::count_edits(conn, key.0).boxed()).await
    }
}

/// Whether a user has voted for a post; missing if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Voted(pub Uuid, pub UserId);

impl Load for Voted {
    type Value = ();

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, ()>, InternalError> {
        let (posts, users): (Vec<Uuid>, Vec<UserId>) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let rows = vote::of_pairs(&mut *app.db.read().await?, &posts, &users).await?;
        Ok(rows.into_iter().map(|(post, user)| (Voted(post, user), ())).collect())
    }
}

/// Whether a user follows a question; missing if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Follows(pub Uuid, pub UserId);

impl Load for Follows {
    type Value = ();

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, ()>, InternalError> {
        let (questions, users): (Vec<Uuid>, Vec<UserId>) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let rows = follow::of_pairs(&mut *app.db.read().await?, &questions, &users).await?;
        Ok(rows.into_iter().map(|(question, user)| (Follows(question, user), ())).collect())
    }
}

/// One report.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReportById(pub ReportId);

impl Load for ReportById {
    type Value = Arc<Report>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Report>>, InternalError> {
        let ids: Vec<ReportId> = keys.iter().map(|key| key.0).collect();
        let rows = report::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (ReportById(row.id), Arc::new(row))).collect())
    }
}

/// A page of reports, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReportPage(pub Arc<WhichReports>, pub Page<Uuid>);

impl Load for ReportPage {
    type Value = Vec<Arc<Report>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| report::page(conn, &key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The number of reports in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReportCount(pub Arc<WhichReports>);

impl Load for ReportCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| report::count(conn, &key.0).boxed()).await
    }
}

/// A text in Markdown as sanitized HTML. Needs no statement.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Html(pub Arc<str>);

impl Load for Html {
    type Value = Arc<str>;

    async fn load(_: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let texts: Vec<(Arc<str>, Arc<str>)> = keys.iter().map(|key| (key.0.clone(), key.0.clone())).collect();
        Ok(markdown::render_all(texts, Html).await?)
    }
}
