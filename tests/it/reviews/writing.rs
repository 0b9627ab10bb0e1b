//! Reviews are written, edited and deleted, and the rating follows at once.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_counts_until_it_is_deleted() {
    let room = Room::open().await;
    assert_eq!(room.rating().await, (Value::Null, [0; 5]));
    let input = json!({ "courseId": room.course.id, "stars": 4, "body": "  *Good* engines.  " });
    let made = room.app.mutate(&room.sam, "createReview", &format!("review {{ {REVIEW} bodyHtml }}"), input).await;
    let review = &made["review"];
    let id = review["id"].as_str().unwrap();
    assert!(id.starts_with("review_"), "{id}");
    assert_eq!(
        (&review["stars"], &review["body"], &review["version"]),
        (&json!(4), &json!("*Good* engines."), &json!(1))
    );
    assert_eq!(review["bodyHtml"].as_str().unwrap().trim(), "<p><em>Good</em> engines.</p>");
    assert_eq!((&review["author"]["name"], &review["course"]["id"]), (&json!("Sam"), &json!(room.course.id)));
    assert_eq!((&review["isByTeam"], &review["response"]), (&json!(false), &Value::Null));
    assert_eq!(room.rating().await, (json!(4.0), [0, 1, 0, 0, 0]));
    room.review(&room.tim, 1, "Bad.").await;
    assert_eq!(room.rating().await, (json!(2.5), [0, 1, 0, 0, 1]));

    let edit = json!({ "reviewId": id, "version": 1, "stars": 5 });
    let edited = room.app.mutate(&room.sam, "updateReview", &format!("review {{ {REVIEW} }}"), edit).await;
    let review = &edited["review"];
    assert_eq!((&review["stars"], &review["version"]), (&json!(5), &json!(2)));
    assert_eq!(review["body"], "*Good* engines.");
    assert_eq!(room.rating().await, (json!(3.0), [1, 0, 0, 0, 1]));
    let edit = json!({ "reviewId": id, "version": 2, "body": "Great." });
    let history = "review { stars body edits { nodes { version body } } }";
    let edited = room.app.mutate(&room.sam, "updateReview", history, edit).await;
    let edits = json!([{ "version": 2, "body": "*Good* engines." }, { "version": 1, "body": "*Good* engines." }]);
    assert_eq!(edited["review"], json!({ "stars": 5, "body": "Great.", "edits": { "nodes": edits } }));
    assert_eq!(room.rating().await, (json!(3.0), [1, 0, 0, 0, 1]));

    let mine = "query ($id: ID!) { course(id: $id) { viewerReview { id stars } } }";
    let data = room.app.data(Some(&room.sam.token), mine, json!({ "id": room.course.id })).await;
    assert_eq!(data["course"]["viewerReview"], json!({ "id": id, "stars": 5 }));
    for user in [None, Some(&*room.eve.token), Some(&*room.ada.token)] {
        let data = room.app.data(user, mine, json!({ "id": room.course.id })).await;
        assert_eq!(data["course"]["viewerReview"], Value::Null);
    }

    let gone = room.app.mutate(&room.sam, "deletePost", "deletedPostId post { id }", json!({ "postId": id })).await;
    assert_eq!(gone, json!({ "deletedPostId": id, "post": null, "userErrors": [] }));
    assert_eq!(room.rating().await, (json!(1.0), [0, 0, 0, 0, 1]));
    assert_eq!(room.seen(Some(&room.sam), id).await, Value::Null);
    assert_eq!(room.app.sql("SELECT count(*) FROM reviews").await, "1");
    // There is room for another one.
    assert_ne!(room.review(&room.sam, 2, "Rust.").await, id);
    assert_eq!(room.rating().await, (json!(1.5), [0, 0, 0, 1, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_an_error_at_its_field() {
    let room = Room::open().await;
    for stars in [0, 6, -1, 70_000] {
        let input = json!({ "courseId": room.course.id, "stars": stars, "body": " " });
        let payload = room.app.payload(&room.sam, "createReview", "review { id }", input).await;
        let errors: Vec<&str> =
            payload["userErrors"].as_array().unwrap().iter().map(|error| error["field"][0].as_str().unwrap()).collect();
        assert_eq!(errors, ["stars", "body"], "{payload:#}");
    }
    let code = async |input: Value| room.code(Some(&room.sam), "createReview", input).await;
    let id = &room.course.id;
    assert_eq!(code(json!({ "courseId": id, "stars": 1, "body": "x".repeat(10_001) })).await, "TOO_LONG");
    let unknown = lyceum::graphql::id::encode("course", uuid::Uuid::from_u128(7));
    assert_eq!(code(json!({ "courseId": unknown, "stars": 1, "body": "x" })).await, "NOT_FOUND");
    let review = room.review(&room.sam, 1, "Bad.").await;
    assert_eq!(room.reviewing(Some(&room.sam)).await, "TAKEN");
    assert_eq!(room.app.sql("SELECT count(*) FROM posts").await, "1", "the second one left nothing");
    let code = async |input: Value| room.code(Some(&room.sam), "updateReview", input).await;
    assert_eq!(code(json!({ "reviewId": review, "version": 1 })).await, "BLANK");
    assert_eq!(code(json!({ "reviewId": review, "version": 1, "stars": 6 })).await, "OUT_OF_RANGE");
    assert_eq!(code(json!({ "reviewId": review, "version": 2, "stars": 2 })).await, "CONFLICT");
    let unknown = lyceum::graphql::id::encode("review", uuid::Uuid::from_u128(7));
    assert_eq!(code(json!({ "reviewId": unknown, "version": 1, "stars": 2 })).await, "NOT_FOUND");
    assert_eq!(room.rating().await, (json!(1.0), [0, 0, 0, 0, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_written_once_for_each_idempotency_key() {
    let room = Room::open().await;
    let input = json!({ "courseId": room.course.id, "stars": 4, "body": "Good.", "idempotencyKey": "once" });
    let first = room.app.mutate(&room.sam, "createReview", "review { id stars }", input.clone()).await;
    assert_eq!(room.app.mutate(&room.sam, "createReview", "review { id stars }", input.clone()).await, first);
    assert_eq!(room.rating().await, (json!(4.0), [0, 1, 0, 0, 0]));
    room.app.mutate(&room.sam, "deletePost", "deletedPostId", json!({ "postId": first["review"]["id"] })).await;
    assert_eq!(room.code(Some(&room.sam), "createReview", input).await, "NOT_FOUND", "it was deleted since");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_has_the_stars_and_the_text() {
    let room = Room::open().await;
    let id = room.review(&room.sam, 4, "Good.").await;
    room.review(&room.tim, 2, "Bad.").await;
    let data = room.app.data(Some(&room.sam.token), "{ viewer { dataExport } }", json!({})).await;
    let export = &data["viewer"]["dataExport"];
    let review = json!({ "id": id, "course": room.course.id, "stars": 4, "counts": true });
    assert_eq!(export["reviews"]["reviews"]["items"], json!([review]));
    assert_eq!(export["discussions"]["posts"]["items"][0]["body"], "Good.");
}
