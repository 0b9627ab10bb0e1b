//! Validation of lesson content.

use std::collections::HashSet;

use url::Url;

use super::outline::LONGEST_LESSON;
use crate::catalog::model::{
    Lesson, LessonChapter, LessonContentInput, LessonLink, LessonResource, LessonResourceInput, LessonResourceSource,
};
use crate::catalog::query::content as query;
use crate::catalog::query::outline::ContentChanges;
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::platform::db::Tx;

const MOST_CHAPTERS: usize = 200;
const MOST_LINKS: usize = 50;
const LONGEST_LABEL: usize = 120;
const LONGEST_URL: usize = 2000;

/// Validated content, except for what depends on the lesson's duration.
#[derive(Clone, Default)]
pub(super) struct Content {
    disclaimer: Option<String>,
    description: Option<String>,
    chapters: Option<Vec<LessonChapter>>,
    links: Option<Vec<LessonLink>>,
    resources: Option<Vec<LessonResource>>,
}

pub(super) fn check(check: &mut Check, input: LessonContentInput) -> Content {
    check.part(&["content"], |check| Content {
        disclaimer: input.disclaimer.map(|text| check.text("disclaimer", &text, 2000)),
        description: input.description.map(|text| check.text("description", &text, 20_000)),
        chapters: input.chapters.map(|list| {
            let mut chapters = each(check, "chapters", list, MOST_CHAPTERS, check_chapter);
            chapters.sort_by_key(|chapter| chapter.start_seconds);
            let mut seen = HashSet::new();
            if let Some(twice) = chapters.iter().find(|chapter| !seen.insert(chapter.start_seconds)) {
                let message = format!("Two chapters start at {} seconds.", twice.start_seconds);
                check.error(UserErrorCode::Invalid, "chapters", message);
            }
            chapters
        }),
        links: input.links.map(|list| {
            each(check, "links", list, MOST_LINKS, |check, link| LessonLink {
                url: check_url(check, &link.url),
                label: check.required("label", &link.label, LONGEST_LABEL),
            })
        }),
        resources: input.resources.map(|list| each(check, "resources", list, MOST_LINKS, check_resource)),
    })
}

fn check_chapter(check: &mut Check, chapter: LessonChapter) -> LessonChapter {
    let LessonChapter { start_seconds, end_seconds, title } = chapter;
    if let Some(end) = end_seconds.filter(|end| *end <= start_seconds) {
        let message = format!("A chapter ends after its start; this one starts at {start_seconds} and ends at {end}.");
        check.error(UserErrorCode::OutOfRange, "endSeconds", message);
    }
    LessonChapter { start_seconds, end_seconds, title: check.required("title", &title, LONGEST_LABEL) }
}

/// Checks that every chapter is within the lesson, whose new duration is `seconds`, if it is known.
///
/// Checks the new chapters or, if there are none, the stored ones.
///
/// # Errors
/// A chapter is outside the lesson.
pub(super) async fn check_with(tx: &mut Tx, lesson: &Lesson, content: &Content, seconds: Option<i32>) -> Result<()> {
    let mut check = Check::new();
    let end = seconds.unwrap_or(LONGEST_LESSON);
    match &content.chapters {
        Some(chapters) => {
            for chapter in chapters {
                let (title, start, last) = (&chapter.title, chapter.start_seconds, chapter.last_second());
                if start < 0 || last > end {
                    let message =
                        format!("A chapter is between 0 and {end} seconds; {title:?} is from {start} to {last}.");
                    check.part(&["content"], |check| check.error(UserErrorCode::OutOfRange, "chapters", message));
                }
            }
        }
        None => return check_kept(tx, lesson, seconds, "durationSeconds").await,
    }
    check.finish()
}

/// Checks that the stored chapters are within a lesson of `seconds`, if its duration is known.
///
/// `field` is the input field that determines the duration.
///
/// # Errors
/// A chapter is outside the lesson.
pub(super) async fn check_kept(tx: &mut Tx, lesson: &Lesson, seconds: Option<i32>, field: &str) -> Result<()> {
    let mut check = Check::new();
    if let Some(seconds) = seconds.filter(|seconds| lesson.is_longer_than(*seconds))
        && let Some(last) = kept(tx, lesson).await?.iter().find(|chapter| chapter.last_second() > seconds)
    {
        let (title, at) = (&last.title, last.last_second());
        let message = format!("The chapter {title:?} lasts until second {at}, which is after the end; move it first.");
        check.error(UserErrorCode::OutOfRange, field, message);
    }
    check.finish()
}

/// Removes the chapters after the end of a video of `seconds`.
///
/// This is for background jobs, where no user can move the chapters.
///
/// # Errors
/// The database failed.
pub(super) async fn cut(tx: &mut Tx, lesson: &Lesson, seconds: i32) -> Result<()> {
    if lesson.is_longer_than(seconds) {
        let mut kept = kept(tx, lesson).await?;
        kept.retain(|chapter| chapter.start_seconds <= seconds);
        for chapter in &mut kept {
            chapter.end_seconds =
                chapter.end_seconds.map(|end| end.min(seconds)).filter(|end| *end > chapter.start_seconds);
        }
        query::set_chapters(tx, lesson, &serde_json::to_value(kept)?).await?;
    }
    Ok(())
}

async fn kept(tx: &mut Tx, lesson: &Lesson) -> Result<Vec<LessonChapter>> {
    Ok(serde_json::from_value(query::chapters(tx, lesson.id).await?)?)
}

impl Content {
    /// Splits the content into changes of the lesson's row and its resources.
    ///
    /// # Errors
    /// JSON serialization failed, which is impossible for text and numbers.
    pub(super) fn into_changes(self) -> Result<(ContentChanges, Option<Vec<LessonResource>>)> {
        let changes = ContentChanges {
            disclaimer: self.disclaimer,
            description: self.description,
            chapters: self.chapters.map(serde_json::to_value).transpose()?,
            links: self.links.map(serde_json::to_value).transpose()?,
        };
        Ok((changes, self.resources))
    }
}

/// Validates the items of a list; the path of an error contains the item's index, from 0.
fn each<T, U>(check: &mut Check, field: &str, list: Vec<T>, most: usize, item: impl Fn(&mut Check, T) -> U) -> Vec<U> {
    if list.len() > most {
        let message = format!("There are {} {field}; at most {most} are allowed.", list.len());
        check.error(UserErrorCode::TooLong, field, message);
        return Vec::new();
    }
    let places = list.into_iter().enumerate();
    places.map(|(place, one)| check.part(&[field, &place.to_string()], |check| item(check, one))).collect()
}

fn check_resource(check: &mut Check, resource: LessonResourceInput) -> LessonResource {
    let name = check.required("name", &resource.name, LONGEST_LABEL);
    let (url, file_id) = match resource.source {
        LessonResourceSource::Url(url) => (Some(check.part(&["source"], |check| check_url(check, &url))), None),
        LessonResourceSource::FileId(id) => (None, Some(id)),
    };
    LessonResource { name, url, file_id }
}

/// Validates a URL to which a page may link: other schemes could run a script.
fn check_url(check: &mut Check, text: &str) -> String {
    let text = check.required("url", text, LONGEST_URL);
    let known = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !text.is_empty() && !known {
        let what = "is not an address; one begins with https:// or http://, such as https://school.example/slides.pdf";
        check.malformed("url", &text, what);
    }
    text
}
