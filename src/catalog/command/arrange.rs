//! Commands that reorder an outline or delete its parts.

use std::collections::HashSet;
use std::hash::Hash;

use uuid::Uuid;

use super::editable;
use super::outline::{editable_lesson, editable_section};
use crate::catalog::error;
use crate::catalog::model::{
    Course, DeleteLessonInput, DeleteSectionInput, LessonId, ReorderCourseInput, SectionId, SectionOrderInput,
};
use crate::catalog::query::arrange::{self as query, Place};
use crate::catalog::query::outline::outline_changed;
use crate::graphql::error::Edit;
use crate::graphql::{Entity, Error, Id, Result, UserError, UserErrorCode};
use crate::media;
use crate::platform::App;
use crate::platform::auth::Actor;

/// Reorders the sections and lessons of a course.
///
/// # Errors
/// The order does not list all sections and lessons exactly once; the actor may not edit the course.
pub async fn reorder_course(app: &App, actor: &Actor, input: ReorderCourseInput) -> Result<Edit<Course>> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            let sections = query::section_ids(tx, course.id).await?;
            let lessons = query::lesson_ids(tx, course.id).await?;
            check_order(&sections, &lessons, &input.sections)?;
            let order: Vec<SectionId> = input.sections.iter().map(|section| section.section_id).collect();
            query::place_sections(tx, course.id, &order, now).await?;
            query::place_lessons(tx, course.id, &places(&input.sections), now).await?;
            Ok(Edit::Saved(query::reordered(tx, course.id, now).await?))
        })
        .await
}

/// Deletes a section with its lessons.
///
/// # Errors
/// The actor may not edit the course.
pub async fn delete_section(app: &App, actor: &Actor, input: DeleteSectionInput) -> Result<Course> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, section) = editable_section(tx, actor, input.section_id).await?;
            let (published, seconds) = query::published_in(tx, section.id).await?;
            let fewer = (-i32::try_from(published)?, -i32::try_from(seconds)?);
            let lessons = query::lesson_ids_of_section(tx, section.id).await?;
            query::delete_section(tx, &section).await?;
            let referrers: Vec<Uuid> = lessons.into_iter().map(LessonId::uuid).collect();
            media::release(tx, app, &referrers).await?;
            Ok(outline_changed(tx, course.id, fewer, now).await?)
        })
        .await
}

/// Deletes a lesson.
///
/// # Errors
/// The actor may not edit the course.
pub async fn delete_lesson(app: &App, actor: &Actor, input: DeleteLessonInput) -> Result<Course> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            let counted = lesson.published_at.is_some();
            query::delete_lesson(tx, &lesson).await?;
            media::release(tx, app, &[lesson.id.uuid()]).await?;
            let fewer = if counted { (-1, -lesson.seconds()) } else { (0, 0) };
            Ok(outline_changed(tx, course.id, fewer, now).await?)
        })
        .await
}

fn places(order: &[SectionOrderInput]) -> Vec<Place> {
    let in_section = |section: &SectionOrderInput| {
        let section_id = section.section_id;
        let lessons = section.lesson_ids.clone().into_iter();
        (1..).zip(lessons).map(move |(position, lesson)| Place { lesson, section: section_id, position })
    };
    order.iter().flat_map(in_section).collect()
}

/// Checks that an order lists every section and every lesson once, and nothing else.
fn check_order(sections: &[SectionId], lessons: &[LessonId], order: &[SectionOrderInput]) -> Result<()> {
    let named_sections: Vec<SectionId> = order.iter().map(|section| section.section_id).collect();
    let named_lessons: Vec<LessonId> = order.iter().flat_map(|section| section.lesson_ids.iter().copied()).collect();
    let mut errors = differences("section", sections, &named_sections);
    errors.extend(differences("lesson", lessons, &named_lessons));
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(())
}

fn differences<T: Entity>(what: &str, there: &[Id<T>], named: &[Id<T>]) -> Vec<UserError> {
    let (known, once) = (set(there), set(named));
    let unknown: Vec<String> = named.iter().filter(|id| !known.contains(id)).map(|id| id.encode()).collect();
    let missing: Vec<String> = there.iter().filter(|id| !once.contains(id)).map(|id| id.encode()).collect();
    let mut seen = HashSet::new();
    let twice: Vec<String> = named.iter().filter(|id| !seen.insert(**id)).map(|id| id.encode()).collect();
    [
        (UserErrorCode::NotFound, unknown, format!("The course has no such {what}")),
        (UserErrorCode::Blank, missing, format!("Each {what} of the course must have its place; missing")),
        (UserErrorCode::Invalid, twice, format!("A {what} has one place; named more than once")),
    ]
    .into_iter()
    .filter(|(_, ids, _)| !ids.is_empty())
    .map(|(code, ids, what)| error::wrong_order(code, &ids, &what))
    .collect()
}

fn set<T: Copy + Eq + Hash>(ids: &[T]) -> HashSet<T> {
    ids.iter().copied().collect()
}
