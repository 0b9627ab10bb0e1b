//! Articles in a course, for its students. Of videos they hear by [`new_video`](super::new_video); what is changed in a
//! lesson that is published, such as its files, and the price and the description of the course are no news.

use futures_util::FutureExt;

use super::{Kind, ON_DEVICES, TIMEOUT, tell_of_lesson};
use crate::catalog::{LessonKind, LessonPublished};
use crate::notifications::model::NotificationKind;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["updates of your courses", "Neues in deinen Kursen"],
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}New lesson{% else %}{{ count }} new {{ count|plural(one=\"lesson\", other=\"lessons\") }}\
         {% endif %} in {{ course }}",
        "{% if count == 1 %}Neue Lektion{% else %}{{ count }} \
         {{ count|plural(one=\"neue Lektion\", other=\"neue Lektionen\") }}{% endif %} in {{ course }}",
    ],
    body: [
        "{{ lesson }}{% if more > 0 %} and {{ more }} more{% endif %}",
        "{{ lesson }}{% if more > 0 %} und {{ more|plural(one=\"eine weitere\", other=more ~ \" weitere\") }}{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.course_updated", LessonPublished::KIND, TIMEOUT, |app, payload| {
            async move { tell_of_lesson(&app, payload, LessonKind::Article, NotificationKind::CourseUpdated).await }
                .boxed()
        })]
    },
};
