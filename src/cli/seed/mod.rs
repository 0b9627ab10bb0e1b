//! `lyceum seed`: a demo school, created with the same commands that the API uses.
//!
//! The content is deterministic: the same arguments produce the same titles, users and outlines.

mod content;

use std::collections::HashMap;

use async_graphql::MaybeUndefined;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use clap::Args as ClapArgs;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::explain;
use crate::accounts::{self, ImportedUser, User};
use crate::app;
use crate::catalog::{
    self, CategoryId, Course, CourseFacts, CreateCategoryInput, CreateCourseInput, CreateLessonInput,
    CreateSectionInput, LessonContentInput, LessonKind, PublishCourseInput, PublishLessonInput, Section,
    SetLessonVideoInput, UpdateLessonInput,
};
use crate::channels::{self, FollowChannelInput};
use crate::config::Config;
use crate::enrollments::{self, EnrollInput, GrantCourseAccessInput};
use crate::graphql::Idempotency;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::media::{self, VideoId};
use crate::platform::App;
use crate::platform::auth::{Actor, Client, Role, Unhashed};
use crate::platform::internal_error::InternalError;
use content::{Lesson, Outline};

/// The password of every demo account.
pub const PASSWORD: &str = "learn-with-lyceum";
const ADMIN: &str = "admin@lyceum.example";
/// The number of users inserted in one transaction.
const CHUNK: usize = 1000;
/// The number of courses created concurrently.
const PARALLEL: usize = 8;

/// The maximum number of students who are enrolled in courses.
const ENROLLED: usize = 200;
/// Twelve seconds of a color gradient with a quiet tone, made with ffmpeg.
const SAMPLE: &[u8] = include_bytes!("sample.mp4");

/// How much demo content to create.
#[derive(ClapArgs, Clone, Copy, Debug)]
pub struct Args {
    /// Number of courses
    #[arg(long, default_value_t = 24)]
    pub courses: usize,
    /// Number of users, including the three demo accounts
    #[arg(long, default_value_t = 60)]
    pub users: usize,
}

impl Default for Args {
    fn default() -> Args {
        Args { courses: 24, users: 60 }
    }
}

/// Demo accounts have a public password.
///
/// # Errors
/// This is production.
pub(super) fn refuse_in_production(config: &Config) -> Result<(), InternalError> {
    if config.is_production() {
        return Err(InternalError::new("demo accounts have a public password; there is no seed in production"));
    }
    Ok(())
}

pub(super) async fn run(config: Config, args: Args) -> Result<(), InternalError> {
    refuse_in_production(&config)?;
    let running = app::start(config).await?;
    let filled = async {
        running.prepare_database().await?;
        if is_demo(&running.app).await? {
            return Err(InternalError::new("the demo school is there already; empty the database to make another"));
        }
        fill(&running.app, &args).await
    };
    let filled = filled.await;
    let stopped = running.stop().await;
    filled?;
    println!("Sign in as {ADMIN}, instructor@lyceum.example or student@lyceum.example, password {PASSWORD}");
    stopped
}

/// Returns whether the database contains the demo school.
///
/// # Errors
/// The database failed.
pub async fn is_demo(app: &App) -> Result<bool, InternalError> {
    Ok(accounts::is_registered(&mut *app.db.read().await?, ADMIN).await?)
}

