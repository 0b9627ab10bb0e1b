//! Changes of the security of an account, for its user. They are also sent by email, by accounts.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Kind, ON_DEVICES, TIMEOUT};
use crate::accounts::{
    ApiTokenCreated, FactorChange, IdentityChanged, PasswordChanged, SecondFactorChanged, SessionReplayed, UserId,
};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{Handler, Run};
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["the security of your account", "die Sicherheit deines Kontos"],
    default: ON_DEVICES,
    title: [
        "{% if detail == \"password\" %}Your password was changed\
         {% elif detail == \"token\" %}An API token was created for your account\
         {% elif detail == \"session\" %}A session was ended: its token was used twice\
         {% elif detail == \"linked\" %}You can sign in with another service now\
         {% elif detail == \"unlinked\" %}A service to sign in with was removed\
         {% elif detail == \"factor_enabled\" %}Two-factor authentication was turned on\
         {% elif detail == \"factor_disabled\" %}Two-factor authentication was turned off\
         {% elif detail == \"code_used\" %}A recovery code was used to sign in\
         {% elif detail == \"codes_renewed\" %}New recovery codes were generated\
         {% else %}The security of your account has changed{% endif %}",
        "{% if detail == \"password\" %}Dein Passwort wurde geändert\
         {% elif detail == \"token\" %}Für dein Konto wurde ein API-Token erstellt\
         {% elif detail == \"session\" %}Eine Sitzung wurde beendet: Ihr Token wurde zweimal verwendet\
         {% elif detail == \"linked\" %}Du kannst dich jetzt mit einem weiteren Dienst anmelden\
         {% elif detail == \"unlinked\" %}Ein Dienst zum Anmelden wurde entfernt\
         {% elif detail == \"factor_enabled\" %}Die Zwei-Faktor-Anmeldung wurde eingeschaltet\
         {% elif detail == \"factor_disabled\" %}Die Zwei-Faktor-Anmeldung wurde ausgeschaltet\
         {% elif detail == \"code_used\" %}Ein Wiederherstellungscode wurde zum Anmelden verwendet\
         {% elif detail == \"codes_renewed\" %}Neue Wiederherstellungscodes wurden erzeugt\
         {% else %}Die Sicherheit deines Kontos hat sich geändert{% endif %}",
    ],
    body: [
        "If that was not you, change your password and end your other sessions.",
        "Falls du das nicht warst, ändere dein Passwort und beende deine anderen Sitzungen.",
    ],
    handlers: || {
        vec![
            reaction("notifications.password_changed", PasswordChanged::KIND, |app, payload| {
                tell(app, payload, |_: &PasswordChanged| "password")
            }),
            reaction("notifications.api_token_created", ApiTokenCreated::KIND, |app, payload| {
                tell(app, payload, |_: &ApiTokenCreated| "token")
            }),
            reaction("notifications.session_replayed", SessionReplayed::KIND, |app, payload| {
                tell(app, payload, |_: &SessionReplayed| "session")
            }),
            reaction("notifications.identity_changed", IdentityChanged::KIND, |app, payload| {
                tell(app, payload, |event: &IdentityChanged| if event.linked { "linked" } else { "unlinked" })
            }),
            reaction("notifications.second_factor_changed", SecondFactorChanged::KIND, |app, payload| {
                tell(app, payload, |event: &SecondFactorChanged| match event.change {
                    FactorChange::Enabled => "factor_enabled",
                    FactorChange::Disabled => "factor_disabled",
                    FactorChange::RecoveryCodeUsed => "code_used",
                    FactorChange::CodesRenewed => "codes_renewed",
                })
            }),
        ]
    },
};

fn reaction(name: &'static str, on: &'static str, run: Run) -> Handler {
    Handler::reaction(name, on, TIMEOUT, run)
}

/// The user that each of the events is about.
#[derive(Deserialize)]
struct Whom {
    user_id: UserId,
}

/// Tells a user of an event; `detail` says what the text is about.
fn tell<E: Event>(
    app: App,
    payload: Value,
    detail: fn(&E) -> &'static str,
) -> BoxFuture<'static, Result<(), InternalError>> {
    async move {
        let Whom { user_id } = Whom::deserialize(&payload)?;
        let occurrence = format!("{}/{payload}", E::KIND);
        let event: E = serde_json::from_value(payload)?;
        let new = NewNotification {
            kind: NotificationKind::Security,
            audience: Audience::User(user_id),
            // Each is a notification of its own.
            group: format!("{}/{}", E::KIND, hex::encode(Sha256::digest(&occurrence))),
            subject: user_id.encode(),
            mute_keys: Vec::new(),
            actor: None,
            occurrence,
            facts: Facts { detail: Some(detail(&event).to_owned()), ..Facts::default() },
        };
        command::create(&app, &new).await.map(drop)
    }
    .boxed()
}
