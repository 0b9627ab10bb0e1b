//! The demo school: what is in it, and that it is complete after every interruption.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::process::{Site, text};
use crate::support::rounds;

const SEED: [&str; 5] = ["seed", "--users", "40", "--courses", "31"];

/// How much there is of everything.
const COUNTS: &str = "SELECT concat_ws(' ', \
    (SELECT count(*) FROM users), (SELECT count(*) FROM users WHERE avatar_id IS NOT NULL AND bio <> ''), \
    (SELECT count(*) FROM categories WHERE image_id IS NOT NULL), (SELECT count(*) FROM categories), \
    (SELECT count(*) FROM channels WHERE image_id IS NOT NULL AND description <> ''), (SELECT count(*) FROM channels), \
    (SELECT count(*) FROM courses WHERE thumbnail_id IS NOT NULL), (SELECT count(*) FROM courses), \
    (SELECT count(*) FROM courses WHERE published_at IS NOT NULL), (SELECT count(*) FROM sections), \
    (SELECT count(*) FROM lessons), (SELECT sum(lesson_count) FROM courses), \
    (SELECT sum(duration_seconds) FROM courses), \
    (SELECT count(*) FROM videos WHERE playlist_key IS NOT NULL AND hls_secret IS NOT NULL AND delete_after IS NULL), \
    (SELECT count(*) FROM video_captions), (SELECT count(*) FROM video_references), \
    (SELECT count(*) FROM media_files WHERE unused_since IS NULL), (SELECT count(*) FROM file_references), \
    (SELECT count(*) FROM entitlements), (SELECT sum(student_count) FROM course_stats), \
    (SELECT count(*) FROM lesson_progress WHERE completed_at IS NOT NULL), (SELECT count(*) FROM certificates), \
    (SELECT count(*) FROM channel_follows), (SELECT sum(follower_count) FROM channel_stats), \
    (SELECT count(*) FROM questions), (SELECT count(*) FROM posts WHERE kind = 'REPLY'), \
    (SELECT count(*) FROM reviews), (SELECT count(*) FROM post_votes), (SELECT count(*) FROM question_follows), \
    (SELECT count(*) FROM post_texts), (SELECT sum(rating_count) FROM course_stats), \
    (SELECT count(*) FROM live_sessions), (SELECT count(*) FROM seeding WHERE ended_at IS NOT NULL))";

/// Posts and courses whose counts, or the copies that lists are sorted by, are wrong; and posts of people who may not
/// write them.
const WRONG: &str = "SELECT concat_ws(' ', \
    (SELECT count(*) FROM posts p JOIN post_stats s ON s.post_id = p.id WHERE (s.vote_count, s.reply_count, s.active_at) \
        IS DISTINCT FROM ((SELECT count(*) FROM post_votes v WHERE v.post_id = p.id), \
        (SELECT count(*) FROM posts r WHERE r.parent_id = p.id), \
        (SELECT max(r.created_at) FROM posts r WHERE p.id IN (r.id, r.parent_id)))), \
    (SELECT count(*) FROM questions q JOIN post_stats s USING (post_id) \
        WHERE (q.votes, q.is_answered, q.active_at) <> (s.vote_count, s.reply_count > 0, s.active_at)), \
    (SELECT count(*) FROM reviews r JOIN post_stats s USING (post_id) WHERE r.votes <> s.vote_count), \
    (SELECT count(*) FROM courses c JOIN course_stats s ON s.course_id = c.id \
        WHERE (stars_1, stars_2, stars_3, stars_4, stars_5, c.rating_hundredths) <> \
        (SELECT count(*) FILTER (WHERE stars = 1), count(*) FILTER (WHERE stars = 2), count(*) FILTER (WHERE stars = 3), \
            count(*) FILTER (WHERE stars = 4), count(*) FILTER (WHERE stars = 5), s.rating_hundredths \
        FROM reviews r WHERE r.course_id = c.id)), \
    (SELECT count(*) FROM posts p JOIN courses c ON c.id = p.course_id WHERE p.is_by_team <> (p.author_id = instructor_id) \
        OR NOT p.is_by_team AND NOT EXISTS (SELECT FROM enrollments e WHERE (e.user_id, e.course_id) = (author_id, c.id))), \
    (SELECT count(*) FROM posts p LEFT JOIN posts q ON q.id = p.parent_id LEFT JOIN lessons l ON l.id = p.lesson_id \
        WHERE p.created_at > now() OR p.created_at < q.created_at OR l.published_at IS NULL AND l.id IS NOT NULL), \
    (SELECT count(*) FROM post_votes v JOIN posts p ON p.id = v.post_id WHERE v.user_id = p.author_id), \
    (SELECT count(*) FROM questions q LEFT JOIN posts r ON r.id = accepted_reply_id \
        WHERE (resolved_at IS NULL) <> (r.id IS NULL) OR r.parent_id <> q.post_id OR q.lesson_id <> r.lesson_id))";

