//! Authors change what they have written, and its history stays.

use super::*;

const EDITS: &str = "version body editedAt edits { totalCount nodes { version title body } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_keeps_the_earlier_version_for_the_author_and_the_team() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    let input = json!({ "questionId": id, "version": 1, "title": "How so?", "atSeconds": 7 });
    let selection = format!("question {{ title atSeconds {EDITS} }}");
    let question = room.app.mutate(&room.sam, "updateQuestion", &selection, input).await["question"].take();
    assert_eq!((&question["title"], &question["body"]), (&json!("How so?"), &json!("Why *is* that?")));
    assert_eq!((&question["version"], &question["atSeconds"]), (&json!(2), &json!(7)));
    let earlier = json!([{ "version": 1, "title": "How?", "body": "Why *is* that?" }]);
    assert_eq!(question["edits"], json!({ "totalCount": 1, "nodes": earlier }));
    assert_eq!(room.node(Some(&room.ada), &id, EDITS).await["edits"]["nodes"], earlier);
    let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on Question {{ {EDITS} }} }} }}");
    let body = room.app.send(Some(&room.tim.token), &query, json!({ "id": id })).await;
    assert_eq!(body["data"]["node"]["edits"], Value::Null, "another student sees the question as it is");
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");

    let reply = room.reply(&room.tim, &id, "So.").await;
    let input = json!({ "replyId": reply, "version": 1, "body": "So!" });
    assert_eq!(room.code(Some(&room.ada), "updateReply", input.clone()).await, "NOT_ALLOWED", "not even the team");
    let edited = room.app.mutate(&room.tim, "updateReply", "reply { body version }", input.clone()).await;
    assert_eq!(edited["reply"], json!({ "body": "So!", "version": 2 }));
    let stale = room.app.payload(&room.tim, "updateReply", "reply { body version }", input).await;
    assert_eq!((&stale["userErrors"][0]["code"], &stale["reply"]["version"]), (&json!("CONFLICT"), &json!(2)));
    let nothing = json!({ "questionId": id, "version": 2 });
    assert_eq!(room.code(Some(&room.sam), "updateQuestion", nothing).await, "BLANK");
    let null = json!({ "questionId": id, "version": 2, "atSeconds": null });
    let edited = room.app.mutate(&room.sam, "updateQuestion", "question { atSeconds }", null).await;
    assert_eq!(edited["question"]["atSeconds"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_edits_the_latest_fifty_stay() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    for version in 1..=53 {
        let input = json!({ "questionId": id, "version": version, "body": format!("Edit {version}") });
        room.app.mutate(&room.sam, "updateQuestion", "question { id }", input).await;
    }
    let page = "edits(first: 2) { totalCount nodes { version } pageInfo { hasNextPage } }";
    let edits = room.node(Some(&room.sam), &id, page).await["edits"].take();
    assert_eq!((&edits["totalCount"], &edits["nodes"][0]["version"]), (&json!(50), &json!(53)));
    let last = room.node(Some(&room.sam), &id, "edits(last: 1) { nodes { version } }").await;
    assert_eq!(last["edits"]["nodes"], json!([{ "version": 4 }]));
}
