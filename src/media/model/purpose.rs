//! What files are uploaded for.

use std::str::FromStr;

use async_graphql::Enum;
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
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

impl UploadPurpose {
    /// All of them.
    pub(crate) const ALL: [UploadPurpose; 3] = [UploadPurpose::Video, UploadPurpose::Image, UploadPurpose::File];

    /// The name in the database and in the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            UploadPurpose::Video => "VIDEO",
            UploadPurpose::Image => "IMAGE",
            UploadPurpose::File => "FILE",
        }
    }

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

impl FromStr for UploadPurpose {
    type Err = String;

    fn from_str(text: &str) -> Result<UploadPurpose, String> {
        let found = UploadPurpose::ALL.into_iter().find(|purpose| purpose.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not what a file is uploaded for"))
    }
}

impl ToSql<Text, Pg> for UploadPurpose {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl FromSql<Text, Pg> for UploadPurpose {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<UploadPurpose> {
        Ok(<String as FromSql<Text, Pg>>::from_sql(value)?.parse()?)
    }
}
