//! WebSockets on `/graphql`: what the application decides about them. The protocol is [`super::websocket`]'s.

use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::websocket::{self, Authorised, Refusal, Settings};
use super::{Edge, request_id};
use crate::graphql::execute::Caller;
use crate::platform::auth::Actor;

pub(super) fn upgrade(edge: Edge, upgrade: WebSocketUpgrade) -> Response {
    let limits = &edge.app.config.limits;
    let settings = Settings {
        max_operations: limits.socket_operations,
        max_message_bytes: limits.body_bytes,
        ..Settings::default()
    };
    let app = edge.app.clone();
    websocket::upgrade(upgrade, &settings, &app.tasks, move |socket| async move {
        edge.app.metrics.sockets.inc();
        let authorise = |payload: Value| {
            let answer = authorise(&edge, &payload);
            async move { answer }
        };
        let execute = |actor: &Actor, request| {
            let caller = Caller { actor: *actor, request_id: request_id::new() };
            edge.graph.stream(request, caller)
        };
        websocket::serve(socket, settings, edge.app.stopping.clone(), authorise, execute).await;
        edge.app.metrics.sockets.dec();
    })
}

/// `{"authorization": "Bearer …"}` in the payload of `connection_init`; without it, nobody in particular.
fn authorise(edge: &Edge, payload: &Value) -> Result<Authorised<Actor>, Refusal> {
    let given = ["authorization", "Authorization"].into_iter().find_map(|name| payload.get(name));
    let actor = match given {
        None | Some(Value::Null) => Actor::Anonymous,
        Some(Value::String(text)) => {
            let token = text.strip_prefix("Bearer ").or(text.strip_prefix("bearer ")).unwrap_or(text).trim();
            edge.app.tokens.read(token).map_err(|refused| Refusal::Forbidden(refused.message().into()))?
        }
        Some(_) => return Err(Refusal::Forbidden("authorization must be a text.".into())),
    };
    let expires_at = match actor {
        Actor::Anonymous => None,
        Actor::User { expires_at, .. } => {
            let left = (expires_at - edge.app.clock.now()).to_std().unwrap_or_default();
            Some(Instant::now() + left)
        }
    };
    // Nothing revokes a session yet; see the issue about accounts and sessions.
    Ok(Authorised { session: actor, expires_at, revoked: CancellationToken::new() })
}
