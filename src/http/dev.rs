//! Pages for development only: what would have been mailed, and a signpost at `/`.

use axum::extract::State;
use axum::response::Html;

use super::Edge;
use crate::platform::mail::{self, Mailer};

const STYLE: &str = "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;\
    padding:0 1rem}article{border:1px solid #8886;border-radius:8px;padding:1rem;margin:1rem 0}\
    pre{white-space:pre-wrap;font:inherit;margin:.5rem 0 0}small{opacity:.7}h2{margin:0;font-size:1.1rem}</style>";

pub(super) async fn welcome() -> Html<String> {
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Lyceum</title>{STYLE}<h1>Lyceum</h1>\
         <p>The API is at <code>/graphql</code>. People look at <a href=/console>the console</a>, \
         <a href=/dev/mail>the mails</a>, <a href=/readyz>readiness</a>, <a href=/metrics>metrics</a>, \
         <a href=/openapi.json>the other routes</a>.</p>"
    ))
}

pub(super) async fn mail(State(edge): State<Edge>) -> Html<String> {
    let mut page = format!("<!doctype html><meta charset=utf-8><title>Mails</title>{STYLE}<h1>Mails</h1>");
    let Mailer::Files { folder, .. } = &edge.app.mailer else {
        page.push_str("<p>Mails are really sent; there is nothing to read here.</p>");
        return Html(page);
    };
    match mail::list(folder).await {
        Ok(mails) if mails.is_empty() => page.push_str("<p>Nothing has been sent yet.</p>"),
        Ok(mails) => {
            for stored in mails {
                page.push_str(&format!(
                    "<article><h2>{}</h2><small>to {} · {}</small><pre>{}</pre></article>",
                    escape(&stored.mail.subject),
                    escape(&stored.mail.to),
                    stored.sent_at.format("%Y-%m-%d %H:%M:%S UTC"),
                    escape(&stored.mail.text)
                ));
            }
        }
        Err(fault) => {
            tracing::warn!(fault = fault.report(), "mails cannot be listed");
            page.push_str("<p>The mails cannot be read; see the log.</p>");
        }
    }
    Html(page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
