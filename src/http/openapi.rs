//! `/openapi.json`: describes every route. A test compares it with the router.

use axum::Json;
use serde_json::{Map, Value, json};

const JSON: &str = "application/json";
/// The one that the client prefers.
const GRAPHQL: &str = "application/graphql-response+json, application/json";
/// The same, and streams of results.
const ANY: &str = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";

pub(super) async fn document() -> Json<Value> {
    Json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lyceum",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API is GraphQL, at /graphql, and describes itself; these are its route and the others.",
        },
        "paths": {
            "/": { "get": page("Says where things are", "text/html, application/json") },
            "/graphql": { "get": graphql_get(), "post": graphql_post() },
            "/media/hls/{pass}/{path}": { "get": playlist() },
            "/calendars/{file}": { "get": calendar() },
            "/certificates/{file}": { "get": certificate() },
            "/earnings/{file}": {
                "get": table(
                    "What one or all channels of a user have earned in a month, whose URL is a statement's csvUrl",
                    parameter("file", "path", "The month and .csv"),
                ),
            },
            "/exports/orders.csv": {
                "get": table(
                    "A list of orders, whose URL is ordersCsvUrl",
                    parameter("filter", "query", "The filter of the list"),
                ),
            },
            "/exports/sales.csv": {
                "get": table(
                    "What a channel has sold, whose URL is salesCsvUrl",
                    parameter("filter", "query", "The filter of the list"),
                ),
            },
            "/invoices/{file}": { "get": invoice() },
            "/live-sessions/{file}": { "get": live_session() },
            "/console": { "get": page("GraphiQL for administrators", "text/html") },
            "/console/": { "get": page("The same", "text/html") },
            "/console/{path}": { "get": asset() },
            "/healthz": { "get": page("Returns 200 while the process runs", "text/plain") },
            "/readyz": { "get": ready() },
            "/metrics": { "get": page("Counters for Prometheus", "application/openmetrics-text") },
            "/hooks/mail": { "post": mail_hook() },
            "/hooks/storage": { "post": storage_hook() },
            "/unsubscribe": { "get": unsubscribe_page(), "post": unsubscribe() },
            "/webhooks/{provider}": { "post": webhook() },
            "/openapi.json": { "get": page("This document", JSON) },
        },
        "components": { "securitySchemes": {
            "accessToken": {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token or a personal API token; browsers may send the session cookie instead",
            },
            "mailHook": {
                "type": "http",
                "scheme": "bearer",
                "description": "LYCEUM_MAIL_HOOK_SECRET; also as the password of Basic, or as ?token=",
            },
            "storageHook": {
                "type": "http",
                "scheme": "bearer",
                "description": "LYCEUM_STORAGE_HOOK_SECRET; also as the password of Basic, or as ?token=",
            },
        } },
    }))
}

/// Responses by status: description and, if they have a body, its media types.
fn responses(list: &[(&str, &str, Option<&str>)]) -> Value {
    let response = |(status, description, media): &(&str, &str, Option<&str>)| {
        let content: Map<String, Value> =
            media.iter().flat_map(|media| media.split(", ")).map(|media| (media.to_owned(), json!({}))).collect();
        let mut response = json!({ "description": description });
        if let Some(response) = response.as_object_mut().filter(|_| !content.is_empty()) {
            response.insert("content".into(), content.into());
        }
        ((*status).to_owned(), response)
    };
    Value::Object(list.iter().map(response).collect())
}

fn page(summary: &str, media: &str) -> Value {
    json!({ "summary": summary, "responses": responses(&[("200", "OK", Some(media))]) })
}

fn parameter(name: &str, place: &str, description: &str) -> Value {
    json!({
        "name": name, "in": place, "required": place == "path", "description": description,
        "schema": { "type": "string" },
    })
}

