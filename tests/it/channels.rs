//! Channels: who teaches in them, who follows them.

use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

async fn payload(app: &TestApp, user: &User, field: &str, selection: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    let body = app.send(Some(&user.token), &query, json!({ "input": input })).await;
    match body["errors"][0]["extensions"]["code"].as_str() {
        Some(code) => json!({ "error": code }),
        None => body["data"][field].clone(),
    }
}

fn refusal(payload: &Value) -> &str {
    payload["error"].as_str().or(payload["userErrors"][0]["code"].as_str()).unwrap_or_default()
}

async fn channel_of(app: &TestApp, course: &str) -> Value {
    let query = "query ($id: ID!) { node(id: $id) { ... on Course { channel { id slug name owner { id } } } } }";
    app.data(None, query, json!({ "id": course })).await["node"]["channel"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instructors_own_channel_is_made_with_the_first_course_and_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let create =
        "mutation { createCourse(input: { title: \"Engines\" }) { course { channel { id slug name owner { id } } } } }";
    let made = join_all((0..8).map(|_| app.data(Some(&ada.token), create, json!({})))).await;
    let own = &made[0]["createCourse"]["course"]["channel"];
    assert_eq!((&own["slug"], &own["name"], &own["owner"]["id"]), (&json!("ada"), &json!("Ada"), &json!(ada.id)));
    assert!(made.iter().all(|data| data["createCourse"]["course"]["channel"] == *own), "{made:#?}");
    assert_eq!(app.sql("SELECT count(*) FROM channels").await, "1");
    app.sql("UPDATE users SET name = 'Ada!'").await;
    let other = app.user("Eve", Role::Instructor).await;
    app.sql("UPDATE users SET name = 'Ada' WHERE name = 'Eve'").await;
    let course = app.course(&other, "Looms", 1).await;
    assert_eq!(channel_of(&app, &course.id).await["slug"], "ada-2", "the same name, another address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_teach_in_a_channel_and_its_owner_says_who() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (stu, root) = (app.user("Stu", Role::Student).await, app.user("Root", Role::Admin).await);
    let made = payload(&app, &ada, "createChannel", "channel { id slug }", json!({ "name": "The Lab" })).await;
    let lab = made["channel"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["channel"]["slug"], "the-lab");
    let course_in = async |user: &User| {
        payload(&app, user, "createCourse", "course { id }", json!({ "title": "x", "channelId": lab })).await
    };
    assert_eq!(refusal(&course_in(&bob).await), "NOT_FOUND", "he does not teach there yet");
    // Who joins later comes later.
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let bob_in_lab = json!({ "channelId": lab, "userId": bob.id });
    for (user, code) in [(&stu, "FORBIDDEN"), (&bob, "FORBIDDEN"), (&ada, ""), (&root, ""), (&ada, "")] {
        let answer = payload(&app, user, "addChannelMember", "channel { id }", bob_in_lab.clone()).await;
        assert_eq!(refusal(&answer), code, "{answer:#}");
    }
    let stu_in_lab = json!({ "channelId": lab, "userId": stu.id });
    let answer = payload(&app, &ada, "addChannelMember", "channel { id }", stu_in_lab).await;
    assert_eq!(refusal(&answer), "NOT_FOUND", "a student does not teach");
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let course = course_in(&bob).await["course"]["id"].as_str().unwrap().to_owned();
    assert_eq!(channel_of(&app, &course).await, Value::Null, "a draft");

    let query = "query ($id: ID) { channel(id: $id) { members(first: 1) { totalCount nodes { name } pageInfo { endCursor } } } }";
    let page = app.data(None, query, json!({ "id": lab })).await["channel"]["members"].take();
    assert_eq!((&page["totalCount"], &page["nodes"]), (&json!(2), &json!([{ "name": "Ada" }])));
    let next = "query ($id: ID, $after: String) { channel(id: $id) { members(after: $after) { nodes { name } } } }";
    let rest = app.data(None, next, json!({ "id": lab, "after": page["pageInfo"]["endCursor"] })).await;
    assert_eq!(rest["channel"]["members"]["nodes"], json!([{ "name": "Bob" }]));
    let own = app.data(Some(&bob.token), "{ viewerChannels { totalCount nodes { slug } } }", json!({})).await;
    assert_eq!(own["viewerChannels"], json!({ "totalCount": 2, "nodes": [{ "slug": "the-lab" }, { "slug": "bob" }] }));

    let ada_in_lab = json!({ "channelId": lab, "userId": ada.id });
    for (user, input, code) in [
        (&bob, &ada_in_lab, "FORBIDDEN"),
        (&ada, &ada_in_lab, "NOT_ALLOWED"),
        (&bob, &bob_in_lab, ""),
        (&ada, &bob_in_lab, ""),
    ] {
        let answer = payload(&app, user, "removeChannelMember", "channel { id }", input.clone()).await;
        assert_eq!(refusal(&answer), code, "{answer:#}");
    }
    assert_eq!(refusal(&course_in(&bob).await), "NOT_FOUND", "he has left");
    for (input, code) in [
        (json!({ "channelId": lab, "version": 1, "name": "Lab", "slug": "lab", "description": "Ours" }), ""),
        (json!({ "channelId": lab, "version": 2, "name": " " }), "BLANK"),
        (json!({ "channelId": lab, "version": 2, "slug": "Lab" }), "INVALID"),
        (json!({ "channelId": lab, "version": 2, "slug": "bob" }), "TAKEN"),
        (json!({ "channelId": lab, "version": 1, "name": "Stale" }), "CONFLICT"),
    ] {
        let answer = payload(&app, &ada, "updateChannel", "channel { name version }", input).await;
        assert_eq!(refusal(&answer), code, "{answer:#}");
        if code == "CONFLICT" {
            assert_eq!(answer["channel"], json!({ "name": "Lab", "version": 2 }));
        }
    }
    let taken = payload(&app, &bob, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    assert_eq!(refusal(&taken), "TAKEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_are_counted_once_each_whatever_happens_at_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let id = channel_of(&app, &course.id).await["id"].clone();
    let mut fans = Vec::new();
    for number in 0..5 {
        fans.push(app.user(&format!("Fan{number}"), Role::Student).await);
    }
    let input = json!({ "channelId": id });
    let follow = async |user: &User, field: &str| {
        payload(&app, user, field, "channel { followerCount viewerFollows }", input.clone()).await
    };
    join_all(fans.iter().flat_map(|fan| (0..4).map(|_| follow(fan, "followChannel")))).await;
    let seen = follow(&fans[0], "followChannel").await["channel"].take();
    assert_eq!(seen, json!({ "followerCount": 5, "viewerFollows": true }));
    let both = fans
        .iter()
        .flat_map(|fan| ["unfollowChannel", "followChannel", "unfollowChannel"].map(|field| follow(fan, field)));
    join_all(both).await;
    let counted = "SELECT string_agg(follower_count || '=' || (SELECT count(*) FROM channel_follows WHERE channel_follows.channel_id = stats.channel_id), ' ') FROM channel_stats stats";
    let counts = app.sql(counted).await;
    let (kept, rows) = counts.split_once('=').unwrap();
    assert_eq!(kept, rows);
    join_all(fans.iter().map(|fan| follow(fan, "unfollowChannel"))).await;
    let seen = follow(&fans[1], "unfollowChannel").await["channel"].take();
    assert_eq!(seen, json!({ "followerCount": 0, "viewerFollows": false }));
    let nobody = app.data(None, "query ($id: ID) { channel(id: $id) { viewerFollows } }", json!({ "id": id })).await;
    assert_eq!(nobody["channel"], json!({ "viewerFollows": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channels_page_lists_its_published_courses_and_lists_cost_the_same_for_many() {
    let app = TestApp::start().await;
    let stu = app.user("Stu", Role::Student).await;
    let mut channels = Vec::new();
    for number in 0..6 {
        let teacher = app.user(&format!("Teacher{number}"), Role::Instructor).await;
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let course = app.course(&teacher, &format!("Course {number}"), 1).await;
        app.course(&teacher, "Draft", 0).await;
        let channel = channel_of(&app, &course.id).await["id"].clone();
        payload(&app, &stu, "followChannel", "channel { id }", json!({ "channelId": channel })).await;
        channels.push(channel);
    }
    let page = "{ channel(slug: \"teacher3\") { name followerCount courses { totalCount nodes { title channel { slug } } } } }";
    let expected = json!({ "name": "Teacher3", "followerCount": 1, "courses": { "totalCount": 1,
        "nodes": [{ "title": "Course 3", "channel": { "slug": "teacher3" } }] } });
    assert_eq!(app.data(None, page, json!({})).await["channel"], expected);
    let followed = "query ($first: Int, $after: String) { followedChannels(first: $first, after: $after) { totalCount
        nodes { id viewerFollows owner { name } members { nodes { name } } } pageInfo { hasNextPage endCursor } } }";
    let first = app.data(Some(&stu.token), followed, json!({ "first": 4 })).await["followedChannels"].take();
    let after = first["pageInfo"]["endCursor"].clone();
    let rest =
        app.data(Some(&stu.token), followed, json!({ "first": 4, "after": after })).await["followedChannels"].take();
    let ids =
        |page: &Value| page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect::<Vec<_>>();
    let seen: Vec<Value> = ids(&first).into_iter().chain(ids(&rest)).collect();
    assert_eq!(seen, channels.iter().rev().cloned().collect::<Vec<_>>(), "the latest first, each once");
    assert_eq!((&first["totalCount"], &rest["pageInfo"]["hasNextPage"]), (&json!(6), &json!(false)));
    assert!(first["nodes"].as_array().unwrap().iter().all(|node| node["viewerFollows"] == true));
    let of_one = app.statements(Some(&stu.token), followed, json!({ "first": 1 })).await;
    let of_six = app.statements(Some(&stu.token), followed, json!({ "first": 6 })).await;
    // Members are users like owners: one statement more when they come too late for the owners' batch.
    assert!(of_one.abs_diff(of_six) <= 1, "{of_one} {of_six}");
    let courses = "query ($first: Int) { courses(first: $first) { nodes { channel { name viewerFollows } } } }";
    let of_one = app.statements(Some(&stu.token), courses, json!({ "first": 1 })).await;
    assert_eq!(app.statements(Some(&stu.token), courses, json!({ "first": 6 })).await, of_one);
    for (query, code) in
        [("{ channel { id } }", "BAD_USER_INPUT"), ("{ followedChannels { totalCount } }", "UNAUTHENTICATED")]
    {
        assert_eq!(app.send(None, query, json!({})).await["errors"][0]["extensions"]["code"], code, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_follows_nothing_and_leaves_no_name_behind() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let course = app.course(&ada, "Engines", 1).await;
    let other = app.course(&bob, "Looms", 1).await;
    let (own, bobs) = (channel_of(&app, &course.id).await, channel_of(&app, &other.id).await["id"].clone());
    payload(&app, &ada, "followChannel", "channel { id }", json!({ "channelId": bobs })).await;
    payload(&app, &bob, "addChannelMember", "channel { id }", json!({ "channelId": bobs, "userId": ada.id })).await;
    app.sql("UPDATE users SET deletion_due_at = '2026-11-20T08:00:00Z' WHERE name = 'Ada'").await;
    for _ in 0..2 {
        app.run("accounts.delete_due").await;
        app.settle().await;
    }
    let query = "query ($id: ID) { channel(id: $id) { name slug followerCount members { totalCount } courses { totalCount } } }";
    let found = app.data(None, query, json!({ "id": own["id"] })).await["channel"].take();
    assert_eq!(found["name"], "Former instructor");
    assert!(found["slug"].as_str().unwrap().starts_with("channel-"), "{found:#}");
    assert_eq!(found["courses"]["totalCount"], 1, "what was taught stays");
    let found = app.data(None, query, json!({ "id": bobs })).await["channel"].take();
    assert_eq!((&found["followerCount"], &found["members"]["totalCount"]), (&json!(0), &json!(1)));
}
