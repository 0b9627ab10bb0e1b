//! Commands for certificates.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde_json::json;

use super::certificate_pdf::pdf;
use crate::accounts::{can_see_private, viewer};
use crate::enrollments::error;
use crate::enrollments::event::CertificateIssued;
use crate::enrollments::loader::CertificateByCode;
use crate::enrollments::model::{
    Certificate, CertificateId, RevokeCertificateInput, Save, SetCertificateVisibilityInput, code_of, normal_code,
};
use crate::enrollments::query::certificate as query;
use crate::graphql::Result;
use crate::graphql::error::Check;
use crate::graphql::loaders::Loaders;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::platform::pdf::can_print;

const LONGEST_REASON: usize = 500;
const TEMPLATE: &str = include_str!("certificate.svg");

/// Issues the certificate of a completed course, unless the user has one: also one that was revoked.
///
/// # Errors
/// The database failed.
pub(super) async fn issue(
    tx: &mut Tx,
    app: &App,
    save: &Save,
    now: DateTime<Utc>,
) -> std::result::Result<(), InternalError> {
    let row = Certificate {
        id: CertificateId::new(app.clock.uuid()),
        code: code_of(rand::random()),
        user_id: save.user,
        course_id: Some(save.course),
        holder_name: save.holder_name.to_string(),
        course_title: save.course_title.to_string(),
        issued_at: now,
        revoked_at: None,
        is_public: false,
    };
    if query::insert(tx, &row).await? {
        let event = CertificateIssued { certificate_id: row.id, user_id: save.user, course_id: save.course };
        outbox::record(tx, &app.clock, &event).await?;
    }
    Ok(())
}

/// Revokes a certificate. It stays, so that who verifies it learns that it is revoked.
///
/// # Errors
/// The input is invalid; it is revoked already; the actor is not an administrator.
pub async fn revoke_certificate(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RevokeCertificateInput,
) -> Result<Certificate> {
    if !actor.has(Role::Admin) {
        return Err(error::only_administrators_revoke());
    }
    let mut check = Check::new();
    let reason = check.required_text("reason", &input.reason, LONGEST_REASON);
    check.finish()?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let row = query::lock(tx, input.certificate_id).await?.ok_or_else(error::no_such_certificate)?;
            if row.revoked_at.is_some() {
                return Err(error::revoked_already());
            }
            let details = json!({ "course": row.course_id.map(|id| id.encode()), "reason": reason });
            let action = Action::CertificateRevoked;
            let entry = Entry { action, actor: actor.id(), subject: Some(row.user_id.uuid()), client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            Ok(query::revoke(tx, row.id, &reason, now).await?)
        })
        .await
}

/// Lets everybody who has the code see the actor's name, or not.
///
/// # Errors
/// The actor has no such certificate, or is not signed in.
pub async fn set_certificate_visibility(
    app: &App,
    actor: &Actor,
    input: SetCertificateVisibilityInput,
) -> Result<Certificate> {
    let user = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let row = query::lock(tx, input.certificate_id).await?;
            let row = row.filter(|row| row.user_id == user).ok_or_else(error::no_such_certificate)?;
            Ok(query::show(tx, row.id, input.is_public).await?)
        })
        .await
}

/// Returns whether the viewer may see the name of a certificate's holder: all may if the holder has agreed.
pub fn shows_name(viewer: &Actor, row: &Certificate) -> bool {
    row.is_public || can_see_private(viewer, row.user_id)
}

/// The address of a certificate's picture, in which everybody can verify it.
pub fn certificate_url(app: &App, row: &Certificate) -> String {
    format!("{}/certificates/{}.svg", app.config.public_url, row.code)
}

/// The address of a certificate as a document; `None` if the document's typeface lacks a character of it.
pub fn certificate_pdf_url(app: &App, viewer: &Actor, row: &Certificate) -> Option<String> {
    let url = || format!("{}/certificates/{}.pdf", app.config.public_url, row.code);
    Shown::of(app, viewer, row).is_printable().then(url)
}

/// Returns the certificate with a code, however the code is typed.
///
/// # Errors
/// The database failed.
pub async fn certificate_by_code(
    loaders: &Loaders,
    typed: &str,
) -> std::result::Result<Option<Arc<Certificate>>, InternalError> {
    match normal_code(typed) {
        Some(code) => loaders.load(CertificateByCode(code)).await,
        None => Ok(None),
    }
}

