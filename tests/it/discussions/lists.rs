//! Lists of questions: filters, orders, pages, words, and what they cost.

use chrono::TimeDelta;

use super::*;

const PAGE: &str = "query ($id: ID!, $first: Int!) { lesson(id: $id) { questions(first: $first) { nodes { \
    title replyCount voteCount author { name } replies(first: 5) { nodes { body author { name } } } } } } }";
const WITH_VIEWER: &str = "query ($id: ID!, $first: Int!) { course(id: $id) { questions(first: $first) { totalCount \
    nodes { viewerHasVoted viewerFollows viewerActions bodyHtml lesson { title } acceptedReply { id } author { name } \
    replies(first: 5) { totalCount nodes { bodyHtml viewerHasVoted author { name } } } } } } }";

impl Room {
    async fn later(&self, seconds: i64) {
        self.app.app.clock.advance(TimeDelta::seconds(seconds));
        self.app.settle().await;
    }

    async fn vote(&self, user: &User, post: &str) {
        self.app.mutate(user, "votePost", "post { id }", json!({ "postId": post, "voted": true })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_twenty_questions_takes_as_many_statements_as_one_of_one() {
    let room = Room::with(TestApp::with(&[("LYCEUM_HOURLY_POSTS", "0")]).await).await;
    for number in 0..20 {
        let asker = if number % 2 == 0 { &room.sam } else { &room.tim };
        let id = room.ask(asker, &format!("Question {number}")).await;
        for user in [&room.ada, &room.sam, &room.tim] {
            room.reply(user, &id, "So.").await;
        }
        for _ in 0..4 {
            room.reply(&room.tim, &id, "More.").await;
        }
        room.later(1).await;
    }
    let token = Some(&*room.sam.token);
    let variables = |first: i32| json!({ "id": room.lesson, "first": first });
    let lesson = "query ($id: ID!) { lesson(id: $id) { title viewerAccess { granted } } }";
    let alone = room.app.statements(token, lesson, json!({ "id": room.lesson })).await;
    let (one, twenty) =
        (room.app.statements(token, PAGE, variables(1)).await, room.app.statements(token, PAGE, variables(20)).await);
    assert_eq!((one - alone, twenty - alone), (3, 3), "questions, replies, the authors of both");
    let course = PAGE.replace("lesson(", "course(");
    let variables_of = |first: i32| json!({ "id": room.course.id, "first": first });
    for first in [1, 20] {
        let statements = room.app.statements(token, &course, variables_of(first)).await;
        assert_eq!(statements, 5, "the course, the viewer's access, questions, replies, authors");
    }
    let data = room.app.data(token, PAGE, variables(20)).await;
    let nodes = data["lesson"]["questions"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), &nodes[0]["replyCount"]), (20, &json!(7)));
    assert!(nodes.iter().all(|node| node["replies"]["nodes"].as_array().unwrap().len() == 5));
    let variables = |first: i32| json!({ "id": room.course.id, "first": first });
    let one = room.app.statements(token, WITH_VIEWER, variables(1)).await;
    assert_eq!(room.app.statements(token, WITH_VIEWER, variables(20)).await, one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_filtered_and_sorted() {
    let room = Room::open().await;
    let mut ids = Vec::new();
    for title in ["First", "Second", "Third", "Fourth"] {
        ids.push(room.ask(if title == "Third" { &room.tim } else { &room.sam }, title).await);
        room.later(10).await;
    }
    room.reply(&room.tim, &ids[0], "So.").await;
    room.later(10).await;
    room.vote(&room.ada, &ids[1]).await;
    room.vote(&room.ada, &ids[2]).await;
    room.vote(&room.sam, &ids[2]).await;
    room.app
        .mutate(&room.ada, "setQuestionResolved", "question { id }", json!({ "questionId": ids[3], "resolved": true }))
        .await;
    room.later(10).await;
    let tim = Some(&room.tim);
    for (arguments, expected) in [
        ("", vec!["Fourth", "Third", "Second", "First"]),
        ("(sort: MOST_VOTED)", vec!["Third", "Second", "Fourth", "First"]),
        ("(sort: RECENT_ACTIVITY)", vec!["First", "Fourth", "Third", "Second"]),
        ("(filter: { isMine: true })", vec!["Third"]),
        ("(filter: { isMine: false })", vec!["Fourth", "Second", "First"]),
        ("(filter: { isFollowed: true })", vec!["Third", "First"]),
        ("(filter: { isFollowed: false })", vec!["Fourth", "Second"]),
        ("(filter: { isAnswered: false })", vec!["Fourth", "Third", "Second"]),
        ("(filter: { isAnswered: true })", vec!["First"]),
        ("(filter: { isResolved: true })", vec!["Fourth"]),
        ("(filter: { isResolved: false, isAnswered: false }, sort: MOST_VOTED)", vec!["Third", "Second"]),
    ] {
        assert_eq!(room.titles(tim, arguments).await, expected, "{arguments}");
        assert_eq!(room.course_titles(tim, arguments).await, expected, "{arguments} of the course");
    }
    // Pinned questions are first in every order.
    room.app.sql("UPDATE questions SET is_pinned = true WHERE title = 'Second'").await;
    for (arguments, expected) in [
        ("", ["Second", "Fourth", "Third", "First"]),
        ("(sort: MOST_VOTED)", ["Second", "Third", "Fourth", "First"]),
        ("(sort: RECENT_ACTIVITY)", ["Second", "First", "Fourth", "Third"]),
    ] {
        assert_eq!(room.titles(tim, arguments).await, expected, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_every_order_fit_together_in_both_directions() {
    let room = Room::open().await;
    for number in 0..7 {
        let id = room.ask(&room.sam, &format!("Q{number}")).await;
        if number % 3 == 0 {
            room.vote(&room.tim, &id).await;
        }
        room.later(2).await;
    }
    room.app.sql("UPDATE questions SET is_pinned = true WHERE title = 'Q2'").await;
    let query = "query ($id: ID!, $sort: QuestionSort!, $first: Int, $after: String, $last: Int, $before: String) {
        lesson(id: $id) { questions(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
            nodes { title } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }";
    for sort in ["NEWEST", "MOST_VOTED", "RECENT_ACTIVITY"] {
        let all = room.titles(Some(&room.sam), &format!("(sort: {sort})")).await;
        assert_eq!((all.len(), all[0].as_str()), (7, "Q2"));
        for (size, from, limit) in [("first", "after", "endCursor"), ("last", "before", "startCursor")] {
            let (mut cursor, mut read) = (Value::Null, Vec::new());
            loop {
                let variables = json!({ "id": room.lesson, "sort": sort, size: 2, from: cursor });
                let data = room.app.data(Some(&room.sam.token), query, variables).await;
                let list = &data["lesson"]["questions"];
                let titles: Vec<String> =
                    list["nodes"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().into()).collect();
                read = if size == "first" { [read, titles].concat() } else { [titles, read].concat() };
                let more = if size == "first" { "hasNextPage" } else { "hasPreviousPage" };
                if list["pageInfo"][more] == false {
                    break;
                }
                cursor = list["pageInfo"][limit].clone();
            }
            assert_eq!(read, all, "{sort} {size}");
        }
    }
    let other =
        room.app.data(Some(&room.sam.token), query, json!({ "id": room.lesson, "sort": "NEWEST", "first": 1 })).await;
    let cursor = &other["lesson"]["questions"]["pageInfo"]["endCursor"];
    let wrong = json!({ "id": room.lesson, "sort": "MOST_VOTED", "first": 1, "after": cursor });
    let body = room.app.send(Some(&room.sam.token), query, wrong).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_titles_texts_and_replies_of_this_course() {
    let room = Room::open().await;
    let steam = room.ask(&room.sam, "Does steam hurt?").await;
    let looms = room.ask(&room.sam, "Looms and cafés").await;
    let reply = room.reply(&room.ada, &looms, "They weave *algebraical* patterns.").await;
    let foreign = room.app.course(&room.ada, "Steam", 1).await;
    let outline = "query ($id: ID) { course(id: $id) { lessons { nodes { id } } } }";
    let lessons = room.app.data(None, outline, json!({ "id": foreign.id })).await;
    let lesson = &lessons["course"]["lessons"]["nodes"][0]["id"];
    let input = json!({ "lessonId": lesson, "title": "Steam elsewhere", "body": "x" });
    room.app.mutate(&room.ada, "createQuestion", "question { id }", input).await;
    for (words, expected) in [
        ("steam", vec!["Does steam hurt?"]),
        ("STE hurt", vec!["Does steam hurt?"]),
        ("cafes", vec!["Looms and cafés"]),
        ("algebraic", vec!["Looms and cafés"]),
        ("why", vec!["Looms and cafés", "Does steam hurt?"]),
        ("steam looms", vec![]),
        ("'; --", vec![]),
        ("", vec![]),
    ] {
        let arguments = format!("(filter: {{ query: {} }})", json!(words));
        assert_eq!(room.course_titles(Some(&room.sam), &arguments).await, expected, "{words}");
    }
    let input = json!({ "replyId": reply, "version": 1, "body": "They weave flowers." });
    room.app.mutate(&room.ada, "updateReply", "reply { id }", input).await;
    assert_eq!(room.course_titles(Some(&room.sam), "(filter: { query: \"algebraic\" })").await, [""; 0]);
    assert_eq!(room.course_titles(Some(&room.sam), "(filter: { query: \"flowers\" })").await, ["Looms and cafés"]);
    assert!(!steam.is_empty());
}
