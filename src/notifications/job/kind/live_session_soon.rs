//! Live sessions that start soon, for those who have a seat: a day before, and when they are let in.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_session};
use crate::live::LiveSessionSoon;
use crate::notifications::command;
use crate::notifications::model::NotificationKind;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["live classes that start soon", "Live-Termine, die bald beginnen"],
    default: EVERYWHERE,
    title: [
        "{{ session }} starts {% if detail == \"OPEN\" %}in 15 minutes{% else %}in 24 hours{% endif %}",
        "{{ session }} beginnt in {% if detail == \"OPEN\" %}15 Minuten{% else %}24 Stunden{% endif %}",
    ],
    body: [
        "{% if detail == \"OPEN\" %}You can enter now.{% else %}If you cannot come, give your seat back: you keep the \
         hours.{% endif %}",
        "{% if detail == \"OPEN\" %}Du kannst jetzt eintreten.{% else %}Wenn du nicht kannst, gib deinen Platz zurück: \
         die Stunden behältst du.{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.live_session_soon", LiveSessionSoon::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let LiveSessionSoon { session, participant, starts_at, is_open } = serde_json::from_value(payload)?;
    let detail = if is_open { "OPEN" } else { "DAY" };
    let at = starts_at.to_rfc3339();
    let new = of_session(NotificationKind::LiveSessionSoon, participant, session, (detail, &at));
    command::create(app, &new).await.map(drop)
}
