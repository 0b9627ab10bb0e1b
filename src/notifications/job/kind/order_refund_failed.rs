//! Refunds that have failed, for the buyers of the orders and for administrators.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NotificationKind};
use crate::orders::OrderRefundFailed;
use crate::platform::App;
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["refunds that failed", "gescheiterte Erstattungen"],
    default: EVERYWHERE,
    title: [
        "A refund of the order {{ detail }} has failed",
        "Eine Erstattung der Bestellung {{ detail }} ist gescheitert",
    ],
    // Both the buyer and administrators read it.
    body: [
        "The money was not sent. Administrators see why and can refund it again.",
        "Es floss kein Geld. Die Verwaltung sieht den Grund und kann neu erstatten.",
    ],
    handlers: || {
        vec![Handler::reaction(
            "notifications.order_refund_failed",
            OrderRefundFailed::KIND,
            TIMEOUT,
            |app, payload| async move { tell(&app, payload).await }.boxed(),
        )]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderRefundFailed { order, buyer, refund } = serde_json::from_value(payload)?;
    for audience in [Audience::User(buyer), Audience::Role(Role::Admin)] {
        let kind = NotificationKind::OrderRefundFailed;
        let new = of_order(app, kind, audience, order, refund.to_string()).await?;
        command::create(app, &new).await?;
    }
    Ok(())
}
