//! Commands that import categories and courses. For the command line, where there is no actor.
//!
//! Each is one transaction without events, and does nothing if the slug is taken: what was imported before stays.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::course::LONGEST_SLUG;
use super::file::show_picture;
use super::outline::check_new_lesson;
use super::publication::publish_at;
use super::{LONGEST_TITLE, content, facts};
use crate::accounts::UserId;
use crate::catalog::model::{
    Category, CategoryId, Course, CourseFacts, CourseId, CreateLessonInput, FactChanges, LessonChapter,
    LessonContentInput, LessonId, LessonKind, SectionId,
};
use crate::catalog::query::course::{self as courses, NewCourse};
use crate::catalog::query::import::{self as query, Completed, NewLesson, NewSection};
use crate::catalog::query::{category, slug};
use crate::channels::own_channel;
use crate::graphql::error::Check;
use crate::graphql::{Idempotency, Result};
use crate::media::{self, FileId, Referrer, VideoId};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// How long before its publication an imported course was created.
const IN_THE_MAKING: TimeDelta = TimeDelta::days(20);

/// A category to import.
#[derive(Clone, Debug)]
pub struct ImportedCategory {
    /// The URL slug, which identifies it.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The description in Markdown.
    pub description: String,
    /// The parent; `None` for a root category.
    pub parent_id: Option<CategoryId>,
    /// The picture.
    pub image_id: Option<FileId>,
}

/// A course to import, with its outline.
#[derive(Clone, Debug)]
pub struct ImportedCourse {
    /// The URL slug, which identifies it.
    pub slug: String,
    /// The title.
    pub title: String,
    /// The subtitle.
    pub subtitle: String,
    /// The description in Markdown.
    pub description: String,
    /// The instructor. The course is in their default channel unless the facts name another.
    pub instructor_id: UserId,
    /// The metadata.
    pub facts: CourseFacts,
    /// The thumbnail, of any owner.
    pub thumbnail_id: Option<FileId>,
    /// The demo video, of any owner.
    pub demo_video_id: Option<VideoId>,
    /// Whether it is published.
    pub status: ImportedStatus,
    /// The sections, in order.
    pub sections: Vec<ImportedSection>,
}

/// The publication status of an imported course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportedStatus {
    /// A draft.
    Draft,
    /// A draft that is published at this time.
    Scheduled(DateTime<Utc>),
    /// Published since this time.
    Published(DateTime<Utc>),
}

/// A section of an imported course.
#[derive(Clone, Debug)]
pub struct ImportedSection {
    /// The title.
    pub title: String,
    /// The lessons, in order.
    pub lessons: Vec<ImportedLesson>,
}

/// A lesson of an imported course.
#[derive(Clone, Debug)]
pub struct ImportedLesson {
    /// The title.
    pub title: String,
    /// The video, of any owner; `None` for an article.
    pub video_id: Option<VideoId>,
    /// The time that reading takes, in seconds; the duration of a lesson with a video is the video's.
    pub seconds: i32,
    /// The description or the article, in Markdown.
    pub text: String,
    /// The chapters of the video.
    pub chapters: Vec<LessonChapter>,
    /// Whether it is a free preview.
    pub is_preview: bool,
    /// Whether it is published.
    pub is_published: bool,
}

/// Imports a category; returns its id.
///
/// # Errors
/// The input is invalid; the parent or the picture does not exist.
pub async fn import_category(app: &App, new: &ImportedCategory) -> Result<CategoryId> {
    let mut check = Check::new();
    let name = check.required("name", &new.name, LONGEST_TITLE);
    let slug = check.slug("slug", &new.slug, LONGEST_SLUG);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let tree = category::lock(tx).await?;
            if let Some(there) = tree.iter().find(|category| category.slug == slug) {
                return Ok(there.id);
            }
            let siblings = tree.iter().filter(|category| category.parent_id == new.parent_id).count();
            let place = (new.parent_id, i32::try_from(siblings)? + 1);
            let id = CategoryId::new(app.clock.uuid());
            if !category::take_slug(tx, &app.clock, &slug, id).await? {
                return Err(InternalError::new(format!("a category was once called {slug}")).into());
            }
            let made: Category = category::insert(tx, &app.clock, id, (&name, &slug, &new.description), place).await?;
            if new.image_id.is_some() {
                super::category::set_image(tx, app, &made, new.image_id).await?;
            }
            Ok(id)
        })
        .await
}

