//! What files are uploaded for.

use crate::platform::db::stored_as_text;
use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a file is uploaded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UploadPurpose {
    /// To be shown by a lesson or a course, as a video.
    Video,
    /// To be shown to everybody, as the picture of a course.
    Image,
    /// To be downloaded by those who may see a lesson's content.
    File,
}

stored_as_text!(UploadPurpose { Video = "VIDEO", Image = "IMAGE", File = "FILE" });

impl UploadPurpose {
    /// All of them.
    pub(crate) const ALL: [UploadPurpose; 3] = [UploadPurpose::Video, UploadPurpose::Image, UploadPurpose::File];
    /// Below what files are sent that are sent whole; ends in a slash.
    pub(crate) fn drafts(self) -> &'static str {
        match self {
            UploadPurpose::Video => "uploads/videos/",
            UploadPurpose::Image | UploadPurpose::File => "uploads/files/",
        }
    }

    /// Below what they are when they have arrived, each in a folder of its own; ends in a slash.
    pub(crate) fn folders(self) -> &'static str {
        match self {
            UploadPurpose::Video => "videos/",
            UploadPurpose::Image | UploadPurpose::File => "files/",
        }
    }

    /// Where everything is that belongs to what came of the upload with this id; ends in a slash.
    pub(crate) fn folder(self, id: Uuid) -> String {
        format!("{}{}/", self.folders(), id.simple())
    }
}
