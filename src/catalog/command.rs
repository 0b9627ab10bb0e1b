//! What can be done with courses.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::event::{CoursePublished, LessonPublished};
use super::model::{
    Course, CourseId, CreateCourseInput, CreateLessonInput, CreateSectionInput, Lesson, LessonId, PublishCourseInput,
    PublishLessonInput, Section, SectionId, UpdateCourseInput, UpdateLessonInput, UpdateSectionInput,
};
use super::query::{self, CourseChanges, LessonChanges, NewCourse};
use super::{error, policy};
use crate::accounts::UserId;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::export::{FETCH, items};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::{self, Tx};
use crate::platform::outbox;

const LONGEST_TITLE: usize = 120;
const LONGEST_SLUG: usize = 80;
const MOST_SECTIONS: i32 = 200;
const MOST_LESSONS: i32 = 500;
const LONGEST_LESSON: i32 = 86_400;

/// Creates a draft that belongs to the actor.
///
/// # Errors
/// The input's mistakes; the slug is taken; the actor does not teach.
pub async fn create_course(app: &App, actor: &Actor, input: CreateCourseInput) -> Result<Course> {
    let Some(id) = actor.id().filter(|_| policy::can_create(actor)) else {
        return Err(Error::Forbidden("Only instructors create courses.".into()));
    };
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    let subtitle = check.text("subtitle", &input.subtitle, 200);
    let description = check.text("description", &input.description, 20_000);
    let chosen = input.slug.map(|slug| check_slug(&mut check, &slug));
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let mut course = NewCourse {
                slug: String::new(),
                title: &title,
                subtitle: &subtitle,
                description: &description,
                instructor_id: UserId::new(id),
            };
            if let Some(slug) = chosen {
                course.slug = slug;
                return query::insert(tx, &app.clock, &course).await?.ok_or_else(error::slug_taken);
            }
            loop {
                course.slug = free_slug(tx, &title).await?;
                // Somebody else may have taken it since: then it is no longer free at the next look.
                if let Some(course) = query::insert(tx, &app.clock, &course).await? {
                    return Ok(course);
                }
            }
        })
        .await
}

/// Changes a course's texts.
///
/// # Errors
/// The input's mistakes; the slug is taken; the course is not the actor's.
pub async fn update_course(app: &App, actor: &Actor, input: UpdateCourseInput) -> Result<Course> {
    let mut check = Check::new();
    let changes = CourseChanges {
        title: input.title.map(|title| check.required("title", &title, LONGEST_TITLE)),
        slug: input.slug.map(|slug| check_slug(&mut check, &slug)),
        subtitle: input.subtitle.map(|text| check.text("subtitle", &text, 200)),
        description: input.description.map(|text| check.text("description", &text, 20_000)),
        updated_at: app.clock.now(),
    };
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            query::update(tx, course.id, changes).await.map_err(taken_slug)
        })
        .await
}

/// Shows a course to everybody. Publishing a published course changes nothing.
///
/// # Errors
/// It has no published lesson; it is not the actor's.
pub async fn publish_course(app: &App, actor: &Actor, input: PublishCourseInput) -> Result<Course> {
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.published_at.is_some() {
                return Ok(course);
            }
            if course.lesson_count == 0 {
                return Err(error::nothing_to_publish());
            }
            let course = query::publish(tx, course.id, app.clock.now()).await?;
            outbox::record(tx, &app.clock, &CoursePublished { course_id: course.id }).await?;
            Ok(course)
        })
        .await
}

/// Adds a section at the end of a course.
///
/// # Errors
/// The input's mistakes; the course is full, or not the actor's.
pub async fn create_section(app: &App, actor: &Actor, input: CreateSectionInput) -> Result<(Course, Section)> {
    let title = check_title(&input.title)?;
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            let position = query::next_section(tx, course.id).await?;
            if position > MOST_SECTIONS {
                return Err(error::too_many("section", MOST_SECTIONS, "course"));
            }
            let section = query::insert_section(tx, &app.clock, course.id, position, &title).await?;
            let course = query::outline_changed(tx, course.id, (0, 0), app.clock.now()).await?;
            Ok((course, section))
        })
        .await
}

