//! What shows an uploaded file.

use async_graphql::{InputObject, OneofObject};
use serde::{Deserialize, Serialize};

use super::{CategoryId, CourseId, LessonId, SectionId};
use crate::channels::ChannelId;
use crate::media::UploadPurpose;
use crate::platform::auth::Role;

/// The object that will show an uploaded file. The server attaches the file as soon as it is ready, which is when a
/// video is processed; the client need not wait for it.
#[derive(Clone, Debug, Serialize, Deserialize, OneofObject)]
#[serde(rename_all = "camelCase")]
pub enum UploadTarget {
    /// The lesson whose video it becomes; its kind must be VIDEO.
    LessonId(LessonId),
    /// A new lesson whose video it is, a draft at the end of a section. It is created when the video is processed.
    NewLesson(NewLessonInput),
    /// The course whose demo video it becomes.
    CourseDemoId(CourseId),
    /// The course whose thumbnail it becomes.
    CourseThumbnailId(CourseId),
    /// The category whose image it becomes; for administrators.
    CategoryImageId(CategoryId),
    /// The channel whose image it becomes.
    ChannelImageId(ChannelId),
    /// `true`: the viewer, whose picture it becomes.
    Avatar(bool),
}

/// A lesson that is created for an uploaded video.
#[derive(Clone, Debug, Serialize, Deserialize, InputObject)]
pub struct NewLessonInput {
    /// The section.
    pub section_id: SectionId,
    /// The title, 1 to 120 characters.
    pub title: String,
}

impl UploadTarget {
    /// Returns the purpose that the upload must have.
    pub(crate) fn purpose(&self) -> UploadPurpose {
        match self {
            UploadTarget::LessonId(_) | UploadTarget::NewLesson(_) | UploadTarget::CourseDemoId(_) => {
                UploadPurpose::Video
            }
            UploadTarget::CourseThumbnailId(_)
            | UploadTarget::CategoryImageId(_)
            | UploadTarget::ChannelImageId(_)
            | UploadTarget::Avatar(_) => UploadPurpose::Image,
        }
    }

    /// Returns the role that the uploader needs.
    pub(crate) fn role(&self) -> Role {
        match self {
            UploadTarget::Avatar(_) => Role::Student,
            _ => Role::Instructor,
        }
    }

    /// Returns the path of the target in the input of `createUpload`.
    pub fn path(&self) -> Vec<String> {
        let field = match self {
            UploadTarget::LessonId(_) => "lessonId",
            UploadTarget::NewLesson(_) => "newLesson",
            UploadTarget::CourseDemoId(_) => "courseDemoId",
            UploadTarget::CourseThumbnailId(_) => "courseThumbnailId",
            UploadTarget::CategoryImageId(_) => "categoryImageId",
            UploadTarget::ChannelImageId(_) => "channelImageId",
            UploadTarget::Avatar(_) => "avatar",
        };
        vec!["attachTo".to_owned(), field.to_owned()]
    }
}