/// Imports a course with its outline, its videos and its picture; returns it, or the one that has its slug.
///
/// # Errors
/// The input is invalid; something that it refers to does not exist.
pub async fn import_course(app: &App, new: &ImportedCourse) -> Result<Course> {
    let facts = check(new)?;
    app.db
        .transaction(async |tx| {
            let id = CourseId::new(app.clock.uuid());
            if !slug::take(tx, &app.clock, &new.slug, id).await? {
                let there = slug::owner(tx, &new.slug).await?;
                let found = courses::lock(tx, there).await?;
                return found.ok_or_else(|| InternalError::new("a slug without a course").into());
            }
            facts::check_with(tx, new.instructor_id, None, &facts).await?;
            let own = own_channel(tx, &app.clock, new.instructor_id).await?;
            let row = NewCourse {
                id,
                slug: new.slug.clone(),
                title: &new.title,
                subtitle: &new.subtitle,
                description: &new.description,
                instructor_id: new.instructor_id,
                facts: facts.clone().into_new(own),
            };
            let taken = || InternalError::new(format!("the slug {} is taken and was free", new.slug));
            courses::insert(tx, &app.clock, &row).await?.ok_or_else(taken)?;
            let thumbnail = show_picture(tx, app, id.into(), (None, new.thumbnail_id), |_| true).await?;
            let (lesson_count, duration_seconds) = import_outline(tx, app, id, new).await?;
            let now = app.clock.now();
            let (published_at, publish_at) = times(new.status);
            let completed = Completed {
                lesson_count,
                duration_seconds,
                created_at: published_at.unwrap_or(now) - IN_THE_MAKING,
                published_at,
                publish_at,
                thumbnail: thumbnail.as_ref(),
                demo_video_id: new.demo_video_id,
            };
            let course = query::complete(tx, id, &completed).await?;
            self::publish_at(tx, app, id, id.uuid(), publish_at).await?;
            Ok(course)
        })
        .await
}

/// When a course was published, and when it will be.
fn times(status: ImportedStatus) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    match status {
        ImportedStatus::Draft => (None, None),
        ImportedStatus::Scheduled(at) => (None, Some(at)),
        ImportedStatus::Published(at) => (Some(at), None),
    }
}

/// Validates the texts by the rules for those of users.
fn check(new: &ImportedCourse) -> Result<FactChanges> {
    let mut check = Check::new();
    check.required("title", &new.title, LONGEST_TITLE);
    check.line("subtitle", &new.subtitle, 200);
    check.text("description", &new.description, 20_000);
    check.slug("slug", &new.slug, LONGEST_SLUG);
    let facts = facts::check(&mut check, new.facts.clone());
    for section in &new.sections {
        check.required("sections", &section.title, LONGEST_TITLE);
        for lesson in &section.lessons {
            let text = LessonContentInput {
                description: Some(lesson.text.clone()),
                chapters: Some(lesson.chapters.clone()),
                ..LessonContentInput::default()
            };
            content::check(&mut check, text);
            check_new_lesson(&CreateLessonInput {
                section_id: SectionId::new(Uuid::nil()),
                title: lesson.title.clone(),
                kind: LessonKind::Video,
                duration_seconds: Some(lesson.seconds),
                once: Idempotency::default(),
            })?;
        }
    }
    check.finish()?;
    Ok(facts)
}

/// Inserts the sections and lessons of a new course; returns the number of published lessons and their seconds.
async fn import_outline(tx: &mut Tx, app: &App, course_id: CourseId, new: &ImportedCourse) -> Result<(i32, i32)> {
    let now = app.clock.now();
    let (published_at, _) = times(new.status);
    let all = || new.sections.iter().flat_map(|section| &section.lessons);
    let ids: Vec<LessonId> = all().map(|_| LessonId::new(app.clock.uuid())).collect();
    let of_lessons = ids.iter().zip(all()).filter_map(|(id, lesson)| Some((lesson.video_id?, Referrer::from(*id))));
    let of_course = new.demo_video_id.map(|id| (id, Referrer::from(course_id)));
    let shown = media::refer_to_videos(tx, app, &of_lessons.chain(of_course).collect::<Vec<_>>()).await?;
    let durations: HashMap<VideoId, Option<i32>> =
        shown.iter().map(|video| (video.id, video.duration_seconds())).collect();
    let (mut sections, mut lessons, mut total) = (Vec::new(), Vec::new(), (0, 0));
    let mut ids = ids.into_iter();
    for (position, section) in (1..).zip(&new.sections) {
        let section_id = SectionId::new(app.clock.uuid());
        let (created_at, updated_at) = (now, now);
        sections.push(NewSection {
            id: section_id,
            course_id,
            position,
            title: &section.title,
            created_at,
            updated_at,
        });
        for (position, (lesson, id)) in (1..).zip(section.lessons.iter().zip(&mut ids)) {
            let of_video = lesson.video_id.and_then(|id| durations.get(&id).copied().flatten());
            let duration_seconds = of_video.unwrap_or(lesson.seconds);
            if lesson.is_published {
                total = (total.0 + 1, total.1 + duration_seconds);
            }
            lessons.push(NewLesson {
                id,
                course_id,
                section_id,
                position,
                title: &lesson.title,
                kind: if lesson.video_id.is_some() { LessonKind::Video } else { LessonKind::Article },
                video_id: lesson.video_id,
                duration_seconds: Some(duration_seconds),
                is_preview: lesson.is_preview,
                description: &lesson.text,
                chapters: json!(lesson.chapters),
                published_at: lesson.is_published.then_some(published_at.unwrap_or(now)),
                first_published_at: published_at.filter(|_| lesson.is_published),
                created_at,
                updated_at,
            });
        }
    }
    query::insert_outline(tx, course_id, &sections, &lessons).await?;
    Ok(total)
}