/// The format of a certificate's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFormat {
    /// A picture.
    Svg,
    /// A document to print.
    Pdf,
}

/// A certificate's file.
#[derive(Debug)]
pub enum CertificateFile {
    /// The picture.
    Svg(String),
    /// The document.
    Pdf(Vec<u8>),
    /// There is no document, because its typeface lacks a character. This is the address of the picture.
    Unprintable(String),
}

/// Returns the file of a certificate, as the viewer may see it; `None` if there is none with this code.
///
/// # Errors
/// The database failed.
pub async fn certificate_file(
    loaders: &Loaders,
    viewer: &Actor,
    typed: &str,
    format: CertificateFormat,
) -> std::result::Result<Option<CertificateFile>, InternalError> {
    let Some(row) = certificate_by_code(loaders, typed).await? else { return Ok(None) };
    let shown = Shown::of(loaders.app(), viewer, &row);
    Ok(Some(match format {
        CertificateFormat::Svg => CertificateFile::Svg(svg(&shown)?),
        CertificateFormat::Pdf if !shown.is_printable() => CertificateFile::Unprintable(shown.url),
        // On a blocking thread, because it takes milliseconds.
        CertificateFormat::Pdf => CertificateFile::Pdf(tokio::task::spawn_blocking(move || pdf(&shown)).await??),
    }))
}

/// What a certificate says to a viewer.
pub(super) struct Shown {
    pub(super) school: String,
    /// The holder; `None` if the viewer may not see who it is.
    pub(super) name: Option<String>,
    pub(super) title: String,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
    pub(super) code: String,
    /// Where it can be verified.
    pub(super) url: String,
}

impl Shown {
    fn of(app: &App, viewer: &Actor, row: &Certificate) -> Shown {
        Shown {
            school: app.config.site_name.clone(),
            name: shows_name(viewer, row).then(|| row.holder_name.clone()),
            title: row.course_title.clone(),
            issued_at: row.issued_at,
            revoked_at: row.revoked_at,
            code: row.code.clone(),
            url: certificate_url(app, row),
        }
    }

    /// Whether the typeface of documents has all characters.
    pub(super) fn is_printable(&self) -> bool {
        [Some(&self.school), self.name.as_ref(), Some(&self.title)].into_iter().flatten().all(|text| can_print(text))
    }
}

/// Fills in the template of the picture, which escapes what it is given.
fn svg(shown: &Shown) -> std::result::Result<String, InternalError> {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    let values = context! {
        school => &shown.school,
        name => &shown.name,
        name_size => size(shown.name.as_deref().unwrap_or_default(), 56),
        title => &shown.title,
        title_size => size(&shown.title, 34),
        issued => shown.issued_at.format("%Y-%m-%d").to_string(),
        revoked => shown.revoked_at.map(|at| at.format("%Y-%m-%d").to_string()),
        code => &shown.code,
        url => &shown.url,
    };
    Ok(pages.render_str(TEMPLATE, values)?)
}

/// The size of a line of text that fits: most letters are less than two thirds as wide as they are high.
fn size(text: &str, largest: usize) -> usize {
    const WIDTH: usize = 960;
    (3 * WIDTH / 2).checked_div(text.chars().count()).map_or(largest, |fits| fits.clamp(14, largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_says_what_it_may_and_escapes_it() {
        let shown = |name: Option<&str>, revoked_at| Shown {
            school: "School".into(),
            name: name.map(str::to_owned),
            title: "Engines & more".into(),
            issued_at: DateTime::UNIX_EPOCH,
            revoked_at,
            code: "0123456789AB".into(),
            url: "https://school.example/certificates/0123456789AB.svg".into(),
        };
        let all = svg(&shown(Some("Ada <script>"), None)).unwrap();
        for text in ["Ada &lt;script&gt;", "Engines &amp; more", "1970-01-01", "0123456789AB", "School"] {
            assert!(all.contains(text), "{text}: {all}");
        }
        assert!(!all.contains("<script") && !all.contains("Revoked"), "{all}");
        let hidden = svg(&shown(None, None)).unwrap();
        assert!(hidden.contains("The holder of this certificate"), "{hidden}");
        assert!(svg(&shown(None, Some(DateTime::UNIX_EPOCH))).unwrap().contains("Revoked"));
    }
}
