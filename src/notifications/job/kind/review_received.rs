//! Reviews of a course, for its team.

use futures_util::FutureExt;
use serde_json::Value;

use super::{IN_APP, Kind, TIMEOUT, day};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::reviews::ReviewPosted;

pub(super) static KIND: Kind = Kind {
    name: ["reviews of your courses", "Bewertungen deiner Kurse"],
    default: IN_APP,
    title: [
        "{% if count == 1 %}New review{% else %}{{ count }} new {{ count|plural(one=\"review\", other=\"reviews\") }}\
         {% endif %} of {{ course }}",
        "{% if count == 1 %}Neue Bewertung{% else %}{{ count }} \
         {{ count|plural(one=\"neue Bewertung\", other=\"neue Bewertungen\") }}{% endif %} von {{ course }}",
    ],
    body: [
        "{% if count == 1 %}By {{ by }}{% else %}The latest is by {{ by }}{% endif %}.",
        "{% if count == 1 %}Von {{ by }}{% else %}Die letzte ist von {{ by }}{% endif %}.",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.review_received", ReviewPosted::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let ReviewPosted { review, course, author } = serde_json::from_value(payload)?;
    let new = NewNotification {
        kind: NotificationKind::ReviewReceived,
        audience: Audience::Team(course),
        group: day(app.clock.now()),
        subject: review.encode(),
        mute_keys: vec![Audience::Course(course)],
        actor: Some(author),
        occurrence: review.uuid().to_string(),
        facts: Facts { course: Some(course), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
