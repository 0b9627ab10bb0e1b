//! Courses in a channel, for its followers.

use futures_util::FutureExt;
use serde_json::Value;

use super::{Kind, ON_DEVICES, TIMEOUT, day};
use crate::catalog::{CourseById, CoursePublished};
use crate::graphql::loaders::Load;
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["new courses in channels that you follow", "neue Kurse in Kanälen, denen du folgst"],
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}New course{% else %}{{ count }} new {{ count|plural(one=\"course\", other=\"courses\") }}\
         {% endif %} in {{ channel }}",
        "{% if count == 1 %}Neuer Kurs{% else %}{{ count }} {{ count|plural(one=\"neuer Kurs\", other=\"neue Kurse\") }}\
         {% endif %} in {{ channel }}",
    ],
    body: [
        "{{ course }}{% if more > 0 %} and {{ more }} more{% endif %}",
        "{{ course }}{% if more > 0 %} und {{ more|plural(one=\"ein weiterer\", other=more ~ \" weitere\") }}{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.new_course", CoursePublished::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let CoursePublished { course_id } = serde_json::from_value(payload)?;
    let Some(course) = CourseById(course_id).load_one(app).await? else { return Ok(()) };
    let Some(channel) = course.channel_id else { return Ok(()) };
    let new = NewNotification {
        kind: NotificationKind::NewCourse,
        audience: Audience::Channel(channel),
        group: day(course.published_at.unwrap_or(app.clock.now())),
        subject: course.id.encode(),
        mute_keys: vec![Audience::Channel(channel)],
        actor: Some(course.instructor_id),
        occurrence: course.id.uuid().to_string(),
        facts: Facts { course: Some(course.id), channel: Some(channel), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
