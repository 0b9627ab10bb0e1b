//! The messages and close codes of `graphql-transport-ws`, without I/O.

use std::borrow::Cow;

use async_graphql::{Request, Response, ServerError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::http::params::Params;

/// The maximum length of an operation id, which every message of the operation repeats.
const MAX_ID_BYTES: usize = 255;

/// The maximum length of a close reason.
///
/// A control frame carries at most 125 bytes, two of which are the code (RFC 6455, 5.5).
const MAX_REASON_BYTES: usize = 123;

/// A close frame sent by the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Close {
    /// A code of RFC 6455 (1xxx) or of the GraphQL protocol (44xx).
    pub(super) code: u16,
    /// The reason, at most 123 bytes.
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Close {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        Close { code, reason }
    }

    /// The server is shutting down.
    pub(super) fn going_away() -> Close {
        Close::new(1001, "Going away")
    }

    /// An anonymous client has had no operation for a while.
    pub(super) fn idle() -> Close {
        Close::new(1000, "Idle")
    }

    /// A message is malformed; `what` describes the problem.
    pub(super) fn invalid_message(what: impl std::fmt::Display) -> Close {
        Close::new(4400, format!("Invalid message: {what}"))
    }

    /// A `subscribe` before the `connection_ack`.
    pub(super) fn unauthorized() -> Close {
        Close::new(4401, "Unauthorized")
    }

    /// The session is rejected or has ended.
    pub(super) fn forbidden(why: impl std::fmt::Display) -> Close {
        Close::new(4403, format!("Forbidden: {why}"))
    }

    /// The client did not offer `graphql-transport-ws`.
    pub(super) fn subprotocol() -> Close {
        Close::new(4406, "Subprotocol not acceptable")
    }

    /// The `connection_ack` was not sent within the timeout.
    pub(super) fn init_timeout() -> Close {
        Close::new(4408, "Connection initialisation timeout")
    }

    /// A `subscribe` with the id of a running operation.
    pub(super) fn subscriber_exists(id: &str) -> Close {
        Close::new(4409, format!("Subscriber for {id} already exists"))
    }

    /// A second `connection_init`.
    pub(super) fn too_many_inits() -> Close {
        Close::new(4429, "Too many initialisation requests")
    }

    /// The server cannot authenticate the client now.
    pub(super) fn try_again_later() -> Close {
        Close::new(1013, "Try again later")
    }

    /// An internal error: a response cannot be serialized as JSON.
    pub(super) fn internal() -> Close {
        Close::new(1011, "Internal error")
    }

    /// Returns the close frame for a failed read, or `None` if the connection is lost.
    ///
    /// axum hides the error type of its WebSocket library, so the kinds can be distinguished only by their text. The
    /// tests `a_huge_message_is_1009` and `broken_frames` fail if a new version changes it.
    pub(super) fn for_read_error(error: &axum::Error) -> Option<Close> {
        let text = error.to_string();
        if text.starts_with("Space limit exceeded") {
            Some(Close::new(1009, "Message too large"))
        } else if text.starts_with("UTF-8 encoding error") {
            Some(Close::new(1007, "Text is not UTF-8"))
        } else if text.starts_with("WebSocket protocol error: Connection reset") {
            None
        } else if text.starts_with("WebSocket protocol error") {
            Some(Close::new(1002, "WebSocket protocol error"))
        } else {
            None
        }
    }
}

/// A message from the client.
#[derive(Debug)]
pub(super) enum ClientMessage<'a> {
    /// Initializes the connection; the payload is an object or null.
    ConnectionInit(serde_json::Value),
    /// Requests a `pong` with the same payload.
    Ping(Option<&'a RawValue>),
    /// Requires no response.
    Pong,
    /// Starts an operation.
    Subscribe { id: String, request: Box<Request> },
    /// Stops an operation.
    Complete { id: String },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Parses one text message.
///
/// # Errors
/// The close frame 4400, with the problem as its reason.
pub(super) fn parse(text: &str) -> Result<ClientMessage<'_>, Close> {
    let Envelope { kind, id, payload } = from_object("the message", text)?;
    match kind.as_ref() {
        "connection_init" => {
            let payload = optional_object("the payload of connection_init", payload)?;
            let payload = payload.map_or(Ok(serde_json::Value::Null), |payload| serde_json::from_str(payload.get()));
            Ok(ClientMessage::ConnectionInit(payload.map_err(Close::invalid_message)?))
        }
        "ping" => Ok(ClientMessage::Ping(optional_object("the payload of ping", payload)?)),
        "pong" => {
            optional_object("the payload of pong", payload)?;
            Ok(ClientMessage::Pong)
        }
        "subscribe" => {
            let id = operation_id("subscribe", id)?;
            let payload = payload.ok_or_else(|| Close::invalid_message("subscribe without a payload"))?;
            let params: Params = from_object("the payload of subscribe", payload.get())?;
            let request =
                params.into_request().ok_or_else(|| Close::invalid_message("the payload of subscribe has no query"))?;
            Ok(ClientMessage::Subscribe { id, request: Box::new(request) })
        }
        "complete" => Ok(ClientMessage::Complete { id: operation_id("complete", id)? }),
        other => Err(Close::invalid_message(format_args!("unknown type {other:?}"))),
    }
}

