//! Commands for sections and lessons.

use super::{LONGEST_TITLE, content, editable, edits, file, permit};
use crate::accounts::viewer;
use crate::catalog::model::{
    Course, CreateLessonInput, CreateSectionInput, Lesson, LessonId, LessonKind, MOST_LESSONS, MOST_SECTIONS, Section,
    SectionId, UpdateLessonInput, UpdateSectionInput,
};
use crate::catalog::query::course;
use crate::catalog::query::outline::{self as query, LessonChanges};
use crate::catalog::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::graphql::idempotency::Turn;
use crate::media;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

pub(super) const LONGEST_LESSON: i32 = 86_400;

/// Adds a section at the end of a course.
///
/// # Errors
/// The input is invalid; the course has too many sections; the actor may not edit the course.
pub async fn create_section(app: &App, actor: &Actor, input: CreateSectionInput) -> Result<(Course, Section)> {
    let (title, user) = (check_title(&input.title)?, viewer(actor)?.uuid());
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, user, "createSection", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return editable_section(tx, actor, id).await,
            };
            let course = editable(tx, actor, input.course_id, "course").await?;
            let position = query::next_section(tx, course.id).await?;
            if position > MOST_SECTIONS {
                return Err(error::too_many("sections", MOST_SECTIONS, "course"));
            }
            let section = query::insert_section(tx, &app.clock, course.id, position, &title).await?;
            claimed.keep(tx, section.id.uuid()).await?;
            let course = query::outline_changed(tx, course.id, (0, 0), app.clock.now()).await?;
            Ok((course, section))
        })
        .await
}

/// Changes a section's title.
///
/// # Errors
/// The input is invalid; the actor may not edit the course.
pub async fn update_section(app: &App, actor: &Actor, input: UpdateSectionInput) -> Result<Edit<(Course, Section)>> {
    let title = check_title(&input.title)?;
    app.db
        .transaction(async |tx| {
            let (course, section) = editable_section(tx, actor, input.section_id).await?;
            if section.version != input.version {
                return Ok(Edit::Conflict { version: section.version, current: (course, section) });
            }
            let now = app.clock.now();
            let section = query::rename_section(tx, section.id, &title, now).await?;
            let course = query::outline_changed(tx, course.id, (0, 0), now).await?;
            Ok(Edit::Saved((course, section)))
        })
        .await
}

/// Adds a draft lesson at the end of a section.
///
/// # Errors
/// The input is invalid; the course has too many lessons; the actor may not edit the course.
pub async fn create_lesson(app: &App, actor: &Actor, input: CreateLessonInput) -> Result<(Course, Lesson)> {
    app.db.transaction(async |tx| add_lesson(tx, app, actor, &input).await).await
}

/// Like [`create_lesson`], in the caller's transaction.
pub(super) async fn add_lesson(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    input: &CreateLessonInput,
) -> Result<(Course, Lesson)> {
    let (title, user) = (check_new_lesson(input)?, viewer(actor)?.uuid());
    let claimed = match input.once.claim(tx, app, user, "createLesson", input).await? {
        Turn::Create(claimed) => claimed,
        Turn::Repeat(id) => return editable_lesson(tx, actor, id).await,
    };
    let (course, section) = editable_section(tx, actor, input.section_id).await?;
    let position = query::next_lesson(tx, section.id).await?;
    if query::count_lessons(tx, course.id).await? >= i64::from(MOST_LESSONS) {
        return Err(error::too_many("lessons", MOST_LESSONS, "course"));
    }
    let input = CreateLessonInput { title, ..input.clone() };
    let lesson = query::insert_lesson(tx, &app.clock, &section, position, &input).await?;
    claimed.keep(tx, lesson.id.uuid()).await?;
    let course = query::outline_changed(tx, course.id, (0, 0), app.clock.now()).await?;
    Ok((course, lesson))
}

/// Checks the input for a new lesson and returns its title.
pub(super) fn check_new_lesson(input: &CreateLessonInput) -> Result<String> {
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    input.duration_seconds.into_iter().for_each(|seconds| check_duration(&mut check, seconds));
    check.finish()?;
    Ok(title)
}

