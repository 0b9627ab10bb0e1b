//! SQL for imports: many rows in each statement.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::post::{Words, write_all_words};
use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::discussions::model::PostKind;
use crate::platform::db::schema::posts;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// A post to insert, with its counts.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub id: Uuid,
    pub kind: PostKind,
    pub course_id: CourseId,
    pub lesson_id: Option<LessonId>,
    pub parent_id: Option<Uuid>,
    pub author_id: UserId,
    pub body: &'a str,
    pub is_by_team: bool,
    pub at: DateTime<Utc>,
    pub votes: i32,
    pub replies: i32,
    pub(crate) active_at: DateTime<Utc>,
    /// Of a question.
    pub question: Option<Asked<'a>>,
}

/// What a question has besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub title: &'a str,
    pub at_seconds: Option<i32>,
    /// The accepted reply, and when it was accepted.
    pub(crate) accepted: Option<(Uuid, DateTime<Utc>)>,
}

/// Returns those of the courses that have posts of a kind.
pub(crate) async fn with_posts(tx: &mut Tx, kind: PostKind, courses: Vec<CourseId>) -> QueryResult<Vec<CourseId>> {
    posts::table
        .filter(posts::course_id.eq_any(courses).and(posts::kind.eq(kind)))
        .select(posts::course_id)
        .distinct()
        .load(tx.conn())
        .await
}

/// Collects a column of some rows.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Inserts posts with their counts and the words by which they are found.
pub(crate) async fn insert_posts(tx: &mut Tx, rows: &[Row<'_>]) -> QueryResult<()> {
    sql_query(
        "INSERT INTO posts (id, kind, course_id, lesson_id, parent_id, author_id, body, is_by_team, created_at) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind::<Array<SqlUuid>, _>(column(rows, |row| row.id))
    .bind::<Array<Text>, _>(column(rows, |row| row.kind.as_str()))
    .bind::<Array<SqlUuid>, _>(column(rows, |row| row.course_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(rows, |row| row.lesson_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(rows, |row| row.parent_id))
    .bind::<Array<SqlUuid>, _>(column(rows, |row| row.author_id))
    .bind::<Array<Text>, _>(column(rows, |row| row.body))
    .bind::<Array<Bool>, _>(column(rows, |row| row.is_by_team))
    .bind::<Array<Timestamptz>, _>(column(rows, |row| row.at))
    .execute(tx.conn())
    .await?;
    sql_query(
        "INSERT INTO post_stats (post_id, vote_count, reply_count, active_at) SELECT * FROM unnest($1, $2, $3, $4)",
    )
    .bind::<Array<SqlUuid>, _>(column(rows, |row| row.id))
    .bind::<Array<Integer>, _>(column(rows, |row| row.votes))
    .bind::<Array<Integer>, _>(column(rows, |row| row.replies))
    .bind::<Array<Timestamptz>, _>(column(rows, |row| row.active_at))
    .execute(tx.conn())
    .await?;
    let words = column(rows, |row| Words {
        post_id: row.id,
        thread_id: row.parent_id.unwrap_or(row.id),
        course_id: row.course_id,
        title: row.question.map_or("", |asked| asked.title),
        body: row.body,
    });
    write_all_words(tx, &words).await?;
    Ok(())
}

/// Inserts what the questions among posts have besides, and lets those who write in them follow them.
pub(crate) async fn insert_questions(tx: &mut Tx, rows: &[Row<'_>]) -> QueryResult<()> {
    let found: Vec<_> = rows.iter().filter_map(|row| Some((row, row.question?, row.lesson_id?))).collect();
    sql_query(
        "INSERT INTO questions (post_id, course_id, lesson_id, author_id, title, at_seconds, accepted_reply_id, \
             resolved_at, votes, is_answered, active_at) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind::<Array<SqlUuid>, _>(column(&found, |(row, ..)| row.id))
    .bind::<Array<SqlUuid>, _>(column(&found, |(row, ..)| row.course_id))
    .bind::<Array<SqlUuid>, _>(column(&found, |(.., lesson)| *lesson))
    .bind::<Array<SqlUuid>, _>(column(&found, |(row, ..)| row.author_id))
    .bind::<Array<Text>, _>(column(&found, |(_, asked, _)| asked.title))
    .bind::<Array<Nullable<Integer>>, _>(column(&found, |(_, asked, _)| asked.at_seconds))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(&found, |(_, asked, _)| asked.accepted.map(|(reply, _)| reply)))
    .bind::<Array<Nullable<Timestamptz>>, _>(column(&found, |(_, asked, _)| asked.accepted.map(|(_, at)| at)))
    .bind::<Array<Integer>, _>(column(&found, |(row, ..)| row.votes))
    .bind::<Array<Bool>, _>(column(&found, |(row, ..)| row.replies > 0))
    .bind::<Array<Timestamptz>, _>(column(&found, |(row, ..)| row.active_at))
    .execute(tx.conn())
    .await?;
    sql_query(
        "INSERT INTO question_follows (question_id, user_id, followed_at) \
         SELECT questions.post_id, posts.author_id, min(created_at) FROM unnest($1) AS written (id) \
         JOIN posts USING (id) JOIN questions ON questions.post_id = coalesce(parent_id, id) GROUP BY 1, 2",
    )
    .bind::<Array<SqlUuid>, _>(column(rows, |row| row.id))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Inserts votes, which are counted already.
pub(crate) async fn insert_votes(tx: &mut Tx, votes: &[(Uuid, UserId, DateTime<Utc>)]) -> QueryResult<usize> {
    sql_query("INSERT INTO post_votes (post_id, user_id, voted_at) SELECT * FROM unnest($1, $2, $3)")
        .bind::<Array<SqlUuid>, _>(column(votes, |(post, ..)| *post))
        .bind::<Array<SqlUuid>, _>(column(votes, |(_, user, _)| *user))
        .bind::<Array<Timestamptz>, _>(column(votes, |(.., at)| *at))
        .execute(tx.conn())
        .await
}
