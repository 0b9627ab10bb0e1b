//! Channels: who teaches in them, who follows them.

mod deletion;
mod invitations;

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

async fn accept(app: &TestApp, user: &User, channel: &str) -> Value {
    payload(app, user, "acceptChannelInvitation", "channel { id }", json!({ "channelId": channel })).await
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
        let asked = json!({ "channelId": lab, "member": { "userId": bob.id } });
        let answer = payload(&app, user, "addChannelMember", "channel { id }", asked).await;
        assert_eq!(refusal(&answer), code, "{answer:#}");
    }
    assert_eq!(refusal(&course_in(&bob).await), "NOT_FOUND", "he was asked, not added");
    assert_eq!(refusal(&accept(&app, &bob, &lab).await), "");
    let stu_in_lab = json!({ "channelId": lab, "member": { "userId": stu.id } });
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
    let own = app.data(Some(&bob.token), "{ viewer { channels { totalCount nodes { slug } } } }", json!({})).await;
    assert_eq!(
        own["viewer"]["channels"],
        json!({ "totalCount": 2, "nodes": [{ "slug": "the-lab" }, { "slug": "bob" }] })
    );

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
    let followed =
        "query ($first: Int, $after: String) { viewer { followedChannels(first: $first, after: $after) { totalCount
        nodes { id viewerFollows owner { name } members { nodes { name } } } pageInfo { hasNextPage endCursor } } } }";
    let first = app.data(Some(&stu.token), followed, json!({ "first": 4 })).await["viewer"]["followedChannels"].take();
    let after = first["pageInfo"]["endCursor"].clone();
    let rest =
        app.data(Some(&stu.token), followed, json!({ "first": 4, "after": after })).await["viewer"]["followedChannels"]
            .take();
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
        [("{ channel { id } }", "BAD_USER_INPUT"), ("{ auditEntries { totalCount } }", "UNAUTHENTICATED")]
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
    payload(
        &app,
        &bob,
        "addChannelMember",
        "channel { id }",
        json!({ "channelId": bobs, "member": { "userId": ada.id } }),
    )
    .await;
    assert_eq!(refusal(&accept(&app, &ada, bobs.as_str().unwrap()).await), "");
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

