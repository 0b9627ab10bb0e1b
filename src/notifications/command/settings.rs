//! Commands that change how a user wants to be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::accounts::viewer;
use crate::catalog::CourseById;
use crate::channels::ChannelById;
use crate::discussions::question_title;
use crate::graphql::error::Check;
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::notifications::error;
use crate::notifications::event::NotificationsMarked;
use crate::notifications::job::default_of;
use crate::notifications::loader::SettingsOf;
use crate::notifications::model::{
    Audience, MuteNotificationsInput, MuteSubject, NotificationKind, Preference, PreferenceInput, Settings,
    UpdateNotificationSettingsInput, minutes,
};
use crate::notifications::policy;
use crate::notifications::query::delivery;
use crate::notifications::query::setting::{self, SettingChanges};
use crate::platform::auth::Actor;
use crate::platform::outbox;

/// The number of courses, channels and questions that a user can mute.
const MOST_MUTED: i64 = 500;

/// Changes the settings of the viewer.
///
/// # Errors
/// The input is invalid.
pub async fn update_notification_settings(
    loaders: &Loaders,
    actor: &Actor,
    input: UpdateNotificationSettingsInput,
) -> Result<Arc<Settings>> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let mut check = Check::new();
    let quiet_from = input.quiet_from.as_opt_ref().map(|text| time(&mut check, "quietFrom", text.map(String::as_str)));
    let quiet_to = input.quiet_to.as_opt_ref().map(|text| time(&mut check, "quietTo", text.map(String::as_str)));
    let is_half = |one: Option<Option<i16>>, other: Option<Option<i16>>| {
        one.map(|one| one.is_some()) != other.map(|other| other.is_some())
    };
    check.finish()?;
    if is_half(quiet_from, quiet_to) {
        return Err(error::half_quiet());
    }
    let preferences = input.preferences.unwrap_or_default();
    let preference = |given: &PreferenceInput| {
        let preference = Preference { in_app: given.in_app, email: given.email, push: given.push };
        (given.kind.as_str(), preference)
    };
    let given: BTreeMap<&str, Preference> = preferences.iter().map(preference).collect();
    if given.get(NotificationKind::Security.as_str()).is_some_and(|chosen| !chosen.in_app) {
        return Err(error::security_stays());
    }
    let changes = SettingChanges { quiet_from, quiet_to, digest: input.digest };
    app.db
        .transaction(async |tx| {
            let mut preferences = given.clone();
            if given.values().any(|preference| preference.email) {
                // After all emails were ended, only what is chosen now is sent by email.
                let known = setting::of_users(tx.conn(), &[user]).await?.remove(&user).unwrap_or_default();
                if known.emails_ended {
                    let all = NotificationKind::ALL.into_iter();
                    let old = all.map(|kind| (kind.as_str(), policy::preference(&known, kind, default_of(kind))));
                    preferences = old.chain(given.clone()).collect();
                    delivery::resubscribe(tx, user).await?;
                }
            }
            setting::change(tx, user, &preferences, changes).await?;
            outbox::record(tx, &app.clock, &NotificationsMarked::of(Audience::User(user))).await?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(loaders.load(SettingsOf(user)).await?.unwrap_or_default())
}

fn time(check: &mut Check, field: &str, text: Option<&str>) -> Option<i16> {
    let text = text?;
    let parsed = minutes(text);
    if parsed.is_none() {
        check.malformed(field, text, "is not a time of day; write it like 22:00");
    }
    parsed
}

/// Mutes a course, a channel or a question for the viewer, or shows its notifications again.
///
/// # Errors
/// There is no such course, channel or question; the viewer has muted too many.
pub async fn mute_notifications(
    loaders: &Loaders,
    actor: &Actor,
    input: MuteNotificationsInput,
) -> Result<Arc<Settings>> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let subject = MuteSubject::parse(&input.subject_id).ok_or_else(error::no_such_subject)?;
    // What one cannot see anymore can be shown again, so that no list has it forever.
    let exists = !input.muted
        || match subject {
            MuteSubject::Course(id) => loaders.load(CourseById(id)).await?.is_some(),
            MuteSubject::Channel(id) => loaders.load(ChannelById(id)).await?.is_some(),
            MuteSubject::Question(id) => question_title(loaders, actor, id).await?.is_some(),
        };
    if !exists {
        return Err(error::no_such_subject());
    }
    let (key, now) = (Audience::from(subject).to_string(), app.clock.now());
    app.db
        .transaction(async |tx| {
            if !input.muted {
                setting::unmute(tx, user, &key).await?;
            } else if !setting::mute(tx, user, &key, MOST_MUTED, now).await? {
                return Err(error::too_many_mutes(MOST_MUTED));
            }
            outbox::record(tx, &app.clock, &NotificationsMarked::of(Audience::User(user))).await?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(loaders.load(SettingsOf(user)).await?.unwrap_or_default())
}
