//! Profiles, and what the platform holds on somebody.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::deletion::{member, sign_in};
use crate::support::TestApp;

const UPDATE: &str = "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) {
    user { name bio locale timeZone } userErrors { code field message } } }";
const PROFILE: &str = "query ($id: ID!) { node(id: $id) { ... on User { name bio locale timeZone deletionDueAt } } }";

async fn update(app: &TestApp, token: &str, input: Value) -> Value {
    app.data(Some(token), UPDATE, json!({ "input": input })).await["updateProfile"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_of_a_profile_stays_and_null_removes() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let mut expected = json!({ "name": "Ada", "bio": "", "locale": null, "timeZone": null });
    assert_eq!(update(&app, &ada.token, json!({})).await, json!({ "user": expected, "userErrors": [] }));
    let steps = [
        (
            json!({ "name": " Ada King ", "bio": " Countess.\nMathematician. ", "locale": "EN-gb", "timeZone": "Europe/London" }),
            json!({ "name": "Ada King", "bio": "Countess.\nMathematician.", "locale": "en-GB", "timeZone": "Europe/London" }),
        ),
        (json!({ "locale": "pt-br" }), json!({ "locale": "pt-BR" })),
        (json!({ "timeZone": null }), json!({ "timeZone": null })),
        (json!({ "locale": null, "bio": null }), json!({ "locale": null, "bio": "" })),
        (json!({ "bio": "ß".repeat(1000) }), json!({ "bio": "ß".repeat(1000) })),
        (json!({ "bio": "" }), json!({ "bio": "" })),
    ];
    for (input, changed) in steps {
        expected.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        assert_eq!(update(&app, &ada.token, input.clone()).await, json!({ "user": expected, "userErrors": [] }));
        let seen = app.data(Some(&ada.token), "{ viewer { user { name bio locale timeZone } } }", json!({})).await;
        assert_eq!(seen["viewer"]["user"], expected, "{input}");
    }
    assert_eq!(app.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await, "7");
    let whose = "SELECT DISTINCT payload ->> 'user_id' = (SELECT id::text FROM users) FROM events";
    assert_eq!(app.sql(whose).await, "t");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_with_a_profile_comes_at_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let wrong = json!({ "name": " ", "bio": "x".repeat(1001), "locale": "de_CH", "timeZone": "Europe/Entenhausen" });
    let payload = update(&app, &ada.token, wrong).await;
    assert_eq!(payload["user"], Value::Null);
    let errors: Vec<_> = payload["userErrors"].as_array().unwrap().iter().collect();
    let told: Vec<_> = errors.iter().map(|error| (&error["code"], &error["field"][0])).collect();
    let expected = [("BLANK", "name"), ("TOO_LONG", "bio"), ("INVALID", "locale"), ("INVALID", "timeZone")];
    let expected = expected.map(|(code, field)| (json!(code), json!(field)));
    assert_eq!(told, expected.iter().map(|(code, field)| (code, field)).collect::<Vec<_>>(), "{payload:#}");
    for error in errors {
        assert!(error["message"].as_str().unwrap().ends_with('.'), "a sentence for people: {error:#}");
    }
    for input in [json!({ "bio": "a\u{0}b" }), json!({ "locale": "" }), json!({ "timeZone": "\u{0}" })] {
        let payload = update(&app, &ada.token, input.clone()).await;
        assert_eq!(payload["userErrors"][0]["code"], "INVALID", "{input}: {payload:#}");
    }
    // One good field does not get through with a bad one.
    update(&app, &ada.token, json!({ "name": "Eve", "locale": "?" })).await;
    assert_eq!(app.sql("SELECT name || bio || coalesce(locale, '') FROM users").await, "Ada");
    assert_eq!(app.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn language_and_time_zone_are_nobody_elses_business() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Student).await, app.user("Eve", Role::Instructor).await);
    let root = app.user("Root", Role::Admin).await;
    let input = json!({ "bio": "Hello.", "locale": "de", "timeZone": "UTC" });
    update(&app, &ada.token, input).await;
    for token in [&ada.token, &root.token] {
        let seen = app.data(Some(token), PROFILE, json!({ "id": ada.id })).await;
        let all = json!({ "name": "Ada", "bio": "Hello.", "locale": "de", "timeZone": "UTC", "deletionDueAt": null });
        assert_eq!(seen["node"], all);
    }
    for token in [Some(&*eve.token), None] {
        let body = app.send(token, PROFILE, json!({ "id": ada.id })).await;
        let open = json!({ "name": "Ada", "bio": "Hello.", "locale": null, "timeZone": null, "deletionDueAt": null });
        assert_eq!(body["data"]["node"], open);
        let errors = body["errors"].as_array().unwrap();
        let paths: Vec<&str> = errors.iter().map(|error| error["path"][1].as_str().unwrap()).collect();
        assert_eq!(paths, ["locale", "timeZone", "deletionDueAt"]);
        assert!(errors.iter().all(|error| error["extensions"]["code"] == "FORBIDDEN"), "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_of_many_cost_no_more_statements_than_one() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(app.user(&format!("User{number}"), Role::Student).await.id);
    }
    let picture = r#"{"width": 4, "height": 3, "thumbHash": null, "widths": [4]}"#;
    app.sql(&format!(
        "INSERT INTO media_files (id, owner_id, purpose, filename, object_key, content_type, size_bytes, created_at, \
         picture) SELECT id, id, 'IMAGE', 'me', id, 'image/png', 7, now(), '{picture}' FROM users"
    ))
    .await;
    app.sql("UPDATE users SET avatar_id = id").await;
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User { name bio avatar { url width } } } }";
    let one = app.statements(None, query, json!({ "ids": &ids[..1] })).await;
    assert_eq!(app.statements(None, query, json!({ "ids": ids })).await, one);
    let nodes = app.data(None, query, json!({ "ids": ids })).await;
    assert!(nodes["nodes"][19]["avatar"]["url"].as_str().unwrap().contains("/w4.jpg?"), "{nodes:#}");
}

