//! A question is asked and answered, and both are listed.

use chrono::TimeDelta;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_asked_answered_and_listed() {
    let room = Room::open().await;
    let input =
        json!({ "lessonId": room.lesson, "title": " How? ", "body": "**Why** <script>x</script>", "atSeconds": 42 });
    let asked = room.app.mutate(&room.sam, "createQuestion", &format!("question {{ {QUESTION} }}"), input).await;
    let question = &asked["question"];
    assert_eq!(
        (&question["title"], &question["atSeconds"], &question["isByTeam"], &question["viewerFollows"]),
        (&json!("How?"), &json!(42), &json!(false), &json!(true))
    );
    assert_eq!(question["bodyHtml"], "<p><strong>Why</strong> x</p>\n");
    assert_eq!((&question["author"]["name"], &question["lesson"]["title"]), (&json!("Sam"), &json!("Lesson 1")));
    let id = question["id"].as_str().unwrap();
    room.app.app.clock.advance(TimeDelta::seconds(1));
    let own = room.reply(&room.ada, id, "Because.").await;
    room.app.app.clock.advance(TimeDelta::seconds(1));
    room.reply(&room.tim, id, "I see.").await;
    let list = "query ($id: ID!) { lesson(id: $id) { questions { totalCount nodes { id replyCount
        replies(first: 5) { totalCount nodes { id body isByTeam author { name }
            parent { id body ... on Question { title } } } } } } } }";
    let data = room.app.data(Some(&room.tim.token), list, json!({ "id": room.lesson })).await;
    let questions = &data["lesson"]["questions"];
    assert_eq!((&questions["totalCount"], &questions["nodes"][0]["replyCount"]), (&json!(1), &json!(2)));
    let replies = &questions["nodes"][0]["replies"];
    assert_eq!(replies["totalCount"], 2);
    let first = &replies["nodes"][0];
    assert_eq!((&first["id"], &first["body"], &first["isByTeam"]), (&json!(own), &json!("Because."), &json!(true)));
    assert_eq!(first["parent"], json!({ "id": id, "body": "**Why** <script>x</script>", "title": "How?" }));
    assert_eq!(replies["nodes"][1]["isByTeam"], false);
    let seen = room.node(Some(&room.tim), &own, "body author { name } parent { id }").await;
    assert_eq!(seen, json!({ "body": "Because.", "author": { "name": "Ada" }, "parent": { "id": id } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_question_is_said_at_once() {
    let room = Room::open().await;
    let input = json!({ "lessonId": room.lesson, "title": "x".repeat(151), "body": "  ", "atSeconds": 301 });
    let payload = room.app.payload(&room.sam, "createQuestion", "question { id }", input).await;
    let errors: Vec<(&str, &str)> = payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["code"].as_str().unwrap(), error["field"][0].as_str().unwrap()))
        .collect();
    assert_eq!(errors, [("TOO_LONG", "title"), ("BLANK", "body"), ("OUT_OF_RANGE", "atSeconds")]);
    let id = room.ask(&room.sam, "How?").await;
    let reply = room.reply(&room.sam, &id, "So.").await;
    let nested = json!({ "parentId": reply, "body": "x" });
    assert_eq!(room.code(Some(&room.sam), "createReply", nested).await, "NOT_ALLOWED", "no replies to replies");
    let wrong = json!({ "parentId": room.lesson, "body": "x" });
    assert_ne!(room.code(Some(&room.sam), "createReply", wrong).await, "", "a lesson is no post");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_makes_nothing_new() {
    let room = Room::open().await;
    let input = json!({ "lessonId": room.lesson, "title": "How?", "body": "x", "idempotencyKey": "one" });
    let ask = async || room.app.mutate(&room.sam, "createQuestion", "question { id }", input.clone()).await;
    let id = ask().await["question"]["id"].clone();
    assert_eq!(ask().await["question"]["id"], id);
    let input = json!({ "parentId": id, "body": "x", "idempotencyKey": "two" });
    let reply = async || room.app.mutate(&room.tim, "createReply", "reply { id }", input.clone()).await;
    let first = reply().await["reply"]["id"].clone();
    assert_eq!(reply().await["reply"]["id"], first);
    assert_eq!(room.node(Some(&room.sam), id.as_str().unwrap(), "replyCount").await["replyCount"], 1);
    let other = json!({ "parentId": id, "body": "y", "idempotencyKey": "two" });
    assert_eq!(room.code(Some(&room.tim), "createReply", other).await, "TAKEN");
    let gone = json!({ "postId": first });
    room.app.mutate(&room.tim, "deletePost", "deletedPostId", gone).await;
    assert_eq!(room.code(Some(&room.tim), "createReply", input).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_asker_and_the_team_accept_a_reply_and_resolve_the_question() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let reply = room.reply(&room.tim, &id, "So.").await;
    let accept = json!({ "questionId": id, "replyId": reply });
    assert_eq!(room.code(Some(&room.tim), "acceptReply", accept.clone()).await, "NOT_ALLOWED");
    let selection = "question { resolvedAt acceptedReply { id } }";
    let accepted = room.app.mutate(&room.sam, "acceptReply", selection, accept).await;
    assert_eq!(accepted["question"]["acceptedReply"]["id"], json!(reply));
    assert!(accepted["question"]["resolvedAt"].is_string());
    let none = room.app.mutate(&room.ada, "acceptReply", selection, json!({ "questionId": id })).await;
    assert_eq!(none["question"], json!({ "resolvedAt": null, "acceptedReply": null }));
    let resolve = json!({ "questionId": id, "resolved": true });
    assert_eq!(room.code(Some(&room.tim), "setQuestionResolved", resolve.clone()).await, "NOT_ALLOWED");
    let resolved = room.app.mutate(&room.ada, "setQuestionResolved", selection, resolve).await;
    assert!(resolved["question"]["resolvedAt"].is_string());
    // A reply to another question does not answer this one.
    let other = room.ask(&room.sam, "And?").await;
    let foreign = json!({ "questionId": other, "replyId": reply });
    assert_eq!(room.code(Some(&room.sam), "acceptReply", foreign).await, "NOT_FOUND");
}
