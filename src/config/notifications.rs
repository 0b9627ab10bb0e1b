//! Settings of notifications.

use chrono::TimeDelta;

use super::reader::Reader;

/// The settings of notifications.
#[derive(Clone, Debug)]
pub struct Notifications {
    /// How long a notification is retained after its latest event.
    pub age: TimeDelta,
    /// How long one of a single user is retained after its latest event if they have read it.
    pub read_age: TimeDelta,
}

impl Notifications {
    pub(super) fn read(reader: &mut Reader) -> Notifications {
        let mut days = |name| TimeDelta::days(reader.number(name, 1..=3650).cast_signed());
        Notifications { age: days("LYCEUM_NOTIFICATION_DAYS"), read_age: days("LYCEUM_READ_NOTIFICATION_DAYS") }
    }
}
