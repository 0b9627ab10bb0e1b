//! What moderation and responses do to reviews and ratings.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stars_count_while_the_review_is_shown() {
    let room = Room::open().await;
    let id = room.review(&room.sam, 4, "Good.").await;
    room.review(&room.tim, 2, "Bad.").await;
    let (both, one) = ((json!(3.0), [0, 1, 0, 1, 0]), (json!(2.0), [0, 0, 0, 1, 0]));
    assert_eq!(room.rating().await, both);
    assert_eq!(room.judge(&room.ada, &id, "HIDE").await, "");
    assert_eq!(room.rating().await, one);
    // What changes while it is hidden counts when it is shown again.
    let edit = json!({ "reviewId": id, "version": 1, "stars": 5 });
    room.app.mutate(&room.sam, "updateReview", "review { id }", edit).await;
    assert_eq!(room.rating().await, one);
    assert_eq!(room.judge(&room.ada, &id, "RESTORE").await, "");
    assert_eq!(room.rating().await, (json!(3.5), [1, 0, 0, 1, 0]));
    assert_eq!(room.judge(&room.ada, &id, "DISMISS").await, "");
    assert_eq!(room.rating().await, (json!(3.5), [1, 0, 0, 1, 0]));
    for action in ["PIN", "LOCK"] {
        assert_eq!(room.judge(&room.ada, &id, action).await, "NOT_ALLOWED", "{action}");
    }
    assert_eq!(room.judge(&room.ada, &id, "REMOVE").await, "");
    assert_eq!(room.rating().await, one);
    // A hidden one that is deleted had been taken off already.
    let id = room.review(&room.sam, 5, "Great.").await;
    assert_eq!(room.judge(&room.ada, &id, "HIDE").await, "");
    room.app.mutate(&room.sam, "deletePost", "deletedPostId", json!({ "postId": id })).await;
    assert_eq!(room.rating().await, one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_that_is_held_counts_when_a_moderator_shows_it() {
    let room = Room::with(TestApp::with(&[("LYCEUM_BLOCKED_WORDS", "casino")]).await).await;
    let id = room.review(&room.sam, 5, "Come to my casino.").await;
    assert_eq!(room.seen(Some(&room.tim), &id).await, Value::Null);
    assert_eq!(room.rating().await, (Value::Null, [0; 5]));
    assert_eq!(room.judge(&room.ada, &id, "RESTORE").await, "");
    assert_eq!(room.rating().await, (json!(5.0), [1, 0, 0, 0, 0]));
    // An edit that is held takes the stars off, with those that it sets.
    let edit = json!({ "reviewId": id, "version": 1, "stars": 1, "body": "Casino!" });
    let edited = room.app.mutate(&room.sam, "updateReview", "review { stars hiddenReason }", edit).await;
    assert_eq!(edited["review"], json!({ "stars": 1, "hiddenReason": "BLOCKED_WORD" }));
    assert_eq!(room.rating().await, (Value::Null, [0; 5]));
    assert_eq!(room.judge(&room.ada, &id, "RESTORE").await, "");
    assert_eq!(room.rating().await, (json!(1.0), [0, 0, 0, 0, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_is_edited_and_goes_with_the_review() {
    let room = Room::open().await;
    let id = room.review(&room.sam, 4, "Good.").await;
    let response = room.reply(&room.ada, &id, "Thanks.").await;
    let edit = json!({ "replyId": response, "version": 1, "body": "Thank you." });
    room.app.mutate(&room.ada, "updateReply", "reply { id parent { id } }", edit).await;
    assert_eq!(room.seen(None, &id).await["response"], json!({ "id": response, "body": "Thank you." }));
    // The response may be written anew.
    room.app.mutate(&room.ada, "deletePost", "deletedPostId", json!({ "postId": response })).await;
    assert_eq!(room.seen(None, &id).await["response"], Value::Null);
    let response = room.reply(&room.root, &id, "Thanks!").await;
    let report = json!({ "postId": response, "reason": "Rude" });
    room.app.mutate(&room.sam, "reportPost", "report { id }", report).await;
    room.app.mutate(&room.sam, "deletePost", "deletedPostId", json!({ "postId": id })).await;
    assert_eq!(room.node(Some(&room.ada), &response, "id").await, Value::Null);
    assert_eq!(room.app.sql("SELECT count(*) FROM posts").await, "0");
    assert_eq!(room.app.sql("SELECT resolution FROM post_reports").await, "DELETED");
}