/// Changes a section's title.
///
/// # Errors
/// The input's mistakes; the course is not the actor's.
pub async fn update_section(app: &App, actor: &Actor, input: UpdateSectionInput) -> Result<(Course, Section)> {
    let title = check_title(&input.title)?;
    app.db
        .transaction(async |tx| {
            let (course, section) = editable_section(tx, actor, input.section_id).await?;
            let now = app.clock.now();
            let section = query::rename_section(tx, section.id, &title, now).await?;
            let course = query::outline_changed(tx, course.id, (0, 0), now).await?;
            Ok((course, section))
        })
        .await
}

/// Adds a draft lesson at the end of a section.
///
/// # Errors
/// The input's mistakes; the section is full, or not the actor's.
pub async fn create_lesson(app: &App, actor: &Actor, input: CreateLessonInput) -> Result<(Course, Lesson)> {
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    check_duration(&mut check, input.duration_seconds);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let (course, section) = editable_section(tx, actor, input.section_id).await?;
            let position = query::next_lesson(tx, section.id).await?;
            if position > MOST_LESSONS {
                return Err(error::too_many("lesson", MOST_LESSONS, "section"));
            }
            let seconds = input.duration_seconds;
            let lesson = query::insert_lesson(tx, &app.clock, &section, position, &title, seconds).await?;
            let course = query::outline_changed(tx, course.id, (0, 0), app.clock.now()).await?;
            Ok((course, lesson))
        })
        .await
}

/// Changes a lesson. The course's duration follows when the lesson is published.
///
/// # Errors
/// The input's mistakes; the course is not the actor's.
pub async fn update_lesson(app: &App, actor: &Actor, input: UpdateLessonInput) -> Result<(Course, Lesson)> {
    let mut check = Check::new();
    let title = input.title.map(|title| check.required("title", &title, LONGEST_TITLE));
    if let Some(seconds) = input.duration_seconds {
        check_duration(&mut check, seconds);
    }
    check.finish()?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            let duration_seconds = input.duration_seconds;
            let changes = LessonChanges { title, duration_seconds, published_at: None, updated_at: now };
            let changed = query::update_lesson(tx, lesson.id, changes).await?;
            let published = changed.published_at.is_some();
            let longer = if published { changed.duration_seconds - lesson.duration_seconds } else { 0 };
            check_total(&course, longer)?;
            let course = query::outline_changed(tx, course.id, (0, longer), now).await?;
            Ok((course, changed))
        })
        .await
}

/// Shows a lesson to everybody who sees its course, and pushes it to those who follow new videos if that is
/// everybody. Publishing a published lesson changes nothing and pushes nothing.
///
/// # Errors
/// The course is not the actor's.
pub async fn publish_lesson(app: &App, actor: &Actor, input: PublishLessonInput) -> Result<(Course, Lesson)> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.published_at.is_some() {
                return Ok((course, lesson));
            }
            let changes =
                LessonChanges { title: None, duration_seconds: None, published_at: Some(now), updated_at: now };
            let lesson = query::update_lesson(tx, lesson.id, changes).await?;
            check_total(&course, lesson.duration_seconds)?;
            let course = query::outline_changed(tx, course.id, (1, lesson.duration_seconds), now).await?;
            if course.published_at.is_some() {
                let event = LessonPublished { lesson_id: lesson.id, course_id: course.id };
                outbox::record(tx, &app.clock, &event).await?;
            }
            Ok((course, lesson))
        })
        .await
}

/// Locks a course that the actor may edit. One that the actor may not even see does not exist.
async fn editable(tx: &mut Tx, actor: &Actor, id: CourseId, asked_for: &str) -> Result<Course> {
    let course = query::lock(tx, id).await?.ok_or_else(|| error::no_such(asked_for))?;
    permit(policy::can_edit(actor, &course), policy::can_see(actor, &course), asked_for)?;
    Ok(course)
}

