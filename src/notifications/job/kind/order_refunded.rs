//! Refunds of orders, for their buyers.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NotificationKind};
use crate::orders::OrderRefunded;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["refunds", "Erstattungen"],
    default: EVERYWHERE,
    title: ["Your order {{ detail }} was refunded", "Deine Bestellung {{ detail }} wurde erstattet"],
    body: [
        "The money is on its way to you. See the order for the amount and the reason.",
        "Das Geld ist auf dem Weg zu dir. Betrag und Grund stehen in der Bestellung.",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.order_refunded", OrderRefunded::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderRefunded { order, buyer, refund } = serde_json::from_value(payload)?;
    let new = of_order(app, NotificationKind::OrderRefunded, Audience::User(buyer), order, refund.to_string()).await?;
    command::create(app, &new).await.map(drop)
}
