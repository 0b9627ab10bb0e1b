//! SQL for reviews.

use std::collections::HashMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, SmallInt, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::model::{NewReview, Rating, Review, ReviewChanges, ReviewPlace, ReviewSort, Which};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::discussions::Seer;
use crate::graphql::page::Page;
use crate::platform::db::schema::reviews;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Review>> {
    reviews::table.filter(reviews::post_id.eq_any(ids)).select(Review::as_select()).load(conn).await
}

pub(crate) async fn by_id(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Review>> {
    Ok(by_ids(tx.conn(), &[id]).await?.pop())
}

/// Returns those reviews that one of the users has written of one of the courses.
pub(crate) async fn of_pairs(
    conn: &mut AsyncPgConnection,
    courses: &[CourseId],
    users: &[UserId],
) -> QueryResult<Vec<Review>> {
    reviews::table
        .filter(reviews::course_id.eq_any(courses).and(reviews::author_id.eq_any(users)))
        .select(Review::as_select())
        .load(conn)
        .await
}

/// Inserts a review; `None` if the author has one of the course already.
pub(crate) async fn insert(tx: &mut Tx, new: NewReview) -> QueryResult<Option<Review>> {
    diesel::insert_into(reviews::table)
        .values(new)
        .on_conflict((reviews::course_id, reviews::author_id))
        .do_nothing()
        .returning(Review::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Inserts reviews that everybody sees, each with the number of its votes.
pub(crate) async fn insert_all(tx: &mut Tx, new: &[(NewReview, i32)]) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO reviews (post_id, course_id, author_id, stars, votes, is_shown, is_refunded) \
         SELECT *, true, false FROM unnest($1, $2, $3, $4, $5)",
    )
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(row, _)| row.post_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(row, _)| row.course_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(row, _)| row.author_id).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(new.iter().map(|(row, _)| row.stars).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(new.iter().map(|(_, votes)| *votes).collect::<Vec<_>>())
    .execute(tx.conn())
    .await
}

/// Changes a rating; returns it as it was and as it is. `None` if there is no such review.
pub(crate) async fn change(tx: &mut Tx, id: Uuid, changes: ReviewChanges) -> QueryResult<Option<(Rating, Rating)>> {
    let row = reviews::table.find(id).select(Rating::as_select()).for_no_key_update();
    let Some(old) = row.first(tx.conn()).await.optional()? else { return Ok(None) };
    let new = diesel::update(reviews::table.find(id)).set(changes).returning(Rating::as_returning());
    Ok(Some((old, new.get_result(tx.conn()).await?)))
}

/// Deletes a review, whose post is deleted next; returns its rating.
pub(crate) async fn delete(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Rating>> {
    let row = diesel::delete(reviews::table.find(id)).returning(Rating::as_returning());
    row.get_result(tx.conn()).await.optional()
}

/// Sets the number of votes by which a review is sorted.
pub(crate) async fn set_votes(tx: &mut Tx, id: Uuid, votes: i32) -> QueryResult<usize> {
    diesel::update(reviews::table.find(id).filter(reviews::votes.ne(votes)))
        .set(reviews::votes.eq(votes))
        .execute(tx.conn())
        .await
}

/// Returns the latest reviews by a user, at most `limit`; of one course if that is given.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    course: Option<CourseId>,
    limit: i64,
) -> QueryResult<Vec<Review>> {
    let mut rows = reviews::table.filter(reviews::author_id.eq(user)).into_boxed();
    if let Some(course) = course {
        rows = rows.filter(reviews::course_id.eq(course));
    }
    rows.order(reviews::post_id.desc()).limit(limit).select(Review::as_select()).load(conn).await
}

/// Counts the reviews of each course that count, by one to five stars; a course without any is missing.
pub(crate) async fn count_stars(
    conn: &mut AsyncPgConnection,
    courses: &[CourseId],
) -> QueryResult<HashMap<CourseId, [i32; 5]>> {
    let counts: Vec<(CourseId, i16, i64)> = reviews::table
        .filter(reviews::course_id.eq_any(courses))
        .filter(reviews::is_shown.and(diesel::dsl::not(reviews::is_refunded)))
        .group_by((reviews::course_id, reviews::stars))
        .select((reviews::course_id, reviews::stars, count_star()))
        .load(conn)
        .await?;
    let mut found: HashMap<CourseId, [i32; 5]> = HashMap::new();
    for (course, stars, count) in counts {
        let of_course = found.entry(course).or_default();
        for (place, number) in (1..).zip(of_course) {
            if stars == place {
                *number = i32::try_from(count).unwrap_or(i32::MAX);
            }
        }
    }
    Ok(found)
}

/// Selects the reviews of a list.
macro_rules! listed {
    ($which:expr) => {{
        let Which { course, seer, stars } = $which;
        let mut rows = reviews::table.filter(reviews::course_id.eq(*course)).into_boxed();
        match *seer {
            Seer::Team => {}
            Seer::User(user) => rows = rows.filter(reviews::is_shown.or(reviews::author_id.eq(user))),
            Seer::Anonymous => rows = rows.filter(reviews::is_shown),
        }
        if let Some(stars) = stars {
            // Other numbers belong to no review.
            let stars: Vec<i16> = stars.iter().filter_map(|number| i16::try_from(*number).ok()).collect();
            rows = rows.filter(reviews::stars.eq_any(stars));
        }
        rows
    }};
}

/// Returns a page of reviews, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined. Rows are compared as tuples, so that an index
/// scan can start at the cursor.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    which: &Which,
    sort: ReviewSort,
    page: &Page<ReviewPlace>,
) -> QueryResult<Vec<Review>> {
    let mut rows = listed!(which);
    for (place, sign) in [(&page.after, "<"), (&page.before, ">")] {
        let Some((votes, id)) = place else { continue };
        rows = match sort {
            ReviewSort::Newest => rows.filter(sql::<Bool>(&format!("post_id {sign} ")).bind::<SqlUuid, _>(*id)),
            ReviewSort::MostHelpful => {
                let beyond = sql::<Bool>(&format!("(votes, post_id) {sign} (")).bind::<Integer, _>(*votes);
                rows.filter(beyond.sql(", ").bind::<SqlUuid, _>(*id).sql(")"))
            }
        };
    }
    let rows = match (sort, page.backward) {
        (ReviewSort::Newest, false) => rows.order(reviews::post_id.desc()),
        (ReviewSort::Newest, true) => rows.order(reviews::post_id.asc()),
        (ReviewSort::MostHelpful, false) => rows.order((reviews::votes.desc(), reviews::post_id.desc())),
        (ReviewSort::MostHelpful, true) => rows.order((reviews::votes.asc(), reviews::post_id.asc())),
    };
    rows.limit(page.fetch()).select(Review::as_select()).load(&mut conn).await
}

/// Counts the reviews of a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &Which) -> QueryResult<i64> {
    listed!(which).count().get_result(&mut conn).await
}