fn from_object<'a, T: Deserialize<'a>>(what: &str, json: &'a str) -> Result<T, Close> {
    // Serde would also deserialize a struct from an array.
    if !json.trim_start().starts_with('{') {
        return Err(Close::invalid_message(format_args!("{what} is not a JSON object")));
    }
    serde_json::from_str(json).map_err(|error| Close::invalid_message(format_args!("{what}: {error}")))
}

fn optional_object<'a>(what: &str, payload: Option<&'a RawValue>) -> Result<Option<&'a RawValue>, Close> {
    match payload {
        Some(value) if !value.get().starts_with('{') => {
            Err(Close::invalid_message(format_args!("{what} is not a JSON object")))
        }
        _ => Ok(payload),
    }
}

fn operation_id(kind: &str, id: Option<String>) -> Result<String, Close> {
    match id {
        Some(id) if id.len() > MAX_ID_BYTES => {
            Err(Close::invalid_message(format_args!("{kind} with an id of more than {MAX_ID_BYTES} bytes")))
        }
        Some(id) if !id.is_empty() => Ok(id),
        _ => Err(Close::invalid_message(format_args!("{kind} without an id"))),
    }
}

/// Returns a `next` message with a result that is JSON already.
pub(super) fn next_message(id: &str, json: &str) -> String {
    let id = serde_json::Value::from(id);
    format!(r#"{{"type":"next","id":{id},"payload":{json}}}"#)
}

/// A message from the server.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    /// The connection is accepted; the client may subscribe.
    ConnectionAck,
    /// The response to a `ping`.
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a RawValue>,
    },
    /// One result of an operation.
    Next { id: &'a str, payload: &'a Response },
    /// The operation was not executed; no `complete` follows.
    Error { id: &'a str, payload: &'a [ServerError] },
    /// The operation has no more results.
    Complete { id: &'a str },
}