fn graphql_responses() -> Value {
    responses(&[
        (
            "200",
            "The response; with errors, too, if Accept prefers application/json. Of a subscription, a stream",
            Some(ANY),
        ),
        ("400", "The request is malformed, or was not executed: the errors have codes", Some(GRAPHQL)),
        ("401", "The access token is invalid", Some(GRAPHQL)),
        ("403", "A request with cookies comes from another site or lacks x-lyceum-csrf", Some(GRAPHQL)),
        ("405", "Neither GET nor POST, or a mutation by GET", Some(GRAPHQL)),
        ("406", "None of the accepted media types is available", Some(GRAPHQL)),
        ("413", "The body is too large", Some(GRAPHQL)),
        ("415", "The body is not JSON in UTF-8", Some(GRAPHQL)),
        ("429", "Too many attempts, see Retry-After; or too many streams and WebSockets", Some(GRAPHQL)),
        ("500", "An internal error; the log has more under the request id", Some(GRAPHQL)),
        ("503", "The database does not answer; try again", Some(GRAPHQL)),
        ("504", "The operation took too long", Some(GRAPHQL)),
    ])
}

fn graphql_get() -> Value {
    json!({
        "summary": "Executes a query or streams a subscription, or upgrades to a WebSocket with the sub-protocol graphql-transport-ws",
        "security": [{ "accessToken": [] }, {}],
        "parameters": [
            parameter("query", "query", "The document"),
            parameter("operationName", "query", "Which of its operations"),
            parameter("variables", "query", "A JSON object"),
        ],
        "responses": graphql_responses(),
    })
}

fn graphql_post() -> Value {
    json!({
        "summary": "Executes a query or a mutation or a list of them, or streams a subscription",
        "security": [{ "accessToken": [] }, {}],
        "requestBody": { "required": true, "content": { (JSON): { "schema": { "type": "object", "properties": {
            "query": { "type": "string" },
            "operationName": { "type": ["string", "null"] },
            "variables": { "type": ["object", "null"] },
        } } } } },
        "responses": graphql_responses(),
    })
}

fn playlist() -> Value {
    json!({
        "summary": "An HLS playlist, whose URL is a playback's hlsUrl, or a key of its segments",
        "parameters": [
            parameter("pass", "path", "The encrypted pass of a playback"),
            parameter("path", "path", "master.m3u8, v0/index.m3u8 or v0/0.key"),
        ],
        "responses": responses(&[
            ("200", "The playlist, the URLs of whose segments expire; or the 16 bytes of a key", Some("application/vnd.apple.mpegurl")),
            ("403", "The pass has expired, belongs to another user, or the user has lost access", Some("text/plain")),
            ("404", "There is no such playlist", Some("text/plain")),
            ("429", "The account plays in too many places", Some("text/plain")),
            ("500", "An internal error", Some("text/plain")),
        ]),
    })
}

fn calendar() -> Value {
    json!({
        "summary": "The live sessions of a user for calendar programs, at the secret URL that setCalendarFeed returns",
        "parameters": [parameter("file", "path", "The secret token and .ics")],
        "responses": responses(&[
            ("200", "The sessions of the last 90 days and later, at most 500", Some("text/calendar")),
            ("404", "There is no such calendar, or not anymore", Some("text/plain")),
            ("500", "An internal error", Some("text/plain")),
        ]),
    })
}

fn certificate() -> Value {
    json!({
        "summary": "A certificate as a picture or a document. It has the holder's name if the holder agrees, or is the sender",
        "parameters": [parameter("file", "path", "The code of the certificate and .svg or .pdf")],
        "responses": responses(&[
            ("200", "It says if the certificate was revoked; of .pdf, application/pdf", Some("image/svg+xml")),
            ("404", "There is no such certificate, or the typeface of documents lacks a character", Some("text/plain")),
            ("500", "An internal error", Some("text/plain")),
        ]),
    })
}

fn invoice() -> Value {
    json!({
        "summary": "An invoice or a credit note as a document, whose URL is an order's invoiceUrl or a refund's creditNoteUrl",
        "parameters": [
            parameter("file", "path", "A name for the file"),
            parameter("token", "query", "The token of the URL, which expires"),
        ],
        "responses": responses(&[
            ("200", "The document", Some("application/pdf")),
            ("403", "The token is wrong or has expired", Some("text/plain")),
            ("500", "An internal error", Some("text/plain")),
        ]),
    })
}

fn live_session() -> Value {
    json!({
        "summary": "A live session for calendar programs, whose URL is its calendarUrl",
        "parameters": [
            parameter("file", "path", "A name for the file"),
            parameter("token", "query", "The token of the URL, which expires"),
        ],
        "responses": responses(&[
            ("200", "The session", Some("text/calendar")),
            ("403", "The token is wrong or has expired", Some("text/plain")),
            ("500", "An internal error", Some("text/plain")),
        ]),
    })
}

