//! Sends mail to an SMTP server, with one connection per mail.
//!
//! `lettre`'s own transport isn't used because its timeout covers only opening the TCP connection, and because it
//! reuses a connection after a canceled mail, so that the next mail reads the replies to the previous one.

use std::time::Duration;

use lettre::Message;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use url::{Url, form_urlencoded};

use super::super::internal_error::{Context, InternalError};

/// How long the server may take for one step of the SMTP dialogue.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may take to reply to QUIT, after it has accepted the mail.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

const RECIPIENT: &str = "name the recipient to the SMTP server";

/// The server rejects the recipient permanently: the address does not exist (RFC 5321, 4.2.1).
#[derive(Debug)]
pub struct RecipientRejected(Error);

impl std::fmt::Display for RecipientRejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the recipient is rejected")
    }
}

impl std::error::Error for RecipientRejected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// An SMTP server with its security and credentials.
#[derive(Clone)]
pub struct SmtpServer {
    /// Host and port.
    address: String,
    security: Security,
    credentials: Option<Credentials>,
}

#[derive(Clone)]
enum Security {
    None,
    /// STARTTLS (RFC 3207): only the greeting and EHLO are sent unencrypted.
    StartTls(TlsParameters),
    /// Implicit TLS (RFC 8314).
    Tls(TlsParameters),
}

impl SmtpServer {
    /// Parses `url`; [`Mailer::smtp`](super::Mailer::smtp) describes the format.
    pub(super) fn new(url: &str) -> Result<SmtpServer, InternalError> {
        let url = Url::parse(url).context("read the SMTP URL")?;
        let host = url.host_str().ok_or_else(|| InternalError::new("the SMTP URL names no host"))?;
        let tls = || TlsParameters::new(host.to_owned()).context("prepare TLS for SMTP");
        let wanted = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
        let (security, port) = match (url.scheme(), wanted.as_deref()) {
            ("smtps", None | Some("required")) => (Security::Tls(tls()?), 465),
            ("smtp", Some("required")) => (Security::StartTls(tls()?), 587),
            ("smtp", None) => (Security::None, 25),
            _ => {
                return Err(InternalError::new(
                    "the SMTP URL is neither smtps://… nor smtp://…, with or without ?tls=required",
                ));
            }
        };
        let address = format!("{host}:{}", url.port().unwrap_or(port));
        let credentials = url.password().map(|password| Credentials::new(decode(url.username()), decode(password)));
        Ok(SmtpServer { address, security, credentials })
    }

    /// Sends one mail. Returns when the server has accepted it.
    pub(super) async fn send(&self, message: &Message) -> Result<(), InternalError> {
        let hello = ClientId::default();
        let tls = if let Security::Tls(tls) = &self.security { Some(tls.clone()) } else { None };
        let connecting = AsyncSmtpConnection::connect_tokio1(&self.address, None, &hello, tls, None);
        let mut connection = step("connect to the SMTP server", connecting).await?;
        if let Security::StartTls(tls) = &self.security {
            step("start TLS with the SMTP server", connection.starttls(tls.clone(), &hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            step("log in to the SMTP server", connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        hand_over(&mut connection, message.envelope(), &message.formatted()).await?;
        _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
    }
}

/// Runs the dialogue of one mail, like `lettre`'s own, but tells a rejected recipient from everything else.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    content: &[u8],
) -> Result<(), InternalError> {
    let has = |extension| connection.server_info().supports_feature(extension);
    let mut options = Vec::new();
    if !envelope.to().iter().chain(envelope.from()).all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !has(Extension::SmtpUtfEight) {
            return Err(InternalError::new("the SMTP server accepts ASCII addresses only"));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !content.is_ascii() {
        if !has(Extension::EightBitMime) {
            return Err(InternalError::new("the SMTP server accepts ASCII mails only"));
        }
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = envelope.from().cloned();
    step("name the sender to the SMTP server", connection.command(Mail::new(from, options))).await?;
    for address in envelope.to() {
        let answer = connection.command(Rcpt::new(address.clone(), Vec::new()));
        match tokio::time::timeout(STEP_TIMEOUT, answer).await.context(RECIPIENT)? {
            Err(error) if error.is_permanent() => return Err(RecipientRejected(error)).context(RECIPIENT),
            answer => answer.context(RECIPIENT)?,
        };
    }
    step("begin a mail", connection.command(Data)).await?;
    step("hand a mail to the SMTP server", connection.message(content)).await?;
    Ok(())
}

async fn step<T>(what: &'static str, step: impl Future<Output = Result<T, Error>>) -> Result<T, InternalError> {
    tokio::time::timeout(STEP_TIMEOUT, step).await.context(what)?.context(what)
}

/// Decodes percent-encoding, and nothing else that a form would decode.
fn decode(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let server = |url| SmtpServer::new(url).unwrap();
        assert_eq!(server("smtp://localhost").address, "localhost:25");
        assert!(matches!(server("smtp://[::1]:2525/").security, Security::None));
        assert_eq!(server("smtp://[::1]:2525/").address, "[::1]:2525");
        assert!(matches!(server("smtp://mail.example?tls=required").security, Security::StartTls(_)));
        assert_eq!(server("smtp://mail.example?tls=required").address, "mail.example:587");
        assert!(matches!(server("smtps://mail.example").security, Security::Tls(_)));
        assert_eq!(server("smtps://mail.example").address, "mail.example:465");
        let credentials = Credentials::new("me@example.org".into(), "a+b&c=d%e f/ü".into());
        let url = "smtps://me%40example.org:a+b&c=d%25e%20f%2F%C3%BC@mail.example";
        assert_eq!(server(url).credentials, Some(credentials));
    }
}