const INVITATIONS: &str =
    "{ viewer { channelInvitations { totalCount nodes { channel { slug } invitedBy { name } sentAt } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_invited_decides() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let stu = app.user("Stu", Role::Student).await;
    let lab = payload(&app, &ada, "createChannel", "channel { id }", json!({ "name": "The Lab" })).await;
    let lab = lab["channel"]["id"].as_str().unwrap().to_owned();
    let about_bob = json!({ "channelId": lab, "userId": bob.id });
    let asked = json!({ "channelId": lab, "member": { "userId": bob.id } });
    let invite =
        async || payload(&app, &ada, "addChannelMember", "channel { members { totalCount } }", asked.clone()).await;
    let decline = async |user: &User| {
        payload(&app, user, "declineChannelInvitation", "channel { id }", json!({ "channelId": lab })).await
    };
    let pending =
        async || app.data(Some(&bob.token), INVITATIONS, json!({})).await["viewer"]["channelInvitations"].take();
    assert_eq!(refusal(&accept(&app, &bob, &lab).await), "NOT_FOUND", "nobody invites themselves");
    assert_eq!(refusal(&decline(&bob).await), "NOT_FOUND");

    let invited = join_all((0..4).map(|_| invite())).await;
    assert!(invited.iter().all(|payload| payload["channel"]["members"]["totalCount"] == 1), "{invited:#?}");
    let sent = json!({ "channel": { "slug": "the-lab" }, "invitedBy": { "name": "Ada" }, "sentAt": "2026-11-20T09:00:00+00:00" });
    assert_eq!(pending().await, json!({ "totalCount": 1, "nodes": [sent] }));
    app.settle().await;
    let mails = std::mem::take(&mut *app.mails.lock().unwrap());
    let mails: Vec<(&str, &str)> = mails.iter().map(|mail| (&*mail.to, &*mail.subject)).collect();
    assert_eq!(mails, [("bob@people.example", "Ada invites you to teach")], "once");
    for stranger in [&stu, &ada] {
        let code = if stranger.id == stu.id { "FORBIDDEN" } else { "NOT_FOUND" };
        assert_eq!(refusal(&accept(&app, stranger, &lab).await), code, "it is Bob's");
    }

    // Declined, revoked, accepted.
    assert_eq!(refusal(&decline(&bob).await), "");
    assert_eq!(pending().await["totalCount"], 0);
    invite().await;
    payload(&app, &ada, "removeChannelMember", "channel { id }", about_bob.clone()).await;
    assert_eq!(refusal(&accept(&app, &bob, &lab).await), "NOT_FOUND", "she has thought better of it");
    invite().await;
    let answers = join_all((0..4).map(|_| accept(&app, &bob, &lab))).await;
    assert_eq!(answers.iter().filter(|payload| refusal(payload).is_empty()).count(), 1, "{answers:#?}");
    assert_eq!(invite().await["channel"]["members"]["totalCount"], 2);
    assert_eq!(pending().await["totalCount"], 0, "a member is not invited again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_instructor_has_a_channel_without_a_course() {
    let app = TestApp::start().await;
    let (root, stu) = (app.user("Root", Role::Admin).await, app.user("Stu", Role::Student).await);
    app.settle().await;
    let change = "mutation ($input: ChangeUserRoleInput!) { changeUserRole(input: $input) { userErrors { code } } }";
    for (role, channels) in [("STUDENT", "0"), ("INSTRUCTOR", "1"), ("STUDENT", "1"), ("ADMIN", "1")] {
        app.data(Some(&root.token), change, json!({ "input": { "userId": stu.id, "role": role } })).await;
        app.settle().await;
        let own = "SELECT count(*) FROM channels JOIN users ON users.id = owner_id WHERE users.name = 'Stu'";
        assert_eq!(app.sql(own).await, channels, "{role}");
    }
    assert_eq!(app.sql("SELECT slug || is_default FROM channels WHERE name = 'Stu'").await, "stutrue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_edit_the_courses_of_a_channel_if_its_owner_says_so() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let lab =
        payload(&app, &ada, "createChannel", "channel { id membersMayEdit version }", json!({ "name": "Lab" })).await;
    assert_eq!(lab["channel"]["membersMayEdit"], false);
    let id = lab["channel"]["id"].as_str().unwrap().to_owned();
    payload(
        &app,
        &ada,
        "addChannelMember",
        "channel { id }",
        json!({ "channelId": id, "member": { "userId": bob.id } }),
    )
    .await;
    accept(&app, &bob, &id).await;
    let course =
        app.mutate(&ada, "createCourse", "course { id version }", json!({ "title": "Engines", "channelId": id })).await;
    let course = course["course"]["id"].as_str().unwrap().to_owned();
    let see = "query ($id: ID!) { node(id: $id) { ... on Course { title viewerAccess { granted reason } } } }";
    let sees = async || app.data(Some(&bob.token), see, json!({ "id": course })).await["node"].take();
    let edit = async |title: &str| {
        let input = app.current(&ada, json!({ "courseId": course, "title": title })).await;
        payload(&app, &bob, "updateCourse", "course { title }", input).await
    };
    let section = async || {
        payload(&app, &bob, "createSection", "section { id }", json!({ "courseId": course, "title": "New" })).await
    };
    let allow = async |allowed: bool| {
        let input = app.current(&ada, json!({ "channelId": id, "membersMayEdit": allowed })).await;
        let payload = payload(&app, &ada, "updateChannel", "channel { membersMayEdit }", input).await;
        assert_eq!(payload["channel"]["membersMayEdit"], allowed, "{payload:#}");
    };
    for round in 0..2 {
        assert_eq!(sees().await, Value::Null, "a draft of Ada's, round {round}");
        assert_eq!(refusal(&edit("Bob was here").await), "NOT_FOUND");
        assert_eq!(refusal(&section().await), "NOT_FOUND");
        allow(true).await;
        let staff = json!({ "granted": true, "reason": "STAFF" });
        assert_eq!(sees().await["viewerAccess"], staff);
        assert_eq!(edit("Edited by Bob").await["course"]["title"], "Edited by Bob");
        let made = section().await["section"]["id"].take();
        let lesson = json!({ "sectionId": made, "title": "Gears", "durationSeconds": 60 });
        let lesson = payload(&app, &bob, "createLesson", "lesson { id }", lesson).await;
        assert_eq!(refusal(&lesson), "", "{lesson:#}");
        let input = app.current(&ada, json!({ "lessonId": lesson["lesson"]["id"], "title": "Wheels" })).await;
        let input = payload(&app, &bob, "updateLesson", "lesson { title }", input).await;
        assert_eq!(input["lesson"]["title"], "Wheels", "{input:#}");
        if round == 0 {
            allow(false).await;
        }
    }
    // Only as long as he is a member and an instructor.
    payload(&app, &bob, "removeChannelMember", "channel { id }", json!({ "channelId": id, "userId": bob.id })).await;
    assert_eq!((sees().await, refusal(&section().await)), (Value::Null, "NOT_FOUND"));
}

const BY_SLUG: &str = "query ($slug: String!) { channel(slug: $slug) { id slug } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earlier_slugs_of_a_channel_lead_to_it_and_no_other_takes_them() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let create = async |user: &User, name: &str| {
        payload(&app, user, "createChannel", "channel { id slug }", json!({ "name": name })).await
    };
    let lab = create(&ada, "Lab").await["channel"]["id"].as_str().unwrap().to_owned();
    let find = async |slug: &str| app.data(None, BY_SLUG, json!({ "slug": slug })).await["channel"].take();
    assert_eq!(find("loft").await, Value::Null);
    for slug in ["loft", "mill"] {
        app.edit(&ada, "updateChannel", "channel { id }", json!({ "channelId": lab, "slug": slug })).await;
    }
    for slug in ["lab", "loft", "mill"] {
        assert_eq!(find(slug).await, json!({ "id": lab, "slug": "mill" }), "{slug}");
    }
    let one = "{ a: channel(slug: \"mill\") { slug } }";
    assert_eq!(app.statements(None, one, json!({})).await, 1);
    let both =
        "{ a: channel(slug: \"mill\") { slug } b: channel(slug: \"lab\") { slug } c: channel(slug: \"x\") { slug } }";
    assert_eq!(app.statements(None, both, json!({})).await, 2, "however many");

    assert_eq!(refusal(&create(&bob, "Loft").await), "TAKEN");
    let own = create(&bob, "Bobs").await["channel"]["id"].clone();
    let moved = app.current(&bob, json!({ "channelId": own, "slug": "lab" })).await;
    assert_eq!(refusal(&payload(&app, &bob, "updateChannel", "channel { id }", moved).await), "TAKEN");
    let back = app.edit(&ada, "updateChannel", "channel { slug }", json!({ "channelId": lab, "slug": "lab" })).await;
    assert_eq!(back["channel"]["slug"], "lab", "its own is always free");
    assert_eq!(find("mill").await["slug"], "lab");
    // A channel that is made with the first course keeps off earlier slugs, too.
    let loft = app.user("Loft", Role::Instructor).await;
    let course = app.course(&loft, "Looms", 1).await;
    assert_eq!(channel_of(&app, &course.id).await["slug"], "loft-2");
    assert_eq!(app.sql("SELECT count(*) FROM channels WHERE slug NOT IN (SELECT slug FROM channel_slugs)").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_channels_that_want_one_slug_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let mut moves = Vec::new();
    for number in 0..4 {
        let input = json!({ "name": format!("Channel {number}") });
        let made = payload(&app, &ada, "createChannel", "channel { id }", input).await;
        moves.push(json!({ "channelId": made["channel"]["id"], "version": 1, "slug": "wanted" }));
    }
    let moved = moves.into_iter().map(|input| ("updateChannel", input));
    let made = (0..4).map(|_| ("createChannel", json!({ "name": "Wanted" })));
    let all = moved.chain(made).map(|(field, input)| payload(&app, &ada, field, "channel { slug }", input));
    let all = join_all(all).await;
    let won = all.iter().filter(|payload| payload["channel"]["slug"] == "wanted").count();
    let told = all.iter().filter(|payload| refusal(payload) == "TAKEN").count();
    assert_eq!((won, told), (1, 7), "{all:#?}");
    let orphans = "SELECT count(*) FROM channel_slugs WHERE channel_id NOT IN (SELECT id FROM channels)";
    assert_eq!(app.sql(orphans).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_earlier_slug_of_a_deleted_users_channel_is_left() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let own = channel_of(&app, &course.id).await["id"].clone();
    app.edit(&ada, "updateChannel", "channel { id }", json!({ "channelId": own, "slug": "ada-lovelace" })).await;
    let find = async |slug: &str| app.data(None, BY_SLUG, json!({ "slug": slug })).await["channel"].take();
    assert_eq!(find("ada").await["id"], own);
    let uuid = app.sql("SELECT id FROM users WHERE name = 'Ada'").await.parse().unwrap();
    let event = lyceum::accounts::UserDeleted { user_id: lyceum::graphql::Id::new(uuid) };
    let record =
        async |tx: &mut lyceum::platform::db::Tx| lyceum::platform::outbox::record(tx, &app.app.clock, &event).await;
    app.app.db.transaction(record).await.unwrap();
    app.settle().await;
    for slug in ["ada", "ada-lovelace"] {
        assert_eq!(find(slug).await, Value::Null, "{slug}");
    }
    let left = app.sql("SELECT string_agg(slug, ' ') FROM channel_slugs").await;
    assert!(left.starts_with("channel-") && !left.contains(' '), "{left}");
}
