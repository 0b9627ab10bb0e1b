//! What a lesson's video comes with.

use async_graphql::{InputObject, SimpleObject};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::media::FileId;
use crate::platform::db::schema::{lesson_resources, lessons};

/// A moment of a video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "TimestampInput")]
#[serde(rename_all = "camelCase")]
pub struct Timestamp {
    /// Seconds from the start, 0 to the lesson's duration.
    pub at_seconds: i32,
    /// What comes there, 1 to 120 characters.
    pub label: String,
}

/// A place to go on to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "LinkInput")]
pub struct Link {
    /// The address: `https` or `http`, at most 2,000 characters.
    pub url: String,
    /// What is there, 1 to 120 characters.
    pub label: String,
}

/// Something to download: an address elsewhere, or a file that was uploaded; one of the two.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ResourceInput {
    /// What it is called, 1 to 120 characters.
    pub name: String,
    /// Where it is: `https` or `http`, at most 2,000 characters.
    pub url: Option<String>,
    /// The file: an upload of yours with the purpose FILE, or one that the lesson offers already.
    pub file_id: Option<FileId>,
}

/// The same as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = lesson_resources, check_for_backend(diesel::pg::Pg))]
pub(in crate::catalog) struct Resource {
    pub(in crate::catalog) name: String,
    pub(in crate::catalog) url: Option<String>,
    pub(in crate::catalog) file_id: Option<FileId>,
}

/// What a lesson's video comes with; what is left out stays as it is, and a list replaces the one that is there.
#[derive(Clone, Debug, Default, InputObject)]
pub struct LessonContentInput {
    /// What to know before watching; plain text, at most 2,000 characters.
    pub disclaimer: Option<String>,
    /// Markdown, at most 20,000 characters.
    pub description: Option<String>,
    /// Moments of the video, at most 200, each at another second. They are kept in their order in the video.
    pub timestamps: Option<Vec<Timestamp>>,
    /// At most 50.
    pub links: Option<Vec<Link>>,
    /// At most 50.
    pub resources: Option<Vec<ResourceInput>>,
}

/// What a lesson's video comes with. It is not part of the lesson's row: an outline does not show it.
#[derive(Clone, Debug)]
pub(in crate::catalog) struct LessonContent {
    pub(in crate::catalog) disclaimer: String,
    pub(in crate::catalog) description: String,
    pub(in crate::catalog) timestamps: Vec<Timestamp>,
    pub(in crate::catalog) links: Vec<Link>,
}

/// The same as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = lessons, check_for_backend(diesel::pg::Pg))]
pub(in crate::catalog) struct StoredContent {
    disclaimer: String,
    description: String,
    timestamps: Value,
    links: Value,
}

impl TryFrom<StoredContent> for LessonContent {
    type Error = serde_json::Error;

    fn try_from(stored: StoredContent) -> Result<LessonContent, serde_json::Error> {
        Ok(LessonContent {
            disclaimer: stored.disclaimer,
            description: stored.description,
            timestamps: serde_json::from_value(stored.timestamps)?,
            links: serde_json::from_value(stored.links)?,
        })
    }
}