fn table(summary: &str, of: Value) -> Value {
    json!({
        "summary": summary,
        "parameters": [of, parameter("token", "query", "The token of the URL, which expires")],
        "responses": responses(&[
            ("200", "The table, sent while it is read", Some("text/csv")),
            ("403", "The token is wrong or has expired", Some("text/plain")),
        ]),
    })
}

fn asset() -> Value {
    json!({
        "summary": "A file of the console",
        "parameters": [parameter("path", "path", "The file")],
        "responses": responses(&[("200", "The file", Some("*/*")), ("404", "There is no such file", None)]),
    })
}

fn ready() -> Value {
    json!({
        "summary": "Whether the node can do its work",
        "responses": responses(&[
            ("200", "Ready", Some(JSON)),
            ("503", "Something that the node depends on does not answer, or it is shutting down", Some(JSON)),
        ]),
    })
}

fn unsubscribe_page() -> Value {
    json!({
        "summary": "A page with a form that ends notifications by email; getting it ends nothing",
        "parameters": [parameter("token", "query", "The token of a link in an email")],
        "responses": responses(&[
            ("200", "The form", Some("text/html")),
            ("400", "The token is not one of this server", Some("text/html")),
        ]),
    })
}

fn unsubscribe() -> Value {
    json!({
        "summary": "Ends notifications by email, without signing in: those of the kind that the email was about, or all",
        "parameters": [parameter("token", "query", "The token of a link in an email")],
        "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": {
            "type": "object",
            "properties": {
                "List-Unsubscribe": { "enum": ["One-Click"], "description": "As mail programs send it (RFC 8058)" },
                "emails": { "enum": ["kind", "all"], "description": "Defaults to kind" },
            },
        } } } },
        "responses": responses(&[
            ("200", "Ended", Some("text/html")),
            ("400", "The token is not one of this server", Some("text/html")),
            ("503", "Not ended: try again", Some("text/plain")),
        ]),
    })
}

fn webhook() -> Value {
    json!({
        "summary": "Receives the events of a payment provider, in its form and with its signature",
        "parameters": [parameter("provider", "path", "sandbox, stripe, razorpay, paypal or google-play")],
        "requestBody": { "required": true, "content": { (JSON): { "schema": { "type": "object" } } } },
        "responses": responses(&[
            ("200", "Stored, now or before", None),
            ("400", "The signature is missing, wrong or older than five minutes, or the body is no JSON object", None),
            ("404", "There is no such provider, or it is off", None),
            ("408", "The body took too long", None),
            ("413", "The body is too large", None),
            ("503", "Not stored: send it again", None),
        ]),
    })
}

fn mail_hook() -> Value {
    json!({
        "summary": "Receives reports of bounces and complaints, to whose addresses no more notifications are mailed: \
            as below, or as Postmark or Amazon SES with SNS send them",
        "security": [{ "mailHook": [] }],
        "requestBody": { "required": true, "content": { (JSON): { "schema": {
            "type": "object",
            "required": ["address", "kind"],
            "properties": {
                "address": { "type": "string" },
                "kind": { "enum": ["bounce", "complaint"] },
            },
        } } } },
        "responses": hook_responses("LYCEUM_MAIL_HOOK_SECRET is not set", "Not JSON, or not in one of these forms"),
    })
}

fn storage_hook() -> Value {
    json!({
        "summary": "Receives the object store's events, in the form of S3, SNS or MinIO",
        "security": [{ "storageHook": [] }],
        "requestBody": { "required": true, "content": { (JSON): {} } },
        "responses": hook_responses("LYCEUM_STORAGE_HOOK_SECRET is not set", "Not JSON"),
    })
}

fn hook_responses(off: &str, malformed: &str) -> Value {
    responses(&[
        ("204", "Stored", None),
        ("400", malformed, None),
        ("401", "Without the secret, or with a wrong one", None),
        ("404", off, None),
        ("408", "The body took too long", None),
        ("413", "Too large", None),
        ("503", "Not stored: send it again", None),
    ])
}
