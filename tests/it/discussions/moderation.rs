//! Reports, moderation, and what is held automatically.

use chrono::TimeDelta;

use super::*;

const QUEUE: &str = "query ($filter: ReportFilter) { reports(filter: $filter) { totalCount nodes {
    id reason resolvedAt resolution reporter { name } 
    post { __typename id hiddenAt hiddenReason } course { title } } } }";

impl Room {
    async fn queue(&self, user: &User, filter: Value) -> Value {
        self.app.data(Some(&user.token), QUEUE, json!({ "filter": filter })).await["reports"].take()
    }

    async fn moderate(&self, user: &User, post: &str, action: &str) -> String {
        let input = json!({ "postId": post, "action": action, "reason": "Rules" });
        self.code(Some(user), "moderatePost", input).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_in_the_queue_of_the_team_until_it_is_resolved() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "Buy my pills").await;
    let report = json!({ "postId": id, "reason": "Spam" });
    assert_eq!(room.code(Some(&room.sam), "reportPost", report.clone()).await, "NOT_ALLOWED", "one's own");
    assert_eq!(room.code(Some(&room.eve), "reportPost", report.clone()).await, "NOT_FOUND");
    let made = room.app.mutate(&room.tim, "reportPost", "report { id reason resolvedAt }", report.clone()).await;
    let again = room.app.mutate(&room.tim, "reportPost", "report { id }", report.clone()).await;
    assert_eq!(made["report"]["id"], again["report"]["id"], "once");
    room.app.mutate(&room.ada, "reportPost", "report { id }", report).await;
    let other = room.app.user("Bob", Role::Instructor).await;
    for (user, count) in [(&room.ada, 2), (&room.root, 2), (&other, 0)] {
        let queue = room.queue(user, json!({ "isResolved": false })).await;
        assert_eq!(queue["totalCount"], count, "{queue:#}");
    }
    let foreign = room.app.send(Some(&other.token), QUEUE, json!({ "filter": { "courseId": room.course.id } })).await;
    assert_eq!(foreign["errors"][0]["extensions"]["code"], "NOT_FOUND");
    let student = room.app.send(Some(&room.tim.token), QUEUE, json!({})).await;
    assert_eq!(student["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let node = "query ($id: ID!) { node(id: $id) { ... on Report { reason } } }";
    for (user, seen) in [(&room.tim, true), (&room.ada, true), (&room.sam, false), (&other, false)] {
        let data = room.app.data(Some(&user.token), node, json!({ "id": made["report"]["id"] })).await;
        assert_eq!(!data["node"].is_null(), seen);
    }
    for user in [&room.sam, &room.tim] {
        assert_eq!(room.moderate(user, &id, "HIDE").await, "NOT_ALLOWED");
    }
    assert_eq!(room.moderate(&other, &id, "HIDE").await, "NOT_FOUND");
    assert_eq!(room.moderate(&room.ada, &id, "HIDE").await, "");
    let queue = room.queue(&room.ada, json!({ "courseId": room.course.id })).await;
    assert_eq!(queue["totalCount"], 2);
    for report in queue["nodes"].as_array().unwrap() {
        assert_eq!((&report["resolution"], &report["post"]["id"]), (&json!("HIDDEN"), &json!(id)));
        assert_eq!(report["post"]["hiddenReason"], "MODERATOR");
    }
    let trail = "SELECT details->>'moderation' || ' ' || (details->>'reason') || ' ' || users.name FROM audit_entries \
        JOIN users ON users.id = subject_id WHERE action = 'post_moderated'";
    assert_eq!(room.app.sql(trail).await, "HIDE Rules Sam");
    let details = "{ auditEntries(first: 1, filter: { actions: [POST_MODERATED] }) { nodes { target { id } details { \
        ... on AuditModerationDetails { postId moderation reason } } } } }";
    let data = room.app.data(Some(&room.root.token), details, json!({})).await;
    let entry = &data["auditEntries"]["nodes"][0];
    assert_eq!(entry["details"], json!({ "postId": id, "moderation": "HIDE", "reason": "Rules" }));
    assert_eq!(entry["target"]["id"], json!(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hidden_is_there_for_its_author_and_the_team_only() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "Steam").await;
    let reply = room.reply(&room.tim, &id, "Vapor").await;
    let sees = async |user: Option<&User>, post: &str| !room.node(user, post, "id").await.is_null();
    assert_eq!(room.moderate(&room.ada, &reply, "HIDE").await, "");
    for (user, seen) in [(&room.sam, false), (&room.tim, true), (&room.ada, true), (&room.root, true)] {
        assert_eq!(sees(Some(user), &reply).await, seen);
        let question = room.node(Some(user), &id, "replyCount replies { totalCount nodes { id } }").await;
        assert_eq!(question["replyCount"], 0, "what everybody sees");
        assert_eq!(question["replies"]["totalCount"], i32::from(seen));
        let found = room.course_titles(Some(user), "(filter: { query: \"vapor\" })").await;
        assert_eq!(found, [""; 0], "no search finds it");
    }
    assert_eq!(room.code(Some(&room.sam), "votePost", json!({ "postId": reply, "voted": true })).await, "NOT_FOUND");
    let accept = json!({ "questionId": id, "replyId": reply });
    assert_eq!(room.code(Some(&room.sam), "acceptReply", accept).await, "NOT_FOUND");
    assert_eq!(room.moderate(&room.ada, &reply, "HIDE").await, "NOT_ALLOWED", "again");
    assert_eq!(room.moderate(&room.ada, &reply, "RESTORE").await, "");
    assert_eq!(room.moderate(&room.ada, &reply, "RESTORE").await, "NOT_ALLOWED", "again");
    assert!(sees(Some(&room.sam), &reply).await);
    assert_eq!(room.course_titles(Some(&room.sam), "(filter: { query: \"vapor\" })").await, ["Steam"]);
    assert_eq!(room.moderate(&room.root, &id, "HIDE").await, "");
    for (user, seen) in [(&room.sam, true), (&room.tim, false), (&room.ada, true)] {
        assert_eq!((sees(Some(user), &id).await, sees(Some(user), &reply).await), (seen, seen));
        let expected: &[&str] = if seen { &["Steam"] } else { &[] };
        assert_eq!(room.titles(Some(user), "").await, expected);
        assert_eq!(room.course_titles(Some(user), "").await, expected);
    }
    assert_eq!(room.code(Some(&room.tim), "createReply", json!({ "parentId": id, "body": "x" })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_team_pins_locks_and_removes() {
    let room = Room::open().await;
    let (first, second) = (room.ask(&room.sam, "First").await, room.ask(&room.sam, "Second").await);
    let reply = room.reply(&room.tim, &first, "So.").await;
    for action in ["PIN", "LOCK", "UNLOCK", "REMOVE", "DISMISS", "RESTORE"] {
        assert_eq!(room.moderate(&room.sam, &first, action).await, "NOT_ALLOWED", "{action}");
    }
    assert_eq!(room.moderate(&room.ada, &first, "PIN").await, "");
    assert_eq!(room.titles(Some(&room.tim), "").await, ["First", "Second"]);
    assert_eq!(room.moderate(&room.ada, &first, "UNPIN").await, "");
    assert_eq!(room.titles(Some(&room.tim), "").await, ["Second", "First"]);
    assert_eq!(room.moderate(&room.ada, &reply, "PIN").await, "NOT_ALLOWED", "a reply");
    assert_eq!(room.moderate(&room.ada, &second, "LOCK").await, "");
    let late = json!({ "parentId": second, "body": "x" });
    assert_eq!(room.code(Some(&room.tim), "createReply", late.clone()).await, "NOT_ALLOWED");
    assert_eq!(room.moderate(&room.ada, &second, "UNLOCK").await, "");
    assert_eq!(room.code(Some(&room.tim), "createReply", late).await, "");
    let report = json!({ "postId": first, "reason": "Spam" });
    room.app.mutate(&room.tim, "reportPost", "report { id }", report).await;
    let remove = json!({ "postId": first, "action": "REMOVE" });
    let removed = room.app.mutate(&room.ada, "moderatePost", "deletedPostId post { id deletedAt }", remove).await;
    assert!(removed["post"]["deletedAt"].is_string(), "a tombstone: {removed:#}");
    assert_eq!(room.app.sql("SELECT resolution FROM post_reports").await, "REMOVED");
    let remove = json!({ "postId": reply, "action": "REMOVE" });
    let removed = room.app.mutate(&room.ada, "moderatePost", "deletedPostId post { id }", remove).await;
    assert_eq!(removed, json!({ "deletedPostId": reply, "post": null, "userErrors": [] }));
    assert_eq!(
        room.node(Some(&room.sam), &first, "id").await,
        Value::Null,
        "the tombstone is gone with its last reply"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_new_accounts_and_blocked_words_wait_for_a_moderator() {
    let room = Room::with(TestApp::with(&[("LYCEUM_BLOCKED_WORDS", "casino, pills")]).await).await;
    let ask = async |user: &User, body: &str| {
        let input = json!({ "lessonId": room.lesson, "title": "Held", "body": body });
        let asked = room.app.mutate(user, "createQuestion", "question { id hiddenAt hiddenReason }", input).await;
        asked["question"].clone()
    };
    let link = ask(&room.sam, "See https://x.example").await;
    assert_eq!(link["hiddenReason"], "LINK");
    assert_eq!(ask(&room.sam, "Cheap PILLS!").await["hiddenReason"], "BLOCKED_WORD");
    assert_eq!(ask(&room.ada, "See https://x.example").await["hiddenReason"], Value::Null, "the team");
    let id = link["id"].as_str().unwrap();
    assert_eq!(room.node(Some(&room.tim), id, "id").await, Value::Null);
    room.app.settle().await;
    let told = "SELECT count(*) FROM events WHERE kind = 'question_asked'";
    assert_eq!(room.app.sql(told).await, "1", "nobody is told of what is held");
    let queue = room.queue(&room.ada, json!({ "isResolved": false })).await;
    assert_eq!((&queue["totalCount"], &queue["nodes"][0]["reporter"]), (&json!(2), &Value::Null));
    assert_eq!(room.moderate(&room.ada, id, "RESTORE").await, "");
    assert_ne!(room.node(Some(&room.tim), id, "id").await, Value::Null);
    assert_eq!(room.app.sql(told).await, "2", "now it is asked");
    // An edit is looked at like a new post.
    let reply = room.reply(&room.tim, id, "So.").await;
    let input = json!({ "replyId": reply, "version": 1, "body": "http://x.example" });
    let edited = room.app.mutate(&room.tim, "updateReply", "reply { hiddenReason }", input).await;
    assert_eq!(edited["reply"]["hiddenReason"], "LINK");
    assert_eq!(room.node(Some(&room.sam), id, "replyCount").await["replyCount"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_writes_only_so_much_in_a_course_within_an_hour() {
    let room = Room::with(TestApp::with(&[("LYCEUM_HOURLY_POSTS", "3")]).await).await;
    let id = room.ask(&room.sam, "One").await;
    room.reply(&room.sam, &id, "Two").await;
    room.reply(&room.sam, &id, "Three").await;
    let input = json!({ "parentId": id, "body": "Four" });
    let refused = room.app.payload(&room.sam, "createReply", "reply { id }", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "TOO_OFTEN");
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains('3'), "{refused:#}");
    assert_eq!(room.code(Some(&room.tim), "createReply", input.clone()).await, "", "others");
    room.app.app.clock.advance(TimeDelta::minutes(59));
    assert_eq!(room.code(Some(&room.sam), "createReply", input.clone()).await, "TOO_OFTEN");
    // What is written at once counts, too.
    let both = async || room.code(Some(&room.tim), "createReply", input.clone()).await;
    let codes = tokio::join!(both(), both(), both());
    let refused = [codes.0, codes.1, codes.2].iter().filter(|code| *code == "TOO_OFTEN").count();
    assert_eq!(refused, 1, "Tim has written one before");
}
