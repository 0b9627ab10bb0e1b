//! Content negotiation, status codes and response headers of GraphQL over HTTP.
//!
//! Source: the GraphQL-over-HTTP draft, <https://graphql.github.io/graphql-over-http/draft/>.

use std::collections::BTreeMap;

use async_graphql::{Response as GraphResponse, ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::request_id;
use super::streaming::Framing;

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: well-formed requests get 200, except on internal errors and timeouts.
    Json,
    /// `application/graphql-response+json`: the status shows whether the request was executed.
    GraphqlResponse,
}

/// What a client accepts, by its `Accept` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// For a response that ends at once; `None` if the client only accepts a stream.
    pub(super) single: Option<MediaType>,
    /// For a response that goes on.
    pub(super) stream: Option<Framing>,
}

impl Accepted {
    /// Picks the client's preferred media types; `None` if it accepts nothing that the server can send.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Accepted> {
        let Some(accept) = headers.get(header::ACCEPT) else {
            return Some(Accepted { single: Some(MediaType::Json), stream: None });
        };
        let accept = accept.to_str().unwrap_or("*/*");
        let mut ranges: Vec<(f32, Range)> = accept.split(',').filter_map(range).collect();
        // The sort is stable: of equal weights, the first wins.
        ranges.sort_by(|first, second| second.0.total_cmp(&first.0));
        let single = ranges.iter().find_map(|(_, range)| match range {
            Range::Single(media) => Some(*media),
            Range::Stream(_) => None,
        });
        let stream = ranges.iter().find_map(|(_, range)| match range {
            Range::Stream(framing) => Some(*framing),
            Range::Single(_) => None,
        });
        (!ranges.is_empty()).then_some(Accepted { single, stream })
    }
}

/// A media range that the server can serve.
#[derive(Clone, Copy)]
enum Range {
    Single(MediaType),
    Stream(Framing),
}

impl MediaType {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            MediaType::Json => "application/json; charset=utf-8",
            MediaType::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// Returns the status of a well-formed request that was not executed.
    pub(super) fn rejected(self, errors: &[ServerError]) -> StatusCode {
        match (self, failure(errors)) {
            (_, Some(status)) => status,
            (MediaType::Json, None) => StatusCode::OK,
            (MediaType::GraphqlResponse, None) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Returns the status of an execution: 200, unless an outage left no data at all.
pub(super) fn executed(response: &GraphResponse) -> StatusCode {
    let outage = failure(&response.errors).filter(|status| *status != StatusCode::INTERNAL_SERVER_ERROR);
    outage.filter(|_| response.data == Value::Null).unwrap_or(StatusCode::OK)
}

/// Returns the status for the first error if it is the server's fault.
fn failure(errors: &[ServerError]) -> Option<StatusCode> {
    let Value::String(code) = errors.first()?.extensions.as_ref()?.get("code")? else { return None };
    match code.as_str() {
        "INTERNAL" => Some(StatusCode::INTERNAL_SERVER_ERROR),
        "TIMEOUT" => Some(StatusCode::GATEWAY_TIMEOUT),
        "UNAVAILABLE" => Some(StatusCode::SERVICE_UNAVAILABLE),
        _ => None,
    }
}

/// Parses a media range with its weight; `None` if unsupported (RFC 9110, section 12.5.1).
fn range(text: &str) -> Option<(f32, Range)> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    // Without the parameter, the client means incremental delivery, whose parts look different.
    let multipart =
        |(name, value): (&str, &str)| name.eq_ignore_ascii_case("subscriptionSpec") && value.trim_matches('"') == "1.0";
    let range = match media.as_str() {
        "application/graphql-response+json" => Range::Single(MediaType::GraphqlResponse),
        "application/json" | "application/*" | "*/*" => Range::Single(MediaType::Json),
        "text/event-stream" => Range::Stream(Framing::EventStream),
        "multipart/mixed" if parameters.clone().any(multipart) => Range::Stream(Framing::Multipart),
        _ => return None,
    };
    let weight = parameters.find_map(|(name, value)| if name == "q" { value.parse().ok() } else { None });
    let weight = weight.unwrap_or(1.0);
    (weight > 0.0).then_some((weight, range))
}

/// Returns whether the request's content type is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let json = parts.next().is_some_and(|media| media == "application/json");
    json && parts.all(|part| part.strip_prefix("charset=").is_none_or(|set| set.trim_matches('"') == "utf-8"))
}

/// The body for a request that was not executed; has no `data` (specification, section 7.1).
#[derive(Serialize)]
pub(super) struct RequestErrors<'a> {
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> RequestErrors<'a> {
    pub(super) fn of(response: &'a GraphResponse) -> RequestErrors<'a> {
        RequestErrors { errors: &response.errors, extensions: &response.extensions }
    }
}

/// Returns whether the request was rejected before execution (parser, validation or limit).
///
/// An execution error has a path. It does not end a subscription, even if it nulls the data of the first event.
pub(in crate::http) fn is_request_error(response: &GraphResponse) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Builds an HTTP response that must not be cached.
pub(super) fn respond(media: MediaType, status: StatusCode, id: &str, body: &impl Serialize) -> Response {
    let (status, bytes) = serialise(status, body);
    finish(media, status, id, bytes)
}

/// Builds an HTTP response that shared caches may cache for the given number of seconds.
///
/// The response is 304 if `If-None-Match` contains its entity tag (RFC 9110, section 13.1.2).
pub(super) fn respond_shared(
    media: MediaType,
    id: &str,
    body: &impl Serialize,
    seconds: u64,
    headers: &HeaderMap,
) -> Response {
    let (status, bytes) = serialise(StatusCode::OK, body);
    let hash = Sha256::new().chain_update(media.content_type()).chain_update(&bytes).finalize();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash));
    let mut known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.any(|tags| tags.split(',').map(str::trim).any(|known| known == "*" || known.ends_with(&tag)));
    let mut response = match (status, known) {
        (StatusCode::OK, true) => finish(media, StatusCode::NOT_MODIFIED, id, Vec::new()),
        _ => finish(media, status, id, bytes),
    };
    if status == StatusCode::OK {
        let shared = [(header::CACHE_CONTROL, format!("public, max-age={seconds}")), (header::ETAG, tag)];
        for (name, value) in shared {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}

fn serialise(status: StatusCode, body: &impl Serialize) -> (StatusCode, Vec<u8>) {
    let mut bytes = Vec::with_capacity(4096);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => (status, bytes),
        Err(error) => {
            tracing::error!(%error, "a response cannot be serialised");
            (StatusCode::INTERNAL_SERVER_ERROR, bytes)
        }
    }
}

