//! What is taught: courses with their sections and lessons.
//!
//! A course is its instructor's until it is published; then everybody sees its outline. Publishing a lesson of a
//! published course is news: [`LessonPublished`] is pushed to everybody who follows new videos.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{
    create_course, create_lesson, create_section, delete_lesson, delete_section, may_watch, my_data, publish_course,
    publish_lesson, reorder_course, set_course_demo_video, set_lesson_video, showing, update_course, update_lesson,
    update_section,
};
pub use event::{CoursePublished, LessonPublished};
pub use graphql::{
    CatalogMutation, CatalogQuery, CatalogSubscription, CourseObject, LessonObject, SectionObject, course_node,
    lesson_node, section_node,
};
pub use job::handlers;
pub use model::{
    Category, CategoryId, Channel, ChannelId, Course, CourseId, CreateCourseInput, CreateLessonInput,
    CreateSectionInput, DeleteLessonInput, DeleteSectionInput, Lesson, LessonId, Level, PublishCourseInput,
    PublishLessonInput, ReorderCourseInput, Section, SectionId, SectionOrderInput, SetCourseDemoVideoInput,
    SetLessonVideoInput, Showing, ShownAs, UpdateCourseInput, UpdateLessonInput, UpdateSectionInput,
};
