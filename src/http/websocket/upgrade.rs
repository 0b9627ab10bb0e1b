//! WebSocket upgrades on `/graphql`: authorization of connections and execution of requests.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::{Authorised, Rejection, Settings, accept, serve};
use crate::graphql::executor::RequestInfo;
use crate::http::authenticate::{Denied, authenticate_socket, client};
use crate::http::ending::SessionEnd;
use crate::http::server::{Peer, Place};
use crate::http::{HttpState, request_id};
use crate::platform::auth::{Actor, Client};

/// How long the socket of an anonymous client stays open without an operation.
const IDLE: Duration = Duration::from_secs(60);

pub(in crate::http) fn upgrade(
    state: HttpState,
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
    peer: Option<Peer>,
    place: Option<Place>,
) -> Response {
    let limits = &state.app.config.limits;
    let settings = Settings {
        max_operations: limits.socket_operations,
        max_message_bytes: limits.body_bytes,
        ..Settings::default()
    };
    let app = state.app.clone();
    let address = client(&app.config, &headers, peer).address();
    let Some(share) = app.sockets.take(address) else {
        return (StatusCode::TOO_MANY_REQUESTS, "Too many sockets are open at this address.\n").into_response();
    };
    accept(upgrade, &settings, &app.tasks, move |socket| async move {
        let open = state.app.metrics.socket();
        let watched = OnceLock::new();
        let authorise = async |payload: Value| {
            let authorised = authorise(&state, headers, peer, payload).await?;
            drop(watched.set(authorised.revoked.clone()));
            Ok(authorised)
        };
        let execute = |(actor, client): &(Actor, Arc<Client>), request| {
            let request_id = request_id::new();
            let client = Arc::new(Client::clone(client).of_request(&request_id));
            let info = RequestInfo { actor: *actor, client, request_id };
            state.executor.stream(request, info)
        };
        serve(socket, settings, state.app.stopping.clone(), authorise, execute).await;
        // Unregister from session revocations.
        if let Some(watched) = watched.get() {
            watched.cancel();
        }
        drop((open, share, place));
    })
}

/// Decides on a `connection_init`.
///
/// The caller authenticates by `{"authorization": "Bearer …"}` in the payload, or by the cookies of the upgrade;
/// without either, it is anonymous.
async fn authorise(
    state: &HttpState,
    headers: HeaderMap,
    peer: Option<Peer>,
    payload: Value,
) -> Result<Authorised<(Actor, Arc<Client>)>, Rejection> {
    let app = &state.app;
    let given = ["authorization", "Authorization"].into_iter().find_map(|name| payload.get(name));
    let authorization = match given {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err(Rejection::Forbidden("authorization must be a text.".into())),
    };
    let (actor, client) = authenticate_socket(app, &headers, peer, authorization).await?;
    let SessionEnd { expires_at, revoked } = SessionEnd::of(app, &actor);
    let idle_timeout = (actor == Actor::Anonymous).then_some(IDLE);
    Ok(Authorised { session: (actor, Arc::new(client)), expires_at, revoked, idle_timeout })
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Rejection {
        match denied {
            Denied::Unauthenticated(message) => Rejection::Forbidden(message.into()),
            Denied::CrossSite => {
                Rejection::Forbidden("The upgrade has cookies but comes from a page of another origin.".into())
            }
            Denied::RateLimited(_) | Denied::Unavailable => Rejection::Unavailable,
        }
    }
}
