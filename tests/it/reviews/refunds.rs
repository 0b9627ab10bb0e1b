//! Whose access was refunded, loses the vote of their stars but not the text.

use lyceum::accounts::{UserId, lock_user};
use lyceum::entitlements::{self, EndReason, NewEntitlement, Source, Target};

use super::*;

impl Room {
    /// Sells the course, or everything, as orders will.
    async fn sell(&self, user: &User, target: Target) {
        let (app, user_id) = (&self.app.app, user.id.parse::<UserId>().unwrap());
        let new = NewEntitlement {
            user_id,
            target,
            source: Source::Purchase,
            expires_at: None,
            note: String::new(),
            granted_by: None,
        };
        let sold = app.db.transaction(async |tx| {
            lock_user(tx, user_id).await?;
            entitlements::give(tx, app, new.clone()).await
        });
        sold.await.unwrap();
        self.app.settle().await;
    }

    /// Ends an access.
    async fn end(&self, user: &User, target: Target, reason: EndReason) {
        let (app, user_id) = (&self.app.app, user.id.parse::<UserId>().unwrap());
        let ended = app.db.transaction(async |tx| {
            lock_user(tx, user_id).await?;
            let open = entitlements::open(tx, user_id, target).await?;
            entitlements::end(tx, app, &open[0], reason).await
        });
        ended.await.unwrap();
        self.app.settle().await;
    }

    fn target(&self) -> Target {
        Target::Course(lyceum::graphql::id::split(&self.course.id).unwrap().1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_refund_the_stars_do_not_count_until_access_returns() {
    let room = Room::open().await;
    let (course, everything) = (room.target(), Target::Everything);
    let una = room.app.user("Una", Role::Student).await;
    room.sell(&una, course).await;
    let id = room.review(&una, 1, "Refund, please.").await;
    room.review(&room.sam, 5, "Great.").await;
    let (both, one) = ((json!(3.0), [1, 0, 0, 0, 1]), (json!(5.0), [1, 0, 0, 0, 0]));
    assert_eq!(room.rating().await, both);

    room.end(&una, course, EndReason::Refunded).await;
    assert_eq!(room.rating().await, one);
    let seen = room.seen(None, &id).await;
    assert_eq!((&seen["stars"], &seen["body"]), (&json!(1), &json!("Refund, please.")), "the text stays");
    assert_eq!(room.bodies(None, "(filter: { stars: [1] })").await, ["Refund, please."]);
    let own = room.seen(Some(&una), &id).await;
    assert_eq!(own["viewerActions"], json!(["UPDATE", "DELETE"]));
    let edit = json!({ "reviewId": id, "version": 1, "stars": 2 });
    room.app.mutate(&una, "updateReview", "review { id }", edit).await;
    assert_eq!(room.rating().await, one, "an edit does not bring the vote back");
    assert_eq!(room.judge(&room.ada, &id, "HIDE").await, "");
    assert_eq!(room.judge(&room.ada, &id, "RESTORE").await, "");
    assert_eq!(room.rating().await, one, "nor does moderation");

    room.sell(&una, everything).await;
    assert_eq!(room.rating().await, (json!(3.5), [1, 0, 0, 1, 0]));
    room.sell(&una, course).await;
    room.end(&una, course, EndReason::Refunded).await;
    assert_eq!(room.rating().await, (json!(3.5), [1, 0, 0, 1, 0]), "other access is left");
    room.end(&una, everything, EndReason::Refunded).await;
    assert_eq!(room.rating().await, one);
    room.sell(&una, course).await;
    room.end(&una, course, EndReason::Revoked).await;
    assert_eq!(room.rating().await, (json!(3.5), [1, 0, 0, 1, 0]), "only refunds take the vote");
    room.app.mutate(&una, "deletePost", "deletedPostId", json!({ "postId": id })).await;
    assert_eq!(room.rating().await, one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nightly_recount_repairs_wrong_ratings() {
    let room = Room::open().await;
    let id = room.review(&room.sam, 4, "Good.").await;
    room.review(&room.tim, 2, "Bad.").await;
    assert_eq!(room.judge(&room.ada, &id, "HIDE").await, "");
    let other = room.app.course(&room.ada, "Looms", 1).await;
    for wrong in ["stars_2 = 7, stars_5 = 3", "stars_2 = 0", "stars_2 = 1, stars_4 = 1"] {
        room.app.sql(&format!("UPDATE course_stats SET {wrong}")).await;
        room.app.run("reviews.recount_ratings").await;
        assert_eq!(room.rating().await, (json!(2.0), [0, 0, 0, 1, 0]), "{wrong}");
        assert_eq!(room.app.sql("SELECT sum(rating_count) FROM course_stats").await, "1", "{wrong}, {}", other.id);
    }
}
