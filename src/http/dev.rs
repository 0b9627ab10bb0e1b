//! Development-only pages.
//!
//! They are an index at `/`, the emails that would have been sent, all email templates, and placeholder pages for the
//! links in emails while there is no front end.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use super::HttpState;
use crate::app;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::mail::{self, Mail, Mailer, Sample};

/// The Content Security Policy: no scripts and no external resources. The frame that shows an email inherits it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const ACTIVATE: &str = "mutation {
  activateRegistration(input: { proof: { link: { token: TOKEN, newPassword: \"…\" } } }) {
    user { name email } accessToken refreshToken userErrors { code field message }
  }
}";
const RESET_PASSWORD: &str = "mutation {
  resetPassword(input: { token: TOKEN, newPassword: \"…\" }) {
    user { name email } userErrors { code field message }
  }
}";
const CONFIRM_EMAIL: &str = "mutation {
  confirmEmailChange(input: { token: TOKEN }) {
    user { name email } userErrors { code field message }
  }
}";
const JOIN: &str = "mutation {
  acceptTeamInvitation(input: { token: TOKEN, password: \"…\" }) {
    user { name email role } accessToken refreshToken userErrors { code field message }
  }
}";

pub(super) fn routes() -> Router<HttpState> {
    Router::new()
        .route("/", get(welcome))
        .route("/dev/mail", get(sent))
        .route("/dev/mail/{file}", get(one))
        .route("/dev/mail/templates", get(templates))
        .route("/dev/mail/templates/{name}", get(template))
        .route("/activate", get(|query| link("Activate an account", ACTIVATE, query)))
        .route("/reset-password", get(|query| link("Set a new password", RESET_PASSWORD, query)))
        .route("/confirm-email", get(|query| link("Confirm an e-mail address", CONFIRM_EMAIL, query)))
        .route("/join", get(|query| link("Join the team", JOIN, query)))
}

/// An email as shown on a page.
#[derive(Serialize)]
struct Shown {
    /// The name of the template; empty if the email was sent.
    name: &'static str,
    /// The sample case of the template; empty if the email was sent.
    case: &'static str,
    /// When the email was sent; `None` for a template sample.
    sent_at: Option<String>,
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
    /// The URL of its page.
    link: String,
}

impl Shown {
    fn new(mail: Mail, link: String) -> Shown {
        let Mail { to, subject, text, html } = mail;
        Shown { name: "", case: "", sent_at: None, to, subject, text, html, link }
    }

    fn stored(stored: mail::StoredMail) -> Shown {
        let sent_at = stored.sent_at.format("%-d %B %Y, %H:%M:%S UTC").to_string();
        Shown { sent_at: Some(sent_at), ..Shown::new(stored.mail, format!("/dev/mail/{}", stored.file)) }
    }

    fn sample(state: &HttpState, sample: &Sample) -> Result<Shown, InternalError> {
        let mail = mail::render(&state.app.config, sample.template, "ada@example.org", &sample.context)?;
        let name = sample.template.name;
        Ok(Shown { name, case: sample.case, ..Shown::new(mail, format!("/dev/mail/templates/{name}")) })
    }
}

async fn welcome() -> Response {
    page("welcome.html", Ok(Some(context! {})))
}

async fn sent(State(state): State<HttpState>) -> Response {
    let mails = match folder(&state) {
        Some(folder) => mail::list(folder).await.map(Some),
        None => Ok(None),
    };
    let mails = mails.map(|mails| mails.map(|mails| mails.into_iter().map(Shown::stored).collect::<Vec<_>>()));
    page("sent.html", mails.map(|mails| Some(context! { mails })))
}

async fn one(State(state): State<HttpState>, Path(file): Path<String>) -> Response {
    let stored = match folder(&state) {
        Some(folder) => mail::read(folder, &file).await,
        None => Ok(None),
    };
    let shown = stored.map(|stored| stored.map(|stored| context! { mails => [Shown::stored(stored)], template => "" }));
    page("mail.html", shown)
}

async fn templates(State(state): State<HttpState>) -> Response {
    let mails: Result<Vec<_>, _> = app::mails().iter().map(|sample| Shown::sample(&state, sample)).collect();
    page("templates.html", mails.map(|mails| Some(context! { mails })))
}

async fn template(State(state): State<HttpState>, Path(name): Path<String>) -> Response {
    let samples = app::mails().into_iter().filter(|sample| sample.template.name == name);
    let mails: Result<Vec<_>, _> = samples.map(|sample| Shown::sample(&state, &sample)).collect();
    let known = |mails: Vec<Shown>| (!mails.is_empty()).then(|| context! { mails, template => name });
    page("mail.html", mails.map(known))
}

/// The query parameters of a link in an email.
#[derive(Deserialize)]
struct Mailed {
    #[serde(default)]
    token: String,
}

/// Shows the mutation that a front end would send for a link in an email.
async fn link(purpose: &'static str, mutation: &'static str, Query(Mailed { token }): Query<Mailed>) -> Response {
    let mutation = mutation.replace("TOKEN", &format!("{token:?}"));
    page("link.html", Ok(Some(context! { purpose, mutation })))
}

/// Returns the folder of the emails, if they are written to files.
fn folder(state: &HttpState) -> Option<&std::path::Path> {
    match &state.app.mailer {
        Mailer::Files { folder, .. } => Some(folder),
        Mailer::Smtp { .. } | Mailer::Memory(_) => None,
    }
}

/// Renders the page `name`; responds with 404 if `content` is `None`.
fn page(name: &str, content: Result<Option<Value>, InternalError>) -> Response {
    let html = match content.and_then(|content| content.map(|content| filled(name, content)).transpose()) {
        Ok(Some(html)) => html,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.report(), "a page for development cannot be shown");
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
    pages.add_template("page.html", include_str!("dev/page.html"))?;
    pages.add_template("welcome.html", include_str!("dev/welcome.html"))?;
    pages.add_template("sent.html", include_str!("dev/sent.html"))?;
    pages.add_template("mail.html", include_str!("dev/mail.html"))?;
    pages.add_template("link.html", include_str!("dev/link.html"))?;
    pages.add_template("templates.html", include_str!("dev/templates.html"))?;
    pages.get_template(name)?.render(content).context(format!("fill the page {name}"))
}
