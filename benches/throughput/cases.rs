//! The benchmark cases: the same data, requested with GraphQL and with one SQL statement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::load;

/// The number of different requests per case; pgbench accepts at most 128 scripts.
pub(crate) const VARIETY: i64 = 120;

const CATALOG: &str = "query Catalog($after: String) { courses(first: 20, after: $after) { nodes { id slug title \
    subtitle lessonCount durationSeconds publishedAt instructor { id name } } pageInfo { endCursor hasNextPage } } }";

const PAGE: &str = "query CoursePage($slug: String!) { course(slug: $slug) { id title subtitle description lessonCount \
    instructor { id name } sections { nodes { id title lessons { nodes { id title durationSeconds } } } } } }";

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) requests: Vec<Arc<[u8]>>,
    pub(crate) scripts: Vec<PathBuf>,
    /// The values that pgbench binds to the scripts' parameters, as `name=value`.
    pub(crate) parameters: Vec<String>,
}

impl Case {
    /// Checks that a response has no errors, and describes its size.
    pub(crate) async fn check(&self, addr: SocketAddr) -> String {
        let body = load::once(addr, &self.requests[1]).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert!(answer["errors"].is_null(), "{answer:#}");
        format!("{} bytes, {} objects", body.len(), answer["extensions"]["cost"]["actual"])
    }
}

pub(crate) async fn prepare(url: &str, folder: &Path) -> Vec<Case> {
    let client = super::connect(url).await;
    vec![catalog(&client, folder).await, page(&client, folder).await]
}

/// Prepares catalog pages at cursors that are spread over the whole catalog.
async fn catalog(client: &Client, folder: &Path) -> Case {
    let sql = "SELECT id::text, (extract(epoch FROM published_at) * 1000000)::bigint, published_at::text FROM courses \
               WHERE published_at IS NOT NULL ORDER BY published_at DESC, id DESC";
    let rows = client.query(sql, &[]).await.unwrap();
    let step = rows.len() / usize::try_from(VARIETY).unwrap();
    let (mut requests, mut scripts, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().step_by(step.max(1)).take(usize::try_from(VARIETY).unwrap()) {
        let (id, micros, at): (String, i64, String) = (row.get(0), row.get(1), row.get(2));
        let key = json!(["courses", [micros, id.parse::<Uuid>().unwrap()]]);
        let cursor = URL_SAFE_NO_PAD.encode(key.to_string());
        requests.push(load::post(&json!({ "query": CATALOG, "variables": { "after": cursor } }).to_string()));
        let number = scripts.len();
        parameters.extend([format!("at{number}={at}"), format!("id{number}={id}")]);
        let statement = format!(
            "SELECT c.id, c.slug, c.title, c.subtitle, c.lesson_count, c.duration_seconds, c.published_at, u.id, u.name \
             FROM courses c JOIN users u ON u.id = c.instructor_id \
             WHERE c.published_at IS NOT NULL AND c.archived_at IS NULL AND (c.published_at, c.id) < (:at{number}, :id{number}) \
             ORDER BY c.published_at DESC, c.id DESC LIMIT 21;"
        );
        scripts.push(script(folder, "catalog", scripts.len(), &statement));
    }
    Case { name: "catalog", requests, scripts, parameters }
}

async fn page(client: &Client, folder: &Path) -> Case {
    let sql = "SELECT slug FROM courses WHERE published_at IS NOT NULL ORDER BY md5(slug) LIMIT $1";
    let (mut requests, mut scripts, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
    for row in client.query(sql, &[&VARIETY]).await.unwrap() {
        let slug: String = row.get(0);
        requests.push(load::post(&json!({ "query": PAGE, "variables": { "slug": slug } }).to_string()));
        let number = scripts.len();
        parameters.push(format!("slug{number}={slug}"));
        let statement = format!(
            "SELECT c.id, c.title, c.subtitle, c.description, c.lesson_count, u.id, u.name, s.id, s.title, \
                    l.id, l.title, l.duration_seconds \
             FROM courses c JOIN users u ON u.id = c.instructor_id JOIN sections s ON s.course_id = c.id \
             LEFT JOIN lessons l ON l.section_id = s.id AND l.published_at IS NOT NULL \
             WHERE c.slug = :slug{number} ORDER BY s.position, l.position;"
        );
        scripts.push(script(folder, "page", scripts.len(), &statement));
    }
    Case { name: "course page", requests, scripts, parameters }
}

/// Writes a script for pgbench.
pub(crate) fn script(folder: &Path, name: &str, number: usize, statement: &str) -> PathBuf {
    let path = folder.join(format!("{name}-{number}.sql"));
    std::fs::write(&path, statement).unwrap();
    path
}
