//! The HTTP and WebSocket layer. `lyceum serve` and the tests use the same router.

mod authenticate;
mod certificate;
mod console;
mod dev;
mod graphql;
mod health;
mod hooks;
mod negotiation;
mod openapi;
mod playlist;
mod request_id;
pub mod server;
pub mod websocket;

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::graphql::Executor;
use crate::platform::App;

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
    let graphql = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post).fallback(graphql::wrong_method))
        .layer(cors(&state.app.config.cors_origins));
    let playlists = Router::new()
        .route("/media/hls/{pass}/{*path}", get(playlist::piece))
        .layer(cors(&state.app.config.cors_origins));
    let mut router = Router::new()
        .merge(graphql)
        .merge(playlists)
        .route("/certificates/{file}", get(certificate::picture))
        .route("/console", get(console::page))
        .route("/console/", get(console::page))
        .route("/console/{*path}", get(console::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/hooks/storage", post(hooks::storage))
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

/// Builds the CORS layer for the configured origins, with credentials.
///
/// Browsers send the cookies only if page and server belong to the same site.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_credentials(true)
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT, authenticate::CSRF_HEADER])
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
}