/// Changes a lesson, and the duration of its course if the lesson is published.
///
/// # Errors
/// The input is invalid; the duration of the lesson is that of its video; a published article would become a video
/// without one; the course would be too long; the actor may not edit the course.
pub async fn update_lesson(app: &App, actor: &Actor, input: UpdateLessonInput) -> Result<Edit<(Course, Lesson)>> {
    let mut check = Check::new();
    let title = input.title.as_ref().map(|title| check.required("title", title, LONGEST_TITLE));
    input.seconds(None).into_iter().for_each(|seconds| check_duration(&mut check, seconds));
    let content = input.content.clone().map(|content| content::check(&mut check, content)).unwrap_or_default();
    check.finish()?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (course, lesson) = editable_lesson(tx, actor, input.lesson_id).await?;
            if lesson.version != input.version {
                return Ok(Edit::Conflict { version: lesson.version, current: (course, lesson) });
            }
            let kind = input.kind.unwrap_or(lesson.kind);
            if kind == LessonKind::Video && lesson.kind != kind && lesson.published_at.is_some() {
                return Err(error::published_article());
            }
            let loses_video = kind == LessonKind::Article && lesson.video_id.is_some();
            let seconds = input.seconds(lesson.duration_seconds);
            if !loses_video
                && let Some(video) = lesson.video_id.filter(|_| seconds != lesson.duration_seconds)
                && media::video(tx, video).await?.is_some_and(|video| video.duration_seconds().is_some())
            {
                return Err(error::duration_is_the_videos());
            }
            content::check_with(tx, &lesson, &content, seconds).await?;
            if loses_video {
                media::show_video(tx, app, lesson.id.into(), None, |_| false).await?;
            }
            let (content, resources) = content.clone().into_changes()?;
            if let Some(resources) = resources {
                file::set_resources(tx, app, actor, (&course, &lesson), &resources).await?;
            }
            let changes = LessonChanges {
                title: title.clone(),
                kind: input.kind,
                video_id: loses_video.then_some(None),
                duration_seconds: (seconds != lesson.duration_seconds).then_some(seconds),
                is_preview: input.is_preview,
                content,
                updated_at: now,
            };
            let changed = query::update_lesson(tx, lesson.id, changes).await?;
            let published = changed.published_at.is_some();
            let longer = if published { changed.seconds() - lesson.seconds() } else { 0 };
            check_total(&course, longer)?;
            let course = query::outline_changed(tx, course.id, (0, longer), now).await?;
            Ok(Edit::Saved((course, changed)))
        })
        .await
}

/// Returns a section and its locked course, if the actor may edit them.
///
/// The section is reread under the course's lock, because it may have changed in the meantime.
pub(super) async fn editable_section(tx: &mut Tx, actor: &Actor, id: SectionId) -> Result<(Course, Section)> {
    let no_such = || error::no_such("section");
    let section = query::section(tx, id).await?.ok_or_else(no_such)?;
    let course = editable(tx, actor, section.course_id, "section").await?;
    Ok((course, query::section(tx, id).await?.ok_or_else(no_such)?))
}

/// Returns a lesson and its locked course, if the actor may edit them.
///
/// For others a draft lesson does not exist, even if they can see its course.
pub(super) async fn editable_lesson(tx: &mut Tx, actor: &Actor, id: LessonId) -> Result<(Course, Lesson)> {
    let no_such = || error::no_such("lesson");
    let lesson = query::lesson(tx, id).await?.ok_or_else(no_such)?;
    let course = course::lock(tx, lesson.course_id).await?.ok_or_else(no_such)?;
    // Reread it under the course's lock: it may have changed in the meantime.
    let lesson = query::lesson(tx, id).await?.ok_or_else(no_such)?;
    let edits = edits(tx, actor, &course).await?;
    permit(edits, policy::can_see_lesson(&course, &lesson, edits, false), "lesson")?;
    Ok((course, lesson))
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

/// Checks that the course's total seconds still fit a GraphQL `Int`.
pub(super) fn check_total(course: &Course, longer: i32) -> Result<()> {
    course.duration_seconds.checked_add(longer).map(drop).ok_or_else(error::too_long)
}
