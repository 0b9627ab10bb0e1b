//! Rows of the catalog, and the inputs of its commands.

mod administration;
mod arrange;
mod browse;
mod cache_key;
mod category;
mod content;
mod course;
mod facet;
mod facts;
mod outline;
mod publication;
mod search;
mod subject;
mod target;
mod thumbnail;
mod video;

pub use administration::{BulkArchiveCoursesInput, BulkPublishCoursesInput, TransferCourseInput};
pub use arrange::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput, SectionOrderInput};
pub(crate) use browse::CoursePlace;
pub use browse::{CourseFilter, CourseSort};
pub use browse::{CourseSortField, Which};
pub(crate) use cache_key::{
    categories_key, course_key, facts_key, found_keys, lesson_changed, lesson_key, lists_key, page_keys, slug_key,
    stats_key,
};
pub use category::{ArchiveCategoryInput, CategoryTree, SetCategoryImageInput, UnarchiveCategoryInput};
pub use category::{CreateCategoryInput, DeleteCategoryInput, MoveCategoryInput, UpdateCategoryInput};
pub(crate) use content::StoredContent;
pub use content::{LessonChapter, LessonContentInput, LessonLink, LessonResourceInput, LessonResourceSource};
pub use content::{LessonContent, LessonResource};
pub use course::CourseStats;
pub use course::{Course, CourseId, CreateCourseInput, UpdateCourseInput};
pub(crate) use facet::Counted;
pub use facet::{Facet, FacetKind, FacetQuery, facets};
pub use facts::CourseFacts;
pub use facts::CourseLists;
pub(crate) use facts::{FactChanges, NewFacts};
pub use outline::{
    CreateLessonInput, CreateSectionInput, Lesson, LessonId, LessonKind, Section, SectionId, UpdateLessonInput,
    UpdateSectionInput,
};
pub use outline::{MOST_LESSONS, MOST_SECTIONS};

pub(crate) use publication::LessonUnlockInput;
pub use publication::{
    ArchiveCourseInput, DeleteCourseInput, Deleted, PublicationStatus, ScheduleCourseInput, ScheduleLessonInput,
    SetLessonUnlockInput, UnarchiveCourseInput, UnpublishCourseInput, UnpublishLessonInput,
};
pub use publication::{PublishCourseInput, PublishLessonInput};
pub use search::search_query;
pub use search::{Part, Search, words};
pub use subject::{Category, CategoryId, CourseLevel};
pub use target::{NewLessonInput, UploadTarget};
pub use thumbnail::SetCourseThumbnailInput;
pub use video::{SetCourseDemoVideoInput, SetLessonVideoInput, Showing, ShownAs};
