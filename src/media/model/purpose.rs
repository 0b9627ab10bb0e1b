//! The purposes of uploads.

use crate::platform::db::stored_as_text;
use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The purpose of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UploadPurpose {
    /// A video of a lesson or course.
    Video,
    /// The picture of a course, category, channel or user, visible to everyone.
    Image,
    /// A download for users who have access to a lesson.
    File,
}

stored_as_text!(UploadPurpose { Video = "VIDEO", Image = "IMAGE", File = "FILE" });

impl UploadPurpose {
    /// All purposes.
    pub const ALL: [UploadPurpose; 3] = [UploadPurpose::Video, UploadPurpose::Image, UploadPurpose::File];
    /// The key prefix of files uploaded in a single request, before completion. Ends with a slash.
    pub fn drafts(self) -> &'static str {
        match self {
            UploadPurpose::Video => "uploads/videos/",
            UploadPurpose::Image | UploadPurpose::File => "uploads/files/",
        }
    }

    /// The key prefix of completed files, each of which has its own folder. Ends with a slash.
    pub fn folders(self) -> &'static str {
        match self {
            UploadPurpose::Video => "videos/",
            UploadPurpose::Image | UploadPurpose::File => "files/",
        }
    }

    /// The key prefix of all objects of the video or file with this id. Ends with a slash.
    pub fn folder(self, id: Uuid) -> String {
        format!("{}{}/", self.folders(), id.simple())
    }
}
