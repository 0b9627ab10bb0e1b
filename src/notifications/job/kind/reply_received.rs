//! Replies to a question, for its followers; and the response to a review, for its author.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT};
use crate::discussions::{PostById, PostKind, QuestionId, ReplyPosted};
use crate::graphql::loaders::Load;
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The detail of the response to a review.
const REVIEW: &str = "review";

pub(super) static KIND: Kind = Kind {
    name: ["replies to questions that you follow", "Antworten auf Fragen, denen du folgst"],
    default: EVERYWHERE,
    title: [
        "{% if detail == \"review\" %}Response to your review of {{ course }}{% else %}\
         {% if count == 1 %}New reply{% else %}{{ count }} new {{ count|plural(one=\"reply\", other=\"replies\") }}\
         {% endif %} to {{ question }}{% endif %}",
        "{% if detail == \"review\" %}Antwort auf deine Bewertung von {{ course }}{% else %}\
         {% if count == 1 %}Neue Antwort{% else %}{{ count }} \
         {{ count|plural(one=\"neue Antwort\", other=\"neue Antworten\") }}{% endif %} auf {{ question }}{% endif %}",
    ],
    body: [
        "{% if count == 1 %}By {{ by }}{% else %}The latest is by {{ by }}{% endif %}.",
        "{% if count == 1 %}Von {{ by }}{% else %}Die letzte ist von {{ by }}{% endif %}.",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.reply_received", ReplyPosted::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let ReplyPosted { place } = serde_json::from_value(payload)?;
    let Some(parent) = PostById(place.thread).load_one(app).await? else { return Ok(()) };
    let question = (parent.kind == PostKind::Question).then(|| QuestionId::new(parent.id));
    let new = NewNotification {
        kind: NotificationKind::ReplyReceived,
        audience: question.map_or(Audience::User(parent.author_id), Audience::Question),
        group: parent.id.to_string(),
        subject: parent.post_id().encode(),
        mute_keys: [Audience::Course(place.course)].into_iter().chain(question.map(Audience::Question)).collect(),
        actor: Some(place.author),
        occurrence: place.post.to_string(),
        facts: Facts {
            course: Some(place.course),
            lesson: place.lesson,
            question,
            detail: question.is_none().then(|| REVIEW.to_owned()),
            ..Facts::default()
        },
    };
    command::create(app, &new).await.map(drop)
}
