//! Outgoing mail: through an SMTP server, into files (development), or into memory (tests).

mod eml;
mod smtp;
pub mod suppression;
mod template;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime, Utc};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use uuid::Uuid;

pub use self::smtp::{RecipientRejected, SmtpServer};
pub use self::template::template;
pub use self::template::{Sample, Template, render};
use super::internal_error::{Context, InternalError};

/// The maximum number of mails that [`list`] returns.
const LISTED: usize = 50;
/// The format of the time at the start of a file name. It sorts as text and is valid on all file systems.
const NAME_TIME: &str = "%Y%m%dT%H%M%S%.6fZ";

/// A mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The unique part of the Message-ID. A mail that is sent again with the same one is recognized as the same mail.
    pub id: Uuid,
    /// The recipient's email address, with or without a name: `Ada Lovelace <ada@example.org>`.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The HTML body, if there is one.
    pub html: Option<String>,
    /// How recipients leave the list that it was sent to; `None` for mails that everyone with an account receives.
    pub list: Option<MailingList>,
}

/// What a mail says about the list that it was sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailingList {
    /// The name of the list, of lower-case letters, digits and hyphens (RFC 2919).
    pub name: String,
    /// The URL that ends the subscription at a POST request without further interaction (RFC 8058).
    pub unsubscribe: String,
}

/// A mail that was written to a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// The name of the file, an RFC 5322 message.
    pub file: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// The mail.
    pub mail: Mail,
}

/// A mail transport; a clone is the same transport.
#[derive(Clone)]
pub enum Mailer {
    /// Writes each mail to a file.
    Files {
        /// The folder of the files.
        folder: PathBuf,
        /// The sender.
        from: Mailbox,
        /// Orders mails that are sent at the same time.
        sequence: Arc<AtomicU64>,
    },
    /// Sends mail through an SMTP server.
    Smtp {
        /// The server.
        server: SmtpServer,
        /// The sender.
        from: Mailbox,
    },
    /// Stores mail in memory, for tests.
    Memory(Arc<Mutex<Vec<Mail>>>),
}

impl Mailer {
    /// Returns a transport that writes mail to a folder, which is created with the first mail.
    ///
    /// # Errors
    /// `from` is not a valid email address.
    pub fn files(folder: PathBuf, from: &str) -> Result<Mailer, InternalError> {
        Ok(Mailer::Files { folder, from: mailbox(from)?, sequence: Arc::default() })
    }

    /// Returns a transport that sends mail through the SMTP server at `url`. Nothing is sent yet.
    ///
    /// The URL is `smtps://user:password@host:465` (implicit TLS, RFC 8314) or
    /// `smtp://user:password@host:587?tls=required` (STARTTLS, RFC 3207); `smtp://` without `tls` is not encrypted.
    /// User and password are percent-encoded.
    ///
    /// # Errors
    /// The URL is malformed, or `from` is not a valid email address.
    pub fn smtp(url: &str, from: &str) -> Result<Mailer, InternalError> {
        Ok(Mailer::Smtp { server: SmtpServer::new(url)?, from: mailbox(from)? })
    }

    /// Sends one mail, dated `now`. Returns when the server has accepted it or the file is written.
    ///
    /// # Errors
    /// The recipient is not a valid email address; the folder can't be written; the server is unreachable, rejects the
    /// mail, or takes longer than ten seconds for one step of the SMTP dialogue. A rejection contains a
    /// [`lettre::transport::smtp::Error`], which tells whether it is permanent, or [`RecipientRejected`] if the address
    /// does not exist. After a timeout of the last step, the server may have accepted the mail.
    pub async fn send(&self, mail: &Mail, now: DateTime<Utc>) -> Result<(), InternalError> {
        match self {
            Mailer::Files { folder, from, sequence } => {
                let sequence = sequence.fetch_add(1, Ordering::Relaxed);
                let name = format!("{}-{sequence:06}-{}.eml", now.format(NAME_TIME), Uuid::new_v4().simple());
                let content = compose(mail, from, now)?.formatted();
                write(folder, &name, &content).await.context(format!("write a mail to {}", folder.display()))
            }
            Mailer::Smtp { server, from } => server.send(&compose(mail, from, now)?).await,
            Mailer::Memory(sent) => {
                sent.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
                Ok(())
            }
        }
    }
}