impl ServerMessage<'_> {
    /// Serializes the message as JSON.
    ///
    /// # Errors
    /// The close frame 1011 if the response contains a value that JSON cannot represent.
    pub(super) fn encode(&self) -> Result<String, Close> {
        serde_json::to_string(self).map_err(|error| {
            tracing::error!(%error, "a GraphQL response can't be serialised");
            Close::internal()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Value;
    use serde_json::json;

    fn reason(text: &str) -> String {
        let close = parse(text).unwrap_err();
        assert_eq!(close.code, 4400, "{text}");
        close.reason
    }

    #[test]
    fn a_subscribe_carries_the_whole_request() {
        let text = json!({
            "type": "subscribe", "id": "1",
            "payload": {
                "query": "query A($n: Int) { a }", "operationName": "A",
                "variables": { "n": 1, "deep": { "list": [null, true] } }, "extensions": { "trace": "x" }
            }
        });
        let text = text.to_string();
        let ClientMessage::Subscribe { id, request } = parse(&text).unwrap() else { panic!("not a subscribe") };
        assert_eq!(id, "1");
        assert_eq!(request.query, "query A($n: Int) { a }");
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(
            serde_json::to_value(&request.variables).unwrap(),
            json!({ "n": 1, "deep": { "list": [null, true] } })
        );
        assert_eq!(request.extensions.get("trace"), Some(&Value::from("x")));
    }

    #[test]
    fn optional_parts_may_be_null_or_absent() {
        for payload in [
            json!({ "query": "{ a }" }),
            json!({ "query": "{ a }", "operationName": null, "variables": null, "extensions": null, "new": 1 }),
        ] {
            let text = json!({ "type": "subscribe", "id": "1", "payload": payload, "new": 1 }).to_string();
            let ClientMessage::Subscribe { request, .. } = parse(&text).unwrap() else { panic!("not a subscribe") };
            assert!(request.operation_name.is_none() && request.variables.is_empty() && request.extensions.is_empty());
        }
        for text in [r#"{"type":"connection_init"}"#, r#" {"type":"connection\u005finit","payload":null}"#] {
            let message = parse(text).unwrap();
            assert!(matches!(message, ClientMessage::ConnectionInit(serde_json::Value::Null)), "{text}");
        }
        assert!(matches!(parse(r#"{"type":"pong","payload":{}}"#), Ok(ClientMessage::Pong)));
    }

    #[test]
    fn what_is_wrong_with_a_message_is_said() {
        for (text, expected) in [
            ("", "the message is not a JSON object"),
            ("hello", "the message is not a JSON object"),
            (r#"["ping",null,null]"#, "the message is not a JSON object"),
            (r#"{"type":"ping""#, "EOF while parsing"),
            (r#"{"type":"ping"} {}"#, "trailing characters"),
            ("{}", "missing field `type`"),
            (r#"{"type":1}"#, "invalid type: integer `1`, expected a string"),
            (r#"{"type":"ping","type":"pong"}"#, "duplicate field `type`"),
            (r#"{"type":"next","id":"1"}"#, r#"unknown type "next""#),
            (r#"{"type":"connection_init","payload":"token"}"#, "the payload of connection_init is not a JSON object"),
            (r#"{"type":"ping","payload":[]}"#, "the payload of ping is not a JSON object"),
            (r#"{"type":"pong","payload":1}"#, "the payload of pong is not a JSON object"),
            (r#"{"type":"complete"}"#, "complete without an id"),
            (r#"{"type":"complete","id":1}"#, "invalid type: integer `1`, expected a string"),
            (r#"{"type":"subscribe","payload":{"query":"{a}"}}"#, "subscribe without an id"),
            (r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#, "subscribe without an id"),
            (r#"{"type":"subscribe","id":"1"}"#, "subscribe without a payload"),
            (r#"{"type":"subscribe","id":"1","payload":["{a}",null,null,null]}"#, "subscribe is not a JSON object"),
            (r#"{"type":"subscribe","id":"1","payload":{}}"#, "no query"),
            (r#"{"type":"subscribe","id":"1","payload":{"query":null}}"#, "no query"),
            (r#"{"type":"subscribe","id":"1","payload":{"query":"","variables":[]}}"#, "expected a map"),
            (r#"{"type":"subscribe","id":"1","payload":{"query":"","extensions":1}}"#, "expected a map"),
        ] {
            let reason = reason(text);
            assert!(reason.starts_with("Invalid message: ") && reason.contains(expected), "{text}: {reason}");
        }
        let long = json!({ "type": "complete", "id": "x".repeat(256) }).to_string();
        assert!(reason(&long).contains("more than 255 bytes"));
    }

    #[test]
    fn deep_nesting_is_an_invalid_message() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert!(parse(&format!(r#"{{"type":"ping","payload":{deep}1}}"#)).is_err());
        assert!(reason(&format!(r#"{{"type":"connection_init","payload":{deep}}}"#)).contains("Invalid message"));
        let open = r#"{"a":"#.repeat(100_000);
        let close = "}".repeat(100_000);
        let text = format!(
            r#"{{"type":"subscribe","id":"1","payload":{{"query":"","variables":{{"deep":{open}1{close}}}}}}}"#
        );
        assert!(reason(&text).contains("recursion limit"));
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(Close::forbidden("ж".repeat(100)).reason, format!("Forbidden: {}", "ж".repeat(56)));
        assert_eq!(Close::subscriber_exists(&"x".repeat(200)).reason.len(), 123);
        assert_eq!(Close::subscriber_exists("a").reason, "Subscriber for a already exists");
    }

    #[test]
    fn messages_are_written_as_the_protocol_says() {
        let response = Response::new(Value::from_json(json!({ "a": 1 })).unwrap());
        let errors = [ServerError::new("no", None)];
        let payload = RawValue::from_string(r#"{"b": 1}"#.to_owned()).unwrap();
        for (message, expected) in [
            (ServerMessage::ConnectionAck, r#"{"type":"connection_ack"}"#),
            (ServerMessage::Pong { payload: None }, r#"{"type":"pong"}"#),
            (ServerMessage::Pong { payload: Some(&payload) }, r#"{"type":"pong","payload":{"b": 1}}"#),
            (
                ServerMessage::Next { id: "\"", payload: &response },
                r#"{"type":"next","id":"\"","payload":{"data":{"a":1}}}"#,
            ),
            (
                ServerMessage::Error { id: "1", payload: &errors },
                r#"{"type":"error","id":"1","payload":[{"message":"no"}]}"#,
            ),
            (ServerMessage::Complete { id: "1" }, r#"{"type":"complete","id":"1"}"#),
        ] {
            assert_eq!(message.encode().unwrap(), expected);
        }
        let expected = ServerMessage::Next { id: "\"", payload: &response }.encode().unwrap();
        assert_eq!(next_message("\"", &serde_json::to_string(&response).unwrap()), expected);
    }
}
