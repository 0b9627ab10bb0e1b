//! Who is told.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::channels::ChannelId;
use crate::discussions::QuestionId;
use crate::platform::auth::Role;

/// The users who are told of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// One user.
    User(UserId),
    /// The students of a course: who is enrolled and has access now.
    Course(CourseId),
    /// The team of a course: its instructor, and who may edit it as a member of its channel.
    Team(CourseId),
    /// The followers of a channel.
    Channel(ChannelId),
    /// The followers of a question who have access to its course.
    Question(QuestionId),
    /// The users with a role.
    Role(Role),
    /// All users.
    Everyone,
}

impl fmt::Display for Audience {
    /// Writes the key of the audience, as it is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audience::User(id) => write!(f, "user:{}", id.uuid()),
            Audience::Course(id) => write!(f, "course:{}", id.uuid()),
            Audience::Team(id) => write!(f, "team:{}", id.uuid()),
            Audience::Channel(id) => write!(f, "channel:{}", id.uuid()),
            Audience::Question(id) => write!(f, "question:{}", id.uuid()),
            Audience::Role(role) => write!(f, "role:{}", role.as_str()),
            Audience::Everyone => write!(f, "everyone"),
        }
    }
}

impl Audience {
    /// Reads the key of an audience; `None` if only a newer version of the program knows it.
    pub fn parse(key: &str) -> Option<Audience> {
        let (kind, id) = key.split_once(':').unwrap_or((key, ""));
        let uuid = || id.parse::<Uuid>().ok();
        match kind {
            "user" => Some(Audience::User(UserId::new(uuid()?))),
            "course" => Some(Audience::Course(CourseId::new(uuid()?))),
            "team" => Some(Audience::Team(CourseId::new(uuid()?))),
            "channel" => Some(Audience::Channel(ChannelId::new(uuid()?))),
            "question" => Some(Audience::Question(QuestionId::new(uuid()?))),
            "role" => Some(Audience::Role(id.parse().ok()?)),
            "everyone" => Some(Audience::Everyone),
            _ => None,
        }
    }
}

/// The audiences that a user is in, with the times since when: they are told of nothing from before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audiences {
    /// The user.
    pub user: UserId,
    /// The keys of the audiences, sorted, each once.
    pub since: Vec<(String, DateTime<Utc>)>,
}

impl Audiences {
    /// Collects the audiences of a user.
    pub(crate) fn new(user: UserId, since: impl IntoIterator<Item = (Audience, DateTime<Utc>)>) -> Audiences {
        let mut earliest: HashMap<String, DateTime<Utc>> = HashMap::new();
        for (audience, at) in since {
            let known = earliest.entry(audience.to_string()).or_insert(at);
            *known = at.min(*known);
        }
        let mut since: Vec<_> = earliest.into_iter().collect();
        since.sort_unstable();
        Audiences { user, since }
    }

    /// Returns since when the user is told of a notification of an audience, with what can be muted; `None` if they are
    /// not. What concerns a course is told to its team, and not again to members of it who have the role that is told.
    pub(crate) fn told_since(&self, audience: &str, mute_keys: &[String]) -> Option<DateTime<Utc>> {
        let is_team = |key: &String| {
            key.strip_prefix("course:").is_some_and(|course| self.since(&format!("team:{course}")).is_some())
        };
        let is_repeated = audience.starts_with("role:") && mute_keys.iter().any(is_team);
        self.since(audience).filter(|_| !is_repeated)
    }

    /// Returns since when the user is in an audience; `None` if they are not.
    pub fn since(&self, audience: &str) -> Option<DateTime<Utc>> {
        let place = self.since.binary_search_by(|(key, _)| key.as_str().cmp(audience)).ok()?;
        self.since.get(place).map(|(_, since)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let id = Uuid::from_u128(7);
        for audience in [
            Audience::User(UserId::new(id)),
            Audience::Course(CourseId::new(id)),
            Audience::Team(CourseId::new(id)),
            Audience::Channel(ChannelId::new(id)),
            Audience::Question(QuestionId::new(id)),
            Audience::Role(Role::Instructor),
            Audience::Everyone,
        ] {
            assert_eq!(Audience::parse(&audience.to_string()), Some(audience));
        }
        for unknown in ["", "user:", "user:x", "role:KING", "school:1"] {
            assert_eq!(Audience::parse(unknown), None, "{unknown}");
        }
    }
}
