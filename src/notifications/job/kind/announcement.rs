//! What instructors and administrators announce, for the audience that they choose.

use futures_util::FutureExt;
use serde::Deserialize;

use super::{EVERYWHERE, Kind, TIMEOUT};
use crate::notifications::command;
use crate::notifications::model::AnnouncementId;
use crate::platform::jobs::Handler;

pub(super) static KIND: Kind = Kind {
    name: ["announcements", "Ankündigungen"],
    default: EVERYWHERE,
    title: [
        "{% if title %}{{ title }}{% else %}An announcement{% endif %}",
        "{% if title %}{{ title }}{% else %}Eine Ankündigung{% endif %}",
    ],
    // Mails and push messages do not show who announces it otherwise.
    body: ["{% if is_named %}{{ by }}: {% endif %}{{ text }}", "{% if is_named %}{{ by }}: {% endif %}{{ text }}"],
    handlers: || {
        vec![Handler::queued(command::PUBLISH, TIMEOUT, |app, payload| {
            async move {
                let Publish { announcement } = serde_json::from_value(payload)?;
                command::publish_announcement(&app, announcement).await
            }
            .boxed()
        })]
    },
};

/// The payload of the job.
#[derive(Deserialize)]
struct Publish {
    announcement: AnnouncementId,
}
