//! Videos in a course, for its students. Followers of the channel hear of courses only, so that nobody is told twice.

use futures_util::FutureExt;
use serde_json::Value;

use super::{Kind, ON_DEVICES, TIMEOUT, day};
use crate::catalog::{CourseById, LessonKind, LessonPublished};
use crate::graphql::loaders::Load;
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}New video{% else %}{{ count }} new {{ count|plural(one=\"video\", other=\"videos\") }}\
         {% endif %} in {{ course }}",
        "{% if count == 1 %}Neues Video{% else %}{{ count }} {{ count|plural(one=\"neues Video\", other=\"neue Videos\") }}\
         {% endif %} in {{ course }}",
    ],
    body: [
        "{{ lesson }}{% if more > 0 %} and {{ more }} more{% endif %}",
        "{{ lesson }}{% if more > 0 %} und {{ more|plural(one=\"ein weiteres\", other=more ~ \" weitere\") }}{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.new_video", LessonPublished::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let event: LessonPublished = serde_json::from_value(payload)?;
    if event.kind != LessonKind::Video {
        return Ok(());
    }
    let Some(course) = CourseById(event.course_id).load_one(app).await? else { return Ok(()) };
    let channel = event.channel_id.map(Audience::Channel);
    let new = NewNotification {
        kind: NotificationKind::NewVideo,
        audience: Audience::Course(course.id),
        group: format!("{}/{}", course.id.uuid(), day(event.published_at.unwrap_or(app.clock.now()))),
        subject: course.id.encode(),
        mute_keys: [Audience::Course(course.id)].into_iter().chain(channel).collect(),
        actor: Some(course.instructor_id),
        occurrence: event.lesson_id.uuid().to_string(),
        facts: Facts { course: Some(course.id), lesson: Some(event.lesson_id), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
