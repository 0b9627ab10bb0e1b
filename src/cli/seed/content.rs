//! Realistic demo content, derived deterministically from a number.
//!
//! The first courses are in `school.json`, further ones are put together from subjects and forms.

use std::sync::OnceLock;

use serde::Deserialize;

use super::words::{FORMS, LESSONS, SECTIONS, SUBJECTS, pick};
use crate::catalog::CourseLevel;
use crate::platform::internal_error::{Context, InternalError};

/// The courses of the demo school with texts of their own.
const SCHOOL: &str = include_str!("school.json");

/// The category that stands for each of the first instructors, and what they say of themselves.
const INSTRUCTORS: [(&str, &str); 6] = [
    ("Programming", "Builds data platforms for a living and teaches on Fridays. Likes small programs and long walks."),
    ("Languages", "Linguist, translator of two novels, and host of a conversation table that meets every Tuesday."),
    (
        "Visual Arts",
        "Paints, photographs and plays in a trio. Studied in Leipzig and teaches grown-ups who say they can't.",
    ),
    ("Business", "Founded two companies and closed one. Now helps teams to talk to each other and to their customers."),
    (
        "Mathematics",
        "Mathematician and amateur astronomer. Believes that everybody can understand a proof with a picture.",
    ),
    (
        "Home and Health",
        "Baker, carpenter and yoga teacher, in this order. Likes things that can be done in an evening.",
    ),
];

/// What users who do not teach say of themselves.
const STUDENT: &str = "Learning something new every month.";

/// Returns the category that stands for an instructor.
pub(super) fn taught_by(number: usize) -> &'static str {
    pick(&INSTRUCTORS, number).0
}

/// Returns what a user says of themselves; `number` is that of an instructor.
pub(super) fn bio(number: Option<usize>) -> &'static str {
    number.map_or(STUDENT, |number| pick(&INSTRUCTORS, number).1)
}

/// The category tree: each top-level category with its subcategories.
pub(super) const CATEGORIES: [(&str, &[&str]); 5] = [
    ("Technology", &["Programming", "Data", "Operations"]),
    ("Science", &["Mathematics", "Nature"]),
    ("Arts", &["Music", "Visual Arts", "Writing"]),
    ("Languages", &[]),
    ("Work and Life", &["Business", "Home and Health"]),
];

/// Returns the description of a category.
pub(super) fn description(name: &str) -> String {
    format!("Courses about **{}**, for beginners and for those who know more.", name.to_lowercase())
}

/// Returns each category's name and its parent's, parents before their subcategories.
pub(super) fn categories() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    CATEGORIES.iter().flat_map(|(parent, parts)| {
        std::iter::once((*parent, None)).chain(parts.iter().map(move |part| (*part, Some(*parent))))
    })
}

/// A course of `school.json`.
#[derive(Deserialize)]
struct Written {
    title: String,
    subtitle: String,
    about: String,
    category: String,
    level: Level,
    #[serde(default = "english")]
    language: String,
    /// The number of the instructor.
    by: usize,
    /// The price in cents.
    price: i64,
    before: Option<i64>,
    #[serde(default)]
    status: Status,
    tags: Vec<String>,
    benefits: Vec<String>,
    /// For each section its title and the titles of its lessons. Those of articles begin with ¶.
    sections: Vec<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    Beginner,
    Intermediate,
    Advanced,
}

/// The language of the courses of `school.json` that are not in English.
const GERMAN: &str = "de";

fn english() -> String {
    "en".into()
}

/// The publication status of a course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Draft,
    Scheduled,
    #[default]
    Published,
}

/// A lesson.
pub(super) struct Lesson {
    pub(super) title: String,
    /// Whether it is an article; otherwise it is a video.
    pub(super) is_article: bool,
    /// The article, or the description of the video, in Markdown.
    pub(super) text: String,
    /// The time that reading takes.
    pub(super) seconds: i32,
}

/// A section.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) lessons: Vec<Lesson>,
}

/// A course with its sections and their lessons.
pub(super) struct Outline {
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) description: String,
    pub(super) category: &'static str,
    pub(super) level: CourseLevel,
    pub(super) language: String,
    /// The number of the instructor.
    pub(super) instructor: usize,
    /// The price in cents.
    pub(super) price: i64,
    /// The original price if it is reduced.
    pub(super) price_before: Option<i64>,
    pub(super) status: Status,
    pub(super) tags: Vec<String>,
    pub(super) benefits: Vec<String>,
    pub(super) prerequisites: Vec<String>,
    pub(super) sections: Vec<Section>,
}

