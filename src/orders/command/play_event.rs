//! What Google Play tells is about a membership instead of a payment.

use super::inbox::Outcome;
use super::unread::notification_of;
use crate::memberships::{self, PlayOutcome};
use crate::orders::model::PaymentEvent;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Has the membership that a notification is about follow what Google says.
pub(super) async fn apply(app: &App, row: &PaymentEvent) -> Result<Outcome, InternalError> {
    let told = match notification_of(app, row).await? {
        Ok(told) => told,
        Err(why) => return Ok(Outcome::Refuse(why)),
    };
    // About what is bought once, or a test: nothing follows.
    let Some(token) = told.token else { return Ok(Outcome::Done) };
    Ok(match memberships::play_told(app, &token).await? {
        PlayOutcome::Followed => Outcome::Done,
        PlayOutcome::Waits(why) => Outcome::Wait(why),
        PlayOutcome::Refused(why) => Outcome::Refuse(why),
    })
}
