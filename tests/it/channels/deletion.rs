//! Channels that are deleted, with all that belongs to them.

use super::*;

const DELETED: &str = "deletedChannelId";

async fn lab(app: &TestApp, owner: &User) -> String {
    let made = payload(app, owner, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    made["channel"]["id"].as_str().unwrap().to_owned()
}

async fn delete(app: &TestApp, user: &User, channel: &str) -> Value {
    payload(app, user, "deleteChannel", DELETED, json!({ "channelId": channel })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_channel_is_gone_at_once_and_its_followers_soon() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (stu, eve) = (app.user("Stu", Role::Student).await, app.user("Eve", Role::Instructor).await);
    app.settle().await;
    let id = lab(&app, &ada).await;
    let invited = json!({ "channelId": id, "member": { "userId": bob.id } });
    payload(&app, &ada, "addChannelMember", "channel { id }", invited).await;
    accept(&app, &bob, &id).await;
    let invited = json!({ "channelId": id, "member": { "userId": eve.id } });
    payload(&app, &ada, "addChannelMember", "channel { id }", invited).await;
    payload(&app, &stu, "followChannel", "channel { id }", json!({ "channelId": id })).await;
    // More than one batch.
    app.sql(
        "WITH fans AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(), 'fan' || n || '@people.example', 'Fan', 'STUDENT', now(), now()
            FROM generate_series(1, 2500) n RETURNING id)
        INSERT INTO channel_follows (user_id, channel_id, followed_at)
            SELECT fans.id, channels.id, now() FROM fans, channels WHERE slug = 'lab'",
    )
    .await;
    let see = "query ($id: ID!) { node(id: $id) { id } channel(slug: \"lab\") { id } }";
    assert_eq!(app.data(None, see, json!({ "id": id })).await["channel"]["id"], id);

    for (user, code) in [(&stu, "FORBIDDEN"), (&bob, "FORBIDDEN")] {
        assert_eq!(refusal(&delete(&app, user, &id).await), code);
    }
    let deleted = delete(&app, &ada, &id).await;
    assert_eq!(deleted, json!({ "deletedChannelId": id, "userErrors": [] }));
    let gone = json!({ "node": null, "channel": null });
    assert_eq!(app.data(None, see, json!({ "id": id })).await, gone);
    assert_eq!(refusal(&delete(&app, &ada, &id).await), "NOT_FOUND", "once");
    let slug = json!({ "slug": app.sql("SELECT slug FROM channels WHERE deleted_at IS NOT NULL").await });
    let by_slug = "query ($slug: String) { channel(slug: $slug) { id } }";
    assert_eq!(app.data(None, by_slug, slug).await["channel"], Value::Null);
    let lists = "{ viewer { channels { nodes { slug } } followedChannels { totalCount nodes { id } }
        channelInvitations { totalCount } } }";
    let own = app.data(Some(&bob.token), lists, json!({})).await["viewer"]["channels"].take();
    assert_eq!(own["nodes"], json!([]));
    assert_eq!(app.data(Some(&eve.token), lists, json!({})).await["viewer"]["channelInvitations"]["totalCount"], 0);
    let followed = "{ viewer { followedChannels { totalCount nodes { id } } } }";
    let followed = app.data(Some(&stu.token), followed, json!({})).await["viewer"]["followedChannels"].take();
    assert_eq!(followed, json!({ "totalCount": 0, "nodes": [] }), "before the job has run");
    for field in ["followChannel", "unfollowChannel"] {
        let answer = payload(&app, &stu, field, "channel { id }", json!({ "channelId": id })).await;
        assert_eq!(refusal(&answer), "NOT_FOUND", "{field}");
    }
    assert_eq!(refusal(&accept(&app, &eve, &id).await), "NOT_FOUND");
    let edit = json!({ "channelId": id, "version": 1, "name": "Back" });
    assert_eq!(refusal(&payload(&app, &ada, "updateChannel", "channel { id }", edit).await), "NOT_FOUND");
    let course = json!({ "title": "Late", "channelId": id });
    assert_eq!(refusal(&payload(&app, &ada, "createCourse", "course { id }", course).await), "NOT_FOUND");
    assert_ne!(lab(&app, &bob).await, id, "the slug is free again");

    assert_eq!(app.sql("SELECT count(*) FROM channel_follows").await, "2501");
    app.settle().await;
    assert_eq!(app.sql("SELECT count(*) FROM channel_follows").await, "0");
    let left = "SELECT concat_ws(' ', count(*), count(image_id), count(channel_stats.follower_count)) FROM channels
        LEFT JOIN channel_stats ON channel_id = id WHERE deleted_at IS NOT NULL";
    assert_eq!(app.sql(left).await, "1 0 0", "whose it was, which the books may need");
    assert_eq!(app.data(None, see, json!({ "id": id })).await["node"], Value::Null);
    assert_eq!(app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL OR attempts > 0").await, "0");
    let trail = "SELECT details->>'name' || ' ' || (actor_id = subject_id)::text FROM audit_entries
        WHERE action = 'channel_deleted'";
    assert_eq!(app.sql(trail).await, "Lab true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_default_channel_and_one_with_courses_stay() {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let course = app.course(&ada, "Engines", 1).await;
    let own = channel_of(&app, &course.id).await["id"].as_str().unwrap().to_owned();
    for user in [&ada, &root] {
        assert_eq!(refusal(&delete(&app, user, &own).await), "NOT_ALLOWED", "her default channel");
    }
    let id = lab(&app, &ada).await;
    let made = payload(&app, &ada, "createCourse", "course { id }", json!({ "title": "Draft", "channelId": id })).await;
    let refused = delete(&app, &root, &id).await;
    assert_eq!((refusal(&refused), &refused["userErrors"][0]["field"]), ("NOT_ALLOWED", &json!(["channelId"])));
    let moved = json!({ "courseId": made["course"]["id"], "channelId": own });
    app.edit(&ada, "updateCourse", "course { id }", moved).await;
    assert_eq!(delete(&app, &root, &id).await["deletedChannelId"], id, "an administrator may, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_course_ends_in_a_channel_that_is_deleted_meanwhile() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    app.settle().await;
    for round in 0..6 {
        let id = lab(&app, &ada).await;
        let course = async |number: usize| {
            let input = json!({ "title": format!("Course {round} {number}"), "channelId": id });
            payload(&app, &ada, "createCourse", "course { id }", input).await
        };
        let (made, deleted) = tokio::join!(join_all((0..3).map(course)), delete(&app, &ada, &id));
        let inside = app
            .sql("SELECT count(*) FROM courses JOIN channels ON channels.id = channel_id WHERE deleted_at IS NOT NULL");
        assert_eq!(inside.await, "0", "{made:#?} {deleted:#}");
        if refusal(&deleted) == "NOT_ALLOWED" {
            app.sql("UPDATE courses SET channel_id = NULL").await;
            assert_eq!(delete(&app, &ada, &id).await["deletedChannelId"], id);
        }
        app.settle().await;
        assert_eq!(app.sql("SELECT count(*) FROM channels WHERE slug <> 'ada' AND deleted_at IS NULL").await, "0");
    }
}
