//! The content that accompanies a lesson's video.

use async_graphql::{InputObject, OneofObject, SimpleObject};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::media::FileId;
use crate::platform::db::schema::{lesson_resources, lessons};

/// A chapter of a lesson's video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "LessonChapterInput")]
#[serde(rename_all = "camelCase")]
pub struct LessonChapter {
    /// Where it starts, in seconds from the start of the video, 0 to the lesson's duration.
    pub start_seconds: i32,
    /// Where it ends, in seconds from the start of the video; the start of the next chapter if null.
    pub end_seconds: Option<i32>,
    /// The title, 1 to 120 characters.
    pub title: String,
}

impl LessonChapter {
    /// The last known second of the chapter: its end or, if it has none, its start.
    pub(crate) fn last_second(&self) -> i32 {
        self.end_seconds.unwrap_or(self.start_seconds)
    }
}

/// A link that accompanies a lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "LessonLinkInput")]
pub struct LessonLink {
    /// The URL: `https` or `http`, at most 2,000 characters.
    pub url: String,
    /// The label, 1 to 120 characters.
    pub label: String,
}

/// A resource to download.
#[derive(Clone, Debug, InputObject)]
pub struct LessonResourceInput {
    /// The name, 1 to 120 characters.
    pub name: String,
    /// Where it is downloaded from.
    pub source: LessonResourceSource,
}

/// Where a resource is downloaded from.
#[derive(Clone, Debug, OneofObject)]
pub enum LessonResourceSource {
    /// The external URL: `https` or `http`, at most 2,000 characters.
    Url(String),
    /// The file: an upload with the purpose FILE, yours or the course's instructor's, or one that the lesson already
    /// offers. Administrators may use any.
    FileId(FileId),
}

/// A resource as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = lesson_resources, check_for_backend(diesel::pg::Pg))]
pub struct LessonResource {
    /// What it is called.
    pub name: String,
    /// Its address elsewhere, unless it is a file.
    pub url: Option<String>,
    /// The file, unless it is elsewhere.
    pub file_id: Option<FileId>,
}

/// The content that accompanies a lesson's video. Omitted fields stay unchanged; a given list replaces the current one.
#[derive(Clone, Debug, Default, InputObject)]
pub struct LessonContentInput {
    /// A notice to read before watching: plain text, at most 2,000 characters.
    pub disclaimer: Option<String>,
    /// The description in Markdown, at most 20,000 characters.
    pub description: Option<String>,
    /// The chapters of the video, at most 200, no two with the same start. They are stored in the order of the video.
    pub chapters: Option<Vec<LessonChapter>>,
    /// Links, at most 50.
    pub links: Option<Vec<LessonLink>>,
    /// Resources to download, at most 50.
    pub resources: Option<Vec<LessonResourceInput>>,
}

/// The content that accompanies a lesson's video.
///
/// It is not part of [`super::Lesson`], because outlines do not show it.
#[derive(Clone, Debug)]
pub struct LessonContent {
    /// A notice to read before watching, in plain text.
    pub disclaimer: String,
    /// The description in Markdown.
    pub description: String,
    /// The chapters, in the order of the video.
    pub chapters: Vec<LessonChapter>,
    /// Links.
    pub links: Vec<LessonLink>,
}

/// The content as it is stored, with the lists as JSON.
#[derive(Queryable, Selectable)]
#[diesel(table_name = lessons, check_for_backend(diesel::pg::Pg))]
pub(crate) struct StoredContent {
    disclaimer: String,
    description: String,
    chapters: Value,
    links: Value,
}

impl TryFrom<StoredContent> for LessonContent {
    type Error = serde_json::Error;

    fn try_from(stored: StoredContent) -> Result<LessonContent, serde_json::Error> {
        Ok(LessonContent {
            disclaimer: stored.disclaimer,
            description: stored.description,
            chapters: serde_json::from_value(stored.chapters)?,
            links: serde_json::from_value(stored.links)?,
        })
    }
}
