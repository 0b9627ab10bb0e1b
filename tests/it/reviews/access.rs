//! Who reviews, who sees reviews, and what each may do with them.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_who_are_entitled_review_and_the_team_does_not() {
    let room = Room::open().await;
    // A preview does not entitle.
    room.app.sql("UPDATE lessons SET is_preview = true").await;
    room.app.forget_rows();
    for (who, user, expected) in [
        ("nobody", None, "UNAUTHENTICATED"),
        ("a stranger", Some(&room.eve), "NOT_ALLOWED"),
        ("the instructor", Some(&room.ada), "NOT_ALLOWED"),
        ("an administrator", Some(&room.root), "NOT_ALLOWED"),
        ("a student", Some(&room.sam), ""),
    ] {
        assert_eq!(room.reviewing(user).await, expected, "{who}");
    }
    let grant = json!({ "userId": room.ada.id, "courseId": room.course.id, "reason": "Test" });
    room.app.mutate(&room.root, "grantCourseAccess", "entitlement { id }", grant).await;
    assert_eq!(room.reviewing(Some(&room.ada)).await, "NOT_ALLOWED", "the instructor, with a grant");
    let ban = json!({ "userId": room.tim.id, "reason": "Spam" });
    room.app.mutate(&room.root, "banUser", "user { id }", ban).await;
    assert_eq!(room.reviewing(Some(&room.tim)).await, "UNAUTHENTICATED", "who is banned");
    room.app.sql("UPDATE courses SET published_at = NULL").await;
    room.app.forget_rows();
    let user = room.app.user("Una", Role::Student).await;
    assert_eq!(room.reviewing(Some(&user)).await, "NOT_FOUND", "an unpublished course");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_actions_of_a_review_are_those_that_work() {
    let room = Room::open().await;
    let id = room.review(&room.sam, 4, "Good.").await;
    for (who, user, expected) in [
        ("nobody", None, json!([])),
        ("a stranger", Some(&room.eve), json!(["REPORT"])),
        ("another student", Some(&room.tim), json!(["VOTE", "REPORT"])),
        ("the author", Some(&room.sam), json!(["UPDATE", "DELETE"])),
        ("the team", Some(&room.ada), json!(["VOTE", "REPORT", "REPLY", "HIDE", "REMOVE"])),
    ] {
        let seen = room.seen(user, &id).await;
        assert_eq!(seen["viewerActions"], expected, "{who}");
        let is = |action: &str| expected.as_array().unwrap().iter().any(|other| other == action);
        let without = if user.is_some() { "NOT_ALLOWED" } else { "UNAUTHENTICATED" };
        let code = |action: &str| if is(action) { "" } else { without };
        let vote = room.code(user, "votePost", json!({ "postId": id, "voted": true })).await;
        assert_eq!(vote, code("VOTE"), "{who} votes");
        let edit = json!({ "reviewId": id, "version": seen["version"], "stars": 3 });
        assert_eq!(room.code(user, "updateReview", edit).await, code("UPDATE"), "{who} edits");
        let report = room.code(user, "reportPost", json!({ "postId": id, "reason": "Spam" })).await;
        assert_eq!(report, code("REPORT"), "{who} reports");
        let reply = room.code(user, "createReply", json!({ "parentId": id, "body": "Thanks." })).await;
        assert_eq!(reply, code("REPLY"), "{who} replies");
        if !is("DELETE") {
            assert_eq!(room.code(user, "deletePost", json!({ "postId": id })).await, without, "{who} deletes");
        }
    }
    let seen = room.seen(Some(&room.sam), &id).await;
    assert_eq!((&seen["voteCount"], &seen["viewerHasVoted"]), (&json!(2), &json!(false)));
    assert_eq!(seen["response"]["body"], "Thanks.");
    // There is one response.
    let actions = &room.seen(Some(&room.ada), &id).await["viewerActions"];
    assert!(!actions.as_array().unwrap().iter().any(|action| action == "REPLY"), "{actions}");
    let again = json!({ "parentId": id, "body": "Thanks again." });
    assert_eq!(room.code(Some(&room.root), "createReply", again).await, "NOT_ALLOWED");
    // Who joins the team may take their review back, but not change it.
    room.app.sql("UPDATE users SET role = 'ADMIN' WHERE name = 'Sam'").await;
    room.app.forget_rows();
    let query = "query ($id: ID!) { node(id: $id) { ... on Review { viewerActions } } }";
    let sam = sign_in_again(&room, &room.sam).await;
    let data = room.app.data(Some(&sam.token), query, json!({ "id": id })).await;
    assert_eq!(data["node"]["viewerActions"], json!(["DELETE", "HIDE", "REMOVE"]));
    let edit = json!({ "reviewId": id, "version": 2, "stars": 5 });
    assert_eq!(room.code(Some(&sam), "updateReview", edit).await, "NOT_ALLOWED");
}