async fn complete(site: &Site) -> String {
    let output = site.run(&SEED, "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    site.sql(COUNTS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_seeding_is_completed_by_the_next_one() {
    let undisturbed = Site::new().await;
    let started = Instant::now();
    let expected = complete(&undisturbed).await;
    let whole = started.elapsed();
    assert!(expected.starts_with("40 40 15 15 6 6 31 31 "), "{expected}");
    assert_eq!(undisturbed.sql(WRONG).await, "0 0 0 0 0 0 0 0");
    let again = undisturbed.run(&SEED, "");
    assert!(!again.status.success() && text(&again.stderr).contains("--reset"), "{}", text(&again.stderr));
    for _ in 0..rounds(2) {
        let site = Site::new().await;
        let mut moments = Vec::new();
        for _ in 0..3 {
            let moment = whole.mul_f64(rand::random_range(0.02..0.8));
            moments.push(moment);
            if site.interrupt(&SEED, moment).await {
                break;
            }
        }
        if site.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'seeding'").await == "0"
            || site.sql("SELECT count(*) FROM seeding WHERE ended_at IS NOT NULL").await == "0"
        {
            complete(&site).await;
        }
        assert_eq!(site.sql(COUNTS).await, expected, "killed after {moments:?} of {whole:?}");
        let compared = site.run(&["reconcile"], "");
        assert!(text(&compared.stdout).contains(" 0 missing."), "{}", text(&compared.stdout));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_completes_the_school_and_a_reset_begins_anew() {
    let site = Site::new().await;
    // As soon as there are users, `serve --demo` of earlier versions took the school for complete.
    site.interrupt(&["seed", "--users", "5", "--courses", "2"], Duration::from_millis(600)).await;
    let node = site.serve_demo().await;
    let counts =
        "SELECT (SELECT count(*) FROM seeding WHERE ended_at IS NOT NULL) || ' ' || (SELECT count(*) FROM users)";
    let found = site.sql(counts).await;
    // The size is that of the interrupted command, if that came far enough to note it.
    assert!(found == "1 5" || found == "1 60", "{found}");
    assert!(node.output().contains("student@lyceum.example"), "{}", node.output());
    drop(node);
    let output = site.run(&["seed", "--reset", "--users", "4", "--courses", "1"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(site.sql(counts).await, "1 4");
    assert_eq!(site.sql("SELECT count(*) FROM courses").await, "1");
    let compared = text(&site.run(&["reconcile"], "").stdout);
    assert!(compared.contains(" 0 missing."), "{compared}");

    let other = Site::new().await;
    let input = "correct horse battery";
    let made = other.run(&["admin", "create", "--email", "ada@school.example", "--name", "Ada"], input);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let kept = other.run(&["seed", "--reset"], "");
    assert!(!kept.status.success() && text(&kept.stderr).contains("nothing is deleted"), "{}", text(&kept.stderr));
    assert_eq!(other.sql("SELECT count(*) FROM users").await, "1");
    let production = other.set("LYCEUM_ENV", "production");
    assert!(!production.run(&["seed", "--reset"], "").status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_of_the_demo_school_can_be_shown_at_once() {
    let site = Site::new().await;
    complete(&site).await;
    let node = site.serve().await;
    let student = node.sign_in("student").await;
    let picture = "{ url(width: 320) width height thumbHash }";
    let query = format!(
        "{{ courses(first: 50) {{ totalCount nodes {{ title language thumbnail {picture} channel {{ image {picture} \
         followerCount }} instructor {{ avatar {picture} bio }} demoVideo {{ playback {{ hlsUrl }} }} }} }} \
         categories(first: 50) {{ nodes {{ name image {picture} }} }} \
         viewer {{ enrollments(first: 50) {{ totalCount }} followedChannels(first: 50) {{ totalCount }} }} }}"
    );
    let data = node.data(Some(&student.token), &query, json!({})).await;
    let courses = data["courses"]["nodes"].as_array().unwrap();
    assert!(courses.len() >= 24, "{}", courses.len());
    assert!(courses.iter().filter(|course| course["language"] == "de").count() >= 4);
    assert_eq!(data["viewer"]["enrollments"]["totalCount"], 6);
    assert!(data["viewer"]["followedChannels"]["totalCount"].as_i64().unwrap() >= 2);
    let places = ["/thumbnail", "/channel/image", "/instructor/avatar"];
    let shown = courses.iter().flat_map(|course| places.map(|place| course.pointer(place).unwrap()));
    let of_categories = data["categories"]["nodes"].as_array().unwrap().iter().map(|category| &category["image"]);
    for image in shown.chain(of_categories) {
        assert!(image["thumbHash"].is_string() && image["width"].is_i64(), "{image}");
        let found = node.client.get(image["url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(found.status(), 200, "{image}");
    }
    let demo = courses.iter().find_map(|course| course.pointer("/demoVideo/playback/hlsUrl")?.as_str()).unwrap();
    watch(&node.client, demo).await;
}

/// Plays the start of a video: the playlists, a key, and a segment that is encrypted.
async fn watch(client: &reqwest::Client, url: &str) {
    let fetch = async |url: &reqwest::Url| {
        let response = client.get(url.clone()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{url}");
        response.bytes().await.unwrap()
    };
    let master = reqwest::Url::parse(url).unwrap();
    let text = String::from_utf8(fetch(&master).await.to_vec()).unwrap();
    let renditions: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(renditions.len(), 2, "{text}");
    let rendition = master.join(renditions[0]).unwrap();
    let text = String::from_utf8(fetch(&rendition).await.to_vec()).unwrap();
    let key = text.lines().find_map(|line| line.strip_prefix("#EXT-X-KEY:METHOD=AES-128,URI=\"")).expect("a key");
    assert_eq!(fetch(&rendition.join(key.trim_end_matches('"')).unwrap()).await.len(), 16);
    let segment = text.lines().find(|line| !line.starts_with('#') && !line.is_empty()).expect("a segment");
    let segment = fetch(&rendition.join(segment).unwrap()).await;
    assert_eq!(segment.len() % 16, 0, "AES blocks");
    assert!(!segment.windows(4).any(|word| word == b"moof"), "encrypted");
}
