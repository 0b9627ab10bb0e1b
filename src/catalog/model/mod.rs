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

pub(super) use administration::{BulkArchiveCoursesInput, BulkPublishCoursesInput, TransferCourseInput};
pub use arrange::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput, SectionOrderInput};
pub(crate) use browse::{CourseFilter, CourseSort};
pub(super) use browse::{CoursePlace, CourseSortField, Which};
pub(super) use cache_key::{
    categories_key, course_key, facts_key, found_keys, lesson_changed, lesson_key, lists_key, page_keys, slug_key,
    stats_key,
};
pub(super) use category::{ArchiveCategoryInput, CategoryTree, SetCategoryImageInput, UnarchiveCategoryInput};
pub use category::{CreateCategoryInput, DeleteCategoryInput, MoveCategoryInput, UpdateCategoryInput};
pub use content::{LessonChapter, LessonContentInput, LessonLink, LessonResourceInput, LessonResourceSource};
pub(super) use content::{LessonContent, LessonResource, StoredContent};
pub(super) use course::CourseStats;
pub use course::{Course, CourseId, CreateCourseInput, UpdateCourseInput};
pub(super) use facet::{Counted, Facet, FacetKind, FacetQuery, facets};
pub use facts::CourseFacts;
pub(super) use facts::{CourseLists, FactChanges, NewFacts};
pub use outline::{
    CreateLessonInput, CreateSectionInput, Lesson, LessonId, LessonKind, Section, SectionId, UpdateLessonInput,
    UpdateSectionInput,
};
pub(in crate::catalog) use outline::{MOST_LESSONS, MOST_SECTIONS};

pub(super) use publication::{
    ArchiveCourseInput, DeleteCourseInput, Deleted, LessonUnlockInput, PublicationStatus, ScheduleCourseInput,
    ScheduleLessonInput, SetLessonUnlockInput, UnarchiveCourseInput, UnpublishCourseInput, UnpublishLessonInput,
};
pub use publication::{PublishCourseInput, PublishLessonInput};
pub(crate) use search::search_query;
pub(super) use search::{Part, Search, words};
pub use subject::{Category, CategoryId, CourseLevel};
pub use target::{NewLessonInput, UploadTarget};
pub use thumbnail::SetCourseThumbnailInput;
pub use video::{SetCourseDemoVideoInput, SetLessonVideoInput, Showing, ShownAs};
