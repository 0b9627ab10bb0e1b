//! The email templates of this feature, their contexts and samples.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::platform::mail::{self, Sample, Template};

/// Invites a recipient, who may have no account, to share the hours of a membership.
pub(super) static FAMILY_INVITATION: Template = mail::template!("family_invitation");

/// The context of [`FAMILY_INVITATION`].
#[derive(Serialize)]
pub(super) struct FamilyInvitation<'a> {
    /// The name of the user whose hours are shared.
    pub(super) owner: &'a str,
    /// The URL of the page that accepts the invitation.
    pub(super) link: &'a str,
    pub(super) until: DateTime<Utc>,
}

/// Returns samples of all emails of this feature, one for each case.
pub fn mails() -> Vec<Sample> {
    let at = DateTime::from_timestamp(1_795_165_200, 0).unwrap_or_default();
    let link = "https://learn.example/family?token=AZqVr0mYcXqtnoDHlZ0UsQAAAABrC2oQ";
    let sample = FamilyInvitation { owner: "Ada Lovelace", link, until: at + TimeDelta::days(14) };
    vec![Sample::new(&FAMILY_INVITATION, "", sample)]
}
