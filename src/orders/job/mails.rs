//! The email templates of this feature, their contexts and samples.

use serde::Serialize;

use crate::platform::mail::{self, Sample, Template};

/// Tells a recipient, who may have no account, of a gift.
pub(super) static GIFT: Template = mail::template!("gift");

/// The context of [`GIFT`].
#[derive(Serialize)]
pub(super) struct GiftMail<'a> {
    /// The name of the user who gives; empty if the account was deleted.
    pub(super) giver: &'a str,
    pub(super) course: &'a str,
    /// What the giver says, in lines.
    pub(super) message: Vec<&'a str>,
    /// The code in groups of four.
    pub(super) code: &'a str,
    /// Until when it can be claimed (RFC 3339).
    pub(super) until: &'a str,
}

/// Returns samples of all emails of this feature, one for each case.
pub fn mails() -> Vec<Sample> {
    let sample = |giver, message| GiftMail {
        giver,
        course: "Analytical Engines",
        message,
        code: "7K3M-9QX2-VDBA-C4HN",
        until: "2027-05-20T09:00:00Z",
    };
    vec![
        Sample::new(&GIFT, "with a message", sample("Ada Lovelace", vec!["Happy birthday!", "Yours, Ada"])),
        Sample::new(&GIFT, "without a name or a message", sample("", vec![])),
    ]
}
