//! Videos in a course, for its students. Followers of the channel hear of courses only, so that nobody is told twice.

use futures_util::FutureExt;

use super::{Kind, ON_DEVICES, TIMEOUT, tell_of_lesson};
use crate::catalog::{LessonKind, LessonPublished};
use crate::notifications::model::NotificationKind;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["new videos in your courses", "neue Videos in deinen Kursen"],
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
            async move { tell_of_lesson(&app, payload, LessonKind::Video, NotificationKind::NewVideo).await }.boxed()
        })]
    },
};
