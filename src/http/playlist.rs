//! `/media/hls/<pass>/…`: HLS playlists whose segments are signed addresses of the object store.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Edge;
use super::authenticate::authenticate;
use super::server::Peer;
use crate::media::{self, Refusal};
use crate::platform::auth::Actor;

/// What HLS playlists are (RFC 8216, section 4).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

pub(super) async fn playlist(
    State(edge): State<Edge>,
    Path((pass, path)): Path<(String, String)>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer);
    // Most players send nothing but the address. Who does say who they are must be who the pass is for.
    let sender = match authenticate(&edge.app, &Method::GET, &headers, peer).await {
        Ok(sender) => sender.actor,
        Err(_) => Actor::Anonymous,
    };
    let mut response = match media::playlist(&edge.app, &pass, &path, &sender).await {
        Ok(text) => ([(header::CONTENT_TYPE, PLAYLIST)], text).into_response(),
        Err(refusal) => refused(refusal),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

fn refused(refusal: Refusal) -> Response {
    let (status, message) = match refusal {
        Refusal::Expired => {
            (StatusCode::FORBIDDEN, "This address is not good any more; ask for a new playback.".into())
        }
        Refusal::Forbidden => (StatusCode::FORBIDDEN, "You may not watch this.".into()),
        Refusal::TooManyPlayers(message) => (StatusCode::TOO_MANY_REQUESTS, message),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "There is no such playlist.".into()),
        Refusal::Failed(fault) => {
            tracing::error!(fault = fault.report(), "a playlist could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.".to_owned())
        }
    };
    (status, message).into_response()
}