/// A token of the user with their role of now.
async fn sign_in_again(room: &Room, user: &User) -> User {
    let app = &room.app.app;
    let id = user.id.parse::<lyceum::accounts::UserId>().unwrap();
    let client = lyceum::platform::auth::Client::new(None, "test");
    let opened = app.db.transaction(async |tx| {
        let row = lyceum::accounts::user_by_id(tx, id).await?.expect("the user is there");
        lyceum::accounts::open(tx, app, &client, &row).await
    });
    User { id: user.id.clone(), token: opened.await.unwrap().tokens.access_token }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_learn_nothing_of_hidden_reviews_and_of_those_of_unpublished_courses() {
    let room = Room::open().await;
    let (id, other) = (room.review(&room.sam, 4, "Good.").await, room.review(&room.tim, 2, "Bad.").await);
    let response = room.reply(&room.ada, &id, "Thanks.").await;
    room.app.mutate(&room.tim, "votePost", "post { id }", json!({ "postId": id, "voted": true })).await;
    assert_eq!(room.judge(&room.ada, &id, "HIDE").await, "");
    for (who, user, sees) in [
        ("nobody", None, false),
        ("a stranger", Some(&room.eve), false),
        ("another student", Some(&room.tim), false),
        ("the author", Some(&room.sam), true),
        ("the team", Some(&room.ada), true),
    ] {
        assert_eq!(!room.seen(user, &id).await.is_null(), sees, "{who}");
        let parent = room.node(user, &response, "id parent { id }").await;
        assert_eq!(!parent.is_null(), sees, "{who}: the response");
        let expected: &[&str] = if sees { &["Bad.", "Good."] } else { &["Bad."] };
        assert_eq!(room.bodies(user, "").await, expected, "{who}");
        assert_eq!(room.bodies(user, "(filter: { stars: [4] })").await.len(), usize::from(sees), "{who}");
        let token = user.map(|user| &*user.token);
        let votes = "query ($id: ID!) { node(id: $id) { ... on Post { voteCount } } }";
        let data = room.app.data(token, votes, json!({ "id": id })).await;
        assert_eq!(!data["node"].is_null(), sees, "{who}: its votes");
        if let Some(user) = user.filter(|_| !sees) {
            for field in ["votePost", "deletePost", "reportPost"] {
                let mut input = json!({ "postId": id });
                match field {
                    "votePost" => input["voted"] = json!(false),
                    "reportPost" => input["reason"] = json!("Spam"),
                    _ => {}
                }
                assert_eq!(room.code(Some(user), field, input).await, "NOT_FOUND", "{who}: {field}");
            }
            let edit = json!({ "reviewId": id, "version": 1, "stars": 5 });
            assert_eq!(room.code(Some(user), "updateReview", edit).await, "NOT_FOUND", "{who}");
        }
    }
    assert_eq!(room.rating().await, (json!(2.0), [0, 0, 0, 1, 0]));
    room.app.sql("UPDATE courses SET published_at = NULL").await;
    room.app.forget_rows();
    for user in [None, Some(&room.eve), Some(&room.sam)] {
        assert_eq!(room.seen(user, &other).await, Value::Null);
    }
    assert_eq!(room.seen(Some(&room.ada), &other).await["stars"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_token_needs_the_scopes_of_discussions() {
    let room = Room::open().await;
    room.review(&room.tim, 4, "Good.").await;
    let token = async |scope: &str| {
        let input = json!({ "name": scope, "scopes": [scope], "expiresAt": "2027-01-01T00:00:00Z" });
        let made = room.app.mutate(&room.sam, "createApiToken", "token", input).await;
        User { id: room.sam.id.clone(), token: made["token"].as_str().unwrap().to_owned() }
    };
    let (courses, reads) = (token("READ_COURSES").await, token("READ_DISCUSSIONS").await);
    let writes = token("WRITE_DISCUSSIONS").await;
    for bearer in [&courses, &reads] {
        assert_eq!(room.reviewing(Some(bearer)).await, "FORBIDDEN");
        // What everybody sees, tokens see.
        assert_eq!(room.bodies(Some(bearer), "").await, ["Good."]);
    }
    assert_eq!(room.reviewing(Some(&writes)).await, "");
    let mine = "query ($id: ID!) { course(id: $id) { viewerReview { stars } } }";
    for (bearer, sees) in [(&courses, false), (&reads, true), (&writes, true)] {
        let data = room.app.data(Some(&bearer.token), mine, json!({ "id": room.course.id })).await;
        assert_eq!(!data["course"]["viewerReview"].is_null(), sees);
    }
}
