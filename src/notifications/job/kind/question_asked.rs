//! Questions in a course, for its team.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT, day};
use crate::discussions::{QuestionAsked, QuestionId};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["questions about your courses", "Fragen zu deinen Kursen"],
    default: EVERYWHERE,
    title: [
        "{% if count == 1 %}New question{% else %}{{ count }} new {{ count|plural(one=\"question\", other=\"questions\") }}\
         {% endif %} in {{ course }}",
        "{% if count == 1 %}Neue Frage{% else %}{{ count }} {{ count|plural(one=\"neue Frage\", other=\"neue Fragen\") }}\
         {% endif %} in {{ course }}",
    ],
    body: ["{{ by }} asks: {{ question }}", "{{ by }} fragt: {{ question }}"],
    handlers: || {
        vec![Handler::reaction("notifications.question_asked", QuestionAsked::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let QuestionAsked { place } = serde_json::from_value(payload)?;
    let new = NewNotification {
        kind: NotificationKind::QuestionAsked,
        audience: Audience::Team(place.course),
        group: day(app.clock.now()),
        subject: place.post_id().encode(),
        mute_keys: vec![Audience::Course(place.course)],
        actor: Some(place.author),
        occurrence: place.post.to_string(),
        facts: Facts {
            course: Some(place.course),
            lesson: place.lesson,
            question: Some(QuestionId::new(place.thread)),
            ..Facts::default()
        },
    };
    command::create(app, &new).await.map(drop)
}
