//! The viewer's data, and what is left of a deleted user.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{UserId, viewer};
use crate::discussions::model::{Post, PostId, QuestionId, Report};
use crate::discussions::query::{follow, post, question, report, vote};
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Returns what the viewer has written, voted for and follows, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let posts = post::latest_of(&mut conn, user, FETCH).await?;
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let titles: HashMap<Uuid, String> = question::titles(&mut conn, &ids).await?.into_iter().collect();
    let votes = vote::latest_of(&mut conn, user, FETCH).await?;
    let follows = follow::latest_of(&mut conn, user, FETCH).await?;
    let reports = report::latest_of(&mut conn, user, FETCH).await?;
    drop(conn);
    let written = |post: Post| {
        json!({
            "id": post.post_id().encode(),
            "course": post.course_id.encode(),
            "lesson": post.lesson_id.map(|id| id.encode()),
            "title": titles.get(&post.id),
            "body": post.body,
            "createdAt": post.created_at,
            "editedAt": post.edited_at,
            "hiddenAt": post.hidden_at,
        })
    };
    let voted = |(id, kind, at)| json!({ "post": PostId { kind, id }.encode(), "votedAt": at });
    let followed = |(id, at): (QuestionId, _)| json!({ "question": id.encode(), "followedAt": at });
    let reported = |row: Report| {
        json!({
            "id": row.id.encode(),
            "reason": row.reason,
            "createdAt": row.created_at,
            "resolvedAt": row.resolved_at,
        })
    };
    Ok(json!({
        "reports": items(reports.into_iter().map(reported)),
        "posts": items(posts.into_iter().map(written)),
        "votes": items(votes.into_iter().map(voted)),
        "follows": items(follows.into_iter().map(followed)),
    }))
}

/// Removes what a deleted user followed, why they reported posts, and the earlier versions of what they wrote. Their
/// posts stay, because others have replied to them, and show no author; so do their votes, which are counts.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            follow::forget_user(tx, user).await?;
            report::forget_user(tx, user).await?;
            post::forget_edits_of(tx, user).await?;
            Ok(())
        })
        .await
}
