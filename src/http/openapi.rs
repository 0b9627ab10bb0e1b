//! `/openapi.json`: describes the routes that are not GraphQL.

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
    let hook = json!({ "post": {
        "summary": "Where the object store tells of new objects: events in the form of S3, SNS or MinIO",
        "security": [{ "storageHook": [] }],
        "requestBody": { "required": true, "content": { "application/json": {} } },
        "responses": {
            "204": { "description": "Stored." },
            "400": { "description": "Not JSON" },
            "401": { "description": "Without the secret, or with a wrong one" },
            "404": { "description": "LYCEUM_STORAGE_HOOK_SECRET is not set" },
            "413": { "description": "Too large" },
            "503": { "description": "Not kept: send it again" }
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
            "/hooks/storage": hook,
        },
        "components": { "securitySchemes": { "storageHook": { "type": "http", "scheme": "bearer", "description": "LYCEUM_STORAGE_HOOK_SECRET; also as the password of Basic, or as ?token=" } } }
    }))
}
