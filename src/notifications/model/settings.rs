//! How users want to be told.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{Enum, InputObject, MaybeUndefined};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use super::NotificationKind;
use crate::platform::db::stored_as_text;

/// How often a user gets a summary by email.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Digest {
    /// Never.
    #[default]
    Off,
    /// Once a day.
    Daily,
    /// Once a week.
    Weekly,
}

stored_as_text!(Digest { Off = "OFF", Daily = "DAILY", Weekly = "WEEKLY" });

/// By which ways a user is told of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// In the list of notifications and its pushes.
    pub in_app: bool,
    /// By email.
    pub email: bool,
    /// On their devices.
    pub push: bool,
}

/// How a user wants to be told. Kinds that are missing have the preferences of their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The preferences that the user has chosen.
    pub chosen: BTreeMap<NotificationKind, Preference>,
    /// The minutes since midnight, in the user's time zone, from which and until which they are not disturbed. It may
    /// begin in the evening and end in the morning.
    pub quiet: Option<(i16, i16)>,
    /// How often they get a summary.
    pub digest: Digest,
    /// Whether they have ended all emails with the link in one of them.
    pub emails_ended: bool,
    /// What they have muted: the keys of courses, channels and questions.
    pub muted: BTreeSet<String>,
}

/// The preferences for a kind in an input.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "NotificationPreferenceInput")]
pub struct PreferenceInput {
    /// The kind.
    pub kind: NotificationKind,
    /// Whether to show it in the list of notifications.
    pub in_app: bool,
    /// Whether to send it by email.
    pub email: bool,
    /// Whether to send it to the user's devices.
    pub push: bool,
}

/// The input of `updateNotificationSettings`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateNotificationSettingsInput {
    /// The preferences of these kinds; the others stay unchanged.
    pub preferences: Option<Vec<PreferenceInput>>,
    /// When the quiet hours begin in the user's time zone, such as `22:00`; null for none. Give both or neither.
    pub quiet_from: MaybeUndefined<String>,
    /// When the quiet hours end, such as `07:30`; null for none.
    pub quiet_to: MaybeUndefined<String>,
    /// How often to get a summary by email.
    pub digest: Option<Digest>,
}

/// Parses a time of day as minutes since midnight; `None` if it is malformed.
pub(crate) fn minutes(text: &str) -> Option<i16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Formats minutes since midnight like `07:30`.
pub fn time_of_day(minutes: i16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_four_digits() {
        for (text, parsed) in [("00:00", Some(0)), ("07:30", Some(450)), ("23:59", Some(1439))] {
            assert_eq!(minutes(text), parsed);
            assert_eq!(parsed.map(time_of_day).as_deref(), Some(text));
        }
        for wrong in ["24:00", "7:30", "07:60", "0730", "07:3", "+7:30", "", "07:30:00", "٠٧:٣٠"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
