//! The reply that answers a question, for its author.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT};
use crate::discussions::{QuestionId, ReplyAccepted};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["accepted replies of yours", "deine akzeptierten Antworten"],
    default: EVERYWHERE,
    title: ["Your reply to {{ question }} was accepted", "Deine Antwort auf {{ question }} wurde akzeptiert"],
    body: ["{{ by }} marked it as the answer.", "{{ by }} hat sie als Lösung markiert."],
    handlers: || {
        vec![Handler::reaction("notifications.reply_accepted", ReplyAccepted::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let ReplyAccepted { place, accepted_by } = serde_json::from_value(payload)?;
    let question = QuestionId::new(place.thread);
    let new = NewNotification {
        kind: NotificationKind::ReplyAccepted,
        audience: Audience::User(place.author),
        group: place.post.to_string(),
        subject: question.encode(),
        mute_keys: vec![Audience::Course(place.course), Audience::Question(question)],
        actor: accepted_by,
        // A reply that is accepted a second time is no news.
        occurrence: place.post.to_string(),
        facts: Facts { course: Some(place.course), lesson: place.lesson, question: Some(question), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
