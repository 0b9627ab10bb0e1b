//! Whether a user is told of something, and when.

mod schedule;

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

pub(crate) use self::schedule::slot;
use super::model::{Audience, DeliveryChannel, NotificationKind, Preference, Settings};
use crate::platform::auth::{Actor, Role};

/// Whether the actor may announce something to an audience. `is_own`: they are in the team of the course, or own the
/// channel.
pub(crate) fn can_announce(actor: &Actor, audience: Audience, is_own: bool) -> bool {
    match audience {
        Audience::Course(_) | Audience::Channel(_) => is_own || actor.has(Role::Admin),
        Audience::Role(_) | Audience::Everyone => actor.has(Role::Admin),
        Audience::User(_) | Audience::Team(_) | Audience::Question(_) => false,
    }
}

/// Returns the preferences of a user for a kind: what they chose, or `default`. Security cannot be hidden. There are no
/// emails to those who have ended all.
pub fn preference(settings: &Settings, kind: NotificationKind, default: Preference) -> Preference {
    let chosen = settings.chosen.get(&kind).copied().unwrap_or(default);
    Preference {
        in_app: chosen.in_app || kind == NotificationKind::Security,
        email: chosen.email && !settings.emails_ended,
        ..chosen
    }
}

/// Whether a user is shown a notification of a kind in the list. `mute_keys` are those of the notification, and `default`
/// the kind's preferences.
pub(crate) fn is_shown(settings: &Settings, kind: NotificationKind, default: Preference, mute_keys: &[String]) -> bool {
    let is_muted = mute_keys.iter().any(|key| settings.muted.contains(key));
    preference(settings, kind, default).in_app && !is_muted
}

/// Whether to send a notification that a user [is shown](is_shown).
pub(crate) fn wants(
    settings: &Settings,
    kind: NotificationKind,
    default: Preference,
    channel: DeliveryChannel,
) -> bool {
    let Preference { email, push, .. } = preference(settings, kind, default);
    match channel {
        DeliveryChannel::Email => email,
        DeliveryChannel::Push => push,
    }
}

/// Whether the user is not to be disturbed at `now`.
fn is_quiet(settings: &Settings, zone: Tz, now: DateTime<Utc>) -> bool {
    let Some((from, to)) = settings.quiet else { return false };
    let local = now.with_timezone(&zone);
    let minute = i16::try_from(local.hour() * 60 + local.minute()).unwrap_or_default();
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Preference = Preference { in_app: true, email: false, push: true };

    #[test]
    fn a_choice_overrides_the_default_and_what_is_muted_is_not_sent() {
        let channels = |settings: &Settings, kind| {
            let is_shown = is_shown(settings, kind, DEFAULT, &["course:1".into()]);
            [DeliveryChannel::Email, DeliveryChannel::Push]
                .map(|channel| is_shown && wants(settings, kind, DEFAULT, channel))
        };
        let chosen = |kind, in_app, email, push| Settings {
            chosen: [(kind, Preference { in_app, email, push })].into(),
            ..Settings::default()
        };
        let (video, security) = (NotificationKind::NewVideo, NotificationKind::Security);
        assert_eq!(channels(&Settings::default(), video), [false, true]);
        assert_eq!(channels(&chosen(video, true, true, false), video), [true, false]);
        assert_eq!(channels(&chosen(video, false, true, true), video), [false; 2]);
        assert_eq!(channels(&chosen(security, false, true, false), security), [true, false]);
        assert_eq!(channels(&chosen(video, false, true, true), security), [false, true]);
        let muted = |key: &str| Settings { muted: [key.to_owned()].into(), ..Settings::default() };
        assert_eq!(channels(&muted("course:1"), video), [false; 2]);
        assert_eq!(channels(&muted("course:2"), video), [false, true]);
    }

    #[test]
    fn quiet_hours_are_in_the_users_time_zone_and_may_span_midnight() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let settings = |from, to| Settings { quiet: Some((from, to)), ..Settings::default() };
        let zurich = chrono_tz::Europe::Zurich;
        for (quiet, zone, now, expected) in [
            ((1320, 420), Tz::UTC, "2026-11-20T22:00:00Z", true),
            ((1320, 420), Tz::UTC, "2026-11-20T06:59:00Z", true),
            ((1320, 420), Tz::UTC, "2026-11-20T07:00:00Z", false),
            ((1320, 420), zurich, "2026-11-20T21:00:00Z", true),
            ((1320, 420), zurich, "2026-07-20T20:00:00Z", true),
            ((1320, 420), zurich, "2026-11-20T20:59:00Z", false),
            ((720, 780), Tz::UTC, "2026-11-20T12:30:00Z", true),
            ((720, 780), Tz::UTC, "2026-11-20T13:00:00Z", false),
            ((720, 720), Tz::UTC, "2026-11-20T12:00:00Z", false),
        ] {
            assert_eq!(is_quiet(&settings(quiet.0, quiet.1), zone, at(now)), expected, "{quiet:?} {zone} {now}");
        }
        assert!(!is_quiet(&Settings::default(), Tz::UTC, at("2026-11-20T22:00:00Z")));
    }
}
