//! SQL for questions and their lists.
//!
//! Each order of a list is an index of a lesson or a course (`questions_lesson_…`, `questions_course_…`), which is read
//! from the cursor on.

use chrono::{DateTime, Utc};
use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::catalog::{LessonId, open_lessons};
use crate::discussions::model::{Post, Question, QuestionId, QuestionPlace, QuestionSort, ReplyId, Scope, Seer, Which};
use crate::entitlements::Opening;
use crate::graphql::page::Page;
use crate::platform::db::schema::{post_stats, post_texts, posts, question_follows, questions};
use crate::platform::db::{RunQueryDsl, Tx, cached, sql_query};

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[QuestionId]) -> QueryResult<Vec<Question>> {
    questions::table
        .inner_join(posts::table.inner_join(post_stats::table))
        .filter(questions::post_id.eq_any(ids))
        .select(Question::as_select())
        .load(conn)
        .await
}

pub(crate) async fn by_id(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Question>> {
    Ok(by_ids(tx.conn(), &[QuestionId::new(id)]).await?.pop())
}

/// Makes a post a question.
pub async fn insert(
    tx: &mut Tx,
    post: &Post,
    lesson: LessonId,
    title: &str,
    at_seconds: Option<i32>,
) -> QueryResult<Question> {
    diesel::insert_into(questions::table)
        .values((
            questions::post_id.eq(post.id),
            questions::course_id.eq(post.course_id),
            questions::lesson_id.eq(lesson),
            questions::author_id.eq(post.author_id),
            questions::title.eq(title),
            questions::at_seconds.eq(at_seconds),
            questions::active_at.eq(post.created_at),
        ))
        .execute(tx.conn())
        .await?;
    by_id(tx, post.id).await?.ok_or(diesel::NotFound)
}

/// Changes of a question; `None` stays unchanged.
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = questions)]
pub(crate) struct QuestionChanges {
    pub title: Option<String>,
    /// `Some(None)`: it is about no second of the video.
    pub at_seconds: Option<Option<i32>>,
    pub is_pinned: Option<bool>,
    pub is_locked: Option<bool>,
    /// `Some(None)`: it is not resolved.
    pub resolved_at: Option<Option<DateTime<Utc>>>,
    /// `Some(None)`: no reply is accepted.
    pub accepted_reply_id: Option<Option<ReplyId>>,
}

/// Changes a question whose post is locked. There must be at least one change.
pub(crate) async fn update(tx: &mut Tx, id: Uuid, changes: QuestionChanges) -> QueryResult<usize> {
    diesel::update(questions::table.find(id)).set(changes).execute(tx.conn()).await
}

/// Copies the counts of a question to where lists are sorted by them.
pub(crate) async fn refresh(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    sql_query(
        "UPDATE questions SET votes = vote_count, is_answered = reply_count > 0, active_at = post_stats.active_at \
         FROM post_stats WHERE questions.post_id = $1 AND post_stats.post_id = $1 \
         AND (votes, is_answered, questions.active_at) \
            IS DISTINCT FROM (vote_count, reply_count > 0, post_stats.active_at)",
    )
    .bind::<SqlUuid, _>(id)
    .execute(tx.conn())
    .await
}

