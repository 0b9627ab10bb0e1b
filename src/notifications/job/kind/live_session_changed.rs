//! Live sessions that were moved or canceled, and seats that were granted or lost, for their participants.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, of_session};
use crate::live::{LiveSeatGranted, LiveSeatLost, LiveSessionChanged, SessionChange};
use crate::notifications::command;
use crate::notifications::model::NotificationKind;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["changes of your live classes", "Änderungen deiner Live-Termine"],
    default: EVERYWHERE,
    title: [
        "{% if detail == \"CANCELED\" %}{{ session }} was canceled{% elif detail == \"SEAT\" %}You have a seat in \
         {{ session }}{% elif detail == \"LOST\" %}You no longer have a seat in {{ session }}{% else %}{{ session }} \
         is at another time{% endif %}",
        "{% if detail == \"CANCELED\" %}{{ session }} fällt aus{% elif detail == \"SEAT\" %}Du hast einen Platz in \
         {{ session }}{% elif detail == \"LOST\" %}Du hast keinen Platz mehr in {{ session }}{% else %}{{ session }} \
         wurde verschoben{% endif %}",
    ],
    body: [
        "{% if detail == \"CANCELED\" %}You have your hours back.{% elif detail == \"SEAT\" %}You have moved up from the \
         waiting list.{% elif detail == \"LOST\" %}Your membership or your hours no longer cover it. You have its \
         hours back.{% else %}See the new time, and give your seat back if it does not suit you.{% endif %}",
        "{% if detail == \"CANCELED\" %}Deine Stunden hast du zurück.{% elif detail == \"SEAT\" %}Du bist von der \
         Warteliste nachgerückt.{% elif detail == \"LOST\" %}Deine Mitgliedschaft oder deine Stunden reichen dafür \
         nicht mehr. Die Stunden hast du zurück.{% else %}Sieh nach, wann er jetzt ist. Passt es nicht, \
         gib deinen Platz zurück.{% endif %}",
    ],
    handlers: || {
        vec![
            Handler::reaction(
                "notifications.live_session_changed",
                LiveSessionChanged::KIND,
                TIMEOUT,
                |app, payload| async move { tell(&app, payload).await }.boxed(),
            ),
            Handler::reaction("notifications.live_seat_granted", LiveSeatGranted::KIND, TIMEOUT, |app, payload| {
                async move { tell_of_seat(&app, payload).await }.boxed()
            }),
            Handler::reaction("notifications.live_seat_lost", LiveSeatLost::KIND, TIMEOUT, |app, payload| {
                async move { tell_of_loss(&app, payload).await }.boxed()
            }),
        ]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let LiveSessionChanged { session, participant, change, version } = serde_json::from_value(payload)?;
    let detail = match change {
        SessionChange::Rescheduled => "RESCHEDULED",
        SessionChange::Canceled => "CANCELED",
    };
    let new = of_session(NotificationKind::LiveSessionChanged, participant, session, (detail, &version.to_string()));
    command::create(app, &new).await.map(drop)
}

async fn tell_of_seat(app: &App, payload: Value) -> Result<(), InternalError> {
    let LiveSeatGranted { session, participant, at } = serde_json::from_value(payload)?;
    let new = of_session(NotificationKind::LiveSessionChanged, participant, session, ("SEAT", &at.to_rfc3339()));
    command::create(app, &new).await.map(drop)
}

async fn tell_of_loss(app: &App, payload: Value) -> Result<(), InternalError> {
    let LiveSeatLost { session, participant, at } = serde_json::from_value(payload)?;
    let new = of_session(NotificationKind::LiveSessionChanged, participant, session, ("LOST", &at.to_rfc3339()));
    command::create(app, &new).await.map(drop)
}
