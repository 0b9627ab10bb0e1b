//! Renders the few HTML pages of the program, other than the console.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};

use crate::platform::internal_error::{Context, InternalError};

/// The Content Security Policy: no scripts and no external resources. The frame that shows an email inherits it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The same policy for a page with a form that is sent to this server.
const FORM_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// Renders the page `name` like [`page`], with a form that is sent to this server.
pub(super) fn form(name: &str, content: Result<Option<Value>, InternalError>) -> Response {
    let mut response = page(name, content);
    let policy = HeaderValue::from_static(FORM_POLICY);
    if response.headers().contains_key(header::CONTENT_SECURITY_POLICY) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Renders the page `name`; responds with 404 if `content` is `None`.
pub(super) fn page(name: &str, content: Result<Option<Value>, InternalError>) -> Response {
    let html = match content.and_then(|content| content.map(|content| filled(name, content)).transpose()) {
        Ok(Some(html)) => html,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.report(), "a page cannot be shown");
            return (StatusCode::INTERNAL_SERVER_ERROR, "This page cannot be shown; see the log.\n").into_response();
        }
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(html)).into_response()
}

fn filled(name: &str, content: Value) -> Result<String, InternalError> {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    // Values are HTML-escaped because of the `.html` suffix.
    pages.add_template("page.html", include_str!("pages/page.html"))?;
    pages.add_template("index.html", include_str!("pages/index.html"))?;
    pages.add_template("sent.html", include_str!("pages/sent.html"))?;
    pages.add_template("mail.html", include_str!("pages/mail.html"))?;
    pages.add_template("link.html", include_str!("pages/link.html"))?;
    pages.add_template("unsubscribe.html", include_str!("pages/unsubscribe.html"))?;
    pages.add_template("unsubscribed.html", include_str!("pages/unsubscribed.html"))?;
    pages.add_template("broken_link.html", include_str!("pages/broken_link.html"))?;
    pages.add_template("checkout.html", include_str!("pages/checkout.html"))?;
    pages.add_template("templates.html", include_str!("pages/templates.html"))?;
    pages.get_template(name)?.render(content).context(format!("fill the page {name}"))
}
