//! `/`: says where things are, as a page for people and as JSON for programs; and what a browser finds at `/graphql`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;
use serde_json::json;

use super::HttpState;
use super::pages;
use crate::config::Config;

/// Something that the server has.
#[derive(Serialize)]
struct Place {
    url: String,
    what: &'static str,
    /// What a page links to: the server may have more than one name. Empty for what is no page.
    #[serde(skip_serializing)]
    path: &'static str,
}

impl Place {
    fn new(config: &Config, path: &'static str, what: &'static str) -> Place {
        Place { url: format!("{}{path}", config.public_url), what, path }
    }
}

/// A place as a page shows it.
fn shown(place: &Place) -> Value {
    context! { url => place.url, what => place.what, path => place.path }
}

pub(super) async fn page(State(state): State<HttpState>, headers: HeaderMap) -> Response {
    let config = &state.app.config;
    let places = places(config);
    let mut response = if wants_html(&headers) {
        let title = &config.site_name;
        let text = "This server is an API: the pages of the school are elsewhere.";
        let places: Vec<Value> = places.iter().map(shown).collect();
        pages::page("index.html", Ok(Some(context! { title, text, places })))
    } else {
        Json(json!({ "name": config.site_name, "places": places })).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Returns the page for a person who opens `/graphql` in a browser.
pub(super) fn endpoint(config: &Config) -> Response {
    let text = "This is the address of the GraphQL API. Programs send operations to it by POST; people write them in \
        the console.";
    let console = Place::new(config, "/console", "the console, to try operations");
    let places = [shown(&console), shown(&Place::new(config, "/", "what else there is"))];
    pages::page("index.html", Ok(Some(context! { title => "GraphQL", text, places })))
}

/// Returns whether the client is a browser that shows a page: no GraphQL client accepts `text/html`.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accept.flat_map(|value| value.split(','));
    ranges.any(|range| range.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("text/html")))
}

/// Returns what everybody may know of, and in development what helps there.
fn places(config: &Config) -> Vec<Place> {
    let socket = config.public_url.replacen("http", "ws", 1);
    let place = |path, what| Place::new(config, path, what);
    let what = "GraphQL over WebSocket (graphql-transport-ws)";
    let mut places = vec![
        place("/graphql", "GraphQL over HTTP; subscriptions as server-sent events or multipart/mixed"),
        Place { url: format!("{socket}/graphql"), what, path: "" },
        place("/console", "the console of the administrators"),
        place("/openapi.json", "the other routes"),
        place("/healthz", "whether the server runs"),
    ];
    if !config.is_production() {
        places.push(place("/readyz", "whether it is ready"));
        if config.metrics_addr.is_none() {
            places.push(place("/metrics", "metrics for Prometheus"));
        }
        places.push(place("/dev/mail", "the mails that were sent"));
        places.push(place("/dev/mail/templates", "all mails that it can send"));
    }
    places
}