impl Outline {
    /// Returns the course with this number.
    ///
    /// # Errors
    /// `school.json` is wrong, which is a bug.
    pub(super) fn of(number: usize) -> Result<Outline, InternalError> {
        let written = written()?;
        match written.get(number) {
            Some(course) => Outline::written(course),
            None => Ok(Outline::composed(number, number - written.len())),
        }
    }

    fn written(course: &Written) -> Result<Outline, InternalError> {
        let unknown = || InternalError::new(format!("{} is in no category", course.title));
        let category = categories().map(|(name, _)| name).find(|name| *name == course.category).ok_or_else(unknown)?;
        let (level, before) = match course.level {
            Level::Beginner => (CourseLevel::Beginner, Vec::new()),
            Level::Intermediate => (CourseLevel::Intermediate, vec![course.tags.first()]),
            Level::Advanced => (CourseLevel::Advanced, course.tags.iter().take(2).map(Some).collect()),
        };
        let is_german = course.language == GERMAN;
        let basics = if is_german { "Grundkenntnisse: " } else { "Some experience with " };
        let lessons = |titles: &[String]| -> Vec<Lesson> {
            titles.iter().map(|title| lesson(title, &course.title, is_german)).collect()
        };
        let sections = course.sections.iter().filter_map(|section| {
            let (title, titles) = section.split_first()?;
            Some(Section { title: title.clone(), lessons: lessons(titles) })
        });
        Ok(Outline {
            slug: slug::slugify(&course.title),
            title: course.title.clone(),
            subtitle: course.subtitle.clone(),
            description: description_of(&course.about, &course.benefits, is_german),
            category,
            level,
            language: course.language.clone(),
            instructor: course.by,
            price: course.price,
            price_before: course.before,
            status: course.status,
            tags: course.tags.clone(),
            benefits: course.benefits.clone(),
            prerequisites: before.into_iter().flatten().map(|tag| format!("{basics}{tag}")).collect(),
            sections: sections.collect(),
        })
    }

    /// Puts a course together; `place` counts these courses.
    fn composed(number: usize, place: usize) -> Outline {
        let (subject, about, category) = *pick(&SUBJECTS, place);
        let (form, promise) = *pick(&FORMS, place / SUBJECTS.len() + place);
        let title = form.replace("{}", subject);
        let level =
            *pick(&[CourseLevel::Beginner, CourseLevel::Intermediate, CourseLevel::Advanced], place / 3 + place);
        // Every fifth course is free; of the others, every third has a reduced price.
        let price = if place.is_multiple_of(5) { 0 } else { *pick(&[1900, 2900, 4900, 7900, 9900, 14_900], place / 2) };
        let tags = std::iter::once(subject).chain(about.split([',', ' ']).filter(|word| word.len() > 4)).take(4);
        let benefits = vec![format!("Understand {about}"), format!("Finish a {subject} project of your own")];
        let sections = (0..3 + place % 3).map(|section| {
            let lessons = (0..3 + (place + section) % 3).map(|at| {
                let (name, is_article) = *pick(&LESSONS, section * 4 + at);
                lesson(&format!("{}{name}", if is_article { "¶" } else { "" }), &title, false)
            });
            Section { title: (*pick(&SECTIONS, section)).to_owned(), lessons: lessons.collect() }
        });
        let mut sections: Vec<Section> = sections.collect();
        if let Some(last) = sections.last_mut() {
            last.lessons.push(lesson("Goodbye", &title, false));
        }
        Outline {
            slug: format!("{}-{number}", slug::slugify(&title)),
            subtitle: format!("{promise}: {about}."),
            description: description_of(&format!("{title} is about {about}. {promise}."), &benefits, false),
            category,
            level,
            language: (*pick(&["en", "en", "en", "de", "es", "pt-BR"], place / 7)).to_owned(),
            instructor: place,
            price,
            price_before: (price > 0 && place.is_multiple_of(3)).then_some(price * 2),
            status: Status::Published,
            tags: tags.map(str::to_lowercase).collect(),
            prerequisites: match level {
                CourseLevel::Beginner => Vec::new(),
                _ => vec![format!("The basics of {subject}")],
            },
            benefits,
            sections,
            title,
        }
    }
}

/// Whether the course with this number has German texts.
///
/// # Errors
/// `school.json` is wrong, which is a bug.
pub(super) fn is_german(number: usize) -> Result<bool, InternalError> {
    Ok(written()?.get(number).is_some_and(|course| course.language == GERMAN))
}

