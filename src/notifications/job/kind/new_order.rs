//! Paid orders, for administrators.

use futures_util::FutureExt;
use serde_json::Value;

use super::{Kind, ON_DEVICES, TIMEOUT, day, of_order};
use crate::notifications::command;
use crate::notifications::model::{Audience, NewNotification, NotificationKind};
use crate::orders::OrderPaid;
use crate::platform::App;
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["new orders", "neue Bestellungen"],
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}New order{% else %}{{ count }} new \
         {{ count|plural(one=\"order\", other=\"orders\") }}{% endif %}: {{ detail }}",
        "{% if count == 1 %}Neue Bestellung{% else %}{{ count }} \
         {{ count|plural(one=\"neue Bestellung\", other=\"neue Bestellungen\") }}{% endif %}: {{ detail }}",
    ],
    body: ["By {{ by }}, paid.", "Von {{ by }}, bezahlt."],
    handlers: || {
        vec![Handler::reaction("notifications.new_order", OrderPaid::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let OrderPaid { order, buyer } = serde_json::from_value(payload)?;
    let told =
        of_order(app, NotificationKind::NewOrder, Audience::Role(Role::Admin), order, order.uuid().to_string()).await?;
    let new = NewNotification { group: day(app.clock.now()), actor: Some(buyer), ..told };
    command::create(app, &new).await.map(drop)
}
