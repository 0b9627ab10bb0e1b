//! For load balancers and dashboards.

use std::time::Duration;

use crate::platform::db::RunQueryDsl;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Edge;
use crate::platform::fault::Fault;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The process can do its work: what it depends on answers.
pub(super) async fn ready(State(edge): State<Edge>) -> (StatusCode, Json<Value>) {
    let database = async {
        diesel::sql_query("SELECT 1").execute(&mut *edge.app.db.read().await?).await?;
        Ok::<_, Fault>(())
    };
    let cache = async { edge.app.cache.get("ready").await.map(drop) };
    let (database, cache) = tokio::join!(check("database", database), check("cache", cache));
    let ready = database && cache && !edge.app.stopping.is_cancelled();
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "database": word(database), "cache": word(cache) })))
}

async fn check(name: &str, work: impl Future<Output = Result<(), Fault>>) -> bool {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(())) => true,
        Ok(Err(fault)) => {
            tracing::warn!(fault = fault.report(), "{name} is not ready");
            false
        }
        Err(_) => {
            tracing::warn!("{name} did not answer in time");
            false
        }
    }
}

/// Counters in the OpenMetrics text format.
pub(super) async fn metrics(State(edge): State<Edge>) -> Response {
    let (busy, open) = edge.app.db.pool_status();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        ("db_connections_busy", "Database connections in use", count(busy)),
        ("db_connections_open", "Database connections open", count(open)),
        ("db_statements", "SQL statements sent", edge.app.db.statements()),
        ("password_hashes", "Password hashes computed", edge.app.passwords.computed()),
        ("background_tasks", "Background tasks, connections included", count(edge.app.tasks.len())),
    ];
    match edge.app.metrics.encode(&gauges) {
        Ok(text) => {
            let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, media)], text).into_response()
        }
        Err(fault) => {
            tracing::error!(fault = fault.report(), "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
