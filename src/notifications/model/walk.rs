//! Audiences as they are stored.

use std::str::FromStr;

use uuid::Uuid;

use super::Audience;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::channels::ChannelId;
use crate::discussions::QuestionId;

impl FromStr for Audience {
    type Err = String;

    /// Reads the key of an audience.
    fn from_str(key: &str) -> Result<Audience, String> {
        let unknown = || format!("{key:?} is not an audience");
        if key == "everyone" {
            return Ok(Audience::Everyone);
        }
        let (kind, id) = key.split_once(':').ok_or_else(unknown)?;
        if kind == "role" {
            return Ok(Audience::Role(id.parse().map_err(|_| unknown())?));
        }
        let id: Uuid = id.parse().map_err(|_| unknown())?;
        match kind {
            "user" => Ok(Audience::User(UserId::new(id))),
            "course" => Ok(Audience::Course(CourseId::new(id))),
            "team" => Ok(Audience::Team(CourseId::new(id))),
            "channel" => Ok(Audience::Channel(ChannelId::new(id))),
            "question" => Ok(Audience::Question(QuestionId::new(id))),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::auth::Role;

    #[test]
    fn what_is_written_is_read() {
        let id = Uuid::from_u128(7);
        for audience in [
            Audience::User(UserId::new(id)),
            Audience::Course(CourseId::new(id)),
            Audience::Team(CourseId::new(id)),
            Audience::Channel(ChannelId::new(id)),
            Audience::Question(QuestionId::new(id)),
            Audience::Role(Role::Admin),
            Audience::Everyone,
        ] {
            assert_eq!(audience.to_string().parse(), Ok(audience));
        }
        for unknown in ["", "user", "user:1", "role:KING", "galaxy:00000000-0000-0000-0000-000000000007"] {
            assert!(unknown.parse::<Audience>().is_err(), "{unknown}");
        }
    }
}