/// The courses of `school.json`, which is parsed once.
fn written() -> Result<&'static [Written], InternalError> {
    static COURSES: OnceLock<Vec<Written>> = OnceLock::new();
    if let Some(courses) = COURSES.get() {
        return Ok(courses);
    }
    let parsed = serde_json::from_str(SCHOOL).context("school.json")?;
    Ok(COURSES.get_or_init(|| parsed))
}

fn description_of(about: &str, benefits: &[String], is_german: bool) -> String {
    let list: String = benefits.iter().map(|benefit| format!("- {benefit}\n")).collect();
    if is_german {
        return format!(
            "## Über diesen Kurs\n\n{about}\n\n## Danach können Sie\n\n{list}\n## So läuft es\n\nKurze Lektionen, die \
             aufeinander aufbauen, **Übungen mit Lösungen**, und Antworten auf Fragen.\n"
        );
    }
    format!(
        "## About this course\n\n{about}\n\n## What you take home\n\n{list}\n## How it works\n\nShort lessons that \
         build on each other, **exercises with solutions**, and answers to your questions.\n"
    )
}

/// Makes a lesson from a title, which begins with ¶ if it is an article.
fn lesson(title: &str, course: &str, is_german: bool) -> Lesson {
    let (is_article, title) = title.strip_prefix('¶').map_or((false, title), |title| (true, title));
    let text = match (is_article, is_german) {
        (true, false) => format!(
            "## {title}\n\nThis page belongs to **{course}**. Read it once now and once more when you have tried the \
             exercises: the second time takes half as long and teaches twice as much.\n\n### In short\n\n\
             1. Begin with the smallest case that you can think of.\n2. Change *one thing at a time*.\n\
             3. Write down what surprised you.\n\n> What I cannot explain to a friend, I have not understood yet.\n\n\
             ### An exercise\n\nTake the last lesson and repeat it without looking. Where you get stuck is what you \
             learn today:\n\n```\nwhat I expected | what happened | why\n```\n\nBring your notes to the next lesson.\n"
        ),
        (true, true) => format!(
            "## {title}\n\nDiese Seite gehört zu **{course}**. Lesen Sie sie jetzt einmal und nach den Übungen noch \
             einmal: Das zweite Mal dauert halb so lang und bringt doppelt so viel.\n\n### Kurz gesagt\n\n\
             1. Fangen Sie mit dem kleinsten Fall an.\n2. Ändern Sie *immer nur eines*.\n\
             3. Schreiben Sie auf, was Sie überrascht hat.\n\n> Was ich niemandem erklären kann, habe ich noch nicht \
             verstanden.\n\n### Eine Übung\n\nWiederholen Sie die letzte Lektion, ohne nachzusehen.\n"
        ),
        (false, false) => format!("**{title}**, step by step. Pause whenever you want to try something yourself.\n"),
        (false, true) => {
            format!("**{title}**, Schritt für Schritt. Halten Sie an, wann immer Sie etwas ausprobieren.\n")
        }
    };
    let seconds = 180 + i32::try_from(title.len()).unwrap_or_default() * 6;
    Lesson { title: title.to_owned(), is_article, text, seconds }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::words::person;
    use super::*;

    #[test]
    fn every_course_is_complete() {
        let known: HashSet<&str> = categories().map(|(name, _)| name).collect();
        assert!(SUBJECTS.iter().all(|(_, _, category)| known.contains(category)));
        let courses: Vec<Outline> = (0..200).map(|number| Outline::of(number).unwrap()).collect();
        let published = courses.iter().take(30).filter(|course| course.status == Status::Published).count();
        assert!(published >= 24, "{published}");
        for course in &courses {
            let last = course.sections.last().and_then(|section| section.lessons.last());
            assert!(!last.unwrap().is_article, "{}: the last lesson can become a published video", course.title);
            assert!(course.sections.iter().flat_map(|section| &section.lessons).any(|lesson| lesson.is_article));
        }
        assert!(courses.iter().filter(|course| course.price == 0).count() > 20, "some courses cost nothing");
    }

    #[test]
    fn the_same_number_gives_the_same_and_another_one_something_else() {
        assert_eq!(Outline::of(70).unwrap().title, Outline::of(70).unwrap().title);
        let slugs: HashSet<String> = (0..3000).map(|number| Outline::of(number).unwrap().slug).collect();
        assert_eq!(slugs.len(), 3000, "slugs identify courses");
        let emails: HashSet<String> = (0..50_000).map(|number| person(number).1).collect();
        assert_eq!(emails.len(), 50_000);
    }
}
