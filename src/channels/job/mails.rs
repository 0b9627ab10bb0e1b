//! The email templates of this feature, their contexts and samples.

use serde::Serialize;

use crate::platform::mail::{self, Sample, Template};

/// Invites an instructor to teach in a channel.
pub(super) static CHANNEL_INVITATION: Template = mail::template!("channel_invitation");

/// The context of [`CHANNEL_INVITATION`].
#[derive(Serialize)]
pub(super) struct ChannelInvitation<'a> {
    pub(super) name: &'a str,
    pub(super) channel: &'a str,
    /// The name of the user who sent it.
    pub(super) inviter: &'a str,
}

/// Returns samples of all emails of this feature, one for each case.
pub fn mails() -> Vec<Sample> {
    let sample = ChannelInvitation { name: "Ada Lovelace", channel: "Analytical Engines", inviter: "Charles Babbage" };
    vec![Sample::new(&CHANNEL_INVITATION, "", sample)]
}
