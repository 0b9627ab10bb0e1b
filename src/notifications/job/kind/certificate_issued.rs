//! The certificate of a completed course, for its holder.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT};
use crate::enrollments::CertificateIssued;
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["certificates", "Zertifikate"],
    default: EVERYWHERE,
    title: ["You have completed {{ course }}", "Du hast {{ course }} abgeschlossen"],
    body: ["Your certificate is ready.", "Dein Zertifikat ist da."],
    handlers: || {
        vec![Handler::reaction("notifications.certificate_issued", CertificateIssued::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let CertificateIssued { certificate_id, user_id, course_id } = serde_json::from_value(payload)?;
    let new = NewNotification {
        kind: NotificationKind::CertificateIssued,
        audience: Audience::User(user_id),
        group: certificate_id.uuid().to_string(),
        subject: certificate_id.encode(),
        mute_keys: vec![Audience::Course(course_id)],
        actor: None,
        occurrence: certificate_id.uuid().to_string(),
        facts: Facts { course: Some(course_id), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