/// Fills the database with the demo school.
///
/// # Errors
/// The database failed, or a command rejected the generated input, which is a bug.
pub async fn fill(app: &App, args: &Args) -> Result<(), InternalError> {
    let total = u64::try_from(args.users + args.courses)?;
    let style = ProgressStyle::with_template("{msg:<10} {bar:40} {pos}/{len}  {elapsed}, {eta} to go")?;
    let progress = ProgressBar::new(total).with_style(style).with_message("users");
    let (admin, instructors, students) = users(app, args, &progress).await?;
    progress.set_message("courses");
    let categories = categories(app, &admin).await?;
    // Round-robin: with many courses, each instructor gets about twenty.
    let school = School { admin, categories, sample: sample(app, &instructors).await? };
    let courses: Vec<Course> = stream::iter(0..args.courses)
        .map(|number| {
            let instructor = instructors.get(number % instructors.len().max(1));
            let (progress, school) = (&progress, &school);
            async move {
                let instructor = instructor.ok_or_else(|| InternalError::new("there is no instructor"))?;
                let course = course(app, instructor, school, number).await?;
                progress.inc(1);
                Ok::<_, InternalError>(course)
            }
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    progress.set_message("students");
    let students = students.iter().take(ENROLLED).enumerate();
    stream::iter(students.map(|(number, student)| learn(app, &school.admin, student, number, &courses)))
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    progress.finish_with_message("done");
    Ok(())
}

/// What all courses of the demo school share.
struct School {
    admin: Actor,
    categories: HashMap<&'static str, CategoryId>,
    /// The video that every lesson shows.
    sample: VideoId,
}

/// Stores the video that every lesson shows, as one of the demo instructor's.
async fn sample(app: &App, instructors: &[User]) -> Result<VideoId, InternalError> {
    let owner = instructors.first().ok_or_else(|| InternalError::new("there is no instructor"))?;
    media::import_video(app, owner.id, "sample.mp4", Bytes::from_static(SAMPLE)).await
}

/// Enrolls a student in three courses, and lets them follow the channels of these.
async fn learn(
    app: &App,
    admin: &Actor,
    student: &User,
    number: usize,
    courses: &[Course],
) -> Result<(), InternalError> {
    let client = Client::new(None, "seed");
    for course in (0..3).filter_map(|place| courses.get((number * 7 + place * 5) % courses.len().max(1))) {
        if course.price_minor == 0 {
            let input = EnrollInput { course_id: course.id };
            enrollments::enroll(app, &actor(student), input).await.map_err(explain)?;
        } else {
            let reason = "Demo".into();
            let input = GrantCourseAccessInput { user_id: student.id, course_id: course.id, expires_at: None, reason };
            enrollments::grant(app, admin, &client, input).await.map_err(explain)?;
        }
        if let Some(channel_id) = course.channel_id {
            let input = FollowChannelInput { channel_id };
            channels::follow_channel(app, &actor(student), input).await.map_err(explain)?;
        }
    }
    Ok(())
}

/// Creates the category tree; returns the ids by name.
async fn categories(app: &App, admin: &Actor) -> Result<HashMap<&'static str, CategoryId>, InternalError> {
    let mut made = HashMap::new();
    for (name, parent) in content::categories() {
        let parent_id = parent.and_then(|parent| made.get(parent).copied());
        let input = CreateCategoryInput {
            name: name.into(),
            slug: None,
            parent_id,
            description: content::description(name),
            once: Idempotency::default(),
        };
        made.insert(name, catalog::create_category(app, admin, input).await.map_err(explain)?.id);
    }
    Ok(made)
}

/// Creates all users; returns the administrator, the instructors and the students.
///
/// All users share one password hash: hashing fifty thousand passwords would take a quarter of an hour.
async fn users(app: &App, args: &Args, progress: &ProgressBar) -> Result<(Actor, Vec<User>, Vec<User>), InternalError> {
    let password_hash = app.passwords.hash(PASSWORD.into()).await.map_err(Unhashed::into_fault)?;
    let teachers = (args.courses / 20).max(4);
    let (mut admin, mut instructors, mut students) = (Actor::Anonymous, Vec::new(), Vec::new());
    let everybody: Vec<usize> = (0..args.users.max(3)).collect();
    for chunk in everybody.chunks(CHUNK) {
        let people: Vec<ImportedUser> = chunk
            .iter()
            .map(|number| {
                let (name, email) = content::person(*number);
                // The three demo accounts first, then the other instructors.
                let role = match number {
                    0 => Role::Admin,
                    1 => Role::Instructor,
                    2 => Role::Student,
                    number if *number <= teachers + 1 => Role::Instructor,
                    _ => Role::Student,
                };
                ImportedUser { email, name, role, password_hash: password_hash.clone() }
            })
            .collect();
        let made = accounts::import(app, &people).await.map_err(explain)?;
        progress.inc(u64::try_from(chunk.len())?);
        if let Some(first) = made.iter().find(|user| user.role == Role::Admin) {
            admin = actor(first);
        }
        for user in made {
            match user.role {
                Role::Instructor => instructors.push(user),
                Role::Student => students.push(user),
                Role::Admin => {}
            }
        }
    }
    instructors.sort_by_key(|user| user.id.uuid());
    students.sort_by_key(|user| user.id.uuid());
    Ok((admin, instructors, students))
}

/// Returns the user as the actor of a command.
fn actor(user: &User) -> Actor {
    Actor::User {
        id: user.id.uuid(),
        role: user.role,
        session: Uuid::nil(),
        version: 0,
        expires_at: DateTime::<Utc>::MAX_UTC,
        scopes: None,
    }
}

/// Creates one published course. Its last lesson stays a draft, so that there is something to publish.
async fn course(app: &App, instructor: &User, school: &School, number: usize) -> Result<Course, InternalError> {
    let actor = actor(instructor);
    let outline = Outline::of(number);
    let input = CreateCourseInput {
        once: Idempotency::default(),
        title: outline.title.clone(),
        slug: None,
        subtitle: outline.subtitle.clone(),
        description: outline.description.clone(),
        facts: facts(&school.categories, number)?,
    };
    let course = catalog::create_course(app, &actor, input).await.map_err(explain)?;
    let last = outline.sections.len().saturating_sub(1);
    for (place, (title, lessons)) in outline.sections.into_iter().enumerate() {
        let input = CreateSectionInput { course_id: course.id, title, once: Idempotency::default() };
        let (_, section) = catalog::create_section(app, &actor, input).await.map_err(explain)?;
        lessons_of(app, school, &section, lessons, place == last).await?;
    }
    let input = PublishCourseInput { course_id: course.id };
    catalog::publish_course(app, &actor, input).await.map_err(explain)
}

fn facts(categories: &HashMap<&'static str, CategoryId>, number: usize) -> Result<CourseFacts, InternalError> {
    let facts = content::Facts::of(number);
    let currency = CurrencyCode::parse(facts.currency).ok_or_else(|| InternalError::new("no currency"))?;
    let money = |cents| MoneyInput { amount: Decimal::new(cents, 2), currency };
    let (price, before) = facts.price;
    Ok(CourseFacts {
        level: MaybeUndefined::Value(facts.level),
        language: MaybeUndefined::Value(facts.language.to_owned()),
        tags: Some(facts.tags),
        benefits: Some(facts.benefits),
        prerequisites: Some(facts.prerequisites),
        category_id: Some(categories.get(facts.category).copied()).into(),
        channel_id: None,
        price: Some(money(price)),
        estimated_price: Some(before.map(money)).into(),
    })
}

/// Adds lessons to a section and publishes them, but not the last one if `keep_draft`, which is a video.
async fn lessons_of(
    app: &App,
    school: &School,
    section: &Section,
    lessons: Vec<Lesson>,
    keep_draft: bool,
) -> Result<(), InternalError> {
    let (last, actor) = (lessons.len().saturating_sub(1), &school.admin);
    for (place, Lesson { title, article, seconds }) in lessons.into_iter().enumerate() {
        let is_draft = keep_draft && place == last;
        let article = article.filter(|_| !is_draft);
        let kind = if article.is_some() { LessonKind::Article } else { LessonKind::Video };
        let input = CreateLessonInput {
            section_id: section.id,
            title,
            kind,
            duration_seconds: Some(seconds),
            once: Idempotency::default(),
        };
        let (_, lesson) = catalog::create_lesson(app, actor, input).await.map_err(explain)?;
        match article {
            Some(text) => {
                let content = LessonContentInput { description: Some(text), ..LessonContentInput::default() };
                let input = UpdateLessonInput {
                    lesson_id: lesson.id,
                    version: lesson.version,
                    title: None,
                    kind: None,
                    duration_seconds: MaybeUndefined::Undefined,
                    is_preview: None,
                    content: Some(content),
                };
                drop(catalog::update_lesson(app, actor, input).await.map_err(explain)?);
            }
            None => {
                let video_id = Some(school.sample);
                let input = SetLessonVideoInput { lesson_id: lesson.id, version: lesson.version, video_id };
                drop(catalog::set_lesson_video(app, actor, input).await.map_err(explain)?);
            }
        }
        if !is_draft {
            let input = PublishLessonInput { lesson_id: lesson.id };
            catalog::publish_lesson(app, actor, input).await.map_err(explain)?;
        }
    }
    Ok(())
}
