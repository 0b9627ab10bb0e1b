//! Addresses that list mails are not sent to, because they do not exist or their owners call our mails spam.
//!
//! Mails that the user asked for, such as codes and links, and security notices are sent nevertheless. A user who enters
//! such a code or opens such a link proves that the address works: then a bounce is lifted, but not a complaint.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text, Timestamptz};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::platform::App;
use crate::platform::db::schema::mail_suppressions;
use crate::platform::db::{RunQueryDsl, Tx, sql_query, stored_as_text};
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::jobs::Handler;
use crate::platform::retention::{self, Retention};

/// How long a suppression lasts: by then, the address may have been given to another person.
const AGE: TimeDelta = TimeDelta::days(365);
const OLD: Retention = Retention::new("mail_suppressions", "at");

/// Why an address is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Reason {
    /// The address does not exist or does not accept mail.
    Bounce,
    /// Its owner called a mail spam.
    Complaint,
}

stored_as_text!(Reason { Bounce = "BOUNCE", Complaint = "COMPLAINT" });

/// Returns the job that forgets old suppressions.
pub fn handler() -> Handler {
    Handler::scheduled("mail.forget_suppressions", "25 3 * * *", retention::TIMEOUT, |app, _| {
        retention::delete(app, &[OLD], AGE)
    })
}

/// Suppresses addresses. A complaint is not replaced by a bounce.
///
/// # Errors
/// The database failed.
pub async fn suppress(app: &App, found: &[(String, Reason)]) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            for (address, reason) in found {
                insert(tx, address, *reason, app.clock.now()).await.context("cannot suppress an address")?;
            }
            Ok(())
        })
        .await
}

async fn insert(tx: &mut Tx, address: &str, reason: Reason, now: DateTime<Utc>) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO mail_suppressions (address_hash, reason, at) VALUES ($1, $2, $3) \
         ON CONFLICT (address_hash) DO UPDATE SET at = $3, \
         reason = CASE mail_suppressions.reason WHEN 'COMPLAINT' THEN 'COMPLAINT' ELSE $2 END",
    )
    .bind::<Binary, _>(hash(address))
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// Lifts a bounce, because a mail has reached the address.
///
/// # Errors
/// The database failed.
pub async fn lift(tx: &mut Tx, address: &str) -> Result<(), InternalError> {
    let bounce = mail_suppressions::reason.eq(Reason::Bounce);
    let rows = mail_suppressions::table.filter(mail_suppressions::address_hash.eq(hash(address)).and(bounce));
    diesel::delete(rows).execute(tx.conn()).await.context("cannot lift a suppression")?;
    Ok(())
}

/// Returns which of the addresses are suppressed.
///
/// # Errors
/// The database failed.
pub async fn suppressed<'a>(
    conn: &mut AsyncPgConnection,
    addresses: impl IntoIterator<Item = &'a str>,
) -> Result<HashSet<&'a str>, InternalError> {
    let hashes: Vec<(Vec<u8>, &str)> = addresses.into_iter().map(|address| (hash(address), address)).collect();
    let wanted: Vec<&Vec<u8>> = hashes.iter().map(|(hash, _)| hash).collect();
    let rows = mail_suppressions::table.filter(mail_suppressions::address_hash.eq_any(wanted));
    let found: HashSet<Vec<u8>> = rows.select(mail_suppressions::address_hash).load(conn).await?.into_iter().collect();
    Ok(hashes.into_iter().filter(|(hash, _)| found.contains(hash)).map(|(_, address)| address).collect())
}

fn hash(address: &str) -> Vec<u8> {
    Sha256::digest(address.trim().to_lowercase()).to_vec()
}

/// Reads the report of a mail service; `None` if its format is unknown. Bounces that may end by themselves, such as that
/// of a full mailbox, are left out.
///
/// The formats are `{"address": "…", "kind": "bounce"}` (or `complaint`), that of Postmark, and that of Amazon SES, also
/// wrapped by SNS.
pub fn reported(report: &Value) -> Option<Vec<(String, Reason)>> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    if let Some(inner) = text(report, "Message") {
        return reported(&serde_json::from_str(&inner).ok()?);
    }
    if let (Some(address), Some(kind)) = (text(report, "address"), text(report, "kind")) {
        let reason = [("bounce", Reason::Bounce), ("complaint", Reason::Complaint)];
        let (_, reason) = reason.into_iter().find(|(name, _)| *name == kind)?;
        return Some(vec![(address, reason)]);
    }
    // https://postmarkapp.com/developer/webhooks/bounce-webhook
    if let Some(kind) = text(report, "RecordType") {
        let address = text(report, "Email")?;
        let is_hard = matches!(text(report, "Type").as_deref(), Some("HardBounce" | "BadEmailAddress"));
        return match &*kind {
            "Bounce" => Some(is_hard.then_some((address, Reason::Bounce)).into_iter().collect()),
            "SpamComplaint" => Some(vec![(address, Reason::Complaint)]),
            _ => Some(Vec::new()),
        };
    }
    // https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
    let kind = text(report, "notificationType").or_else(|| text(report, "eventType"))?;
    let (recipients, reason) = match &*kind {
        "Bounce" if report.pointer("/bounce/bounceType")? != "Permanent" => return Some(Vec::new()),
        "Bounce" => (report.pointer("/bounce/bouncedRecipients")?, Reason::Bounce),
        "Complaint" => (report.pointer("/complaint/complainedRecipients")?, Reason::Complaint),
        _ => return Some(Vec::new()),
    };
    recipients.as_array()?.iter().map(|recipient| Some((text(recipient, "emailAddress")?, reason))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reports_of_services_are_read() {
        let ses = |bounce_type: &str| {
            json!({ "notificationType": "Bounce", "bounce": { "bounceType": bounce_type,
                "bouncedRecipients": [{ "emailAddress": "a@b.example" }, { "emailAddress": "c@b.example" }] } })
        };
        let complaint = json!({ "eventType": "Complaint",
            "complaint": { "complainedRecipients": [{ "emailAddress": "a@b.example" }] } });
        let (a, c) = (|reason| ("a@b.example".to_owned(), reason), ("c@b.example".to_owned(), Reason::Bounce));
        let postmark = |kind: &str, bounce: &str| json!({ "RecordType": kind, "Type": bounce, "Email": "a@b.example" });
        for (report, expected) in [
            (json!({ "address": "a@b.example", "kind": "bounce" }), Some(vec![a(Reason::Bounce)])),
            (json!({ "address": "a@b.example", "kind": "complaint" }), Some(vec![a(Reason::Complaint)])),
            (json!({ "address": "a@b.example", "kind": "vacation" }), None),
            (postmark("Bounce", "HardBounce"), Some(vec![a(Reason::Bounce)])),
            (postmark("Bounce", "SoftBounce"), Some(vec![])),
            (postmark("SpamComplaint", "SpamComplaint"), Some(vec![a(Reason::Complaint)])),
            (postmark("Delivery", ""), Some(vec![])),
            (ses("Permanent"), Some(vec![a(Reason::Bounce), c.clone()])),
            (ses("Transient"), Some(vec![])),
            (
                json!({ "Type": "Notification", "Message": ses("Permanent").to_string() }),
                Some(vec![a(Reason::Bounce), c]),
            ),
            (complaint, Some(vec![a(Reason::Complaint)])),
            (json!({ "notificationType": "Bounce" }), None),
            (json!({ "Message": "hello" }), None),
            (json!([]), None),
        ] {
            assert_eq!(reported(&report), expected, "{report:#}");
        }
    }
}
