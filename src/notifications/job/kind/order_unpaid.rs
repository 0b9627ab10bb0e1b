//! Orders that are not paid yet: one reminder for their buyers.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NotificationKind};
use crate::orders::OrderUnpaid;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["orders that wait for your payment", "Bestellungen, die noch nicht bezahlt sind"],
    default: EVERYWHERE,
    title: ["Your order {{ detail }} is not paid yet", "Deine Bestellung {{ detail }} ist noch nicht bezahlt"],
    body: [
        "{% if is_course %}You can still pay for {{ course }}.{% else %}You can still pay for it.{% endif %}",
        "{% if is_course %}Du kannst {{ course }} noch bezahlen.{% else %}Du kannst sie noch bezahlen.{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.order_unpaid", OrderUnpaid::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderUnpaid { order, buyer } = serde_json::from_value(payload)?;
    let new =
        of_order(app, NotificationKind::OrderUnpaid, Audience::User(buyer), order, order.uuid().to_string()).await?;
    command::create(app, &new).await.map(drop)
}
