//! The cases of discussions: a page of questions with their first replies, and asking a question.
//!
//! Users who are entitled to everything read and ask. The server runs without its row cache.

use std::path::Path;
use std::sync::Arc;

use lyceum::catalog::{CourseId, LessonId};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::cases::{Case, VARIETY, script};
use super::load;
use super::players::{Student, students, uuids};

/// The users who ask: so many that none of them meets the limit of posts in an hour.
const ASKERS: usize = 4000;
/// By which the questions of earlier runs are found.
const TITLE: &str = "A question of the benchmark";
const BODY: &str = "I have followed every step **twice**, and what I get is something else than what the video shows. \
    Which of the two is right, and how do I find out where they part?";

const DISCUSSION: &str = "query Discussion($id: ID!) { course(id: $id) { id questions(first: 20) { nodes { id title \
    body createdAt voteCount replyCount author { id name } replies(first: 5) { nodes { id body createdAt isByTeam \
    author { id name } } } } pageInfo { endCursor hasNextPage } } } }";

const ASK: &str = "mutation Ask($input: CreateQuestionInput!) { createQuestion(input: $input) { \
    question { id title createdAt author { id name } } userErrors { message } } }";

/// Deletes what earlier runs have asked, and prepares both cases.
pub(crate) async fn prepare(url: &str, folder: &Path) -> Vec<Case> {
    let client = super::connect(url).await;
    forget(&client).await;
    let students = students(&client, ASKERS).await;
    vec![read(&client, folder, &students).await, ask(&client, folder, &students).await]
}

/// Deletes the questions of a run, with what came of them.
pub(crate) async fn forget(client: &Client) {
    let sql = format!(
        "DELETE FROM posts USING questions WHERE post_id = id AND title = '{TITLE}'; \
         DELETE FROM jobs; DELETE FROM notification_deliveries; DELETE FROM notification_walks; \
         DELETE FROM notifications; \
         DELETE FROM events WHERE kind IN ('question_asked', 'notification_created', 'benchmark'); \
         VACUUM ANALYZE posts; VACUUM ANALYZE post_stats; VACUUM ANALYZE questions; VACUUM ANALYZE post_texts; \
         VACUUM ANALYZE jobs; VACUUM ANALYZE events"
    );
    // VACUUM is not possible in the transaction of several statements.
    for statement in sql.split("; ") {
        client.batch_execute(statement).await.unwrap();
    }
}

async fn read(client: &Client, folder: &Path, students: &[Student]) -> Case {
    let sql =
        "SELECT course_id::text FROM questions GROUP BY course_id HAVING count(*) > 20 ORDER BY md5(course_id::text)";
    let (mut requests, mut scripts, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
    for (course, student) in uuids(client, &format!("{sql} LIMIT {VARIETY}")).await.into_iter().zip(students) {
        let body = json!({ "query": DISCUSSION, "variables": { "id": CourseId::new(course).encode() } });
        requests.push(load::post_as(&body.to_string(), Some(&student.token)));
        let number = scripts.len();
        parameters.push(format!("course{number}={course}"));
        let statement = format!(
            "SELECT q.post_id, q.title, p.body, p.created_at, s.vote_count, s.reply_count, u.id, u.name, \
                    r.id, r.body, r.created_at, r.is_by_team, v.id, v.name \
             FROM (SELECT * FROM questions WHERE course_id = :course{number} \
                   ORDER BY is_pinned DESC, post_id DESC LIMIT 21) q \
             JOIN posts p ON p.id = q.post_id JOIN post_stats s ON s.post_id = q.post_id \
             JOIN users u ON u.id = p.author_id \
             LEFT JOIN LATERAL (SELECT * FROM posts r WHERE r.parent_id = q.post_id AND r.hidden_at IS NULL \
                   ORDER BY r.id LIMIT 6) r ON true \
             LEFT JOIN users v ON v.id = r.author_id ORDER BY q.is_pinned DESC, q.post_id DESC, r.id;"
        );
        scripts.push(script(folder, "discussion", number, &statement));
    }
    assert!(requests.len() > 50, "too few courses with questions");
    Case { name: "discussion", requests, scripts, parameters }
}

async fn ask(client: &Client, folder: &Path, students: &[Student]) -> Case {
    let sql = "SELECT l.id::text FROM lessons l JOIN courses c ON c.id = l.course_id WHERE l.published_at IS NOT NULL \
        AND c.published_at IS NOT NULL AND c.archived_at IS NULL ORDER BY md5(l.id::text)";
    let lessons = uuids(client, &format!("{sql} LIMIT {VARIETY}")).await;
    let request = |(number, student): (usize, &Student)| -> Arc<[u8]> {
        let lesson = LessonId::new(lessons[number % lessons.len()]).encode();
        let input: Value = json!({ "lessonId": lesson, "title": TITLE, "body": BODY });
        let body = json!({ "query": ASK, "variables": { "input": input } });
        load::post_as(&body.to_string(), Some(&student.token))
    };
    let requests = students.iter().enumerate().map(request).collect();
    let (mut scripts, mut parameters) = (Vec::new(), Vec::new());
    for (number, (lesson, student)) in lessons.iter().zip(students).enumerate() {
        let user: Uuid = student.user;
        parameters.extend([format!("lesson{number}={lesson}"), format!("user{number}={user}")]);
        scripts.push(script(folder, "ask", number, &statements(number)));
    }
    Case { name: "ask a question", requests, scripts, parameters }
}

/// What somebody would write by hand: one transaction, with one statement for each table.
fn statements(number: usize) -> String {
    let (lesson, user) = (format!(":lesson{number}::uuid"), format!(":user{number}::uuid"));
    format!(
        "BEGIN;\n\
         SELECT id FROM users WHERE id = {user} FOR NO KEY UPDATE;\n\
         SELECT l.course_id AS course, gen_random_uuid() AS post FROM lessons l JOIN courses c ON c.id = l.course_id \
         WHERE l.id = {lesson} AND l.published_at IS NOT NULL AND c.published_at IS NOT NULL AND EXISTS (SELECT \
         FROM entitlements e WHERE e.user_id = {user} AND (e.scope = 'EVERYTHING' OR e.course_id = c.id) \
         AND e.ended_at IS NULL AND (e.expires_at IS NULL OR e.expires_at > now()) AND e.starts_at <= now())\n\\gset\n\
         INSERT INTO posts (id, kind, course_id, lesson_id, author_id, body, is_by_team, created_at) VALUES \
         (:post::uuid, 'QUESTION', :course::uuid, {lesson}, {user}, '{BODY}', false, now());\n\
         INSERT INTO post_stats (post_id, active_at) VALUES (:post::uuid, now());\n\
         INSERT INTO questions (post_id, course_id, lesson_id, author_id, title, active_at) VALUES \
         (:post::uuid, :course::uuid, {lesson}, {user}, '{TITLE}', now());\n\
         INSERT INTO question_follows (question_id, user_id, followed_at) VALUES (:post::uuid, {user}, now());\n\
         INSERT INTO post_texts (post_id, thread_id, words) VALUES (:post::uuid, :post::uuid, \
         search_vector('{TITLE}', 'A') || search_vector('{BODY}', 'B'));\n\
         INSERT INTO events (id, kind, topics, payload, recorded_at) VALUES (gen_random_uuid(), 'benchmark', \
         ARRAY['discussions:' || :course::text], jsonb_build_object('post', :post::text), now());\n\
         SELECT p.created_at, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = :post::uuid;\n\
         COMMIT;\n"
    )
}
