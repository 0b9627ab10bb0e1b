//! The edge: HTTP and WebSocket in, GraphQL behind. The same router serves `lyceum serve` and the tests.

mod authenticate;
mod console;
mod dev;
mod graphql;
mod health;
mod hooks;
mod media;
mod openapi;
mod playlist;
mod request_id;
pub mod server;
mod socket;
pub mod websocket;

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::graphql::Graph;
use crate::platform::App;

/// What handlers are given; cheap to clone.
#[derive(Clone)]
pub struct Edge {
    /// The application.
    pub app: App,
    /// The executable schema.
    pub graph: Graph,
}

/// Every route of the program.
pub fn router(edge: Edge) -> Router {
    let graphql = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post).fallback(graphql::wrong_method))
        .layer(cors(&edge.app.config.cors_origins));
    let playlists = Router::new()
        .route("/media/hls/{pass}/{*path}", get(playlist::playlist))
        .layer(cors(&edge.app.config.cors_origins));
    let mut router = Router::new()
        .merge(graphql)
        .merge(playlists)
        .route("/console", get(console::page))
        .route("/console/", get(console::page))
        .route("/console/{*path}", get(console::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/hooks/storage", post(hooks::storage))
        .route("/openapi.json", get(openapi::document));
    if !edge.app.config.is_production() {
        router = router.merge(dev::routes());
    }
    router.with_state(edge)
}

/// Pages of the configured origins only. They may send cookies, which browsers do within one site.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_credentials(true)
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT, authenticate::CSRF_HEADER])
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
}
