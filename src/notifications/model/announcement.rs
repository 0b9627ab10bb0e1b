//! Announcements.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Audience;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::channels::ChannelId;
use crate::graphql::guard::Role;
use crate::graphql::{Entity, Id, Idempotency, Time};
use crate::platform::db::schema::announcements;

/// An announcement's id: `announcement_01j…`.
pub type AnnouncementId = Id<Announcement>;

/// Something that an instructor or an administrator announces.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = announcements, check_for_backend(diesel::pg::Pg))]
pub struct Announcement {
    /// The id.
    pub id: AnnouncementId,
    /// The author.
    pub author_id: UserId,
    /// The key of its audience; see [`Audience`].
    pub audience: String,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it is to be published.
    pub publish_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was canceled; if it was published before, it is shown no longer.
    pub canceled_at: Option<DateTime<Utc>>,
    /// The number of users who were shown it in their lists.
    pub delivered_count: i64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// The [`Report`] as it was when the deliveries were deleted.
    report: Option<Value>,
}

impl Announcement {
    /// What became of the mails and push messages; `None` as long as their rows are there to be counted.
    pub fn report(&self) -> Option<Report> {
        serde_json::from_value(self.report.clone()?).ok()
    }
}

/// What became of the mails and push messages of an announcement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Emails. A digest counts for each announcement in it.
    pub email: Tally,
    /// Messages to devices.
    pub push: Tally,
}

/// How many messages have ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "DeliveryCounts")]
pub struct Tally {
    /// The number of those that are to be sent: they are in flight, wait for the end of quiet hours or for a digest, or are
    /// tried again.
    pub(crate) waiting: i64,
    /// The number of those that the mail server or the push service has accepted.
    pub(crate) sent: i64,
    /// The number of those that were rejected, or that could not be sent in many attempts.
    pub(crate) failed: i64,
    /// The number of those to addresses that had bounced, or whose owners call such mails spam.
    pub(crate) suppressed: i64,
    /// The number of those that were not needed anymore: the user has read the notification before, has lost access or does
    /// not want to be told.
    pub(crate) skipped: i64,
}

impl Entity for Announcement {
    const PREFIX: &'static str = "announcement";
}

/// Whom an announcement is for.
#[derive(Clone, Debug, OneofObject)]
pub enum AudienceInput {
    /// The students of this course; for its team.
    CourseId(CourseId),
    /// The followers of this channel; for its owner.
    ChannelId(ChannelId),
    /// The users with this role; for administrators.
    Role(Role),
    /// `true`: all users; for administrators.
    Everyone(bool),
}

impl From<&AudienceInput> for Audience {
    fn from(input: &AudienceInput) -> Audience {
        match input {
            AudienceInput::CourseId(id) => Audience::Course(*id),
            AudienceInput::ChannelId(id) => Audience::Channel(*id),
            AudienceInput::Role(role) => Audience::Role((*role).into()),
            AudienceInput::Everyone(_) => Audience::Everyone,
        }
    }
}

/// The input of `createAnnouncement`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateAnnouncementInput {
    /// Whom it is for.
    pub audience: AudienceInput,
    /// The title, 1 to 150 characters.
    pub title: String,
    /// The text, plain, 1 to 2,000 characters.
    pub body: String,
    /// When to publish it, within the next year; now if omitted.
    pub publish_at: Option<Time>,
    /// Whether to check the input and to count the audience only. Nothing is announced then.
    #[graphql(default)]
    pub dry_run: bool,
    /// Against creating it twice.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `cancelAnnouncement`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelAnnouncementInput {
    /// The announcement.
    pub announcement_id: AnnouncementId,
}

/// What has become of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum AnnouncementState {
    /// It is to be published later.
    Scheduled,
    /// It is published.
    Published,
    /// It was canceled.
    Canceled,
}

/// A filter for announcements; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Copy, Debug, Default, InputObject)]
pub struct AnnouncementFilter {
    /// Announcements in this state.
    pub state: Option<AnnouncementState>,
}
