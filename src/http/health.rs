//! Health checks for load balancers, and metrics.

use std::time::Duration;

use crate::platform::db::{RunQueryDsl, sql_query};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::HttpState;
use crate::platform::internal_error::InternalError;

/// The timeout for the check of the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/healthz`: the process is running.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `/readyz`: whether the process can serve requests.
///
/// 200 if the database responds and the process is not stopping, otherwise 503. Without a link to the other nodes, the
/// process is ready but degraded: subscribers hear of all nodes' events through the database.
pub(super) async fn ready(State(state): State<HttpState>) -> (StatusCode, Json<Value>) {
    let database = database(&state).await;
    let ready = database && !state.app.draining.is_cancelled() && !state.app.stopping.is_cancelled();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let database = if database { "ok" } else { "unavailable" };
    let push = if state.app.pubsub.is_linked() { "ok" } else { "degraded" };
    (status, Json(json!({ "ready": ready, "database": database, "push": push })))
}

async fn database(state: &HttpState) -> bool {
    let ask = async {
        sql_query("SELECT 1").execute(&mut *state.app.db.read().await?).await?;
        Ok::<_, InternalError>(())
    };
    match tokio::time::timeout(PATIENCE, ask).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(error = error.report(), "the database is not ready");
            false
        }
        Err(_) => {
            tracing::warn!("the database did not answer in time");
            false
        }
    }
}

/// `/metrics`: metrics in the OpenMetrics text format.
pub(super) async fn metrics(State(state): State<HttpState>) -> Response {
    let (busy, open) = state.app.db.pool_status();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        ("db_connections_busy", "Database connections in use", count(busy)),
        ("db_connections_open", "Database connections open", count(open)),
        ("db_statements", "SQL statements sent", state.app.db.statements()),
        ("password_hashes", "Password hashes computed", state.app.passwords.computed()),
        ("background_tasks", "Background tasks, connections included", count(state.app.tasks.len())),
    ];
    match state.app.metrics.encode(&gauges) {
        Ok(text) => {
            let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, media)], text).into_response()
        }
        Err(error) => {
            tracing::error!(error = error.report(), "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
