//! WebSockets on `/graphql`: what the application decides about them. The protocol is [`super::websocket`]'s.

use std::sync::{Arc, OnceLock};

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;

use super::authenticate::{Denied, authenticate_socket};
use super::server::Peer;
use super::websocket::{self, Authorised, Refusal, Settings};
use super::{Edge, request_id};
use crate::graphql::execute::Caller;
use crate::platform::auth::{Actor, Client};

pub(super) fn upgrade(edge: Edge, upgrade: WebSocketUpgrade, headers: HeaderMap, peer: Option<Peer>) -> Response {
    let limits = &edge.app.config.limits;
    let settings = Settings {
        max_operations: limits.socket_operations,
        max_message_bytes: limits.body_bytes,
        ..Settings::default()
    };
    let app = edge.app.clone();
    websocket::upgrade(upgrade, &settings, &app.tasks, move |socket| async move {
        edge.app.metrics.sockets.inc();
        let watched = OnceLock::new();
        let authorise = async |payload: Value| {
            let authorised = authorise(&edge, headers, peer, payload).await?;
            drop(watched.set(authorised.revoked.clone()));
            Ok(authorised)
        };
        let execute = |(actor, client): &(Actor, Arc<Client>), request| {
            let caller = Caller { actor: *actor, client: client.clone(), request_id: request_id::new() };
            edge.graph.stream(request, caller)
        };
        websocket::serve(socket, settings, edge.app.stopping.clone(), authorise, execute).await;
        // Nobody needs to hear any more that the session has ended.
        if let Some(watched) = watched.get() {
            watched.cancel();
        }
        edge.app.metrics.sockets.dec();
    })
}

/// `{"authorization": "Bearer …"}` in the payload of `connection_init`, or the cookies of the upgrade; without either,
/// nobody in particular.
async fn authorise(
    edge: &Edge,
    headers: HeaderMap,
    peer: Option<Peer>,
    payload: Value,
) -> Result<Authorised<(Actor, Arc<Client>)>, Refusal> {
    let app = &edge.app;
    let given = ["authorization", "Authorization"].into_iter().find_map(|name| payload.get(name));
    let authorization = match given {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err(Refusal::Forbidden("authorization must be a text.".into())),
    };
    let (actor, client) = authenticate_socket(app, &headers, peer, authorization).await?;
    let expires_at = match actor {
        Actor::Anonymous => None,
        Actor::User { expires_at, .. } => {
            let left = (expires_at - app.clock.now()).to_std().unwrap_or_default();
            Some(Instant::now() + left)
        }
    };
    let revoked = app.revocations.watch(&actor);
    Ok(Authorised { session: (actor, Arc::new(client)), expires_at, revoked })
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Refusal {
        match denied {
            Denied::Unauthenticated(message) => Refusal::Forbidden(message.into()),
            Denied::CrossSite => {
                Refusal::Forbidden("The upgrade has cookies but comes from a page of another origin.".into())
            }
            Denied::RateLimited(_) | Denied::Unavailable => Refusal::Unavailable,
        }
    }
}
