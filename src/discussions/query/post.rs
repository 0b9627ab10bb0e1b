//! SQL for posts of any kind, their counts, earlier versions and words.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::discussions::model::{HiddenReason, NewPost, Post, PostEdit};
use crate::graphql::page::Page;
use crate::platform::db::schema::{post_edits, post_stats, posts};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// The number of earlier versions that are stored of a post.
const MOST_EDITS: i32 = 50;
/// The number of posts whose counts are checked in one statement.
const RECOUNTED: i64 = 2000;
/// Counts the votes and the replies that everybody sees, of the post of a row of `batch`.
const COUNTED: &str = "SELECT (SELECT count(*) FROM post_votes WHERE post_votes.post_id = batch.post_id), \
    (SELECT count(*) FROM posts WHERE posts.parent_id = batch.post_id AND hidden_at IS NULL)";

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Post>> {
    posts::table.inner_join(post_stats::table).filter(posts::id.eq_any(ids)).select(Post::as_select()).load(conn).await
}

pub(crate) async fn by_id(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Post>> {
    Ok(by_ids(tx.conn(), &[id]).await?.pop())
}

/// Locks a post. Others can still reply to it.
pub(crate) async fn lock(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Post>> {
    let row = posts::table.find(id).select(posts::id).for_no_key_update().first(tx.conn()).await;
    locked(tx, row).await
}

/// Locks a post that is deleted next: no reply can be added anymore.
pub(crate) async fn lock_to_delete(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Post>> {
    let row = posts::table.find(id).select(posts::id).for_update().first(tx.conn()).await;
    locked(tx, row).await
}

/// Returns a post, and prevents its deletion until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Post>> {
    let row = posts::table.find(id).select(posts::id).for_key_share().first(tx.conn()).await;
    locked(tx, row).await
}

/// Reads a post whose row has been locked: after the wait, and without locking its counts.
async fn locked(tx: &mut Tx, row: QueryResult<Uuid>) -> QueryResult<Option<Post>> {
    match row.optional()? {
        Some(id) => by_id(tx, id).await,
        None => Ok(None),
    }
}

/// Writes a post. The counts of what it replies to are not changed.
pub async fn insert(tx: &mut Tx, new: &NewPost<'_>, now: DateTime<Utc>) -> QueryResult<Post> {
    diesel::insert_into(posts::table)
        .values((
            posts::id.eq(new.id),
            posts::kind.eq(new.kind),
            posts::course_id.eq(new.course_id),
            posts::lesson_id.eq(new.lesson_id),
            posts::parent_id.eq(new.parent_id),
            posts::author_id.eq(new.author_id),
            posts::body.eq(new.body),
            posts::is_by_team.eq(new.is_by_team),
            posts::created_at.eq(now),
            posts::hidden_at.eq(new.held.map(|_| now)),
            posts::hidden_reason.eq(new.held),
        ))
        .execute(tx.conn())
        .await?;
    diesel::insert_into(post_stats::table)
        .values((post_stats::post_id.eq(new.id), post_stats::active_at.eq(now)))
        .execute(tx.conn())
        .await?;
    by_id(tx, new.id).await?.ok_or(diesel::NotFound)
}

/// Replaces the text of a locked post, and keeps the earlier version.
pub async fn edit(tx: &mut Tx, post: &Post, title: Option<&str>, body: &str, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::insert_into(post_edits::table)
        .values((
            post_edits::post_id.eq(post.id),
            post_edits::version.eq(post.version),
            post_edits::title.eq(title),
            post_edits::body.eq(&post.body),
            post_edits::edited_at.eq(now),
        ))
        .execute(tx.conn())
        .await?;
    let old = post_edits::post_id.eq(post.id).and(post_edits::version.le(post.version - MOST_EDITS));
    diesel::delete(post_edits::table.filter(old)).execute(tx.conn()).await?;
    diesel::update(posts::table.find(post.id))
        .set((posts::body.eq(body), posts::version.eq(post.version + 1), posts::edited_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Leaves a tombstone of a locked post: its text and its earlier versions are deleted.
pub(crate) async fn bury(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    forget_edits(tx, id).await?;
    remove_words(tx, id).await?;
    diesel::update(posts::table.find(id))
        .set((posts::body.eq(""), posts::deleted_at.eq(now), posts::version.eq(posts::version + 1)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Hides a locked post.
pub(crate) async fn hide(tx: &mut Tx, id: Uuid, reason: HiddenReason, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(posts::table.find(id))
        .set((posts::hidden_at.eq(now), posts::hidden_reason.eq(reason)))
        .execute(tx.conn())
        .await
}

/// Shows a locked post again.
pub(crate) async fn show(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    diesel::update(posts::table.find(id))
        .set((posts::hidden_at.eq(None::<DateTime<Utc>>), posts::hidden_reason.eq(None::<HiddenReason>)))
        .execute(tx.conn())
        .await
}

/// Deletes a locked post with all that belongs to it.
pub(crate) async fn delete(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    diesel::delete(posts::table.find(id)).execute(tx.conn()).await
}

/// Whether there are replies to a post, hidden ones included.
pub(crate) async fn has_replies(tx: &mut Tx, id: Uuid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(posts::table.filter(posts::parent_id.eq(id)))).get_result(tx.conn()).await
}

/// Adds to the number of a post's votes. Call this last in a transaction.
pub(crate) async fn count_votes(tx: &mut Tx, id: Uuid, more: i32) -> QueryResult<usize> {
    diesel::update(post_stats::table.find(id))
        .set(post_stats::vote_count.eq(post_stats::vote_count + more))
        .execute(tx.conn())
        .await
}

/// Adds to the number of a post's replies, the latest of which is from `active_at`. Call this last in a transaction.
pub(crate) async fn count_replies(
    tx: &mut Tx,
    id: Uuid,
    more: i32,
    active_at: Option<DateTime<Utc>>,
) -> QueryResult<usize> {
    let counted = post_stats::reply_count.eq(post_stats::reply_count + more);
    let row = diesel::update(post_stats::table.find(id));
    match active_at {
        Some(at) => row.set((counted, post_stats::active_at.eq(at))).execute(tx.conn()).await,
        None => row.set(counted).execute(tx.conn()).await,
    }
}

/// The texts of a post, whose words are searched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    pub(super) post_id: Uuid,
    pub(super) thread_id: Uuid,
    pub(super) course_id: CourseId,
    pub(super) title: &'a str,
    pub(super) body: &'a str,
}

/// The result of one batch of [`recount`].
#[derive(QueryableByName)]
pub(crate) struct Recounted {
    /// The last post of the batch; `None` if the batch was empty.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub last: Option<Uuid>,
    /// The posts whose numbers are wrong.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub(crate) wrong: Vec<Uuid>,
}

/// Counts the votes and replies of a batch of posts, and compares them with the stored numbers.
///
/// The batch starts after the post `after`, in the order of the ids.
pub(crate) async fn recount(conn: &mut AsyncPgConnection, after: Uuid) -> QueryResult<Recounted> {
    sql_query(format!(
        "WITH batch AS (SELECT * FROM post_stats WHERE post_id > $1 ORDER BY post_id LIMIT $2) \
         SELECT (SELECT post_id FROM batch ORDER BY post_id DESC LIMIT 1) AS last, \
             ARRAY(SELECT post_id FROM batch WHERE (vote_count, reply_count) <> ({COUNTED})) AS wrong"
    ))
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(RECOUNTED)
    .get_result(conn)
    .await
}

/// Locks the counts of a post; returns whether it is still there.
pub(crate) async fn lock_counts(tx: &mut Tx, id: Uuid) -> QueryResult<bool> {
    let row = post_stats::table.find(id).select(post_stats::post_id).for_no_key_update();
    Ok(row.first::<Uuid>(tx.conn()).await.optional()?.is_some())
}

/// Counts the votes and replies of a post whose counts are locked; returns whether the stored numbers were wrong, as
/// the number of changed rows.
pub(crate) async fn repair_counts(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    sql_query(format!(
        "UPDATE post_stats AS batch SET (vote_count, reply_count) = ({COUNTED}) \
         WHERE post_id = $1 AND (vote_count, reply_count) <> ({COUNTED})"
    ))
    .bind::<SqlUuid, _>(id)
    .execute(tx.conn())
    .await
}

/// Makes a post findable by the words of its texts, within its course.
pub(crate) async fn write_words(tx: &mut Tx, post: &Post, (title, body): (&str, &str)) -> QueryResult<usize> {
    let (post_id, thread_id, course_id) = (post.id, post.thread_id(), post.course_id);
    write_all_words(tx, &[Words { post_id, thread_id, course_id, title, body }]).await
}

/// Makes posts findable by the words of their texts, each within its course.
pub(super) async fn write_all_words(tx: &mut Tx, words: &[Words<'_>]) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO post_texts (post_id, thread_id, words) \
         SELECT post, thread, search_vector(title, 'A') || search_vector(body, 'B') || course::tsvector \
         FROM unnest($1, $2, $3, $4, $5) AS new (post, thread, title, body, course) \
         ON CONFLICT (post_id) DO UPDATE SET words = excluded.words",
    )
    .bind::<Array<SqlUuid>, _>(words.iter().map(|new| new.post_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(words.iter().map(|new| new.thread_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(words.iter().map(|new| new.title).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(words.iter().map(|new| new.body).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(words.iter().map(|new| course_word(new.course_id)).collect::<Vec<_>>())
    .execute(tx.conn())
    .await
}

/// The word by which the search finds what belongs to a course.
pub(crate) fn course_word(course: CourseId) -> String {
    format!("'{}'", course.uuid().simple())
}

/// Hides a post from the search.
pub(crate) async fn remove_words(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    sql_query("DELETE FROM post_texts WHERE post_id = $1").bind::<SqlUuid, _>(id).execute(tx.conn()).await
}

/// Deletes the earlier versions of a post.
pub(crate) async fn forget_edits(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    diesel::delete(post_edits::table.filter(post_edits::post_id.eq(id))).execute(tx.conn()).await
}

/// Deletes the earlier versions of all posts of a user.
pub(crate) async fn forget_edits_of(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    let own = posts::table.filter(posts::author_id.eq(user)).select(posts::id);
    diesel::delete(post_edits::table.filter(post_edits::post_id.eq_any(own))).execute(tx.conn()).await
}

/// Returns a page of the earlier versions of a post, latest first, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub async fn edits(mut conn: &AsyncPgConnection, post: Uuid, page: &Page<i32>) -> QueryResult<Vec<PostEdit>> {
    let rows = post_edits::table
        .filter(post_edits::post_id.eq(post))
        .filter(post_edits::version.lt(page.after.unwrap_or(i32::MAX)))
        .filter(post_edits::version.gt(page.before.unwrap_or(0)))
        .limit(page.fetch())
        .select(PostEdit::as_select());
    match page.backward {
        true => rows.order(post_edits::version.asc()).load(&mut conn).await,
        false => rows.order(post_edits::version.desc()).load(&mut conn).await,
    }
}

/// Counts the earlier versions of a post.
pub(crate) async fn count_edits(mut conn: &AsyncPgConnection, post: Uuid) -> QueryResult<i64> {
    post_edits::table.filter(post_edits::post_id.eq(post)).count().get_result(&mut conn).await
}

/// Returns the latest posts of a user, for the export of their data.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Post>> {
    posts::table
        .inner_join(post_stats::table)
        .filter(posts::author_id.eq(user))
        .order(posts::id.desc())
        .limit(limit)
        .select(Post::as_select())
        .load(conn)
        .await
}

/// Counts what a user has written in a course since `since`, up to `most`.
pub(crate) async fn count_lately(
    tx: &mut Tx,
    (user, course): (UserId, CourseId),
    since: Uuid,
    most: i64,
) -> QueryResult<usize> {
    let ids: Vec<Uuid> = posts::table
        .filter(posts::author_id.eq(user).and(posts::course_id.eq(course)).and(posts::id.ge(since)))
        .limit(most)
        .select(posts::id)
        .load(tx.conn())
        .await?;
    Ok(ids.len())
}
