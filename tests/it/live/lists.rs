//! Lists of sessions, and what they cost.

use super::*;

impl School {
    /// The titles of a list.
    async fn titles(&self, user: Option<&User>, filter: Value) -> Vec<String> {
        let query =
            "query ($filter: LiveSessionFilter) { liveSessions(filter: $filter) { totalCount nodes { title } } }";
        let data = self.app.data(user.map(|user| &*user.token), query, json!({ "filter": filter })).await;
        let nodes = data["liveSessions"]["nodes"].as_array().unwrap();
        assert_eq!(data["liveSessions"]["totalCount"], nodes.len());
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
    }

    async fn named(&self, user: &User, title: &str, start: DateTime<Utc>, more: Value) -> String {
        let mut input = self.input(start);
        input["title"] = json!(title);
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.created(user, input).await[0]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_listed_by_time_and_filtered() {
    let school = School::open().await;
    let category =
        school.app.mutate(&school.root, "createCategory", "category { id }", json!({ "name": "Physics" })).await;
    let category = category["category"]["id"].clone();
    let draft = school.app.course(&school.ada, "Drafts", 0).await;
    let over = school.named(&school.ada, "over", at(30), json!({})).await;
    school.named(&school.ada, "later", at(600), json!({})).await;
    let open = school.named(&school.ada, "now", at(120), json!({})).await;
    school.named(&school.ada, "draft", at(240), json!({ "courseId": draft.id })).await;
    school.named(&school.root, "physics", at(360), json!({ "courseId": null, "categoryId": category })).await;
    let off = school.named(&school.ada, "off", at(480), json!({})).await;
    school.cancel(&school.ada, &off).await;
    for id in [&open, &over] {
        school.join(&school.sam, id, false).await;
    }
    school.turn_to(at(125)).await;
    let all = ["over", "now", "physics", "off", "later"];
    assert_eq!(school.titles(None, json!({})).await, all);
    assert_eq!(school.titles(Some(&school.ada), json!({})).await, all);
    for (filter, titles) in [
        (json!({ "courseId": school.course.id }), &["over", "now", "off", "later"][..]),
        (json!({ "courseId": draft.id }), &[][..]),
        (json!({ "categoryId": category }), &["physics"][..]),
        (json!({ "hostId": school.root.id }), &["physics"][..]),
        (json!({ "startsFrom": at(120), "startsTo": at(480) }), &["now", "physics"][..]),
        (json!({ "statuses": ["LIVE"] }), &["now"][..]),
        (json!({ "statuses": ["ENDED", "CANCELED"] }), &["over", "off"][..]),
        (json!({ "statuses": ["SCHEDULED"], "hostId": school.ada.id }), &["later"][..]),
        (json!({ "statuses": [] }), &[][..]),
    ] {
        assert_eq!(school.titles(None, filter.clone()).await, titles, "{filter}");
    }
    // The team sees the sessions of a draft; others do not, by whatever way.
    assert_eq!(school.titles(Some(&school.ada), json!({ "courseId": draft.id })).await, ["draft"]);
    let data =
        school.app.data(Some(&school.ada.token), "{ viewer { liveSessions { nodes { id title } } } }", json!({})).await;
    let nodes = data["viewer"]["liveSessions"]["nodes"].as_array().unwrap();
    let hidden = nodes.iter().find(|node| node["title"] == "draft").unwrap()["id"].as_str().unwrap();
    assert_eq!(nodes.len(), 5);
    assert_eq!(school.seen(Some(&school.sam), hidden, "id").await, Value::Null);
    let (code, _) = school.error(Some(&school.sam), "joinLiveSession", json!({ "liveSessionId": hidden })).await;
    assert_eq!(code, "NOT_FOUND");
    let data =
        school.app.data(Some(&school.sam.token), "{ viewer { liveSessions { nodes { title } } } }", json!({})).await;
    assert_eq!(data["viewer"]["liveSessions"]["nodes"], json!([{ "title": "over" }, { "title": "now" }]));
    // Pages in both directions.
    let page = async |args: &str| {
        let query = format!(
            "{{ liveSessions({args}) {{ pageInfo {{ endCursor startCursor hasNextPage }} nodes {{ title }} }} }}"
        );
        school.app.data(None, &query, json!({})).await["liveSessions"].take()
    };
    let first = page("first: 2").await;
    let after = first["pageInfo"]["endCursor"].as_str().unwrap();
    let next = page(&format!("first: 2, after: \"{after}\"")).await;
    assert_eq!(next["nodes"], json!([{ "title": "physics" }, { "title": "off" }]));
    let before = next["pageInfo"]["startCursor"].as_str().unwrap();
    let back = page(&format!("last: 2, before: \"{before}\"")).await;
    assert_eq!(back["nodes"], first["nodes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_of_fifty_sessions_costs_as_many_statements_as_one() {
    let school = School::open().await;
    let mut input = school.input(at(120));
    input["recurrence"] = json!({ "rule": "FREQ=DAILY;COUNT=50", "timeZone": "UTC" });
    input["capacity"] = json!(3);
    let ids = school.created(&school.ada, input).await;
    for session in &ids[..3] {
        school.join(&school.sam, session["id"].as_str().unwrap(), true).await;
    }
    let query = format!(
        "query ($first: Int!) {{ liveSessions(first: $first) {{ totalCount nodes {{ {SESSION} viewerEligibility {{ reason \
         message usage {{ {USAGE} }} }} viewerAttendance {{ status }} }} }} }}"
    );
    let cost = async |user: &User, first: i32| {
        school.app.statements(Some(&user.token), &query, json!({ "first": first })).await
    };
    for user in [&school.sam, &school.ada] {
        let (one, fifty) = (cost(user, 1).await, cost(user, 50).await);
        assert_eq!(one, fifty);
        assert!(fifty <= 15, "{fifty} statements");
    }
    let query =
        "query ($id: ID!, $first: Int!) { node(id: $id) { ... on LiveSession { attendances(first: $first) { nodes {
        status user { name } liveSession { title } } } } } }";
    let id = ids[0]["id"].as_str().unwrap();
    school.join(&school.tim, id, false).await;
    let cost = async |first: i32| {
        school.app.statements(Some(&school.ada.token), query, json!({ "id": id, "first": first })).await
    };
    assert_eq!(cost(1).await, cost(20).await);
}
