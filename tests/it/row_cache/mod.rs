//! Rows that loaders keep for a moment: who has made a change reads it at once, everybody else within a second.

mod commits;
mod keys;
mod nodes;
mod reads;
mod storm;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::TestApp;

/// How old a row may be where another node has changed it.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);

const OUTLINE: &str = "id slug title subtitle description status lessonCount durationSeconds updatedAt
    instructor { name role } sections(first: 5) { totalCount nodes { id title lessonCount
        lessons(first: 5) { nodes { id title status durationSeconds section { title } course { title } } } } }";

/// Everything that the catalog shows to the bearer of `token`, by every loader there is.
async fn everything(app: &TestApp, token: &str, slugs: &[&str], ids: &[String]) -> Value {
    let pages = slugs.iter().enumerate();
    let pages: String = pages.map(|(n, slug)| format!("c{n}: course(slug: \"{slug}\") {{ {OUTLINE} }} ")).collect();
    let query = format!(
        "query ($ids: [ID!]!) {{ {pages} courses(first: 5) {{ totalCount nodes {{ {OUTLINE} }} }}
            viewer {{ user {{ name role }} }} nodes(ids: $ids) {{ __typename id ... on Course {{ title }}
                ... on Section {{ title }} ... on Lesson {{ title status }} ... on User {{ name role }} }} }}"
    );
    let mut data = app.data(Some(token), &query, json!({ "ids": ids })).await;
    data.as_object_mut().unwrap().remove("extensions");
    data
}

/// Reads until a version of at least `wanted` is there. A read that begins when it is a second old must show it.
async fn seen_within_the_limit(wanted: u64, committed: Instant, read: impl AsyncFn() -> u64) {
    loop {
        let started = Instant::now();
        let found = read().await;
        if found >= wanted {
            return;
        }
        assert!(started < committed + LIMIT, "{found} instead of {wanted}, {:?} later", started - committed);
    }
}
