//! The plans of the statements that a running server sends: none reads the whole of a table that grows.
//!
//! `auto_explain` writes the plan of every statement of this test's database into the log of the cluster. Sequential
//! scans are off, so that the planner takes one only if no index serves, however few rows the tables have.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Teacher, activate, register};
use crate::support::cluster;
use crate::support::eventually;
use crate::support::process::Site;

/// The tables with a row for each course, person or event.
const GROWING: [&str; 32] = [
    "api_tokens",
    "audit_entries",
    "certificates",
    "channel_followers",
    "channels",
    "courses",
    "enrollments",
    "entitlements",
    "events",
    "identities",
    "inbox",
    "jobs",
    "lesson_progress",
    "lessons",
    "media_files",
    "players",
    "post_reports",
    "post_stats",
    "post_texts",
    "post_votes",
    "posts",
    "question_follows",
    "questions",
    "refresh_tokens",
    "registrations",
    "reviews",
    "revocations",
    "sections",
    "sessions",
    "uploads",
    "users",
    "videos",
];

/// What a school with many students has written: with a row or two, whole indexes are as good as anything.
const CROWD: &str = "
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), number || '@crowd.example', 'Student ' || number, 'STUDENT', now(), now()
        FROM generate_series(1, 200) AS number;
    INSERT INTO posts (id, kind, course_id, lesson_id, author_id, body, is_by_team, created_at)
        SELECT gen_random_uuid(), 'QUESTION', course_id, lessons.id, users.id, 'An engine?', false, now()
        FROM lessons, users WHERE users.email LIKE '%1@crowd.example';
    INSERT INTO questions (post_id, course_id, lesson_id, author_id, title, votes, active_at)
        SELECT id, course_id, lesson_id, author_id, 'How?', (random() * 9)::int, created_at FROM posts WHERE kind = 'QUESTION';
    INSERT INTO posts (id, kind, course_id, lesson_id, parent_id, author_id, body, is_by_team, created_at)
        SELECT gen_random_uuid(), 'REPLY', course_id, lesson_id, id, author_id, 'So.', false, now()
        FROM posts, generate_series(1, 3) WHERE kind = 'QUESTION';
    INSERT INTO posts (id, kind, course_id, author_id, body, is_by_team, created_at)
        SELECT gen_random_uuid(), 'REVIEW', courses.id, users.id, 'Good.', false, now()
        FROM courses, users WHERE users.email LIKE '%@crowd.example';
    INSERT INTO reviews (post_id, course_id, author_id, stars, is_shown, is_refunded)
        SELECT id, course_id, author_id, 1 + (random() * 4)::int, true, false FROM posts WHERE kind = 'REVIEW'
        ON CONFLICT DO NOTHING;
    INSERT INTO post_stats (post_id, reply_count, active_at)
        SELECT id, CASE kind WHEN 'QUESTION' THEN 3 ELSE 0 END, created_at FROM posts ON CONFLICT DO NOTHING;
    INSERT INTO post_texts (post_id, thread_id, words)
        SELECT id, coalesce(parent_id, id),
            search_vector(body, 'B') || quote_literal(replace(course_id::text, '-', ''))::tsvector
        FROM posts WHERE kind <> 'REVIEW' ON CONFLICT DO NOTHING;
    INSERT INTO post_votes (post_id, user_id, voted_at) SELECT id, author_id, now() FROM posts
        ON CONFLICT DO NOTHING;
    INSERT INTO question_follows (question_id, user_id, followed_at) SELECT post_id, author_id, now() FROM questions;
    INSERT INTO post_reports (id, course_id, post_id, reporter_id, reason, created_at)
        SELECT gen_random_uuid(), course_id, id, author_id, 'Spam', now() FROM posts WHERE kind = 'REPLY';
    INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at)
        SELECT gen_random_uuid(), users.id, 'COURSE', courses.id, 'GRANT', now() FROM users, courses
        WHERE role = 'STUDENT' ON CONFLICT DO NOTHING";

