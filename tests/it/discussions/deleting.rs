//! What is deleted, and what is left of it.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_with_replies_leaves_a_tombstone_without_text_and_history() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let input = json!({ "questionId": id, "version": 1, "body": "My telephone number is 555." });
    room.app.mutate(&room.sam, "updateQuestion", "question { id }", input).await;
    let reply = room.reply(&room.tim, &id, "So.").await;
    let delete = json!({ "postId": id });
    for other in [&room.tim, &room.ada] {
        assert_eq!(room.code(Some(other), "deletePost", delete.clone()).await, "NOT_ALLOWED");
    }
    let selection = format!("deletedPostId post {{ __typename id body ... on Question {{ {QUESTION} }} }}");
    let deleted = room.app.mutate(&room.sam, "deletePost", &selection, delete.clone()).await;
    assert_eq!((&deleted["deletedPostId"], &deleted["post"]["__typename"]), (&json!(id), &json!("Question")));
    let tombstone = &deleted["post"];
    assert_eq!((&tombstone["title"], &tombstone["body"], &tombstone["author"]), (&json!(""), &json!(""), &Value::Null));
    assert!(tombstone["deletedAt"].is_string());
    assert_eq!((&tombstone["replyCount"], &tombstone["viewerActions"]), (&json!(1), &json!([])));
    assert_eq!(room.app.sql("SELECT count(*) FROM post_edits").await, "0");
    assert_eq!(room.titles(Some(&room.tim), "").await, [""], "its replies are still there");
    assert_eq!(room.titles(Some(&room.tim), "(filter: { query: \"telephone\" })").await, [""; 0]);
    let late = json!({ "parentId": id, "body": "x" });
    assert_eq!(room.code(Some(&room.tim), "createReply", late).await, "NOT_ALLOWED");
    // The last reply takes the tombstone with it.
    let gone = room.app.mutate(&room.tim, "deletePost", "deletedPostId post { id }", json!({ "postId": reply })).await;
    assert_eq!(gone["post"], Value::Null);
    assert_eq!(room.app.sql("SELECT count(*) FROM posts").await, "0");
    assert_eq!(room.code(Some(&room.sam), "deletePost", delete).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_reply_is_not_accepted_and_not_counted() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let (reply, other) = (room.reply(&room.tim, &id, "So.").await, room.reply(&room.ada, &id, "Or so.").await);
    room.app.mutate(&room.sam, "acceptReply", "question { id }", json!({ "questionId": id, "replyId": reply })).await;
    room.app.mutate(&room.tim, "deletePost", "deletedPostId", json!({ "postId": reply })).await;
    let left = room.node(Some(&room.sam), &id, "replyCount acceptedReply { id } replies { nodes { id } }").await;
    assert_eq!(left, json!({ "replyCount": 1, "acceptedReply": null, "replies": { "nodes": [{ "id": other }] } }));
    assert_eq!(room.node(Some(&room.sam), &reply, "id").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_deleted_user_the_texts_stay_and_the_name_goes() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let input = json!({ "questionId": id, "version": 1, "body": "Because." });
    room.app.mutate(&room.sam, "updateQuestion", "question { id }", input).await;
    room.app.sql("UPDATE users SET deletion_due_at = '2026-11-20T09:00:00Z' WHERE name = 'Sam'").await;
    room.app.run("accounts.delete_due").await;
    room.app.settle().await;
    let left = room.node(Some(&room.tim), &id, "title body author { name }").await;
    assert_eq!((&left["title"], &left["body"]), (&json!("How?"), &json!("Because.")));
    assert_ne!(left["author"]["name"], "Sam");
    let counts = "SELECT (SELECT count(*) FROM post_edits) || ' ' || (SELECT count(*) FROM question_follows)";
    assert_eq!(room.app.sql(counts).await, "0 0");
}
