//! Outgoing mail: to an SMTP server, into files that a developer can read, or into memory for tests.

mod eml;
mod smtp;
mod template;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime, Utc};
use lettre::Message;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use uuid::Uuid;

pub use self::smtp::SmtpServer;
pub(crate) use self::template::template;
pub use self::template::{Sample, Template, render};
use super::fault::{Context, Fault};

/// How many mails [`list`] returns.
const LISTED: usize = 50;
/// How the time begins the name of a file: in order as text, and allowed in names everywhere.
const NAME_TIME: &str = "%Y%m%dT%H%M%S%.6fZ";

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The address, with or without a name: `Ada Lovelace <ada@example.org>`.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The content as plain text.
    pub text: String,
    /// The same as HTML, if there is such a version.
    pub html: Option<String>,
}

/// A mail in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// The name of its file, an RFC 5322 message.
    pub file: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// The mail.
    pub mail: Mail,
}

/// The way out for mail; a clone is the same way.
#[derive(Clone)]
pub enum Mailer {
    /// Each mail becomes a file.
    Files {
        /// Where the files are.
        folder: PathBuf,
        /// The sender.
        from: Mailbox,
        /// Keeps mails of the same instant in order.
        sequence: Arc<AtomicU64>,
    },
    /// Mail is handed to a server.
    Smtp {
        /// The server.
        server: SmtpServer,
        /// The sender.
        from: Mailbox,
    },
    /// Mail is kept here, for tests.
    Memory(Arc<Mutex<Vec<Mail>>>),
}

impl Mailer {
    /// Writes mail to a folder, which is made with the first one.
    ///
    /// # Errors
    /// `from` is no address.
    pub fn files(folder: PathBuf, from: &str) -> Result<Mailer, Fault> {
        Ok(Mailer::Files { folder, from: mailbox(from)?, sequence: Arc::default() })
    }

    /// Sends mail through the server that `url` names: `smtps://user:password@host:465` (TLS from the start, RFC 8314),
    /// or `smtp://user:password@host:587?tls=required` (STARTTLS, RFC 3207); `smtp://` without `tls` isn't encrypted.
    /// User and password are percent-encoded. Nothing is sent yet.
    ///
    /// # Errors
    /// The URL is malformed or `from` is no address.
    pub fn smtp(url: &str, from: &str) -> Result<Mailer, Fault> {
        Ok(Mailer::Smtp { server: SmtpServer::new(url)?, from: mailbox(from)? })
    }

    /// Sends one mail, dated `now`. When this returns, the server (or the disk) has taken it.
    ///
    /// # Errors
    /// The recipient is no address; the folder can't be written; the server can't be reached, refuses (the fault then
    /// holds a [`lettre::transport::smtp::Error`] that says whether for good), or takes longer than ten seconds for one
    /// step of the conversation; if that was the last step, it may have taken the mail.
    pub async fn send(&self, mail: &Mail, now: DateTime<Utc>) -> Result<(), Fault> {
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

/// The mails that [`Mailer::Files`] has written to a folder, newest first, at most 50. Files that it hasn't written are
/// passed over; a folder that isn't there is empty.
///
/// # Errors
/// The folder can't be read.
pub async fn list(folder: &Path) -> Result<Vec<StoredMail>, Fault> {
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

/// The mail in the file `name` of a folder; `None` if [`Mailer::Files`] hasn't written one of this name there.
///
/// # Errors
/// The file can't be read.
pub async fn read(folder: &Path, name: &str) -> Result<Option<StoredMail>, Fault> {
    // It comes from a URL, and must not lead out of the folder.
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

fn mailbox(address: &str) -> Result<Mailbox, Fault> {
    address.parse().context(format!("read the mail address {address:?}"))
}

fn compose(mail: &Mail, from: &Mailbox, now: DateTime<Utc>) -> Result<Message, Fault> {
    let builder = Message::builder()
        .from(from.clone())
        .to(mailbox(&mail.to)?)
        .subject(&mail.subject)
        .date(now.into())
        // By default it would name this machine, which is nobody's business.
        .message_id(Some(format!("<{}@{}>", Uuid::new_v4(), from.email.domain())));
    let text = mail.text.clone();
    let message = match mail.html.clone() {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    message.context("compose a mail")
}

/// Writes under another name first, so that [`list`] never meets half a mail.
async fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), Fault> {
    tokio::fs::create_dir_all(folder).await?;
    let unfinished = folder.join(format!("{name}.part"));
    tokio::fs::write(&unfinished, content).await?;
    Ok(tokio::fs::rename(unfinished, folder.join(name)).await?)
}
