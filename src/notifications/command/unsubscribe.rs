//! Ends notifications by email without signing in, by the link in each of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::accounts::{UserById, UserId};
use crate::graphql::loaders::Load;
use crate::notifications::job::{self, Language};
use crate::notifications::model::{NotificationKind, Preference};
use crate::notifications::policy;
use crate::notifications::query::{delivery, setting};
use crate::platform::App;
use crate::platform::auth::{Link, Proof};
use crate::platform::internal_error::InternalError;

/// What a link in a mail ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscription {
    /// The user who got the mail.
    user: UserId,
    /// The kind of notification that the mail was about; `None` of a digest, which is about all.
    kind: Option<NotificationKind>,
    /// The language that the user has chosen, if there are texts in it.
    language: Option<Language>,
}

impl Unsubscription {
    /// The language in which the user is answered, as a BCP 47 tag: the one that they have chosen, or else that of their
    /// browser, by its `Accept-Language`. English if there are no texts in it.
    pub fn language(&self, accepted: &str) -> &'static str {
        self.language.unwrap_or_else(|| Language::of(accepted)).tag()
    }

    /// What the mail was about, in words of a language; `None` of a digest.
    pub fn subject(&self, language: &str) -> Option<&'static str> {
        Some(Language::of(language).choose(job::name_of(self.kind?)))
    }
}

/// What takes the place of a kind in the token of a digest.
const ALL: &str = "ALL";

/// Returns the URL that a mail about a kind of notification has, or a digest. It does not expire, like the mail.
pub(crate) fn unsubscribe_url(app: &App, user: UserId, kind: Option<NotificationKind>) -> String {
    let name = kind.map_or(ALL, NotificationKind::as_str);
    let link = app.codes.link(Proof::Unsubscription, user.uuid(), forever(), name);
    format!("{}/unsubscribe?token={name}.{link}", app.config.public_url)
}

/// A time after the life of every mail: the end of the year 9999.
fn forever() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Reads the token of a link; `None` if this server did not make it.
///
/// # Errors
/// The database failed.
pub async fn read_unsubscription(app: &App, token: &str) -> Result<Option<Unsubscription>, InternalError> {
    let Some((user, kind)) = parse(app, token) else { return Ok(None) };
    let row = UserById(user).load_one(app).await?;
    let chosen = row.as_ref().and_then(|row| row.locale.as_deref());
    Ok(Some(Unsubscription { user, kind, language: chosen.map(Language::of) }))
}

fn parse(app: &App, token: &str) -> Option<(UserId, Option<NotificationKind>)> {
    let (name, link) = token.split_once('.')?;
    let kind = if name == ALL { None } else { Some(name.parse().ok()?) };
    let link = Link::parse(link)?;
    let is_ours = app.codes.is_link(&link, Proof::Unsubscription, name, app.clock.now());
    is_ours.then(|| (UserId::new(link.id), kind))
}

/// Ends emails: of the kind that the mail was about, or all. Security notices and mails that the user asks for stay.
///
/// # Errors
/// The database failed.
pub async fn unsubscribe(app: &App, from: Unsubscription, everything: bool) -> Result<(), InternalError> {
    let user = UserById(from.user).load_one(app).await?;
    if user.is_none_or(|user| user.deleted_at.is_some()) {
        return Ok(());
    }
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let Some(kind) = from.kind.filter(|_| !everything) else {
                delivery::unsubscribe(tx, from.user, now).await?;
                return Ok(());
            };
            let settings = setting::of_users(tx.conn(), &[from.user]).await?.remove(&from.user).unwrap_or_default();
            let now = policy::preference(&settings, kind, job::default_of(kind));
            let changed: BTreeMap<&str, Preference> = [(kind.as_str(), Preference { email: false, ..now })].into();
            setting::change(tx, from.user, &changed, Default::default()).await?;
            Ok(())
        })
        .await
}
