//! Development-only pages.
//!
//! They are the emails that would have been sent, all email templates, and placeholder pages for the links in emails
//! while there is no front end.

use std::borrow::Cow;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde::{Deserialize, Serialize};

use super::pages::page;
use super::{HttpState, checkout};
use crate::app;
use crate::platform::internal_error::InternalError;
use crate::platform::mail::{self, Mail, Mailer, Sample};

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
const JOIN_FAMILY: &str = "mutation {
  joinFamily(input: { token: TOKEN }) {
    family { owner { name } } userErrors { code field message }
  }
}";

pub(super) fn routes() -> Router<HttpState> {
    Router::new()
        .route("/dev/checkout/{id}", get(checkout::show).post(checkout::act))
        .route("/dev/mail", get(sent))
        .route("/dev/mail/{file}", get(one))
        .route("/dev/mail/templates", get(templates))
        .route("/dev/mail/templates/{name}", get(template))
        .route("/open", get(opened))
        .route("/activate", get(|query| link("Activate an account", ACTIVATE, query)))
        .route("/reset-password", get(|query| link("Set a new password", RESET_PASSWORD, query)))
        .route("/confirm-email", get(|query| link("Confirm an e-mail address", CONFIRM_EMAIL, query)))
        .route("/join", get(|query| link("Join the team", JOIN, query)))
        .route("/family", get(|query| link("Join a family", JOIN_FAMILY, query)))
}

/// An email as shown on a page.
#[derive(Serialize)]
struct Shown {
    /// The name of the template; empty if the email was sent.
    name: &'static str,
    /// The sample case of the template; empty if the email was sent.
    case: Cow<'static, str>,
    /// When the email was sent; `None` for a template sample.
    sent_at: Option<String>,
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
    /// The Message-ID without its domain.
    id: String,
    /// The URL that ends the subscription to its list, if it was sent to one.
    unsubscribe: Option<String>,
    /// The URL of its page.
    link: String,
}

impl Shown {
    fn new(mail: Mail, link: String) -> Shown {
        let Mail { id, to, subject, text, html, list } = mail;
        let (id, unsubscribe) = (id.to_string(), list.map(|list| list.unsubscribe));
        Shown { name: "", case: Cow::Borrowed(""), sent_at: None, to, subject, text, html, id, unsubscribe, link }
    }

    fn stored(stored: mail::StoredMail) -> Shown {
        let sent_at = stored.sent_at.format("%-d %B %Y, %H:%M:%S UTC").to_string();
        Shown { sent_at: Some(sent_at), ..Shown::new(stored.mail, format!("/dev/mail/{}", stored.file)) }
    }

    fn sample(state: &HttpState, sample: &Sample) -> Result<Shown, InternalError> {
        let mail = mail::render(&state.app.config, sample.template, "ada@example.org", &sample.context)?;
        let name = sample.template.name;
        Ok(Shown { name, case: sample.case.clone(), ..Shown::new(mail, format!("/dev/mail/templates/{name}")) })
    }
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

/// The query parameters of a link to what a notification is about.
#[derive(Deserialize)]
struct Linked {
    #[serde(default)]
    id: String,
}

/// Shows the query that a front end would send for a link to what a notification is about.
async fn opened(Query(Linked { id }): Query<Linked>) -> Response {
    let mutation = format!("{{ node(id: {id:?}) {{ __typename id }} }}");
    page("link.html", Ok(Some(context! { purpose => "Open what a notification is about", mutation })))
}

/// Returns the folder of the emails, if they are written to files.
fn folder(state: &HttpState) -> Option<&std::path::Path> {
    match &state.app.mailer {
        Mailer::Files { folder, .. } => Some(folder),
        Mailer::Smtp { .. } | Mailer::Memory(_) => None,
    }
}