/// Selects the questions of a list.
macro_rules! listed {
    ($which:expr) => {{
        let which: &Which = $which;
        let shown = posts::deleted_at.is_null().or(post_stats::reply_count.gt(0));
        let rows = questions::table.inner_join(posts::table.inner_join(post_stats::table));
        let mut rows = rows.filter(shown).into_boxed();
        match &which.scope {
            Scope::Lesson(lesson) => rows = rows.filter(questions::lesson_id.eq(*lesson)),
            Scope::Course(course, opening) => {
                rows = rows.filter(questions::course_id.eq(*course));
                if *opening != Opening::All {
                    // Compared, so that the planner does not make a join of it, which loses the order of the index.
                    rows = rows.filter(questions::lesson_id.eq_any(open_lessons(*course, *opening, true)).eq(true));
                }
            }
        }
        match which.seer {
            Seer::Team => {}
            Seer::User(user) => rows = rows.filter(posts::hidden_at.is_null().or(posts::author_id.eq(user))),
            Seer::Anonymous => rows = rows.filter(posts::hidden_at.is_null()),
        }
        match which.mine {
            None => {}
            Some((user, true)) => rows = rows.filter(questions::author_id.eq(user)),
            Some((user, false)) => rows = rows.filter(questions::author_id.ne(user)),
        }
        if let Some((user, follows)) = which.followed {
            let followed = question_follows::table.filter(question_follows::user_id.eq(user));
            let followed = questions::post_id.eq_any(followed.select(question_follows::question_id));
            rows = if follows { rows.filter(followed) } else { rows.filter(not(followed)) };
        }
        // As literals, which the partial indexes have, too.
        match which.is_answered {
            None => {}
            Some(true) => rows = rows.filter(questions::is_answered),
            Some(false) => rows = rows.filter(not(questions::is_answered)),
        }
        match which.is_resolved {
            None => {}
            Some(true) => rows = rows.filter(questions::resolved_at.is_not_null()),
            Some(false) => rows = rows.filter(questions::resolved_at.is_null()),
        }
        if let Some(words) = &which.words {
            let words = format!("{} & ({words})", super::post::course_word(which.course));
            let found = sql::<Bool>("words @@ ").bind::<Text, _>(words).sql("::tsquery");
            let found = post_texts::table.filter(found).select(post_texts::thread_id);
            rows = rows.filter(questions::post_id.eq_any(found));
        }
        rows
    }};
}

/// Returns a page of questions, in the page's direction, each with whether its lesson is open to who reads by more than
/// being a free preview. Of the list of a lesson, that is known before, and not told here.
///
/// Takes a shared connection, so that several pages can be pipelined. Rows are compared as tuples, so that an index
/// scan can start at the cursor.
pub async fn page(
    mut conn: &AsyncPgConnection,
    which: &Which,
    sort: QuestionSort,
    page: &Page<QuestionPlace>,
) -> QueryResult<Vec<(Question, bool)>> {
    let key = match sort {
        QuestionSort::Newest => None,
        QuestionSort::MostVoted => Some("questions.votes"),
        QuestionSort::RecentActivity => Some("questions.active_at"),
    };
    let columns: Vec<&str> = ["questions.is_pinned"].into_iter().chain(key).chain(["questions.post_id"]).collect();
    let mut rows = listed!(which);
    for (place, sign) in [(&page.after, "<"), (&page.before, ">")] {
        let Some((pinned, number, id)) = place else { continue };
        let beyond = sql::<Bool>(&format!("({}) {sign} (", columns.join(", "))).bind::<Bool, _>(*pinned).sql(", ");
        rows = match sort {
            QuestionSort::Newest => rows.filter(beyond.bind::<SqlUuid, _>(*id).sql(")")),
            QuestionSort::MostVoted => {
                rows.filter(beyond.bind::<BigInt, _>(*number).sql(", ").bind::<SqlUuid, _>(*id).sql(")"))
            }
            QuestionSort::RecentActivity => {
                let at = DateTime::<Utc>::from_timestamp_micros(*number).unwrap_or_default();
                rows.filter(beyond.bind::<Timestamptz, _>(at).sql(", ").bind::<SqlUuid, _>(*id).sql(")"))
            }
        };
    }
    let direction = if page.backward { "ASC" } else { "DESC" };
    let order: Vec<String> = columns.iter().map(|column| format!("{column} {direction}")).collect();
    let rows = rows.order(sql::<Bool>(&order.join(", "))).limit(page.fetch());
    let opening = match which.scope {
        Scope::Course(_, opening) => opening,
        Scope::Lesson(_) => Opening::None,
    };
    let is_entitled = questions::lesson_id.eq_any(open_lessons(which.course, opening, false));
    let rows = rows.select((Question::as_select(), is_entitled));
    match which.is_filtered() {
        // Filters make more texts than a connection should keep.
        true => rows.load(&mut conn).await,
        false => cached(rows).load(&mut conn).await,
    }
}

/// Counts the questions of a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &Which) -> QueryResult<i64> {
    listed!(which).count().get_result(&mut conn).await
}

/// Returns the titles of questions, for the export of a user's data.
pub(crate) async fn titles(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<(Uuid, String)>> {
    questions::table
        .filter(questions::post_id.eq_any(ids))
        .select((questions::post_id, questions::title))
        .load(conn)
        .await
}
