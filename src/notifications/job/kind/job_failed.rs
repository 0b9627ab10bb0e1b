//! Background jobs that have failed too often, for administrators.

use futures_util::FutureExt;
use serde_json::Value;

use super::{Kind, ON_DEVICES, TIMEOUT, day};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{Handler, JobDied};
use crate::platform::outbox::Event;

/// The name of the reaction, of whose own failure nobody is told.
const NAME: &str = "notifications.job_failed";

pub(super) static KIND: Kind = Kind {
    name: ["failed jobs", "gescheiterte Jobs"],
    default: ON_DEVICES,
    title: [
        "{% if count == 1 %}A job has failed{% else %}{{ count }} {{ count|plural(one=\"job\", other=\"jobs\") }} \
         have failed{% endif %}: {{ detail }}",
        "{% if count == 1 %}Ein Job ist{% else %}{{ count }} {{ count|plural(one=\"Job\", other=\"Jobs\") }} sind\
         {% endif %} gescheitert: {{ detail }}",
    ],
    body: ["It is not tried again. See the list of jobs.", "Es wird nicht mehr versucht. Siehe die Liste der Jobs."],
    handlers: || {
        vec![Handler::reaction(NAME, JobDied::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let occurrence = payload.to_string();
    let JobDied { handler, .. } = serde_json::from_value(payload)?;
    if handler == NAME {
        return Ok(());
    }
    let new = NewNotification {
        kind: NotificationKind::JobFailed,
        audience: Audience::Role(Role::Admin),
        group: format!("{handler}/{}", day(app.clock.now())),
        subject: String::new(),
        mute_keys: Vec::new(),
        actor: None,
        // The same job again on another day is news.
        occurrence: format!("{}/{occurrence}", day(app.clock.now())),
        facts: Facts { detail: Some(handler), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