/// Lists the mails that [`Mailer::Files`] wrote to a folder, newest first, at most 50.
///
/// Other files are skipped. Returns an empty list if the folder doesn't exist.
///
/// # Errors
/// The folder can't be read.
pub async fn list(folder: &Path) -> Result<Vec<StoredMail>, InternalError> {
    let what = || format!("read the mails in {}", folder.display());
    let mut entries = match tokio::fs::read_dir(folder).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context(what())?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.context(what())? {
        if let Ok(name) = entry.file_name().into_string()
            && name_time(&name).is_some()
        {
            names.push(name);
        }
    }
    names.sort_unstable_by(|left, right| right.cmp(left));
    names.truncate(LISTED);
    let mut mails = Vec::new();
    for name in names {
        mails.extend(read(folder, &name).await?);
    }
    Ok(mails)
}

/// Reads the mail in the file `name` of a folder. Returns `None` if [`Mailer::Files`] wrote no such file.
///
/// # Errors
/// The file can't be read.
pub async fn read(folder: &Path, name: &str) -> Result<Option<StoredMail>, InternalError> {
    // The name comes from a URL and must not leave the folder.
    let Some(sent_at) = name_time(name).filter(|_| !name.contains('/')) else { return Ok(None) };
    match tokio::fs::read(folder.join(name)).await {
        Ok(content) => Ok(eml::parse(&content).map(|mail| StoredMail { file: name.to_owned(), sent_at, mail })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(format!("read the mail {name} in {}", folder.display())),
    }
}

fn name_time(name: &str) -> Option<DateTime<Utc>> {
    let (time, _) = name.strip_suffix(".eml")?.split_once('-')?;
    NaiveDateTime::parse_from_str(time, NAME_TIME).ok().map(|time| time.and_utc())
}

fn mailbox(address: &str) -> Result<Mailbox, InternalError> {
    address.parse().context(format!("read the mail address {address:?}"))
}

fn compose(mail: &Mail, from: &Mailbox, now: DateTime<Utc>) -> Result<Message, InternalError> {
    let domain = from.email.domain();
    let mut builder = Message::builder()
        .from(from.clone())
        .to(mailbox(&mail.to)?)
        .subject(&mail.subject)
        .date(now.into())
        // RFC 3834: no person wrote it, so that no automatic reply is sent to it.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        // The default would disclose the name of this machine.
        .message_id(Some(format!("<{}@{domain}>", mail.id)));
    if let Some(list) = &mail.list {
        for (name, value) in list_headers(list, domain) {
            builder = builder.raw_header(HeaderValue::new(name, value));
        }
    }
    let text = mail.text.clone();
    let message = match mail.html.clone() {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    message.context("compose a mail")
}

/// The headers of a list: RFC 2919, RFC 2369 and RFC 8058, whose requirement of a signature is up to the mail server.
fn list_headers(list: &MailingList, domain: &str) -> [(HeaderName, String); 3] {
    [
        (HeaderName::new_from_ascii_str(eml::LIST_ID), format!("<{}.{domain}>", list.name)),
        (HeaderName::new_from_ascii_str(eml::LIST_UNSUBSCRIBE), format!("<{}>", list.unsubscribe)),
        (HeaderName::new_from_ascii_str("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click".into()),
    ]
}

/// Writes to a temporary name first, so that [`list`] never sees an incomplete mail.
async fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), InternalError> {
    tokio::fs::create_dir_all(folder).await?;
    let unfinished = folder.join(format!("{name}.part"));
    tokio::fs::write(&unfinished, content).await?;
    Ok(tokio::fs::rename(unfinished, folder.join(name)).await?)
}
