//! `/console`: GraphiQL for administrators, served from embedded files.
//!
//! The page itself is public and contains no data; it has the permissions of the user who signs in on it.

use std::borrow::Cow;
use std::io::Read;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;

/// The output of `npm run build` in `console/`. Debug builds read the files from disk at run time.
#[derive(RustEmbed)]
#[folder = "console/dist"]
#[allow_missing = true]
struct Assets;

/// The Content Security Policy: own origin only. Monaco, GraphiQL's editor, needs inline styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page(headers: HeaderMap) -> Response {
    if Assets::get("index.html").is_none() {
        let message = "The console has not been built. Run `make console` and start again.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, message).into_response();
    }
    file("index.html", "no-cache", &headers).await
}

pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // Vite puts a content hash into these file names.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    file(&path, caching, &headers).await
}

async fn file(path: &str, caching: &'static str, headers: &HeaderMap) -> Response {
    // Large files are embedded only as gzip.
    let (file, encoded) = match Assets::get(&format!("{path}.gz")) {
        Some(file) if accepts_gzip(headers) => (Some(file.data), true),
        Some(file) => (tokio::task::spawn_blocking(move || inflated(&file.data)).await.ok().flatten(), false),
        None => (Assets::get(path).map(|file| file.data), false),
    };
    let Some(data) = file else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, content_type(path))
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "accept-encoding")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "same-origin");
    if encoded {
        response = response.header(header::CONTENT_ENCODING, "gzip");
    }
    response.body(Body::from(data.into_owned())).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|value| value.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip")))
}

fn inflated(gzip: &[u8]) -> Option<Cow<'static, [u8]>> {
    let mut plain = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut plain).ok()?;
    Some(plain.into())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        Some("md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
