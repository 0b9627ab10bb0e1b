//! `/media/hls/<pass>/…`: HLS playlists whose segments are signed URLs of the object store, and the segments' keys.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::authenticate::sender_or_anonymous;
use super::server::Peer;
use crate::enrollments::{self, Piece, Rejection};

/// The media type of HLS playlists (RFC 8216, section 4).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// The media type of keys: sixteen bytes.
const KEY: &str = "application/octet-stream";

pub(super) async fn piece(
    State(state): State<HttpState>,
    Path((pass, path)): Path<(String, String)>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    // Most players send no credentials. If a player does, they must belong to the user to whom the pass was issued.
    let sender = sender_or_anonymous(&state.app, &headers, peer).await;
    let mut response = match enrollments::piece(state.executor.loaders(), &pass, &path, &sender).await {
        Ok(Piece::Playlist(text)) => ([(header::CONTENT_TYPE, PLAYLIST)], text).into_response(),
        Ok(Piece::Key(key)) => ([(header::CONTENT_TYPE, KEY)], key.to_vec()).into_response(),
        Err(rejection) => rejected(rejection),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

fn rejected(rejection: Rejection) -> Response {
    let (status, message) = match rejection {
        Rejection::Expired => {
            (StatusCode::FORBIDDEN, "This address is not good any more; ask for a new playback.".into())
        }
        Rejection::Forbidden => (StatusCode::FORBIDDEN, "You may not watch this.".into()),
        Rejection::TooManyPlayers(message) => (StatusCode::TOO_MANY_REQUESTS, message),
        Rejection::NotFound => (StatusCode::NOT_FOUND, "There is no such playlist.".into()),
        Rejection::Failed(error) => {
            tracing::error!(error = error.report(), "a playlist could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.".to_owned())
        }
    };
    (status, message).into_response()
}
