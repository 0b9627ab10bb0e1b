//! Reported posts, for the team of the course and for administrators.

use futures_util::FutureExt;
use serde_json::Value;

use super::{Kind, ON_DEVICES, TIMEOUT, day};
use crate::discussions::PostReported;
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["reported posts", "gemeldete Beiträge"],
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}A post was reported{% else %}{{ count }} \
         {{ count|plural(one=\"report\", other=\"reports\") }} of posts{% endif %} in {{ course }}",
        "{% if count == 1 %}Ein Beitrag wurde gemeldet{% else %}{{ count }} \
         {{ count|plural(one=\"gemeldeter Beitrag\", other=\"gemeldete Beiträge\") }}{% endif %} in {{ course }}",
    ],
    body: ["Decide whether it stays.", "Entscheide, ob das so stehen bleibt."],
    handlers: || {
        vec![Handler::reaction("notifications.report_received", PostReported::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let PostReported { place, reporter } = serde_json::from_value(payload)?;
    for audience in [Audience::Team(place.course), Audience::Role(Role::Admin)] {
        let new = NewNotification {
            kind: NotificationKind::ReportReceived,
            audience,
            group: format!("{}/{}", place.course.uuid(), day(app.clock.now())),
            subject: place.post_id().encode(),
            mute_keys: vec![Audience::Course(place.course)],
            actor: reporter,
            // A user reports a post once, and it is held automatically once.
            occurrence: format!("{}/{}", place.post, reporter.map(|user| user.uuid()).unwrap_or_default()),
            facts: Facts { course: Some(place.course), lesson: place.lesson, ..Facts::default() },
        };
        command::create(app, &new).await?;
    }
    Ok(())
}
