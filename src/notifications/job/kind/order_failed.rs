//! Failed payments of orders, for their buyers, and donations that end because of them, for their donors.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::orders::{DonationEnd, DonationEnded, OrderFailed};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["payments that failed", "gescheiterte Zahlungen"],
    default: EVERYWHERE,
    title: [
        "{% if detail == \"donation\" %}Your monthly donation has ended\
         {% else %}The payment of your order {{ detail }} has failed{% endif %}",
        "{% if detail == \"donation\" %}Deine monatliche Spende ist beendet\
         {% else %}Die Zahlung deiner Bestellung {{ detail }} ist fehlgeschlagen{% endif %}",
    ],
    body: [
        "{% if detail == \"donation\" %}Too many payments in succession have failed. You can begin another one.\
         {% else %}Nothing was charged. You can order again.{% endif %}",
        "{% if detail == \"donation\" %}Zu viele Zahlungen nacheinander sind fehlgeschlagen. Du kannst neu beginnen.\
         {% else %}Es wurde nichts abgebucht. Du kannst noch einmal bestellen.{% endif %}",
    ],
    handlers: || {
        vec![
            Handler::reaction("notifications.order_failed", OrderFailed::KIND, TIMEOUT, |app, payload| {
                async move { tell(&app, payload).await }.boxed()
            }),
            Handler::reaction("notifications.donation_ended", DonationEnded::KIND, TIMEOUT, |app, payload| {
                async move { tell_donor(&app, payload).await }.boxed()
            }),
        ]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderFailed { order, buyer } = serde_json::from_value(payload)?;
    let new =
        of_order(app, NotificationKind::OrderFailed, Audience::User(buyer), order, order.uuid().to_string()).await?;
    command::create(app, &new).await.map(drop)
}

/// Tells donors of an end that they have not chosen. Of one that was not begun, the order tells.
async fn tell_donor(app: &App, payload: Value) -> Result<(), InternalError> {
    let DonationEnded { donation, donor, why } = serde_json::from_value(payload)?;
    if why != DonationEnd::Unpaid {
        return Ok(());
    }
    let new = NewNotification {
        kind: NotificationKind::OrderFailed,
        audience: Audience::User(donor),
        group: donation.uuid().to_string(),
        subject: donation.encode(),
        mute_keys: Vec::new(),
        actor: None,
        occurrence: donation.uuid().to_string(),
        facts: Facts { detail: Some("donation".to_owned()), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
