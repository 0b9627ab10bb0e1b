//! The HTTP and WebSocket layer. `lyceum serve` and the tests use the same router.

mod authenticate;
mod calendar;
mod certificate;
mod checkout;
mod console;
mod dev;
mod download;
mod ending;
mod graphql;
mod health;
mod hooks;
mod index;
mod negotiation;
mod openapi;
mod pages;
mod params;
mod playlist;
mod request_id;
pub mod server;
mod streaming;
mod unsubscribe;
mod webhooks;
pub mod websocket;

use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::graphql::Executor;
use crate::platform::App;
use crate::platform::origins::PageOrigins;

/// The state of the handlers; cheap to clone.
#[derive(Clone)]
pub struct HttpState {
    /// The application.
    pub app: App,
    /// The executable schema.
    pub executor: Executor,
}

/// Builds the router with all routes.
pub fn router(state: HttpState) -> Router {
    let origins = PageOrigins::of(&state.app.config);
    let graphql = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post).fallback(graphql::wrong_method))
        .layer(cors(&origins));
    let playlists = Router::new().route("/media/hls/{pass}/{*path}", get(playlist::piece)).layer(cors(&origins));
    let mut router = Router::new()
        .merge(graphql)
        .merge(playlists)
        .route("/", get(index::page))
        .route("/calendars/{file}", get(calendar::file))
        .route("/certificates/{file}", get(certificate::file))
        .route("/console", get(console::page))
        .route("/console/", get(console::page))
        .route("/console/{*path}", get(console::asset))
        .route("/earnings/{file}", get(download::earnings))
        .route("/exports/orders.csv", get(download::orders))
        .route("/exports/sales.csv", get(download::sales))
        .route("/healthz", get(health::alive))
        .route("/invoices/{file}", get(download::invoice))
        .route("/live-sessions/{file}", get(download::live_session))
        .route("/readyz", get(health::ready))
        .route("/hooks/mail", post(hooks::mail))
        .route("/hooks/storage", post(hooks::storage))
        .route("/webhooks/{provider}", post(webhooks::receive))
        .route("/unsubscribe", get(unsubscribe::show).post(unsubscribe::end))
        .route("/openapi.json", get(openapi::document));
    if state.app.config.metrics_addr.is_none() {
        router = router.route("/metrics", get(health::metrics));
    }
    if !state.app.config.is_production() {
        router = router.merge(dev::routes());
    }
    router.with_state(state)
}

/// Builds the router of the address that serves the metrics alone.
pub fn metrics_router(state: HttpState) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(state)
}

/// Builds the CORS layer for the allowed origins, with credentials.
///
/// Browsers send the cookies only if page and server belong to the same site.
fn cors(origins: &PageOrigins) -> CorsLayer {
    let origins = origins.clone();
    let allowed = move |origin: &HeaderValue, request: &Parts| {
        let Ok(origin) = origin.to_str() else { return false };
        // A page of this server under another of its names, which needs no permission.
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let same = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
        if same { origins.allows(origin) } else { origins.admits(origin) }
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST])
        .allow_credentials(true)
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT, authenticate::CSRF_HEADER])
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
}
