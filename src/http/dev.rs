//! Pages for development only: a signpost at `/`, the mails that would have been sent, every mail template, and where
//! their links lead while there is no front end.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use super::Edge;
use crate::app;
use crate::platform::fault::{Context, Fault};
use crate::platform::mail::{self, Mail, Mailer, Sample};

/// No script, nothing from elsewhere: not for a page, and not for the mail in its frame, which inherits this.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const ACTIVATE: &str = "mutation {
  activateRegistration(input: { token: TOKEN }) {
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

pub(super) fn routes() -> Router<Edge> {
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

/// A mail as a page shows it.
#[derive(Serialize)]
struct Shown {
    /// What its template is called.
    name: &'static str,
    /// Which of the template's cases it is.
    case: &'static str,
    /// When it was sent, if it was.
    sent_at: Option<String>,
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
    /// Its own page.
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

    fn sample(edge: &Edge, sample: &Sample) -> Result<Shown, Fault> {
        let mail = mail::render(&edge.app.config, sample.template, "ada@example.org", &sample.context)?;
        let name = sample.template.name;
        Ok(Shown { name, case: sample.case, ..Shown::new(mail, format!("/dev/mail/templates/{name}")) })
    }
}

async fn welcome() -> Response {
    page("welcome.html", Ok(Some(context! {})))
}

async fn sent(State(edge): State<Edge>) -> Response {
    let mails = match folder(&edge) {
        Some(folder) => mail::list(folder).await.map(Some),
        None => Ok(None),
    };
    let mails = mails.map(|mails| mails.map(|mails| mails.into_iter().map(Shown::stored).collect::<Vec<_>>()));
    page("sent.html", mails.map(|mails| Some(context! { mails })))
}

async fn one(State(edge): State<Edge>, Path(file): Path<String>) -> Response {
    let stored = match folder(&edge) {
        Some(folder) => mail::read(folder, &file).await,
        None => Ok(None),
    };
    let shown = stored.map(|stored| stored.map(|stored| context! { mails => [Shown::stored(stored)], template => "" }));
    page("mail.html", shown)
}

async fn templates(State(edge): State<Edge>) -> Response {
    let mails: Result<Vec<_>, _> = app::mails().iter().map(|sample| Shown::sample(&edge, sample)).collect();
    page("templates.html", mails.map(|mails| Some(context! { mails })))
}

async fn template(State(edge): State<Edge>, Path(name): Path<String>) -> Response {
    let samples = app::mails().into_iter().filter(|sample| sample.template.name == name);
    let mails: Result<Vec<_>, _> = samples.map(|sample| Shown::sample(&edge, &sample)).collect();
    let known = |mails: Vec<Shown>| (!mails.is_empty()).then(|| context! { mails, template => name });
    page("mail.html", mails.map(known))
}

/// The token that a mailed link carries.
#[derive(Deserialize)]
struct Mailed {
    #[serde(default)]
    token: String,
}

/// What a front end does with a mailed link.
async fn link(purpose: &'static str, mutation: &'static str, Query(Mailed { token }): Query<Mailed>) -> Response {
    let mutation = mutation.replace("TOKEN", &format!("{token:?}"));
    page("link.html", Ok(Some(context! { purpose, mutation })))
}

/// Where mails are, if they are kept.
fn folder(edge: &Edge) -> Option<&std::path::Path> {
    match &edge.app.mailer {
        Mailer::Files { folder, .. } => Some(folder),
        Mailer::Smtp { .. } | Mailer::Memory(_) => None,
    }
}

/// The page `name` with this content; without content there is no such page.
fn page(name: &str, content: Result<Option<Value>, Fault>) -> Response {
    let html = match content.and_then(|content| content.map(|content| filled(name, content)).transpose()) {
        Ok(Some(html)) => html,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(fault) => {
            tracing::error!(fault = fault.report(), "a page for development cannot be shown");
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

fn filled(name: &str, content: Value) -> Result<String, Fault> {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    // Values are escaped, because of the `.html`.
    pages.add_template("page.html", include_str!("dev/page.html"))?;
    pages.add_template("welcome.html", include_str!("dev/welcome.html"))?;
    pages.add_template("sent.html", include_str!("dev/sent.html"))?;
    pages.add_template("mail.html", include_str!("dev/mail.html"))?;
    pages.add_template("link.html", include_str!("dev/link.html"))?;
    pages.add_template("templates.html", include_str!("dev/templates.html"))?;
    pages.get_template(name)?.render(content).context(format!("fill the page {name}"))
}
