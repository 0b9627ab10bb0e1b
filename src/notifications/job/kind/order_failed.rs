//! Failed payments of orders, for their buyers.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NotificationKind};
use crate::orders::OrderFailed;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["payments that failed", "gescheiterte Zahlungen"],
    default: EVERYWHERE,
    title: [
        "The payment of your order {{ detail }} has failed",
        "Die Zahlung deiner Bestellung {{ detail }} ist fehlgeschlagen",
    ],
    body: ["Nothing was charged. You can order again.", "Es wurde nichts abgebucht. Du kannst noch einmal bestellen."],
    handlers: || {
        vec![Handler::reaction("notifications.order_failed", OrderFailed::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderFailed { order, buyer } = serde_json::from_value(payload)?;
    let new =
        of_order(app, NotificationKind::OrderFailed, Audience::User(buyer), order, order.uuid().to_string()).await?;
    command::create(app, &new).await.map(drop)
}
