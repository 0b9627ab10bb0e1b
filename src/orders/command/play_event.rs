//! What Google Play tells is about a membership instead of a payment.

use super::inbox::{Outcome, UNREAD};
use crate::memberships::{self, PlayOutcome};
use crate::orders::model::PaymentEvent;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::google_play::Notification;

/// Has the membership that a notification is about follow what Google says.
pub(super) async fn apply(app: &App, row: &PaymentEvent) -> Result<Outcome, InternalError> {
    let Ok(told) = serde_json::from_value::<Notification>(row.body.clone()) else {
        return Ok(Outcome::Refuse(UNREAD.into()));
    };
    // About what is bought once, or a test: nothing follows.
    let Some(token) = told.token else { return Ok(Outcome::Done) };
    Ok(match memberships::play_told(app, &token).await? {
        PlayOutcome::Followed => Outcome::Done,
        PlayOutcome::Waits(why) => Outcome::Wait(why),
        PlayOutcome::Refused(why) => Outcome::Refuse(why),
    })
}
