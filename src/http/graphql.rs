//! `/graphql`: GET and POST as in the GraphQL-over-HTTP draft, streams of results, and the WebSocket upgrade.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as GraphResponse};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::future::join_all;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

use super::authenticate::{Denied, Sender, authenticate, is_bare, sends_cookies};
use super::ending::{SessionEnd, ending};
use super::negotiation::{self, Accepted, MediaType, RequestErrors, executed, respond, respond_shared, retry_later};
use super::params::Params;
use super::server::{Peer, Place};
use super::streaming::Framing;
use super::{HttpState, index, request_id, streaming, websocket};
use crate::graphql::Error;
use crate::graphql::error::request_error;
use crate::graphql::executor::{RequestInfo, rejection};
use crate::platform::auth::{Actor, Client};

/// How long a client may take to send a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How many bytes of a body that is too large are read and discarded.
const DISCARDED: usize = 64 << 20;
/// How long a body that is too large is read and discarded.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// A GraphQL request in a query string, where `variables` is a JSON string.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryParams {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

/// Why a request is rejected before it reaches the executor.
struct Unread {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Unread {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Unread {
        Unread { status, code, message: message.into() }
    }

    fn bad_request(message: impl Into<String>) -> Unread {
        Unread::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }
}

/// The mutations that obtain or end a session; they are allowed with an invalid token.
const RENEWALS: [&str; 3] = ["signIn", "refreshSession", "signOut"];

/// An HTTP request in progress: the response media type and the caller.
struct Exchange {
    state: HttpState,
    media: MediaType,
    /// How to stream the results; `None` if the client does not accept a stream.
    framing: Option<Framing>,
    /// Whether the client accepts nothing but a stream.
    streams_only: bool,
    info: RequestInfo,
    /// Why the caller's token is invalid, if it is.
    rejected: Option<&'static str>,
}

pub(super) async fn get(
    State(state): State<HttpState>,
    peer: Option<Extension<Peer>>,
    place: Option<Extension<Place>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    params: Result<Query<QueryParams>, QueryRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        let (peer, place) = (peer.map(|Extension(peer)| peer), place.map(|Extension(place)| place));
        return websocket::upgrade(state, upgrade, headers, peer, place);
    }
    // A browser's address bar. With a query it gets the answer to it.
    if index::wants_html(&headers) && params.as_ref().is_ok_and(|Query(params)| params.query.is_none()) {
        return index::endpoint(&state.app.config);
    }
    let exchange = match Exchange::open(state, &Method::GET, &headers, peer).await {
        Ok(exchange) => exchange,
        Err(response) => return *response,
    };
    let request = params
        .map_err(|rejection| Unread::bad_request(rejection.body_text()))
        .and_then(|Query(params)| params.into_request());
    match request {
        Ok(request) => exchange.query(request, &headers).await,
        Err(unread) => exchange.unread(unread),
    }
}

pub(super) async fn post(
    State(state): State<HttpState>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let exchange = match Exchange::open(state, &Method::POST, &headers, peer).await {
        Ok(exchange) => exchange,
        Err(response) => return *response,
    };
    if !negotiation::is_json(&headers) {
        let message = "Send the request as application/json in UTF-8.";
        let unread = Unread::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
        return exchange.unread(unread);
    }
    let bytes = match read(body, exchange.state.app.config.limits.body_bytes).await {
        Ok(bytes) => bytes,
        Err(unread) => return exchange.unread(unread),
    };
    match parse(&bytes, exchange.state.app.config.limits.batch) {
        Ok(Parsed::One(request)) => exchange.one(*request).await,
        Ok(Parsed::Batch(requests)) => exchange.batch(requests).await,
        Err(unread) => exchange.unread(unread),
    }
}

pub(super) async fn wrong_method(State(state): State<HttpState>, method: Method, headers: HeaderMap) -> Response {
    match Exchange::open(state, &method, &headers, None).await {
        Ok(exchange) => exchange.method_not_allowed("Use GET or POST.", "GET, POST"),
        Err(response) => *response,
    }
}