/// What frontends ask most: the operations of visitors, of a student and of the team, with their variables.
const HOT: [(&str, &str); 29] = [
    (
        "",
        "{ courses(first: 3) { nodes { reviews(first: 5, sort: MOST_HELPFUL) { totalCount nodes { stars response { id } } } } } }",
    ),
    ("", "{ courses(first: 8) { nodes { id title channel { name } instructor { name } category { name } } } }"),
    ("", "{ courses(first: 8, filter: { isFree: true }, sort: { field: RATING, direction: DESC }) { nodes { id } } }"),
    ("", "{ searchCourses(query: \"Rust\", first: 20) { totalCount nodes { course { id } snippet { text } } } }"),
    ("", "{ searchCourses(query: \"Rsut\", first: 20) { nodes { course { id } } } }"),
    ("", "{ categories(first: 20) { nodes { id courses(first: 3) { totalCount nodes { id } } } } }"),
    (
        "student",
        "{ viewer { enrollments(first: 20) { totalCount nodes { course { id viewerAccess { granted expiresAt } } } } } }",
    ),
    (
        "student",
        "{ viewer { enrollments(first: 20, filter: { state: ACTIVE }, sort: { field: TITLE, direction: ASC }) { totalCount nodes { entitlements { nodes { source } } progress { percent } certificate { code } course { viewerEnrollment { id } } } } } }",
    ),
    (
        "student",
        "{ viewer { followedChannels(first: 10) { nodes { id followerCount } } } viewer { sessions(first: 5) { nodes { id } } } }",
    ),
    (
        "instructor",
        "{ viewer { courses(first: 20) { nodes { id studentCount } } } viewer { channels(first: 20) { nodes { id } } } }",
    ),
    (
        "instructor",
        "{ viewer { uploads(first: 20) { nodes { id } } } viewer { videos(first: 20) { nodes { id } } } viewer { apiTokens { nodes { id } } } }",
    ),
    ("admin", "{ users(first: 50, filter: { query: \"ada\" }) { nodes { id } } }"),
    ("admin", "{ auditEntries(first: 20) { nodes { id actor { name } } } }"),
    ("admin", "{ auditEntries(first: 20) { nodes { id target { id } details { __typename } } } }"),
    ("admin", "{ sessions(first: 20) { nodes { id user { name lastSignInAt } } } }"),
    ("admin", "{ sessions(first: 20, filter: { ip: \"127.0.0.1\", isActive: true }) { nodes { id } } }"),
    (
        "admin",
        "{ users(first: 5) { nodes { sessions(first: 5) { totalCount nodes { id } } enrollments(first: 5) { totalCount nodes { id } } } } }",
    ),
    ("admin", "{ users(first: 50, sort: { field: NAME, direction: ASC }) { nodes { id ban { reason } } } }"),
    (
        "student",
        "{ courses(first: 2) { nodes { questions(first: 20, sort: NEWEST) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } }",
    ),
    (
        "student",
        "{ courses(first: 2) { nodes { lessons(first: 2) { nodes { questions(first: 20, sort: NEWEST) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } } } }",
    ),
    (
        "student",
        "{ courses(first: 2) { nodes { questions(first: 20, sort: MOST_VOTED) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } }",
    ),
    (
        "student",
        "{ courses(first: 2) { nodes { lessons(first: 2) { nodes { questions(first: 20, sort: MOST_VOTED) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } } } }",
    ),
    (
        "instructor",
        "{ courses(first: 2) { nodes { questions(first: 20, sort: RECENT_ACTIVITY) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } }",
    ),
    (
        "instructor",
        "{ courses(first: 2) { nodes { lessons(first: 2) { nodes { questions(first: 20, sort: RECENT_ACTIVITY) { totalCount nodes { id title replyCount author { name } viewerHasVoted viewerFollows acceptedReply { id } replies(first: 5) { totalCount nodes { id author { name } } } } } } } } } }",
    ),
    (
        "student",
        "{ courses(first: 1) { nodes { questions(first: 20, filter: { query: \"engine\", isResolved: false, isAnswered: false, isMine: false, isFollowed: false }) { totalCount nodes { id } } } } }",
    ),
    (
        "student",
        "{ courses(first: 3) { nodes { viewerReview { id } reviews(first: 5, sort: NEWEST, filter: { stars: [4, 5] }) { totalCount nodes { stars voteCount author { name } response { id } } } } } }",
    ),
    ("student", "{ viewer { certificates(first: 20) { totalCount nodes { code course { title } } } } }"),
    (
        "instructor",
        "{ reports(first: 20, filter: { isResolved: false }) { totalCount nodes { id course { title } reporter { name } post { id author { name } } } } }",
    ),
    ("admin", "{ reports(first: 20) { totalCount nodes { id post { id } } } }"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_of_a_running_server_reads_the_whole_of_a_table_that_grows() {
    let site = Site::new().await.seed(12);
    let (_, database) = site.database().rsplit_once('/').unwrap();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = 'warning'",
        "enable_seqscan = off",
    ] {
        site.sql(&format!("ALTER DATABASE {database} SET {setting}")).await;
    }
    // With a row or two, whole indexes are as good as anything.
    let waiting = "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at)
        SELECT gen_random_uuid(), 'media.process', '{}', 'later ' || number, now(), now() + interval '1 year'
        FROM generate_series(1, 1000) AS number";
    site.sql(waiting).await;
    // Nor are these explained.
    site.sql(&format!("SET auto_explain.log_min_duration = -1; {CROWD}")).await;
    site.sql("ANALYZE posts, post_stats, post_texts, post_votes, post_reports, questions, question_follows, reviews")
        .await;
    let node = site.serve().await;
    let teacher = Teacher::on(&node).await;
    register(&node).await;
    activate(&site, &node).await;
    let course = "{ courses(first: 1, filter: { isFree: true }) { nodes { id slug } } }";
    let course = node.data(None, course, json!({})).await["courses"]["nodes"][0].take();
    let student = node.sign_in("student").await;
    let enroll = "mutation ($input: EnrollInput!) { enroll(input: $input) { userErrors { message } } }";
    node.data(Some(&student.token), enroll, json!({ "input": { "courseId": course["id"] } })).await;
    let page = "query ($slug: String!) { course(slug: $slug) { id studentCount viewerAccess { granted }
        channel { viewerFollows followerCount } sections(first: 5) { nodes { lessons(first: 5) { nodes { id
        viewerAccess { granted } content { descriptionHtml } } } } } } }";
    node.data(Some(&student.token), page, json!({ "slug": course["slug"] })).await;
    for (who, operation) in HOT {
        let user = match who {
            "" => None,
            "student" => Some(student.clone()),
            "instructor" => Some(teacher.user.clone()),
            who => Some(node.sign_in(who).await),
        };
        node.data(user.as_ref().map(|user| user.token.as_str()), operation, json!({})).await;
    }
    // This test's own statement is not explained.
    let waiting = "SET auto_explain.log_min_duration = -1; SELECT count(*) FROM events WHERE pushed_at IS NULL";
    eventually("the events are pushed", async || cluster::ask(site.database(), waiting).await == "0").await;

    let log = std::fs::read(cluster::folder().join("postgres/postgres.log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    let plans: Vec<&str> = log.split("  plan:\n").skip(1).collect();
    assert!(plans.len() > 100, "only {} plans were logged", plans.len());
    let slow: BTreeSet<&str> = plans.iter().filter_map(|plan| whole_table(plan)).collect();
    assert!(slow.is_empty(), "{} statements:\n{}", slow.len(), slow.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Returns the plan if it scans one of the tables that grow.
fn whole_table(plan: &str) -> Option<&str> {
    // The continuation lines of an entry begin with a tab.
    let end =
        plan.match_indices('\n').find(|(at, _)| !plan[at + 1..].starts_with('\t')).map_or(plan.len(), |(at, _)| at);
    let plan = &plan[..end];
    let lines: Vec<&str> = plan.lines().collect();
    let reads_all = |(place, line): (usize, &&str)| {
        let Some((scan, rest)) = line.split_once(" on ") else { return false };
        let is_growing = rest.split_whitespace().next().is_some_and(|table| GROWING.contains(&table));
        // An index that is read from one end to the other, unless it is for the first rows in its order.
        let is_whole_index = (scan.contains("Index Scan") || scan.contains("Index Only Scan"))
            && !lines.get(place + 1).is_some_and(|next| next.contains("Index Cond"))
            && !lines[..place].iter().any(|line| line.contains("Limit"));
        is_growing && (scan.ends_with("Seq Scan") || is_whole_index)
    };
    lines.iter().enumerate().any(reads_all).then_some(plan)
}

#[test]
fn a_scan_of_a_growing_table_is_found_in_a_plan() {
    let plan = |table: &str| format!("\tQuery Text: SELECT 1\n\tSeq Scan on {table}  (cost=0.00..1 rows=1)\n2026 x");
    assert!(whole_table(&plan("courses")).is_some_and(|plan| !plan.contains("2026")));
    assert!(whole_table(&plan("categories")).is_none());
    let index = "\t  ->  Index Scan using users_pkey on users  (cost=0.1..2 rows=1)\n";
    assert!(whole_table(index).is_some(), "an index without a condition");
    assert!(whole_table(&format!("{index}\t        Index Cond: (id = $1)\n")).is_none());
    assert!(whole_table(&format!("\tLimit  (cost=0.1..2 rows=1)\n{index}")).is_none());
}
