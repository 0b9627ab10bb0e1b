//! The categories, channels and courses of the demo school.

use std::collections::HashMap;

use async_graphql::MaybeUndefined;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rust_decimal::Decimal;

use super::clips::CLIPS;
use super::content::{self, Outline, Status};
use super::people::People;
use super::progress::Progress;
use super::{PARALLEL, actor, picture};
use crate::accounts::User;
use crate::catalog::{
    self, CategoryId, Course, CourseFacts, ImportedCategory, ImportedCourse, ImportedLesson, ImportedSection,
    ImportedStatus, LessonChapter,
};
use crate::channels::{self, UpdateChannelInput};
use crate::cli::explain;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::media::{self, FileId, VideoId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of courses with a thumbnail of their own; further ones share these.
const THUMBNAILS: usize = 60;

/// What courses refer to.
pub(super) struct School<'a> {
    pub(super) people: &'a People,
    pub(super) categories: HashMap<&'static str, CategoryId>,
    pub(super) clips: Vec<VideoId>,
    /// The same time for all courses, from which their times are counted.
    pub(super) now: DateTime<Utc>,
}

/// Creates the category tree with its pictures; returns the ids by name.
pub(super) async fn categories(
    app: &App,
    admin: &User,
    progress: &Progress,
) -> Result<HashMap<&'static str, CategoryId>, InternalError> {
    progress.step("categories", content::categories().count())?;
    let pictures: HashMap<&str, FileId> = stream::iter(content::categories())
        .map(|(name, _)| async move {
            let file = format!("category-{}.png", slug::slugify(name));
            let id = media::import_image(app, admin.id, &file, picture::category(name)).await?;
            Ok::<_, InternalError>((name, id))
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    let mut made = HashMap::new();
    for (name, parent) in content::categories() {
        let category = ImportedCategory {
            slug: slug::slugify(name),
            name: name.into(),
            description: content::description(name),
            parent_id: parent.and_then(|parent| made.get(parent).copied()),
            image_id: pictures.get(name).copied(),
        };
        made.insert(name, catalog::import_category(app, &category).await.map_err(explain)?);
        progress.done(1);
    }
    Ok(made)
}

/// Gives the channels of the first instructors a picture and a description, unless they have a picture.
pub(super) async fn channels(app: &App, people: &People, progress: &Progress) -> Result<(), InternalError> {
    let shown: Vec<(usize, &User)> = people.instructors.iter().enumerate().take(THUMBNAILS).collect();
    progress.step("channels", shown.len())?;
    for (number, owner) in shown {
        let actor = actor(owner);
        let category = content::taught_by(number);
        let drawn = picture::channel(category, number);
        let image = media::import_image(app, owner.id, "channel.png", drawn).await?;
        let changed = app.db.transaction(async |tx| {
            let id = channels::own_channel(tx, &app.clock, owner.id).await?;
            let channel = channels::lock_editable(tx, &actor, id).await?;
            if channel.image_id.is_some() {
                return Ok(None);
            }
            media::set_on_channel(tx, app, &actor, &channel, Some(image)).await.map(Some)
        });
        if let Some(channel) = changed.await.map_err(explain)? {
            let input = UpdateChannelInput {
                channel_id: channel.id,
                version: channel.version,
                name: None,
                slug: None,
                description: Some(content::bio(Some(number)).to_owned()),
                members_may_edit: None,
            };
            drop(channels::update_channel(app, &actor, input).await.map_err(explain)?);
        }
        progress.done(1);
    }
    Ok(())
}

/// Creates the courses that are not there yet; returns all of them in order.
pub(super) async fn import(
    app: &App,
    school: &School<'_>,
    count: usize,
    progress: &Progress,
) -> Result<Vec<Course>, InternalError> {
    progress.step("courses", count)?;
    let made = stream::iter(0..count).map(|number| async move {
        let course = course(app, school, number).await?;
        progress.done(1);
        Ok(course)
    });
    made.buffered(PARALLEL).try_collect().await
}

async fn course(app: &App, school: &School<'_>, number: usize) -> Result<Course, InternalError> {
    let outline = Outline::of(number)?;
    let instructors = &school.people.instructors;
    // With many courses, each instructor gets about twenty.
    let instructor = instructors.get(outline.instructor % instructors.len().max(1));
    let instructor = instructor.ok_or_else(|| InternalError::new("there is no instructor"))?;
    let shared = number % THUMBNAILS;
    let drawing = Outline::of(shared)?;
    let owner = instructors.get(drawing.instructor % instructors.len().max(1)).unwrap_or(instructor);
    let drawn = picture::course(drawing.category, shared);
    let thumbnail = media::import_image(app, owner.id, &format!("course-{shared}.png"), drawn).await?;
    let facts = facts(school, &outline)?;
    let has_demo = number % 4 != 3;
    let new = ImportedCourse {
        slug: outline.slug,
        title: outline.title,
        subtitle: outline.subtitle,
        description: outline.description,
        instructor_id: instructor.id,
        facts,
        thumbnail_id: Some(thumbnail),
        demo_video_id: clip(school, number).filter(|_| has_demo).map(|(id, _)| id),
        status: status(outline.status, school.now, number),
        sections: sections(school, number, outline.sections, outline.status),
    };
    catalog::import_course(app, &new).await.map_err(explain)
}

/// Published courses are some days apart, the first ones last.
fn status(status: Status, now: DateTime<Utc>, number: usize) -> ImportedStatus {
    let days = i64::try_from(number).unwrap_or_default();
    match status {
        Status::Draft => ImportedStatus::Draft,
        Status::Scheduled => ImportedStatus::Scheduled(now + TimeDelta::days(14)),
        Status::Published => {
            ImportedStatus::Published(now - TimeDelta::hours(20 + 97 * (days % 100)) - TimeDelta::minutes(days))
        }
    }
}

fn clip(school: &School<'_>, number: usize) -> Option<(VideoId, usize)> {
    let place = number % CLIPS.len();
    Some((school.clips.get(place).copied()?, place))
}

/// The sections with their lessons. The last lesson stays a draft, so that there is something to publish.
fn sections(
    school: &School<'_>,
    number: usize,
    sections: Vec<content::Section>,
    status: Status,
) -> Vec<ImportedSection> {
    let total: usize = sections.iter().map(|section| section.lessons.len()).sum();
    let mut place = 0;
    let mut imported = |lesson: content::Lesson| {
        place += 1;
        let shown = clip(school, number + place).filter(|_| !lesson.is_article);
        let chapters = shown.and_then(|(_, clip)| CLIPS.get(clip)).filter(|_| place % 2 == 1);
        let chapters = chapters.iter().flat_map(|clip| clip.chapters);
        ImportedLesson {
            title: lesson.title,
            video_id: shown.map(|(id, _)| id),
            seconds: lesson.seconds,
            text: lesson.text,
            chapters: chapters
                .map(|(start_seconds, title)| LessonChapter { start_seconds, end_seconds: None, title: title.into() })
                .collect(),
            is_preview: place == 1 || (place == 3 && number.is_multiple_of(3)),
            is_published: place < total && (status == Status::Published || place < total / 2),
        }
    };
    let of_section = |section: content::Section| ImportedSection {
        title: section.title,
        lessons: section.lessons.into_iter().map(&mut imported).collect(),
    };
    sections.into_iter().map(of_section).collect()
}

fn facts(school: &School<'_>, outline: &Outline) -> Result<CourseFacts, InternalError> {
    let currency = CurrencyCode::parse("EUR").ok_or_else(|| InternalError::new("no currency"))?;
    let money = |cents| MoneyInput { amount: Decimal::new(cents, 2), currency };
    Ok(CourseFacts {
        level: MaybeUndefined::Value(outline.level),
        language: MaybeUndefined::Value(outline.language.clone()),
        tags: Some(outline.tags.clone()),
        benefits: Some(outline.benefits.clone()),
        prerequisites: Some(outline.prerequisites.clone()),
        category_id: Some(school.categories.get(outline.category).copied()).into(),
        channel_id: None,
        price: Some(money(outline.price)),
        estimated_price: Some(outline.price_before.map(money)).into(),
    })
}
