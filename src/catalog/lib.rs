//! The catalog: courses with their sections and lessons.
//!
//! A course is visible only to its instructor and administrators until it is published; then everybody sees its
//! outline. When a lesson of a published course is published, [`LessonPublished`] is pushed to all who subscribe to new
//! videos.

use crate as catalog;
use lyceum_accounts as accounts;
use lyceum_channels as channels;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_media as media;
use lyceum_platform as platform;

pub mod command;
pub mod error;
pub mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod port;
pub mod query;

pub use command::{
    ImportedCategory, ImportedCourse, ImportedLesson, ImportedSection, ImportedStatus, access_to, category_path,
    create_category, create_course, create_lesson, create_section, delete_category, delete_channel, delete_lesson,
    delete_section, import_category, import_course, is_in_team, move_category, my_data, opening_of, publish_course,
    publish_lesson, refresh_sort_keys, reorder_course, set_course_demo_video, set_course_thumbnail, set_lesson_video,
    showing, taught_courses, team_of, update_category, update_course, update_lesson, update_section, upload_target,
};
pub use event::{CategoryArchived, CourseArchived, CourseDeleted, CoursePublished, LessonPublished};
pub use job::handlers;
pub use loader::{CompletionOf, CourseById, LessonById, LessonsOf, PricesOf, TeamCoursesOf};
pub use model::{
    Category, CategoryId, Course, CourseFacts, CourseFilter, CourseId, CourseLevel, CourseSort, CreateCategoryInput,
    CreateCourseInput, CreateLessonInput, CreateSectionInput, DeleteCategoryInput, DeleteLessonInput,
    DeleteSectionInput, Lesson, LessonChapter, LessonContentInput, LessonId, LessonKind, LessonLink,
    LessonResourceInput, LessonResourceSource, MoveCategoryInput, NewLessonInput, PublishCourseInput,
    PublishLessonInput, ReorderCourseInput, Section, SectionId, SectionOrderInput, SetCourseDemoVideoInput,
    SetCourseThumbnailInput, SetLessonVideoInput, Showing, ShownAs, UpdateCategoryInput, UpdateCourseInput,
    UpdateLessonInput, UpdateSectionInput, UploadTarget, search_query,
};
pub use port::{add_ratings, hold_category, hold_course, lock_ratings, prices_in, rating_changed, students_changed};
pub use query::stats::ratings;
pub use query::{course::published_ids, outline::open_lessons};
