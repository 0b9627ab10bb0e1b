//! The nightly recount of votes and replies.

use chrono::TimeDelta;

use super::*;

const COUNTS: &str = "SELECT concat_ws(' ', vote_count, reply_count) FROM post_stats JOIN questions USING (post_id)";
const FOLLOWING: &str = "SELECT count(*) FROM jobs WHERE handler = 'discussions.follow_counts'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nightly_recount_repairs_wrong_counts_and_what_is_sorted_by_them() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let replies = [room.reply(&room.tim, &id, "So.").await, room.reply(&room.ada, &id, "Or so.").await];
    room.reply(&room.ada, &id, "Or like this.").await;
    let hide = json!({ "postId": replies[0], "action": "HIDE" });
    assert_eq!(room.code(Some(&room.ada), "moderatePost", hide).await, "");
    room.app.mutate(&room.tim, "votePost", "post { id }", json!({ "postId": id, "voted": true })).await;
    for wrong in ["vote_count = 7", "reply_count = 3", "vote_count = 0, reply_count = 0"] {
        room.app.sql(&format!("UPDATE post_stats SET {wrong}; UPDATE questions SET votes = 9")).await;
        room.app.run("discussions.recount_posts").await;
        assert_eq!(room.app.sql(COUNTS).await, "1 2", "{wrong}");
        room.app.app.clock.advance(TimeDelta::seconds(1));
        room.app.settle().await;
        assert_eq!(room.app.sql("SELECT votes FROM questions").await, "1", "{wrong}");
    }
    room.app.run("discussions.recount_posts").await;
    assert_eq!(room.app.sql(FOLLOWING).await, "0", "right counts are left alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recount_goes_through_all_posts() {
    let room = Room::open().await;
    room.ask(&room.sam, "How?").await;
    // More than two batches.
    let many = "INSERT INTO posts SELECT gen_random_uuid(), kind, course_id, lesson_id, NULL, author_id, body, version,
            is_by_team, created_at FROM posts, generate_series(1, 4500);
        INSERT INTO post_stats (post_id, active_at) SELECT id, created_at FROM posts ON CONFLICT DO NOTHING;
        UPDATE post_stats SET vote_count = 1 WHERE post_id IN (SELECT post_id FROM post_stats ORDER BY post_id DESC LIMIT 3)";
    room.app.sql(many).await;
    assert_eq!(room.app.sql("SELECT sum(vote_count) FROM post_stats").await, "3");
    room.app.run("discussions.recount_posts").await;
    assert_eq!(room.app.sql("SELECT sum(vote_count) FROM post_stats").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn votes_during_a_recount_are_counted() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let voters = [&room.tim, &room.ada, &room.root];
    for round in 0..6 {
        room.app.sql("UPDATE post_stats SET vote_count = 40").await;
        let voted = round % 2 == 0;
        let vote = async |user: &User| room.code(Some(user), "votePost", json!({ "postId": id, "voted": voted })).await;
        let votes = futures_util::future::join_all(voters.map(vote));
        let (codes, ()) = tokio::join!(votes, room.app.run("discussions.recount_posts"));
        assert!(codes.iter().all(String::is_empty), "{codes:?}");
        // The wrong number was repaired before, between or after the votes.
        assert_eq!(room.app.sql(COUNTS).await, if voted { "3 0" } else { "0 0" });
    }
}
