//! The inputs of what users do with their notifications.

use async_graphql::{ID, InputObject};

use super::{Audience, NotificationId, NotificationState};
use crate::catalog::{Course, CourseId};
use crate::channels::{Channel, ChannelId};
use crate::discussions::{Question, QuestionId};
use crate::graphql::{Entity, id};

/// The input of `markNotifications`. Give either `ids` or `upTo`.
#[derive(Clone, Debug, InputObject)]
pub struct MarkNotificationsInput {
    /// The notifications, at most 100.
    pub ids: Option<Vec<NotificationId>>,
    /// A cursor of `notifications`: marks the notification at the cursor and all that are older, in all lists. Only with
    /// the states READ and ARCHIVED.
    pub up_to: Option<String>,
    /// The new state. ARCHIVED includes that they are read; UNREAD takes them out of the archive.
    pub state: NotificationState,
}

/// The input of `muteNotifications`.
#[derive(Clone, Debug, InputObject)]
pub struct MuteNotificationsInput {
    /// The id of the course, the channel or the question.
    pub subject_id: ID,
    /// Whether to mute it; false shows its notifications again.
    pub muted: bool,
}

/// What a user can mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MuteSubject {
    /// A course: everything that is about it.
    Course(CourseId),
    /// A channel.
    Channel(ChannelId),
    /// A question.
    Question(QuestionId),
}

impl MuteSubject {
    /// Reads the public id of a course, a channel or a question.
    pub(crate) fn parse(text: &str) -> Option<MuteSubject> {
        let (prefix, id) = id::split(text)?;
        match prefix {
            Course::PREFIX => Some(MuteSubject::Course(CourseId::new(id))),
            Channel::PREFIX => Some(MuteSubject::Channel(ChannelId::new(id))),
            Question::PREFIX => Some(MuteSubject::Question(QuestionId::new(id))),
            _ => None,
        }
    }
}

impl From<MuteSubject> for Audience {
    /// Returns the audience whose key is stored.
    fn from(subject: MuteSubject) -> Audience {
        match subject {
            MuteSubject::Course(id) => Audience::Course(id),
            MuteSubject::Channel(id) => Audience::Channel(id),
            MuteSubject::Question(id) => Audience::Question(id),
        }
    }
}

/// Returns the public id of what was muted by its stored key; `None` if only a newer version of the program knows it.
pub fn muted_id(key: &str) -> Option<String> {
    let (kind, id) = key.split_once(':')?;
    let known = [Course::PREFIX, Channel::PREFIX, Question::PREFIX].contains(&kind);
    known.then(|| Some(id::encode(kind, id.parse().ok()?))).flatten()
}
