//! The catalog: courses with their sections and lessons.
//!
//! A course is visible only to its instructor and administrators until it is published; then everybody sees its
//! outline. When a lesson of a published course is published, [`LessonPublished`] is pushed to all who subscribe to new
//! videos.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod port;
mod query;

pub use command::{
    ImportedCategory, ImportedCourse, ImportedLesson, ImportedSection, ImportedStatus, access_to, category_path,
    create_category, create_course, create_lesson, create_section, delete_category, delete_channel, delete_lesson,
    delete_section, import_category, import_course, is_in_team, move_category, my_data, opening_of, publish_course,
    publish_lesson, refresh_sort_keys, reorder_course, set_course_demo_video, set_course_thumbnail, set_lesson_video,
    showing, taught_courses, team_of, update_category, update_course, update_lesson, update_section, upload_target,
};
pub use event::{CategoryArchived, CourseArchived, CourseDeleted, CoursePublished, LessonPublished};
pub use graphql::{
    CatalogSubscription, CategoryObject, CourseObject, LessonObject, SectionObject, category_node, course_for_enrolled,
    course_node, lesson_node, mutations, nodes, queries, section_node, viewer_fields,
};
pub(crate) use graphql::{CourseConnection, courses_of_channel};
pub use job::handlers;
pub use loader::{CompletionOf, CourseById, LessonById, LessonsOf, PricesOf, TeamCoursesOf};
pub use model::{
    Category, CategoryId, Course, CourseFacts, CourseId, CourseLevel, CreateCategoryInput, CreateCourseInput,
    CreateLessonInput, CreateSectionInput, DeleteCategoryInput, DeleteLessonInput, DeleteSectionInput, Lesson,
    LessonChapter, LessonContentInput, LessonId, LessonKind, LessonLink, LessonResourceInput, LessonResourceSource,
    MoveCategoryInput, NewLessonInput, PublishCourseInput, PublishLessonInput, ReorderCourseInput, Section, SectionId,
    SectionOrderInput, SetCourseDemoVideoInput, SetCourseThumbnailInput, SetLessonVideoInput, Showing, ShownAs,
    UpdateCategoryInput, UpdateCourseInput, UpdateLessonInput, UpdateSectionInput, UploadTarget,
};
pub(crate) use model::{CourseFilter, CourseSort, search_query};
pub use port::{add_ratings, hold_category, hold_course, lock_ratings, prices_in, rating_changed, students_changed};
pub use query::stats::ratings;
pub(crate) use query::{course::published_ids, outline::open_lessons};
