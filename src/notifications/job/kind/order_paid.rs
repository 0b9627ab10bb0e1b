//! The payment of an order, for its buyer: their receipt.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NotificationKind};
use crate::orders::OrderPaid;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["receipts of your orders", "Belege deiner Bestellungen"],
    default: EVERYWHERE,
    title: ["Your order {{ detail }} is paid", "Deine Bestellung {{ detail }} ist bezahlt"],
    body: [
        "{% if is_course %}You can start now: {{ course }}.{% else %}Thank you. You can start now.{% endif %}",
        "{% if is_course %}Du kannst jetzt anfangen: {{ course }}.{% else %}Danke. Du kannst jetzt anfangen.{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.order_paid", OrderPaid::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderPaid { order, buyer } = serde_json::from_value(payload)?;
    let new =
        of_order(app, NotificationKind::OrderPaid, Audience::User(buyer), order, order.uuid().to_string()).await?;
    command::create(app, &new).await.map(drop)
}
