//! Two at once.

use futures_util::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replies_that_are_accepted_at_once_one_is_accepted() {
    let room = Room::open().await;
    for round in 0..5 {
        let id = room.ask(&room.sam, &format!("Round {round}")).await;
        let (one, other) = (room.reply(&room.tim, &id, "So.").await, room.reply(&room.ada, &id, "Or so.").await);
        let accept = async |user: &User, reply: &str| {
            room.code(Some(user), "acceptReply", json!({ "questionId": id, "replyId": reply })).await
        };
        assert_eq!(tokio::join!(accept(&room.sam, &one), accept(&room.ada, &other)), (String::new(), String::new()));
        let seen = room.node(Some(&room.tim), &id, "resolvedAt acceptedReply { id }").await;
        assert!(seen["resolvedAt"].is_string());
        assert!([&one, &other].iter().any(|reply| seen["acceptedReply"]["id"] == json!(reply)), "{seen:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_not_accepted_after_it_was_deleted() {
    let room = Room::open().await;
    for round in 0..5 {
        let id = room.ask(&room.sam, &format!("Round {round}")).await;
        let reply = room.reply(&room.tim, &id, "So.").await;
        let accept = room.code(Some(&room.sam), "acceptReply", json!({ "questionId": id, "replyId": reply }));
        let delete = room.code(Some(&room.tim), "deletePost", json!({ "postId": reply }));
        let (accepted, deleted) = tokio::join!(accept, delete);
        assert!(["", "NOT_FOUND"].contains(&accepted.as_str()), "{accepted}");
        assert_eq!(deleted, "");
        let stored = "SELECT count(*) FROM questions WHERE accepted_reply_id IS NOT NULL";
        assert_eq!(room.app.sql(stored).await, "0", "accepted: {accepted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_deleted_or_gets_a_reply_but_a_reply_is_never_alone() {
    let room = Room::open().await;
    for round in 0..5 {
        let id = room.ask(&room.sam, &format!("Round {round}")).await;
        let reply = room.code(Some(&room.tim), "createReply", json!({ "parentId": id, "body": "x" }));
        let delete = room.code(Some(&room.sam), "deletePost", json!({ "postId": id }));
        let (replied, deleted) = tokio::join!(reply, delete);
        assert_eq!(deleted, "");
        let left = room.node(Some(&room.tim), &id, "deletedAt replyCount").await;
        match replied.as_str() {
            "" => assert_eq!(left["replyCount"], 1, "a tombstone"),
            "NOT_FOUND" => assert_eq!(left, Value::Null),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_votes_and_replies_at_once_are_all_counted() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let mut users = Vec::new();
    for number in 0..12 {
        let user = room.app.user(&format!("User{number}"), Role::Student).await;
        room.app.mutate(&user, "enroll", "entitlement { id }", json!({ "courseId": room.course.id })).await;
        users.push(user);
    }
    let both = users.iter().map(async |user| {
        let vote = room.code(Some(user), "votePost", json!({ "postId": id, "voted": true }));
        let again = room.code(Some(user), "votePost", json!({ "postId": id, "voted": true }));
        let reply = room.code(Some(user), "createReply", json!({ "parentId": id, "body": "x" }));
        let (vote, again, reply) = tokio::join!(vote, again, reply);
        vote + &again + &reply
    });
    assert_eq!(join_all(both).await.concat(), "");
    let counts = room.node(Some(&room.sam), &id, "voteCount replyCount replies { totalCount }").await;
    assert_eq!(counts, json!({ "voteCount": 12, "replyCount": 12, "replies": { "totalCount": 12 } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_edits_of_one_version_one_is_saved() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let edit = async |body: &str| {
        room.code(Some(&room.sam), "updateQuestion", json!({ "questionId": id, "version": 1, "body": body })).await
    };
    let (one, other) = tokio::join!(edit("One."), edit("Other."));
    let mut codes = [one, other];
    codes.sort();
    assert_eq!(codes, ["", "CONFLICT"]);
    let edits = room.node(Some(&room.sam), &id, "version edits { totalCount }").await;
    assert_eq!(edits, json!({ "version": 2, "edits": { "totalCount": 1 } }));
}