/// The columns that refer to users, and where `viewer.dataExport` has what they hold. A new one belongs here, into a `my_data`
/// and into the test of what is deleted.
const HELD: [(&str, Option<&str>); 51] = [
    ("announcements.author_id", Some("/notifications/announcements/items")),
    ("api_tokens.user_id", Some("/accounts/apiTokens/items")),
    ("certificates.user_id", Some("/enrollments/certificates/items")),
    ("channel_follows.user_id", Some("/channels/follows/items")),
    // Whom an instructor invited is the other one's data.
    ("channel_invitations.invited_by", None),
    ("channel_invitations.user_id", Some("/channels/invitations/items")),
    ("channel_members.user_id", Some("/channels/memberships/items")),
    ("channels.owner_id", Some("/channels/channels/items")),
    ("courses.instructor_id", Some("/catalog/courses/items")),
    ("donations.donor_id", Some("/orders/donations/items")),
    ("email_changes.user_id", Some("/accounts/emailChanges/items")),
    ("enrollments.user_id", Some("/enrollments/enrollments/items")),
    // What an administrator has given to others. That they did is in their activity.
    ("entitlements.granted_by", None),
    ("entitlements.user_id", Some("/enrollments/entitlements/items")),
    ("extra_hours.user_id", Some("/memberships/extraHours/items")),
    ("family_members.user_id", Some("/memberships/family")),
    ("family_stays.user_id", Some("/memberships/familyStays/items")),
    ("gifts.claimed_by", Some("/orders/claimedGifts/items")),
    ("identities.user_id", Some("/accounts/identities/items")),
    // A sign-in with another service that has begun: for ten minutes.
    ("identity_attempts.user_id", None),
    // Whose hours have paid, is the other one's data.
    ("live_attendances.payer_id", None),
    ("live_attendances.user_id", Some("/live/attendances/items")),
    ("live_calendars.user_id", Some("/live/calendarFeed")),
    ("live_family_usage.payer_id", None),
    ("live_family_usage.user_id", Some("/live/familyMonths/items")),
    ("live_sessions.host_id", Some("/live/sessions/items")),
    ("live_usage.user_id", Some("/live/months/items")),
    ("media_files.owner_id", Some("/media/files/items")),
    ("memberships.user_id", Some("/memberships/memberships/items")),
    // When what was sent, for a month. What it said is in the list of notifications.
    ("notification_deliveries.user_id", None),
    ("notification_marks.user_id", Some("/notifications/mark")),
    ("notification_mutes.user_id", Some("/notifications/mutes/items")),
    ("notification_receipts.user_id", Some("/notifications/receipts/items")),
    ("notification_settings.user_id", Some("/notifications/settings")),
    // As `emailsEnded`.
    ("notification_unsubscribes.user_id", Some("/notifications/settings")),
    ("orders.buyer_id", Some("/orders/orders/items")),
    // What an administrator has recorded of others. That they did is in their activity.
    ("payouts.recorded_by", None),
    ("play_purchases.user_id", Some("/memberships/playPurchases/items")),
    // Which session is playing something now, for two minutes.
    ("players.user_id", None),
    ("post_reports.reporter_id", Some("/discussions/reports/items")),
    ("post_votes.user_id", Some("/discussions/votes/items")),
    ("posts.author_id", Some("/discussions/posts/items")),
    ("push_subscriptions.user_id", Some("/notifications/pushSubscriptions/items")),
    ("question_follows.user_id", Some("/discussions/follows/items")),
    // What an administrator has decided about others. That they did is in their activity.
    ("refunds.requested_by", None),
    ("second_factors.user_id", Some("/accounts/secondFactor")),
    ("sessions.user_id", Some("/accounts/sessions/items")),
    // The question of a sign-in that has begun: a hash, for ten minutes.
    ("sign_in_challenges.user_id", None),
    // Whom an administrator invited: another person's address. That they did is in their activity.
    ("team_invitations.invited_by", None),
    ("uploads.user_id", Some("/media/uploads/items")),
    ("videos.owner_id", Some("/media/videos/items")),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn my_data_is_all_of_mine_and_nothing_else() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Instructor).await, app.user("Eve", Role::Instructor).await);
    let input = json!({ "name": "Ada", "bio": "Countess.", "locale": "en", "timeZone": "UTC" });
    update(&app, &ada.token, input).await;
    app.course(&ada, "Engines", 0).await;
    app.course(&eve, "Poisons", 1).await;
    let tokens = "INSERT INTO api_tokens (id, user_id, name, hash, scopes, created_at, expires_at) SELECT gen_random_uuid(), \
        id, 'importer', '\\xfeedface' || substring(sha256(id::text::bytea) FROM 5), '{READ_ACCOUNT}', now(), now() + interval '1 day' FROM users";
    app.sql(tokens).await;
    let factors = "INSERT INTO second_factors (user_id, sealed_secret, created_at, confirmed_at) \
        SELECT id, '\\xfeedface', now(), now() FROM users";
    app.sql(factors).await;
    app.sql("INSERT INTO email_changes SELECT gen_random_uuid(), id, email, 'new' || email, 5, now(), now() + interval '1 day' FROM users").await;
    app.sql("INSERT INTO identities SELECT gen_random_uuid(), 'issuer', id::text, id, email, now(), now() FROM users")
        .await;
    app.sql("INSERT INTO channel_follows (user_id, channel_id, followed_at) SELECT owner_id, id, now() FROM channels")
        .await;
    app.sql(
        "INSERT INTO certificates SELECT id, upper(right(id::text, 12)), id, NULL, name, 'Engines', now() FROM users",
    )
    .await;
    app.sql("INSERT INTO channel_invitations SELECT id, owner_id, owner_id, now() FROM channels").await;
    app.sql("INSERT INTO entitlements SELECT gen_random_uuid(), users.id, courses.id, 'GIFT', now() FROM users JOIN courses ON title = 'Engines'").await;
    let posts = "INSERT INTO posts (id, kind, course_id, author_id, body, is_by_team, created_at) \
        SELECT users.id, 'QUESTION', courses.id, users.id, users.name || ' asks', false, now() FROM users \
        JOIN courses ON title = 'Engines'";
    app.sql(posts).await;
    app.sql(
        "INSERT INTO questions (post_id, course_id, lesson_id, author_id, title, active_at) \
        SELECT id, course_id, id, author_id, body, created_at FROM posts",
    )
    .await;
    app.sql("INSERT INTO post_stats (post_id, active_at) SELECT id, created_at FROM posts").await;
    app.sql("INSERT INTO post_votes SELECT id, author_id, created_at FROM posts").await;
    app.sql("INSERT INTO question_follows SELECT id, author_id, created_at FROM posts").await;
    app.sql(
        "INSERT INTO post_reports (id, course_id, post_id, reporter_id, reason, created_at) \
        SELECT id, course_id, id, author_id, 'Spam', created_at FROM posts",
    )
    .await;
    let uploads = "INSERT INTO uploads (id, user_id, filename, content_type, size_bytes, status, looked_at, created_at, \
        expires_at) SELECT id, id, name || '.mp4', 'video/mp4', 7, 'CREATED', now(), now(), now() FROM users";
    app.sql(uploads).await;
    let videos = "INSERT INTO videos (id, owner_id, filename, object_key, content_type, size_bytes, status, created_at, \
        updated_at) SELECT id, id, name || '.mp4', id, 'video/mp4', 7, 'UPLOADED', now(), now() FROM users";
    app.sql(videos).await;
    let files = "INSERT INTO media_files (id, owner_id, purpose, filename, object_key, content_type, size_bytes, created_at) \
        SELECT id, id, 'FILE', name || '.mp4', id, 'application/pdf', 7, now() FROM users";
    app.sql(files).await;
    let notifications = "INSERT INTO notifications (id, audience, kind, group_key, subject, mute_keys, created_at, at) \
        SELECT id, 'user:' || id, 'SECURITY', '', '', '{}', now(), now() FROM users";
    app.sql(notifications).await;
    app.sql("INSERT INTO notification_receipts SELECT id, id, now(), now(), NULL, NULL, false, now() FROM users").await;
    app.sql(
        "INSERT INTO push_subscriptions (id, user_id, session_id, service, address, created_at) \
        SELECT DISTINCT ON (user_id) id, user_id, id, 'FCM', id, now() FROM sessions",
    )
    .await;
    app.sql(
        "INSERT INTO announcements SELECT id, id, 'everyone', 'Title', 'Text', now(), NULL, NULL, 0, now() FROM users",
    )
    .await;
    app.sql(
        "INSERT INTO orders (id, buyer_id, status, country, currency, total_minor, created_at, updated_at, expires_at) \
        SELECT id, id, 'PENDING', 'DE', 'EUR', 0, now(), now(), now() FROM users",
    )
    .await;
    app.sql(
        "INSERT INTO donations (id, donor_id, country, amount_minor, currency, created_at) \
        SELECT id, id, 'DE', 700, 'EUR', now() FROM users",
    )
    .await;
    app.sql(
        "INSERT INTO order_items (id, order_id, buyer_id, position, kind, title, amount_minor, is_live) \
        SELECT id, id, id, 0, 'GIFT', 'Gift', 0, true FROM users",
    )
    .await;
    app.sql(
        "INSERT INTO gifts (id, item_id, order_id, code, recipient_email, message, claimed_by, claimed_at) \
        SELECT id, id, id, translate(upper(right(replace(id::text, '-', ''), 16)), '01', 'XY'), '', '', id, now() FROM users",
    )
    .await;
    app.sql(
        "WITH plan AS (INSERT INTO plans (id, slug, name, kind, created_at) \
            SELECT gen_random_uuid(), 'all', 'All', 'ALL_ACCESS', now() RETURNING id), \
        price AS (INSERT INTO plan_prices (id, plan_id, billing_interval, amount_minor, currency, trial_days, created_at) \
            SELECT gen_random_uuid(), id, 'MONTH', 100, 'EUR', 0, now() FROM plan RETURNING id, plan_id) \
        INSERT INTO memberships (id, user_id, plan_id, plan_price_id, kind, status, country, created_at, updated_at) \
        SELECT users.id, users.id, plan_id, price.id, 'ALL_ACCESS', 'PENDING', 'DE', now(), now() FROM users, price",
    )
    .await;
    app.sql(
        "INSERT INTO play_purchases (token, user_id, membership_id, product, base_plan, state, checked_at, created_at) \
        SELECT 'playtoken-' || id, id, id, 'basic', '', 'ACTIVE', now(), now() FROM users",
    )
    .await;
    app.sql("INSERT INTO extra_hours SELECT id, id, '2026-11-01', 60, 'PAID', now() FROM users").await;
    let sessions = "INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at) \
        SELECT id, id, name || '.mp4', now(), now() + interval '1 hour', now() FROM users";
    app.sql(sessions).await;
    let attendances = "INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since) \
        SELECT id, id, id, 'HELD', 60, '2026-11-01', now() FROM users";
    app.sql(attendances).await;
    app.sql("INSERT INTO live_calendars SELECT id, sha256(id::text::bytea), now() FROM users").await;
    app.sql("INSERT INTO live_usage (user_id, month, allowed_minutes) SELECT id, '2026-11-01', 60 FROM users").await;
    app.sql("INSERT INTO family_members SELECT user_id, id, now() FROM memberships").await;
    app.sql("INSERT INTO family_stays SELECT user_id, now(), id, now() + interval '1 day' FROM memberships").await;
    let shares = "INSERT INTO live_family_usage (user_id, month, payer_id) SELECT id, '2026-11-01', \
        (SELECT other.id FROM users AS other WHERE other.id <> users.id LIMIT 1) FROM users";
    app.sql(shares).await;
    app.sql("INSERT INTO notification_marks SELECT id, now(), now() FROM users").await;
    app.sql("INSERT INTO notification_mutes SELECT id, 'course:' || id, now() FROM users").await;
    app.sql("INSERT INTO notification_settings SELECT id, '{}', NULL, NULL, 'DAILY' FROM users").await;
    let data = app.data(Some(&ada.token), "{ viewer { dataExport } }", json!({})).await["viewer"]["dataExport"].take();

    let profile = &data["accounts"]["profile"];
    for (field, expected) in [
        ("id", json!(ada.id)),
        ("email", json!("ada@people.example")),
        ("bio", json!("Countess.")),
        ("locale", json!("en")),
        ("timeZone", json!("UTC")),
        ("role", json!("INSTRUCTOR")),
        ("hasPassword", json!(true)),
        ("emailVerifiedAt", Value::Null),
        ("deletionDueAt", Value::Null),
    ] {
        assert_eq!(profile[field], expected, "{field}");
    }
    let activity = &data["accounts"]["activity"]["items"][0];
    assert_eq!((&activity["action"], &activity["by"]), (&json!("signed_in"), &json!("you")), "{activity:#}");
    assert_eq!(data["catalog"]["courses"]["items"][0]["title"], "Engines");

    let columns = "SELECT string_agg(format('%s.%s', conrelid::regclass, attname), ' ' ORDER BY 1) FROM pg_constraint \
        JOIN pg_attribute ON (attrelid, attnum) = (conrelid, conkey[1]) \
        WHERE contype = 'f' AND confrelid = 'users'::regclass";
    let mut columns: Vec<String> = app.sql(columns).await.split(' ').map(str::to_owned).collect();
    columns.sort();
    assert_eq!(columns, HELD.map(|(column, _)| column), "what refers to users is exported");
    for (column, place) in HELD {
        let Some(place) = place else { continue };
        let part = data.pointer(place).unwrap_or_else(|| panic!("{column}: the export has no {place}"));
        assert!(part.as_array().map_or(part.is_object(), |items| items.len() == 1), "{column}: {part:#}");
    }
    let text = data.to_string();
    for foreign in [
        "Poisons",
        "Eve.mp4",
        &eve.id,
        "eve@people.example",
        "$argon2id$",
        "hash",
        "feedface",
        "sealed",
        "Eve asks",
        "playtoken",
    ] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_where_staff_acted_is_not_the_users_data() {
    let app = TestApp::start().await;
    let (ada, root) = (member(&app, "Ada", Role::Student).await, app.user("Root", Role::Admin).await);
    let input = json!({ "userId": ada.id, "role": "INSTRUCTOR" });
    app.mutate(&root, "changeUserRole", "user { id }", input).await;
    app.sql("UPDATE audit_entries SET ip = '203.0.113.9', user_agent = 'Staff browser' WHERE action = 'role_changed'")
        .await;
    let signed_in = sign_in(&app, "ada@people.example").await;
    let data = app.data(signed_in["accessToken"].as_str(), "{ viewer { dataExport } }", json!({})).await;
    let activity = data["viewer"]["dataExport"]["accounts"]["activity"]["items"].as_array().unwrap();
    let changed = activity.iter().find(|line| line["action"] == "role_changed").unwrap();
    assert_eq!((&changed["by"], &changed["ip"], &changed["userAgent"]), (&json!("staff"), &Value::Null, &Value::Null));
    assert_eq!(changed["details"], json!({ "from": "STUDENT", "to": "INSTRUCTOR" }));
    assert!(!data.to_string().contains(&root.id) && !data.to_string().contains("203.0.113.9"), "{data:#}");
}