impl Exchange {
    /// Negotiates the media type and authenticates the caller.
    async fn open(
        state: HttpState,
        method: &Method,
        headers: &HeaderMap,
        peer: Option<Extension<Peer>>,
    ) -> Result<Exchange, Box<Response>> {
        let request_id = request_id::of(headers);
        let accepted = Accepted::negotiate(headers);
        let info = RequestInfo { actor: Actor::Anonymous, client: Arc::new(Client::default()), request_id };
        let Accepted { single, stream } = accepted.unwrap_or(Accepted { single: None, stream: None });
        // What is rejected before a stream begins is answered as JSON.
        let media = single.unwrap_or(MediaType::Json);
        let mut exchange =
            Exchange { state, media, framing: stream, streams_only: single.is_none(), info, rejected: None };
        if accepted.is_none() {
            let message = "Accept application/graphql-response+json, application/json or, for a stream of results, \
                text/event-stream or multipart/mixed;subscriptionSpec=1.0.";
            let unread = Unread::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message);
            return Err(Box::new(exchange.unread(unread)));
        }
        let peer = peer.map(|Extension(peer)| peer);
        match authenticate(&exchange.state.app, method, headers, peer).await {
            Ok(Sender { actor, client, rejected }) => {
                let foreign = !client.takes_cookies && headers.contains_key(header::ORIGIN);
                if stream.is_some() && foreign && sends_cookies(&exchange.state.app, headers) {
                    return Err(Box::new(exchange.denied(Denied::CrossSite)));
                }
                exchange.info.actor = actor;
                exchange.info.client = Arc::new(client.of_request(&exchange.info.request_id));
                exchange.rejected = rejected;
            }
            Err(denied) => return Err(Box::new(exchange.denied(denied))),
        }
        Ok(exchange)
    }

    async fn query(self, request: Request, headers: &HeaderMap) -> Response {
        if self.state.executor.kind(&request) == Some(OperationType::Mutation) {
            return self.method_not_allowed("A mutation needs POST.", "POST");
        }
        if let Some(rejected) = self.unauthenticated(std::slice::from_ref(&request)) {
            return rejected;
        }
        if let Some(framing) = self.framing_of(&request) {
            return self.stream(framing, request);
        }
        let app = &self.state.app;
        let most = if is_bare(app, headers) { app.config.cache_seconds } else { 0 };
        let seconds = most.min(self.state.executor.max_age(&request));
        match self.state.executor.execute(request, &self.info).await {
            Ok(answer) if seconds > 0 && answer.errors.is_empty() && answer.http_headers.is_empty() => {
                respond_shared(self.media, &self.info.request_id, &answer, seconds, headers)
            }
            outcome => self.answer(outcome),
        }
    }

    /// Returns the rejection if the token is invalid, unless all requests are in [`RENEWALS`].
    fn unauthenticated(&self, requests: &[Request]) -> Option<Response> {
        let message = self
            .rejected
            .filter(|_| !requests.iter().all(|request| self.state.executor.mutates_only(request, &RENEWALS)))?;
        Some(self.denied(Denied::Unauthenticated(message)))
    }

    async fn one(self, request: Request) -> Response {
        if let Some(rejected) = self.unauthenticated(std::slice::from_ref(&request)) {
            return rejected;
        }
        if let Some(framing) = self.framing_of(&request) {
            return self.stream(framing, request);
        }
        let outcome = self.state.executor.execute(request, &self.info).await;
        self.answer(outcome)
    }

    /// Returns how to stream the results of `request`; `None` if the response is a single one.
    fn framing_of(&self, request: &Request) -> Option<Framing> {
        let streams = || self.state.executor.kind(request) == Some(OperationType::Subscription);
        self.framing.filter(|_| self.streams_only || streams())
    }

    /// Executes an operation as a response that goes on. It counts as a socket of its client.
    fn stream(mut self, framing: Framing, request: Request) -> Response {
        // The headers are sent before the resolvers run, so there is no place for the cookies of a new session.
        let client = Client { takes_cookies: false, refresh_cookie: None, ..Client::clone(&self.info.client) };
        self.info.client = Arc::new(client);
        let app = &self.state.app;
        let Some(share) = app.sockets.take(self.info.client.address()) else {
            let message = "Too many subscriptions and sockets are open at this address.";
            return self.unread(Unread::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SUBSCRIPTIONS", message));
        };
        let session = SessionEnd::of(app, &self.info.actor);
        let held = (share, session.guard(), app.metrics.socket());
        let responses = self.state.executor.stream(request, self.info.clone());
        let ending = ending(app.stopping.clone(), session);
        streaming::respond(framing, self.info, responses, ending, held)
    }

    fn answer(&self, outcome: Result<GraphResponse, Box<GraphResponse>>) -> Response {
        let id = &self.info.request_id;
        match outcome {
            Ok(response) => {
                let status = executed(&response);
                self.with_headers(respond(self.media, status, id, &response), &[&response])
            }
            Err(rejected) => {
                let status = self.media.rejected(&rejected.errors);
                self.with_headers(respond(self.media, status, id, &RequestErrors::of(&rejected)), &[&rejected])
            }
        }
    }

    async fn batch(self, requests: Vec<Request>) -> Response {
        if let Some(rejected) = self.unauthenticated(&requests) {
            return rejected;
        }
        if self.streams_only {
            return self.unread(Unread::bad_request("A batch can't be streamed: send its operations one by one."));
        }
        let executions = requests.into_iter().map(|request| self.state.executor.execute(request, &self.info));
        let outcomes = join_all(executions).await;
        let responses: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Ok(response) => serde_json::to_value(response),
                Err(rejected) => serde_json::to_value(RequestErrors::of(rejected)),
            })
            .map(Result::unwrap_or_default)
            .collect();
        let outcomes: Vec<&GraphResponse> =
            outcomes.iter().map(|outcome| outcome.as_ref().unwrap_or_else(|rejected| rejected)).collect();
        self.with_headers(respond(self.media, StatusCode::OK, &self.info.request_id, &responses), &outcomes)
    }

    /// Adds the headers that resolvers have set, such as cookies, and `Retry-After`.
    fn with_headers(&self, mut response: Response, outcomes: &[&GraphResponse]) -> Response {
        for (name, value) in outcomes.iter().flat_map(|outcome| &outcome.http_headers) {
            response.headers_mut().append(name, value.clone());
        }
        retry_later(response, outcomes.iter().flat_map(|outcome| &outcome.errors))
    }

    fn unread(&self, unread: Unread) -> Response {
        let rejected = rejection(request_error(unread.code, unread.message), &self.info);
        let body = RequestErrors::of(&rejected);
        let mut response = respond(self.media, unread.status, &self.info.request_id, &body);
        if unread.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn denied(&self, denied: Denied) -> Response {
        self.unread(match denied {
            Denied::Unauthenticated(message) => Unread::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message),
            Denied::CrossSite => {
                let message = "The request has cookies but may come from another site; send the header x-lyceum-csrf.";
                Unread::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
            }
            Denied::RateLimited(wait) => {
                let rejected = rejection(Error::RateLimited { wait }, &self.info);
                let (status, body) = (StatusCode::TOO_MANY_REQUESTS, RequestErrors::of(&rejected));
                return self.with_headers(respond(self.media, status, &self.info.request_id, &body), &[&rejected]);
            }
            Denied::Unavailable => {
                let message = "The session can't be checked now; try again in a moment.";
                Unread::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
            }
        })
    }

    fn method_not_allowed(&self, message: &str, allow: &'static str) -> Response {
        let unread = Unread::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        let mut response = self.unread(unread);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        response
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Unread> {
    let reading = tokio::time::timeout(BODY_TIMEOUT, Limited::new(&mut body, limit).collect()).await;
    match reading {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let message = format!("The body is larger than {limit} bytes.");
            discard(body).await;
            Err(Unread::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message))
        }
        Ok(Err(_)) => Err(Unread::bad_request("The body ended early.")),
        Err(_) => {
            let message = "The body took too long to arrive.";
            Err(Unread::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message))
        }
    }
}

