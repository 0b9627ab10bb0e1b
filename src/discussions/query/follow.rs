//! SQL for who follows which question.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::discussions::model::QuestionId;
use crate::platform::db::schema::question_follows;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

pub(crate) async fn add(tx: &mut Tx, question: Uuid, user: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::insert_into(question_follows::table)
        .values((
            question_follows::question_id.eq(question),
            question_follows::user_id.eq(user),
            question_follows::followed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

pub(crate) async fn remove(tx: &mut Tx, question: Uuid, user: UserId) -> QueryResult<usize> {
    diesel::delete(question_follows::table.find((question, user))).execute(tx.conn()).await
}

/// Returns those pairs of a question and a user of which the user follows the question.
pub(crate) async fn of_pairs(
    conn: &mut AsyncPgConnection,
    questions: &[Uuid],
    users: &[UserId],
) -> QueryResult<Vec<(Uuid, UserId)>> {
    question_follows::table
        .filter(question_follows::question_id.eq_any(questions).and(question_follows::user_id.eq_any(users)))
        .select((question_follows::question_id, question_follows::user_id))
        .load(conn)
        .await
}

/// Returns the followers of a question, in the order of their ids, starting after `after`.
pub(crate) async fn followers(
    conn: &mut AsyncPgConnection,
    question: QuestionId,
    after: UserId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    question_follows::table
        .filter(question_follows::question_id.eq(question).and(question_follows::user_id.gt(after)))
        .order(question_follows::user_id)
        .limit(limit)
        .select(question_follows::user_id)
        .load(conn)
        .await
}

/// Returns the questions that a user follows, for the export of their data.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<(QuestionId, DateTime<Utc>)>> {
    question_follows::table
        .filter(question_follows::user_id.eq(user))
        .order(question_follows::question_id.desc())
        .limit(limit)
        .select((question_follows::question_id, question_follows::followed_at))
        .load(conn)
        .await
}

/// A question that a user follows, with its course.
#[derive(QueryableByName)]
pub(crate) struct FollowedQuestion {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) question_id: QuestionId,
    #[diesel(sql_type = SqlUuid)]
    pub course_id: CourseId,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) followed_at: DateTime<Utc>,
}

/// Returns the latest `limit` of the questions that each of the users follows.
pub(crate) async fn of_users(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    limit: i64,
) -> QueryResult<Vec<FollowedQuestion>> {
    sql_query(
        "SELECT latest.user_id, latest.question_id, questions.course_id, latest.followed_at \
         FROM unnest($1) AS wanted (user_id) \
         CROSS JOIN LATERAL (SELECT * FROM question_follows WHERE question_follows.user_id = wanted.user_id \
            ORDER BY question_id DESC LIMIT $2) AS latest \
         JOIN questions ON questions.post_id = latest.question_id",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

/// Makes a user follow nothing anymore.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(question_follows::table.filter(question_follows::user_id.eq(user))).execute(tx.conn()).await
}
