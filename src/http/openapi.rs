//! `/openapi.json`: the few routes that are not GraphQL.

use axum::Json;
use serde_json::{Value, json};

pub(super) async fn document() -> Json<Value> {
    let plain = |summary: &str, media: &str| json!({ "get": { "summary": summary, "responses": { "200": { "description": "OK", "content": { media: {} } } } } });
    let ready = json!({ "get": {
        "summary": "Whether the node can do its work",
        "responses": {
            "200": { "description": "Ready", "content": { "application/json": {} } },
            "503": { "description": "Something that the node depends on does not answer", "content": { "application/json": {} } }
        }
    }});
    Json(json!({
        "openapi": "3.1.0",
        "info": { "title": "Lyceum", "version": env!("CARGO_PKG_VERSION"), "description": "The API is GraphQL, at /graphql; these are the other routes." },
        "paths": {
            "/healthz": plain("Whether the process runs", "text/plain"),
            "/readyz": ready,
            "/metrics": plain("Counters for Prometheus", "application/openmetrics-text"),
            "/console": plain("GraphiQL for administrators", "text/html"),
        }
    }))
}
