//! What is left of the reviews of a user whose account is deleted.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_stays_and_counts_without_its_author() {
    let room = Room::with(TestApp::with(&[("LYCEUM_DELETION_DAYS", "0")]).await).await;
    let una = room.student("Una").await;
    let id = room.review(&una, 2, "Una was here.").await;
    let edit = json!({ "reviewId": id, "version": 1, "body": "Not for me." });
    room.app.mutate(&una, "updateReview", "review { id }", edit).await;
    room.review(&room.sam, 4, "Good.").await;
    let (rating, before) = (room.rating().await, room.seen(None, &id).await);
    assert_eq!((&rating.0, &before["author"]["name"]), (&json!(3.0), &json!("Una")));

    room.app.sql("UPDATE users SET password_hash = NULL").await;
    room.app.mutate(&una, "deleteAccount", "user { id }", json!({})).await;
    room.app.run("accounts.delete_due").await;
    room.app.settle().await;
    room.app.forget_rows();
    let after = room.seen(None, &id).await;
    assert_eq!((&after["author"]["name"], &after["stars"]), (&json!("Deleted user"), &json!(2)));
    assert_eq!(after["body"], "Not for me.");
    assert_eq!(room.rating().await, rating, "the stars still count");
    assert_eq!(room.bodies(None, "(filter: { stars: [2] })").await, ["Not for me."]);
    assert_eq!(room.app.sql("SELECT count(*) FROM post_edits").await, "0", "the earlier version is gone");
    room.app.run("reviews.recount_ratings").await;
    assert_eq!(room.rating().await, rating, "for good");
    // The course's team still moderates it.
    assert_eq!(room.judge(&room.ada, &id, "REMOVE").await, "");
    assert_eq!(room.rating().await.0, json!(4.0));
}