/// Reads what a client still sends, up to a limit, because most clients read the response only afterwards.
///
/// Closing the connection before would reset it, and the client would lose the response (RFC 9112, 9.6).
async fn discard(body: Body) {
    let mut rest = Limited::new(body, DISCARDED);
    // Beyond the limits, the client finds its connection closed.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, async { while let Some(Ok(_)) = rest.frame().await {} }).await;
}

enum Parsed {
    One(Box<Request>),
    Batch(Vec<Request>),
}

fn parse(bytes: &[u8], most: usize) -> Result<Parsed, Unread> {
    let bad = |error: serde_json::Error| Unread::bad_request(format!("The body is not a GraphQL request: {error}."));
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {
            let batch: Vec<Params> = serde_json::from_slice(bytes).map_err(bad)?;
            if batch.is_empty() || batch.len() > most {
                let message = format!("A batch has 1 to {most} operations; this one has {}.", batch.len());
                return Err(Unread::new(StatusCode::BAD_REQUEST, "BATCH_SIZE", message));
            }
            batch.into_iter().map(checked).collect::<Result<_, _>>().map(Parsed::Batch)
        }
        Some(_) => checked(serde_json::from_slice(bytes).map_err(bad)?).map(|request| Parsed::One(Box::new(request))),
        None => Err(Unread::bad_request("The body is empty.")),
    }
}

/// Returns the request if it has a query.
fn checked(params: Params) -> Result<Request, Unread> {
    let request = params.into_request().filter(|request| !request.query.trim().is_empty());
    request.ok_or_else(|| Unread::bad_request("The request has no query."))
}

impl QueryParams {
    fn into_request(self) -> Result<Request, Unread> {
        let variables = self.variables.filter(|text| !text.is_empty()).map(|text| serde_json::from_str(&text));
        let variables = variables
            .transpose()
            .map_err(|error| Unread::bad_request(format!("variables is not a JSON object: {error}.")))?;
        checked(Params::new(self.query, self.operation_name, variables))
    }
}
