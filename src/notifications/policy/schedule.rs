//! When a notification is sent: after the quiet hours, or with the next digest.

use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::is_quiet;
use crate::notifications::model::{DeliveryChannel, Digest, Settings, Slot};

/// The hour of a digest in the user's time zone.
const DIGEST_HOUR: u32 = 8;
/// How much time a gap of local times at the begin of summer time takes at most.
const GAP: TimeDelta = TimeDelta::hours(3);

/// Returns when a user is sent what happens `now`. Digests are of emails only.
pub(crate) fn slot(settings: &Settings, zone: Tz, channel: DeliveryChannel, now: DateTime<Utc>) -> Slot {
    let digest_at = match (channel, settings.digest) {
        (DeliveryChannel::Email, Digest::Daily) => Some(next_digest(zone, now, None)),
        (DeliveryChannel::Email, Digest::Weekly) => Some(next_digest(zone, now, Some(Weekday::Mon))),
        (DeliveryChannel::Email, Digest::Off) | (DeliveryChannel::Push, _) => None,
    };
    Slot { due_at: after_quiet(settings, zone, digest_at.unwrap_or(now)), digest_at }
}

/// Returns the first time of a digest after `now`.
fn next_digest(zone: Tz, now: DateTime<Utc>, weekday: Option<Weekday>) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let days = (0..=8).filter_map(|day| today.checked_add_days(Days::new(day)));
    let days = days.filter(|day| weekday.is_none_or(|weekday| day.weekday() == weekday));
    let mut times = days.filter_map(|day| Some(instant(zone, day.and_hms_opt(DIGEST_HOUR, 0, 0)?)));
    times.find(|time| *time > now).unwrap_or(now)
}

/// Returns `at`, or the end of the quiet hours that it is in.
fn after_quiet(settings: &Settings, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    let Some((_, to)) = settings.quiet.filter(|_| is_quiet(settings, zone, at)) else { return at };
    let local = at.with_timezone(&zone);
    let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(to.unsigned_abs()) * 60, 0);
    let day = match time {
        Some(time) if local.time() < time => Some(local.date_naive()),
        _ => local.date_naive().succ_opt(),
    };
    let end = day.zip(time).map(|(day, time)| instant(zone, day.and_time(time)));
    end.map_or(at, |end| end.max(at))
}

/// Returns the instant of a local time: the first if there are two, and the end of the gap if there is none.
fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let found = zone.from_local_datetime(&local).earliest();
    let after_gap = || {
        // Before the gap, the offset is the one that makes the local time an existing one.
        let before = zone.from_local_datetime(&(local - GAP)).earliest()?;
        let end = (0..=GAP.num_minutes()).map(|minute| local + TimeDelta::minutes(minute));
        end.filter_map(|time| zone.from_local_datetime(&time).earliest()).find(|time| *time > before)
    };
    found.or_else(after_gap).map_or_else(|| local.and_utc(), |time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn due(quiet: Option<(i16, i16)>, digest: Digest, zone: &str, now: &str) -> String {
        let settings = Settings { quiet, digest, ..Settings::default() };
        let slot = slot(&settings, zone.parse().unwrap(), DeliveryChannel::Email, at(now));
        assert_eq!(slot.digest_at.is_some(), digest != Digest::Off);
        slot.due_at.format("%FT%RZ").to_string()
    }

    #[test]
    fn quiet_hours_end_in_the_users_time_zone() {
        let night = Some((22 * 60, 7 * 60 + 30));
        for (quiet, zone, now, expected) in [
            (None, "UTC", "2026-11-20T23:00:00Z", "2026-11-20T23:00Z"),
            (night, "UTC", "2026-11-20T21:59:59Z", "2026-11-20T21:59Z"),
            (night, "UTC", "2026-11-20T22:00:00Z", "2026-11-21T07:30Z"),
            (night, "UTC", "2026-11-21T07:29:00Z", "2026-11-21T07:30Z"),
            (night, "UTC", "2026-11-21T07:30:00Z", "2026-11-21T07:30Z"),
            (night, "Europe/Berlin", "2026-11-20T21:00:00Z", "2026-11-21T06:30Z"),
            (night, "America/New_York", "2026-11-20T21:00:00Z", "2026-11-20T21:00Z"),
            (Some((13 * 60, 14 * 60)), "UTC", "2026-11-20T13:30:00Z", "2026-11-20T14:00Z"),
            (Some((0, 0)), "UTC", "2026-11-20T00:00:00Z", "2026-11-20T00:00Z"),
            // Quiet until 02:30, which the clocks skip on this day.
            (Some((60, 150)), "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:00Z"),
            // And which they show twice on this one.
            (Some((60, 150)), "Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T00:30Z"),
        ] {
            assert_eq!(due(quiet, Digest::Off, zone, now), expected, "{quiet:?} {zone} {now}");
        }
    }

    #[test]
    fn a_digest_comes_at_eight_and_after_quiet_hours() {
        for (digest, zone, now, expected) in [
            (Digest::Daily, "UTC", "2026-11-20T07:59:59Z", "2026-11-20T08:00Z"),
            (Digest::Daily, "UTC", "2026-11-20T08:00:00Z", "2026-11-21T08:00Z"),
            (Digest::Daily, "Europe/Berlin", "2026-11-20T07:30:00Z", "2026-11-21T07:00Z"),
            (Digest::Weekly, "UTC", "2026-11-20T09:00:00Z", "2026-11-23T08:00Z"),
            (Digest::Weekly, "UTC", "2026-11-23T07:00:00Z", "2026-11-23T08:00Z"),
            (Digest::Weekly, "UTC", "2026-11-23T08:00:00Z", "2026-11-30T08:00Z"),
        ] {
            assert_eq!(due(None, digest, zone, now), expected, "{digest:?} {zone} {now}");
        }
        assert_eq!(due(Some((0, 9 * 60)), Digest::Daily, "UTC", "2026-11-20T10:00:00Z"), "2026-11-21T09:00Z");
        let settings = Settings { digest: Digest::Daily, ..Settings::default() };
        let push = slot(&settings, Tz::UTC, DeliveryChannel::Push, at("2026-11-20T10:00:00Z"));
        assert_eq!(push, Slot { due_at: at("2026-11-20T10:00:00Z"), digest_at: None });
    }
}
