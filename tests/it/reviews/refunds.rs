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

    /// Ends an access, and lets those who follow it know.
    async fn end(&self, user: &User, target: Target, reason: EndReason) {
        self.end_only(user, target, reason).await;
        self.app.settle().await;
    }

    /// The id of the user's review; null if there is none.
    async fn own(&self, user: &User) -> Value {
        let query = "query ($id: ID!) { course(id: $id) { viewerReview { id } } }";
        let data = self.app.data(Some(&user.token), query, json!({ "id": self.course.id })).await;
        data["course"]["viewerReview"]["id"].clone()
    }

    /// Ends an access.
    async fn end_only(&self, user: &User, target: Target, reason: EndReason) {
        let (app, user_id) = (&self.app.app, user.id.parse::<UserId>().unwrap());
        let ended = app.db.transaction(async |tx| {
            lock_user(tx, user_id).await?;
            let open = entitlements::open(tx, user_id, target).await?;
            entitlements::end(tx, app, &open[0], reason).await
        });
        ended.await.unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_at_the_same_time_as_a_review_takes_its_vote() {
    let room = Room::open().await;
    let course = room.target();
    let mut users = Vec::new();
    for number in 0..24 {
        let user = room.app.user(&format!("User{number}"), Role::Student).await;
        room.sell(&user, course).await;
        users.push(user);
    }
    let review = json!({ "courseId": room.course.id, "stars": 2, "body": "Meh." });
    let both = users.iter().map(async |user| {
        let (code, ()) = tokio::join!(
            room.code(Some(user), "createReview", review.clone()),
            room.end_only(user, course, EndReason::Refunded)
        );
        // Without access when it is checked, there is no review.
        assert!(["", "NOT_ALLOWED"].contains(&code.as_str()), "{code}");
    });
    futures_util::future::join_all(both).await;
    room.app.settle().await;
    room.app.forget_rows();
    assert_eq!(room.rating().await, (Value::Null, [0; 5]));
    let again = users.iter().map(async |user| {
        // Access returns while the review is edited.
        let id = room.own(user).await;
        let edit = json!({ "reviewId": id, "version": 1, "stars": 4 });
        let edited = async || {
            if id.is_null() { String::new() } else { room.code(Some(user), "updateReview", edit.clone()).await }
        };
        let (code, ()) = tokio::join!(edited(), room.sell(user, course));
        assert_eq!(code, "");
    });
    futures_util::future::join_all(again).await;
    room.app.settle().await;
    room.app.forget_rows();
    let written: i64 = room.app.sql("SELECT count(*) FROM reviews").await.parse().unwrap();
    assert_eq!(room.rating().await.1, [0, written, 0, 0, 0]);
}
