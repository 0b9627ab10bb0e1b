//! Who plays what, from which addresses, and for how long.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use lyceum::media::VideoId;
use lyceum::platform::auth::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Studio, mp4, playback, uuid};
use crate::support::User;

/// A page of the configured origin.
const PAGE: &str = "http://localhost:3000";

/// Answers, as far as these tests look at them.
struct Answer {
    status: u16,
    text: String,
}

impl Studio {
    async fn get(&self, url: &str, token: Option<&str>) -> Answer {
        let mut request = self.app.client.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        Answer { status: response.status().as_u16(), text: response.text().await.unwrap() }
    }

    /// A video that has renditions, without the work of making them.
    async fn ready(&self) -> VideoId {
        let id = self.arrive(&self.ada, mp4()).await;
        let folder = format!("videos/{}/", id.uuid().simple());
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x360\nv0/index.m3u8\n";
        let media = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI=\"init_0.mp4\"\n#EXTINF:6,\n00000.m4s\n#EXTINF:6,\n00001.m4s\n#EXT-X-ENDLIST\n";
        for (name, text) in [
            ("master.m3u8", master),
            ("v0/index.m3u8", media),
            ("v0/init_0.mp4", "head"),
            ("v0/00000.m4s", "zero"),
            ("v0/00001.m4s", "one"),
        ] {
            self.storage.put(&format!("{folder}hls/{name}"), "text/plain", text.into()).await.unwrap();
        }
        let secret = hex::encode(self.app.app.seal.close(&[7; 32], id.uuid().as_bytes()).unwrap());
        self.app
            .sql(&format!(
                "UPDATE videos SET status = 'READY', duration_ms = 12000, hls_secret = decode('{secret}', 'hex'), poster_key = '{folder}poster.jpg', \
                 playlist_key = '{folder}hls/master.m3u8' WHERE id = '{}'",
                id.uuid()
            ))
            .await;
        id
    }

