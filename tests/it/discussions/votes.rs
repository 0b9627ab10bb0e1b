//! Votes and follows.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_votes_once_and_not_for_themselves() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let vote = |voted: bool| json!({ "postId": id, "voted": voted });
    assert_eq!(room.code(Some(&room.sam), "votePost", vote(true)).await, "NOT_ALLOWED", "their own");
    let selection = "post { id voteCount viewerHasVoted }";
    for voted in [true, true] {
        let post = room.app.mutate(&room.tim, "votePost", selection, vote(voted)).await;
        assert_eq!(post["post"], json!({ "id": id, "voteCount": 1, "viewerHasVoted": true }));
    }
    room.app.mutate(&room.ada, "votePost", selection, vote(true)).await;
    let seen = room.node(Some(&room.sam), &id, "voteCount viewerHasVoted").await;
    assert_eq!(seen, json!({ "voteCount": 2, "viewerHasVoted": false }));
    for _ in 0..2 {
        let post = room.app.mutate(&room.tim, "votePost", selection, vote(false)).await;
        assert_eq!(post["post"], json!({ "id": id, "voteCount": 1, "viewerHasVoted": false }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_or_replies_follows_until_they_say_otherwise() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let follows = async |user: &User| room.node(Some(user), &id, "viewerFollows").await["viewerFollows"].clone();
    assert_eq!((follows(&room.sam).await, follows(&room.tim).await), (json!(true), json!(false)));
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(follows(&room.tim).await, true);
    for (following, expected) in [(false, false), (false, false), (true, true)] {
        let input = json!({ "questionId": id, "following": following });
        let payload = room.app.mutate(&room.tim, "followQuestion", "question { viewerFollows }", input).await;
        assert_eq!(payload["question"]["viewerFollows"], expected);
    }
}