/// Builds a private response.
///
/// The `Vary` header includes cookies, because caches treat only `Authorization` as private on their own.
fn finish(media: MediaType, status: StatusCode, id: &str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // The CORS layer adds the origin.
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie"));
    headers.insert(header::CONTENT_TYPE, media.content_type());
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(request_id::HEADER, id);
    }
    response
}

/// Sets `Retry-After` to the longest `retryAfter` of `RATE_LIMITED` errors, in seconds.
///
/// The status is unchanged: a response with data is a 200 even if a field was rejected.
pub(super) fn retry_later<'a>(mut response: Response, errors: impl IntoIterator<Item = &'a ServerError>) -> Response {
    let waits = errors.into_iter().filter_map(|error| match error.extensions.as_ref()?.get("retryAfter")? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    });
    if let Some(seconds) = waits.max() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graphql::Error;

    fn negotiate(accept: &str) -> Option<(Option<MediaType>, Option<Framing>)> {
        let accepted = Accepted::negotiate(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))?;
        Some((accepted.single, accepted.stream))
    }

    fn accepting(accept: &str) -> Option<MediaType> {
        negotiate(accept)?.0
    }

    #[test]
    fn the_clients_preference_decides() {
        let nothing = Accepted { single: Some(MediaType::Json), stream: None };
        assert_eq!(Accepted::negotiate(&HeaderMap::new()), Some(nothing));
        assert_eq!(accepting("*/*"), Some(MediaType::Json));
        assert_eq!(accepting("application/graphql-response+json, application/json"), Some(MediaType::GraphqlResponse));
        assert_eq!(accepting("application/json, application/graphql-response+json"), Some(MediaType::Json));
        assert_eq!(
            accepting("application/json;q=0.5, application/graphql-response+json;q=0.9"),
            Some(MediaType::GraphqlResponse)
        );
        assert_eq!(negotiate("text/html, application/json;q=0"), None);
    }

    #[test]
    fn a_stream_is_for_those_who_ask_for_it() {
        let (json, modern) = (Some(MediaType::Json), Some(MediaType::GraphqlResponse));
        let (events, parts) = (Some(Framing::EventStream), Some(Framing::Multipart));
        for (accept, expected) in [
            ("text/event-stream", Some((None, events))),
            ("application/json, text/event-stream;q=0.5", Some((json, events))),
            ("*/*", Some((json, None))),
            ("text/*", None),
            ("multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0, application/json", Some((json, parts))),
            ("multipart/mixed; subscriptionSpec=\"1.0\"", Some((None, parts))),
            // Incremental delivery of `@defer`, which the server does not have.
            ("multipart/mixed;deferSpec=20220824,application/json", Some((json, None))),
            ("multipart/mixed", None),
            // urql sends this with every operation.
            (
                "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, \
                 multipart/mixed",
                Some((modern, events)),
            ),
            ("text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0", Some((None, parts))),
            ("text/event-stream;q=0, application/json", Some((json, None))),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_longest_wait_is_in_the_header() {
        let limited = |millis| Error::RateLimited { wait: Duration::from_millis(millis) };
        let header = |errors: Vec<Error>| {
            let errors = errors.into_iter().map(async_graphql::Error::from);
            let errors: Vec<_> = errors.map(|error| error.into_server_error(Default::default())).collect();
            let response = retry_later(respond(MediaType::Json, StatusCode::OK, "id", &()), &errors);
            response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header(vec![]), None);
        assert_eq!(header(vec![Error::Forbidden("x".into())]), None);
        assert_eq!(header(vec![Error::Timeout]).as_deref(), Some("2"));
        assert_eq!(header(vec![limited(1), Error::Timeout, limited(9001), limited(9000)]).as_deref(), Some("10"));
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        let typed = |value: &str| is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]));
        assert!(typed("application/json") && typed("application/json; charset=UTF-8"));
        assert!(!typed("text/plain") && !typed("application/json; charset=latin1") && !is_json(&HeaderMap::new()));
    }

    #[test]
    fn only_an_error_without_data_and_path_is_one_of_the_request() {
        let error = ServerError::new("no", None);
        let at_path = error.clone().with_path(vec![async_graphql::PathSegment::Field("a".to_owned())]);
        assert!(is_request_error(&GraphResponse::from_errors(vec![error.clone()])));
        assert!(!is_request_error(&GraphResponse::from_errors(vec![at_path])));
        assert!(!is_request_error(&GraphResponse::new(Value::Null)));
        let mut partial = GraphResponse::new(Value::from_json(serde_json::json!({ "a": null })).unwrap());
        partial.errors = vec![error];
        assert!(!is_request_error(&partial));
    }
}
