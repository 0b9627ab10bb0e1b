//! What happens to a membership, for its member.

use futures_util::FutureExt;
use serde_json::Value;

use super::{EVERYWHERE, Kind, TIMEOUT};
use crate::graphql::loaders::Load;
use crate::memberships::{MembershipById, MembershipChange, MembershipChanged};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["your memberships", "deine Mitgliedschaften"],
    default: EVERYWHERE,
    title: [
        "{% if detail == \"trial_started\" %}The trial of your membership {{ plan }} has begun\
         {% elif detail == \"started\" %}Your membership {{ plan }} has begun\
         {% elif detail == \"renewed\" %}Your membership {{ plan }} was renewed\
         {% elif detail == \"payment_failed\" %}Your membership {{ plan }} could not be renewed\
         {% elif detail == \"plan_changed\" %}Your membership is {{ plan }} now\
         {% elif detail == \"change_planned\" %}Your membership {{ plan }} changes with its next renewal\
         {% elif detail == \"paused\" %}Your membership {{ plan }} is paused\
         {% elif detail == \"resumed\" %}Your membership {{ plan }} continues\
         {% elif detail == \"canceled\" %}Your membership {{ plan }} is canceled\
         {% elif detail == \"restored\" %}Your membership {{ plan }} is back\
         {% elif detail == \"renews_soon\" %}Your membership {{ plan }} renews soon\
         {% else %}Your membership {{ plan }} has ended{% endif %}",
        "{% if detail == \"trial_started\" %}Die Probezeit deiner Mitgliedschaft {{ plan }} hat begonnen\
         {% elif detail == \"started\" %}Deine Mitgliedschaft {{ plan }} hat begonnen\
         {% elif detail == \"renewed\" %}Deine Mitgliedschaft {{ plan }} wurde verlängert\
         {% elif detail == \"payment_failed\" %}Deine Mitgliedschaft {{ plan }} konnte nicht verlängert werden\
         {% elif detail == \"plan_changed\" %}Deine Mitgliedschaft ist jetzt {{ plan }}\
         {% elif detail == \"change_planned\" %}Deine Mitgliedschaft {{ plan }} ändert sich mit der nächsten Verlängerung\
         {% elif detail == \"paused\" %}Deine Mitgliedschaft {{ plan }} pausiert\
         {% elif detail == \"resumed\" %}Deine Mitgliedschaft {{ plan }} geht weiter\
         {% elif detail == \"canceled\" %}Deine Mitgliedschaft {{ plan }} ist gekündigt\
         {% elif detail == \"restored\" %}Deine Mitgliedschaft {{ plan }} ist zurück\
         {% elif detail == \"renews_soon\" %}Deine Mitgliedschaft {{ plan }} verlängert sich bald\
         {% else %}Deine Mitgliedschaft {{ plan }} ist beendet{% endif %}",
    ],
    body: [
        "{% if detail == \"payment_failed\" %}We try again in a few days. You can also pay now, in another way.\
         {% elif detail == \"canceled\" %}It lasts until the end of the period that you have paid for.\
         {% else %}You can see and change it in your account.{% endif %}",
        "{% if detail == \"payment_failed\" %}Wir versuchen es bald noch einmal. Du kannst auch jetzt anders bezahlen.\
         {% elif detail == \"canceled\" %}Sie gilt bis zum Ende der Zeit, die du bezahlt hast.\
         {% else %}Du kannst sie in deinem Konto ansehen und ändern.{% endif %}",
    ],
    handlers: || {
        vec![Handler::reaction("notifications.membership_changed", MembershipChanged::KIND, TIMEOUT, |app, payload| {
            async move { tell(&app, payload).await }.boxed()
        })]
    },
};

async fn tell(app: &App, payload: Value) -> Result<(), InternalError> {
    let MembershipChanged { membership, member, plan, change, at, .. } = serde_json::from_value(payload)?;
    let Some(row) = MembershipById(membership).load_one(app).await? else { return Ok(()) };
    // One that was never paid for ends with its order, of which there is another notification.
    if change == MembershipChange::Ordered || row.started_at.is_none() {
        return Ok(());
    }
    // Google tells its customers itself, and it is paid there.
    if change == MembershipChange::PaymentFailed && row.is_play {
        return Ok(());
    }
    let detail = serde_json::to_value(change)?.as_str().unwrap_or_default().to_lowercase();
    let occurrence = format!("{}/{detail}/{}", membership.uuid(), at.timestamp_micros());
    let new = NewNotification {
        kind: NotificationKind::MembershipChanged,
        audience: Audience::User(member),
        group: occurrence.clone(),
        subject: membership.encode(),
        mute_keys: Vec::new(),
        actor: None,
        occurrence,
        facts: Facts { plan: Some(plan), detail: Some(detail), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}
