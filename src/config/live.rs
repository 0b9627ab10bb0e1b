//! Settings of live classes.

use super::reader::Reader;

/// The settings of live classes.
#[derive(Clone, Debug)]
pub struct Live {
    /// How long a session may be, in minutes; never empty.
    pub minutes: Vec<i32>,
    /// The minutes per month of users without a membership for live classes; 0 means that only members take part.
    pub free_minutes: i32,
    /// Whether a session costs only the minutes that were attended of it.
    pub has_partial_attendance: bool,
}

/// The lengths that the database accepts, in minutes.
const LENGTHS: [&str; 4] = ["30", "45", "60", "90"];

impl Live {
    pub(super) fn read(reader: &mut Reader) -> Live {
        let mut minutes = reader.list("LYCEUM_LIVE_MINUTES");
        if let Some(wrong) = minutes.iter().find(|length| !LENGTHS.contains(&length.as_str())) {
            reader.problem(format!("LYCEUM_LIVE_MINUTES contains {wrong:?}; it must be a list out of 30, 45, 60, 90"));
        }
        if minutes.is_empty() {
            minutes = vec![reader.text_or_default("LYCEUM_LIVE_MINUTES").to_owned()];
        }
        let free = i32::try_from(reader.number("LYCEUM_LIVE_FREE_HOURS", 0..=744)).unwrap_or_default();
        Live {
            minutes: minutes.iter().filter_map(|length| length.parse().ok()).collect(),
            free_minutes: 60 * free,
            has_partial_attendance: reader.choice("LYCEUM_LIVE_PARTIAL_ATTENDANCE", &["off", "on"]) == "on",
        }
    }
}
