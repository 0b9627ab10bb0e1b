//! Settings of discussions.

use chrono::TimeDelta;

use super::reader::Reader;

/// The settings of discussions.
#[derive(Clone, Debug)]
pub struct Discussions {
    /// The maximum number of posts that a user writes in a course within an hour; 0 means no limit.
    pub hourly_posts: usize,
    /// The age of an account from which on its posts with links are shown at once.
    pub link_age: TimeDelta,
    /// The words whose posts are held for moderation, in lower case.
    pub blocked_words: Vec<String>,
}

impl Discussions {
    pub(super) fn read(reader: &mut Reader) -> Discussions {
        Discussions {
            hourly_posts: reader.number("LYCEUM_HOURLY_POSTS", 0..=10_000) as usize,
            link_age: TimeDelta::hours(reader.number("LYCEUM_LINK_HOLD_HOURS", 0..=8760).cast_signed()),
            blocked_words: reader.list("LYCEUM_BLOCKED_WORDS").iter().map(|word| word.to_lowercase()).collect(),
        }
    }
}
