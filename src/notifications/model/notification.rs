//! Notifications as they are written and read.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{AnnouncementId, Audience, NotificationKind};
use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::channels::ChannelId;
use crate::discussions::QuestionId;
use crate::graphql::{Entity, Id};
use crate::live::LiveSessionId;
use crate::memberships::PlanId;

/// A notification's id: `notification_01j…`.
pub type NotificationId = Id<Notification>;

/// What an event was about: ids and small facts. Names and titles are read when they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Facts {
    /// The course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseId>,
    /// The lesson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson: Option<LessonId>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
    /// The live session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<LiveSessionId>,
    /// The announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement: Option<AnnouncementId>,
    /// The plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// A word that the texts of the kind know, or a technical name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An event of which users are to be told.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// The kind.
    pub kind: NotificationKind,
    /// Who is told.
    pub audience: Audience,
    /// Events of a kind and an audience with the same group are one notification.
    pub group: String,
    /// The public id of what it is about; empty if that is nothing.
    pub subject: String,
    /// What users can mute, so that they are not told: courses, channels and questions.
    pub mute_keys: Vec<Audience>,
    /// The user who has caused it, who is not told.
    pub actor: Option<UserId>,
    /// What tells the event from all others of its kind, so that a retry does not count it twice.
    pub occurrence: String,
    /// What it was about.
    pub facts: Facts,
}

impl NewNotification {
    /// The key of the notification that the event belongs to.
    pub(crate) fn group_key(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.group)
    }

    /// The id of the event, the same for each retry.
    pub(crate) fn event_id(&self) -> Uuid {
        let text = format!("{}\0{}\0{}", self.audience, self.kind.as_str(), self.occurrence);
        hashed(&text)
    }
}

/// Returns an id that is the same for the same text: UUID version 8 (RFC 9562, 5.8).
pub(super) fn hashed(text: &str) -> Uuid {
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A notification as one user sees it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Notification {
    /// The user.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// The id.
    #[diesel(sql_type = SqlUuid)]
    pub id: NotificationId,
    /// What it is about.
    #[diesel(sql_type = SqlText)]
    pub kind: NotificationKind,
    /// The public id of what it is about; empty if that is nothing.
    #[diesel(sql_type = SqlText)]
    pub subject: String,
    /// When the first event happened.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When the latest event happened, which lists are sorted by.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// When the latest event happened of which the user is told.
    #[diesel(sql_type = Timestamptz)]
    pub active_at: DateTime<Utc>,
    /// The number of events of which the user is told: of those that are not read, or of all if all are. At most 100.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// When the user read it; `None` if it is unread.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub read_at: Option<DateTime<Utc>>,
    /// When the user archived it; `None` if it is not archived.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub archived_at: Option<DateTime<Utc>>,
    /// Who caused the latest event of which the user is told.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub actor_id: Option<UserId>,
    #[diesel(sql_type = Jsonb)]
    facts: Value,
}

impl Notification {
    /// What the latest event was about of which the user is told. Facts that this version of the program cannot read are
    /// missing.
    pub fn facts(&self) -> Facts {
        serde_json::from_value(self.facts.clone()).unwrap_or_default()
    }
}

impl Entity for Notification {
    const PREFIX: &'static str = "notification";
}

/// The text of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub title: String,
    /// One or two sentences; may be empty.
    pub body: String,
}
