//! Reactions to events: emails, the counts that lists are sorted by, and the cleanup after an account is deleted.

mod mails;

use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;
use uuid::Uuid;

pub use self::mails::mails;
use super::command::{self, News};
use super::event::{QuestionAsked, ReplyPosted};
use super::model::PostKind;
use crate::accounts::{UserDeleted, UserId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

/// The number of characters of a post in a mail.
const EXCERPT: usize = 300;

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let timeout = Duration::from_secs(60);
    vec![
        Handler::queued(command::FOLLOW_COUNTS, timeout, |app, payload| {
            async move {
                let Counted { post } = serde_json::from_value(payload)?;
                command::follow_counts(&app, post).await
            }
            .boxed()
        }),
        Handler::reaction("discussions.tell_team", QuestionAsked::KIND, timeout, |app, payload| {
            async move {
                let event: QuestionAsked = serde_json::from_value(payload)?;
                command::tell_team(&app, &event.place).await
            }
            .boxed()
        }),
        Handler::reaction("discussions.tell_followers", ReplyPosted::KIND, timeout, |app, payload| {
            async move {
                let event: ReplyPosted = serde_json::from_value(payload)?;
                command::tell_followers(&app, &event.place).await
            }
            .boxed()
        }),
        Handler::queued(command::TELL, timeout, |app, payload| {
            async move { tell(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::reaction("discussions.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
    ]
}

/// The payload of [`command::FOLLOW_COUNTS`].
#[derive(Deserialize)]
struct Counted {
    post: Uuid,
}

/// The payload of [`command::TELL`].
#[derive(Deserialize)]
struct Tell {
    post: Uuid,
    kind: PostKind,
    user: UserId,
}

async fn tell(app: &App, Tell { post, kind, user }: Tell) -> Result<(), InternalError> {
    let Some(news) = command::news(app, user, (kind, post)).await? else { return Ok(()) };
    let News { email, name, author, course, question, post } = &news;
    let excerpt: String = post.body.chars().take(EXCERPT).collect();
    let context = mails::PostNews { name, author, course, question, excerpt: &excerpt };
    let template = if kind == PostKind::Question { &mails::QUESTION_ASKED } else { &mails::REPLY_POSTED };
    let mail = mail::render(&app.config, template, email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