    /// The address of a lesson's HLS playlist, here where the test's server is.
    async fn hls(&self, token: Option<&str>, lesson: &str) -> String {
        let answer = self.play(token, lesson).await;
        let url = playback(&answer)["hlsUrl"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned();
        let public = &self.app.app.config.public_url;
        assert!(url.starts_with(public), "{url}");
        url.replace(public, &self.app.url)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_watch_is_given_addresses() {
    let studio = Studio::with("entitled", None, &[]).await;
    let app = &studio.app;
    let (eve, sam) = (app.user("Eve", Role::Instructor).await, app.user("Sam", Role::Student).await);
    let root = app.user("Root", Role::Admin).await;
    let id = studio.ready().await;
    let lesson = studio.lesson(id, "Ownership").await;
    for (who, token) in [("nobody", None), ("a student", Some(&sam)), ("another instructor", Some(&eve))] {
        let mut answer = studio.play(token.map(|user| &*user.token), &lesson).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{who}: {answer:#}");
        let poster = answer["data"]["node"]["video"]["posterUrl"].take();
        assert!(poster.as_str().unwrap().contains("/poster.jpg?"), "everybody who sees the lesson sees it: {poster}");
        let video = &answer["data"]["node"]["video"];
        assert_eq!((&video["playback"], &video["durationSeconds"]), (&Value::Null, &json!(12)), "{who}: {answer:#}");
        assert!(!answer.to_string().contains("X-Amz"), "{who}: {answer:#}");
    }
    for user in [&studio.ada, &root] {
        assert!(playback(&studio.play(Some(&user.token), &lesson).await)["hlsUrl"].is_string());
    }
    studio.preview(&lesson, true).await;
    for token in [None, Some(&*sam.token), Some(&*eve.token)] {
        let answer = studio.play(token, &lesson).await;
        let now = app.app.clock.now();
        let expires = DateTime::parse_from_rfc3339(playback(&answer)["expiresAt"].as_str().unwrap()).unwrap();
        // Half an hour beyond the length.
        let left = expires.to_utc() - now;
        assert!(left <= TimeDelta::seconds(1812) && left > TimeDelta::seconds(1810), "{left}");
    }
    app.sql(&format!("UPDATE lessons SET published_at = NULL WHERE id = '{}'", uuid(&lesson))).await;
    app.forget_rows();
    assert_eq!(studio.play(None, &lesson).await["data"]["node"], Value::Null, "a draft");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_original_is_played_in_ranges_and_only_from_the_signed_address() {
    let studio = Studio::with("ranges", None, &[("LYCEUM_SERVE_ORIGINALS", "always")]).await;
    let (one, two) = (studio.ready().await, studio.ready().await);
    let lesson = studio.lesson(one, "Ownership").await;
    let answer = studio.play(Some(&studio.ada.token), &lesson).await;
    let url = playback(&answer)["url"].as_str().unwrap().to_owned();
    let client = &studio.app.client;
    let part = client.get(&url).header("range", "bytes=1000-1999").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-type"], "video/mp4");
    assert_eq!(part.bytes().await.unwrap(), mp4()[1000..2000]);
    let (key, other) = (one.uuid().simple().to_string(), two.uuid().simple().to_string());
    let (start, signature) = url.split_once("X-Amz-Signature=").unwrap();
    let flipped: String = signature.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect();
    let expires = url.split("X-Amz-Expires=").nth(1).unwrap().split('&').next().unwrap();
    for wrong in [
        url.split_once('?').unwrap().0.to_owned(),
        url.replace(&key, &other),
        format!("{start}X-Amz-Signature={flipped}"),
        url.replace(&format!("X-Amz-Expires={expires}"), "X-Amz-Expires=604800"),
    ] {
        assert_ne!(wrong, url);
        assert_eq!(client.get(&wrong).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{wrong}");
    }
    assert!((1810..=1812).contains(&expires.parse::<i32>().unwrap()), "{expires}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn playlists_have_signed_segments_and_end_with_their_pass() {
    let studio = Studio::with("playlists", None, &[("LYCEUM_CORS_ORIGINS", PAGE)]).await;
    let app = &studio.app;
    let id = studio.ready().await;
    let lesson = studio.lesson(id, "Ownership").await;
    studio.preview(&lesson, true).await;
    let master = studio.hls(None, &lesson).await;
    let response = app.client.get(&master).header("origin", PAGE).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(response.headers()["cache-control"], "private, no-store");
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
    assert!(response.text().await.unwrap().contains("\nv0/index.m3u8\n"), "relative to the same pass");
    let foreign = app.client.get(&master).header("origin", "http://evil.example").send().await.unwrap();
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
    let media = master.replace("master.m3u8", "v0/index.m3u8");
    let segments = async || {
        let text = studio.get(&media, None).await.text;
        let map = text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let lines = text.lines().filter(|line| line.starts_with("http")).map(str::to_owned);
        std::iter::once(map).chain(lines).collect::<Vec<_>>()
    };
    let urls = segments().await;
    for (url, content) in urls.iter().zip(["head", "zero", "one"]) {
        assert_eq!(studio.get(url, None).await.text, content);
    }
    assert_eq!(urls.len(), 3);
    for (path, expected) in
        [("v0/00000.m4s", 404), ("v1/index.m3u8", 404), ("original", 404), ("..%2Foriginal", 404), ("v0/x.key", 404)]
    {
        assert_eq!(studio.get(&master.replace("master.m3u8", path), None).await.status, expected, "{path}");
    }
    // A key of sixteen bytes, for each rendition and every two minutes another one.
    let keys = master.replace("master.m3u8", "v0/0.key");
    let mut seen = std::collections::HashSet::new();
    for name in ["v0/0.key", "v0/1.key", "v1/0.key"] {
        let response = app.client.get(master.replace("master.m3u8", name)).header("origin", PAGE).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/octet-stream");
        assert_eq!(response.headers()["cache-control"], "private, no-store");
        assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
        let key = response.bytes().await.unwrap();
        assert!(key.len() == 16 && seen.insert(key), "{name}");
    }
    // A changed letter of the pass.
    let pass = master.split('/').nth(5).unwrap();
    for at in [0, pass.len() / 2, pass.len() - 2] {
        let mut letters: Vec<char> = pass.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        let wrong: String = letters.into_iter().collect();
        assert_eq!(studio.get(&master.replace(pass, &wrong), None).await.status, 403, "letter {at}");
    }
    // Right before the end of the pass segments are signed for what is left of it, and by the store's own clock.
    app.app.clock.advance(TimeDelta::seconds(1811));
    let last = segments().await;
    assert!(last[0].contains("X-Amz-Expires=1&"), "{}", last[0]);
    crate::support::eventually("the segment's address has ended", async || {
        studio.get(&last[0], None).await.status == 403
    })
    .await;
    app.app.clock.advance(TimeDelta::seconds(1));
    for url in [&master, &media, &keys] {
        assert_eq!(studio.get(url, None).await.status, 403, "the pass has ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_is_its_viewers_and_ends_with_the_right_to_watch() {
    let studio = Studio::with("revoked", None, &[]).await;
    let app = &studio.app;
    let (sam, eve) = (app.user("Sam", Role::Student).await, app.user("Eve", Role::Student).await);
    let (one, two) = (studio.ready().await, studio.ready().await);
    let lesson = studio.lesson(one, "Ownership").await;
    studio.preview(&lesson, true).await;
    let url = studio.hls(Some(&sam.token), &lesson).await;
    let key = url.replace("master.m3u8", "v0/1.key");
    // The playlist and the keys of the segments alike.
    let status = async |token: Option<&str>| {
        let (playlist, key) = (studio.get(&url, token).await.status, studio.get(&key, token).await.status);
        assert_eq!(playlist, key);
        playlist
    };
    assert_eq!(status(Some(&sam.token)).await, 200);
    assert_eq!(status(None).await, 200, "most players send no token");
    assert_eq!(status(Some(&eve.token)).await, 403, "another user's");
    let sams = uuid(&sam.id);
    let session = app.sql(&format!("SELECT id FROM sessions WHERE user_id = '{sams}'")).await;
    // Each takes the right away, and gives it back.
    for (what, take, give, expected) in [
        (
            "no preview",
            "UPDATE lessons SET is_preview = false".to_owned(),
            "UPDATE lessons SET is_preview = true".to_owned(),
            403,
        ),
        (
            "not published",
            "UPDATE courses SET published_at = NULL".into(),
            "UPDATE courses SET published_at = now()".into(),
            403,
        ),
        (
            "another video",
            format!("UPDATE lessons SET video_id = '{}'", two.uuid()),
            format!("UPDATE lessons SET video_id = '{}'", one.uuid()),
            404,
        ),
        (
            "signed out",
            format!("UPDATE sessions SET ended_at = now(), end_reason = 'SIGNED_OUT' WHERE id = '{session}'"),
            format!("UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE id = '{session}'"),
            403,
        ),
        (
            "banned",
            format!("UPDATE users SET banned_at = now(), ban_reason = 'x' WHERE id = '{sams}'"),
            format!("UPDATE users SET banned_at = NULL, ban_reason = NULL WHERE id = '{sams}'"),
            403,
        ),
    ] {
        app.sql(&take).await;
        app.forget_rows();
        assert_eq!(status(None).await, expected, "{what}");
        app.sql(&give).await;
        app.forget_rows();
        assert_eq!(status(None).await, 200, "{what}, given back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_end_with_the_access_and_what_is_hidden_is_not_there() {
    let studio = Studio::with("ends", None, &[]).await;
    let app = &studio.app;
    let (sam, root) = (app.user("Sam", Role::Student).await, app.user("Root", Role::Admin).await);
    let lesson = studio.lesson(studio.ready().await, "Ownership").await;
    let course = app.sql("SELECT id FROM courses").await;
    let course = lyceum::catalog::CourseId::new(course.parse().unwrap()).encode();
    let ends = app.app.clock.now().trunc_subsecs(0) + TimeDelta::seconds(90);
    let grant = json!({ "userId": sam.id, "courseId": course, "expiresAt": ends });
    app.mutate(&root, "grantCourseAccess", "entitlement { id }", grant).await;
    let until = |answer: &Value| playback(answer)["expiresAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(until(&studio.play(Some(&sam.token), &lesson).await), ends);
    assert!(until(&studio.play(Some(&studio.ada.token), &lesson).await) > ends);
    // A draft is as unknown as what never was.
    let keep = "mutation ($input: KeepPlayingInput!) { keepPlaying(input: $input) { playback { url }
        userErrors { code field message } } }";
    app.mutate(&studio.ada, "unpublishLesson", "lesson { id }", json!({ "lessonId": lesson })).await;
    let mut answers = Vec::new();
    for id in [lesson.as_str(), "lesson_01h455vb4pex5vsknk084sn02q"] {
        answers.push(app.data(Some(&sam.token), keep, json!({ "input": { "lessonId": id } })).await);
    }
    assert_eq!(answers[0]["keepPlaying"]["userErrors"][0]["code"], "NOT_FOUND", "{answers:#?}");
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_sessions_play_at_a_time_as_are_allowed() {
    let studio = Studio::with("players", None, &[("LYCEUM_MAX_PLAYERS", "2")]).await;
    let app = &studio.app;
    let sam = app.user("Sam", Role::Student).await;
    let lesson = studio.lesson(studio.ready().await, "Ownership").await;
    studio.preview(&lesson, true).await;
    let (two, three) = (studio.another_session(&sam).await, studio.another_session(&sam).await);
    let first = studio.hls(Some(&sam.token), &lesson).await;
    studio.hls(Some(&two), &lesson).await;
    studio.hls(Some(&two), &lesson).await;
    let refused = studio.play(Some(&three), &lesson).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "TOO_MANY_PLAYERS", "{refused:#}");
    assert_eq!(refused["data"]["node"]["video"]["playback"], Value::Null);
    assert!(playback(&studio.play(None, &lesson).await)["hlsUrl"].is_string(), "nobody in particular is not counted");
    assert!(playback(&studio.play(Some(&studio.ada.token), &lesson).await)["hlsUrl"].is_string(), "another account");
    // The first goes on, by asking for its playlist; the second says nothing for two minutes.
    app.app.clock.advance(TimeDelta::seconds(80));
    assert_eq!(studio.get(&first, None).await.status, 200);
    app.app.clock.advance(TimeDelta::seconds(41));
    studio.hls(Some(&three), &lesson).await;
    let keep = "mutation ($input: KeepPlayingInput!) { keepPlaying(input: $input) { playback { hlsUrl } userErrors { code } } }";
    let kept = async |token: &str, input: Value| app.send(Some(token), keep, json!({ "input": input })).await;
    let answer = kept(&two, json!({ "lessonId": lesson })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TOO_MANY_PLAYERS", "its place is taken: {answer:#}");
    for token in [&sam.token, &three] {
        let answer = kept(token, json!({ "lessonId": lesson })).await;
        assert!(answer["data"]["keepPlaying"]["playback"]["hlsUrl"].is_string(), "{answer:#}");
    }
    let answer = kept(&sam.token, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    let sign_out = "mutation { signOut(input: {}) { userErrors { code } } }";
    app.data(Some(&sam.token), sign_out, json!({})).await;
    studio.hls(Some(&two), &lesson).await;
    // All of somebody's API tokens have one place.
    let token = json!({ "name": "Player", "scopes": ["READ_COURSES"], "expiresAt": "2026-12-20T09:00:00Z" });
    let token = app.mutate(&User { token: two, ..sam }, "createApiToken", "token", token).await;
    let refused = studio.play(token["token"].as_str(), &lesson).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "TOO_MANY_PLAYERS", "{refused:#}");
    app.app.clock.advance(TimeDelta::minutes(3));
    app.run("enrollments.forget_players").await;
    assert_eq!(app.sql("SELECT count(*) FROM players").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_lessons_take_no_more_statements_than_one() {
    let studio = Studio::with("statements", None, &[]).await;
    let app = &studio.app;
    let (sam, root) = (app.user("Sam", Role::Student).await, app.user("Root", Role::Admin).await);
    let course = app.course(&studio.ada, "Ownership", 0).await;
    for number in 0..8 {
        let lesson = app.lesson(&studio.ada, &course, &format!("Part {number}")).await;
        studio.show(&lesson, Some(studio.ready().await)).await;
        app.publish(&studio.ada, &lesson).await;
    }
    app.mutate(&studio.ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
    let grant = json!({ "userId": sam.id, "courseId": course.id });
    app.mutate(&root, "grantCourseAccess", "entitlement { id }", grant).await;
    let query =
        "query ($id: ID!, $first: Int) { node(id: $id) { ... on Course { sections { nodes { lessons(first: $first) {
        nodes { video { posterUrl playback { hlsUrl captions { url } } } } } } } } } }";
    let mut counts = Vec::new();
    for first in [1, 8] {
        let cold = async || {
            app.forget_rows();
            app.data(Some(&sam.token), query, json!({ "id": course.id, "first": first })).await
        };
        let (statements, data) = app.counted(cold).await;
        counts.push(statements);
        let lessons = data["node"]["sections"]["nodes"][0]["lessons"]["nodes"].as_array().unwrap();
        assert_eq!(lessons.len(), first);
        assert!(lessons.iter().all(|lesson| lesson["video"]["playback"]["hlsUrl"].is_string()), "{data:#}");
    }
    assert_eq!(counts[0], counts[1], "for one lesson and for eight");
}