async fn editable_section(tx: &mut Tx, actor: &Actor, id: SectionId) -> Result<(Course, Section)> {
    let section = query::section(tx, id).await?.ok_or_else(|| error::no_such("section"))?;
    Ok((editable(tx, actor, section.course_id, "section").await?, section))
}

/// The same for a lesson: a draft does not exist for others, although its course does.
async fn editable_lesson(tx: &mut Tx, actor: &Actor, id: LessonId) -> Result<(Course, Lesson)> {
    let no_such = || error::no_such("lesson");
    let lesson = query::lesson(tx, id).await?.ok_or_else(no_such)?;
    let course = query::lock(tx, lesson.course_id).await?.ok_or_else(no_such)?;
    // Read again under the course's lock: somebody may have changed it in between.
    let lesson = query::lesson(tx, id).await?.ok_or_else(no_such)?;
    permit(policy::can_edit(actor, &course), policy::can_see_lesson(actor, &course, &lesson), "lesson")?;
    Ok((course, lesson))
}

/// What the catalog holds on the viewer: the courses that they teach.
///
/// # Errors
/// Nobody is signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let id = actor.id().map(UserId::new).ok_or_else(|| Error::Unauthenticated("Sign in first.".into()))?;
    let courses = query::taught_in_full(&*app.db.read().await?, id, FETCH).await?;
    let course = |(course, description): (Course, String)| {
        json!({
            "id": course.id.encode(),
            "slug": course.slug,
            "title": course.title,
            "subtitle": course.subtitle,
            "description": description,
            "createdAt": course.created_at,
            "publishedAt": course.published_at,
        })
    };
    Ok(json!({ "courses": items(courses.into_iter().map(course)) }))
}

fn permit(edits: bool, sees: bool, asked_for: &str) -> Result<()> {
    match (edits, sees) {
        (true, _) => Ok(()),
        (false, true) => Err(error::not_yours()),
        (false, false) => Err(error::no_such(asked_for)),
    }
}

fn check_title(title: &str) -> Result<String> {
    let mut check = Check::new();
    let title = check.required("title", title, LONGEST_TITLE);
    check.finish()?;
    Ok(title)
}

fn check_duration(check: &mut Check, seconds: i32) {
    if !(1..=LONGEST_LESSON).contains(&seconds) {
        let message = format!("A lesson lasts 1 to {LONGEST_LESSON} seconds; this one would last {seconds}.");
        check.error(UserErrorCode::OutOfRange, "durationSeconds", message);
    }
}

/// A course's seconds are an `Int` of the schema.
fn check_total(course: &Course, longer: i32) -> Result<()> {
    course.duration_seconds.checked_add(longer).map(drop).ok_or_else(error::too_long)
}

fn check_slug(check: &mut Check, slug: &str) -> String {
    let slug = check.required("slug", slug, LONGEST_SLUG);
    if !slug.is_empty() && slug::slugify(&slug) != slug {
        let message = "A slug has lower-case letters and digits, with single hyphens between them.";
        check.error(UserErrorCode::Invalid, "slug", message);
    }
    slug
}

/// A slug made of the title, with a number if others have it.
async fn free_slug(tx: &mut Tx, title: &str) -> Result<String> {
    let mut base: String = slug::slugify(title).chars().take(LONGEST_SLUG - 8).collect();
    base = base.trim_matches('-').to_owned();
    if base.is_empty() {
        base = "course".into();
    }
    let taken: HashSet<String> = query::slugs_like(tx, &base).await?.into_iter().collect();
    let mut slug = base.clone();
    let mut number = 1_u64;
    while taken.contains(&slug) {
        number += 1;
        slug = format!("{base}-{number}");
    }
    Ok(slug)
}

fn taken_slug(failed: diesel::result::Error) -> Error {
    if db::is_taken(&failed, "courses_slug_key") { error::slug_taken() } else { failed.into() }
}
