//! `lyceum seed`: a demo school, created with the same commands that the API uses.
//!
//! The content is deterministic: the same arguments produce the same titles, users and outlines.

mod content;

use std::collections::HashMap;

use async_graphql::MaybeUndefined;
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
    self, CategoryId, CourseFacts, CreateCategoryInput, CreateCourseInput, CreateLessonInput, CreateSectionInput,
    PublishCourseInput, PublishLessonInput, Section,
};
use crate::config::Config;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::platform::App;
use crate::platform::auth::{Actor, Role, Unhashed};
use crate::platform::internal_error::InternalError;
use content::Outline;

/// The password of every demo account.
pub const PASSWORD: &str = "learn-with-lyceum";
const ADMIN: &str = "admin@lyceum.example";
/// The number of users inserted in one transaction.
const CHUNK: usize = 1000;
/// The number of courses created concurrently.
const PARALLEL: usize = 8;

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
    let (admin, instructors) = users(app, args, &progress).await?;
    progress.set_message("courses");
    let categories = categories(app, &admin).await?;
    // Round-robin: with many courses, each instructor gets about twenty.
    stream::iter(0..args.courses)
        .map(|number| {
            let instructor = instructors.get(number % instructors.len().max(1));
            let (progress, categories) = (&progress, &categories);
            async move {
                let instructor = instructor.ok_or_else(|| InternalError::new("there is no instructor"))?;
                course(app, instructor, categories, number).await?;
                progress.inc(1);
                Ok::<_, InternalError>(())
            }
        })
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    progress.finish_with_message("done");
    Ok(())
}

/// Creates the category tree; returns the ids by name.
async fn categories(app: &App, admin: &Actor) -> Result<HashMap<&'static str, CategoryId>, InternalError> {
    let mut made = HashMap::new();
    for (name, parent) in content::categories() {
        let parent_id = parent.and_then(|parent| made.get(parent).copied());
        let input = CreateCategoryInput { name: name.into(), slug: None, parent_id, description: String::new() };
        made.insert(name, catalog::create_category(app, admin, input).await.map_err(explain)?.id);
    }
    Ok(made)
}

/// Creates all users; returns the administrator and the instructors.
///
/// All users share one password hash: hashing fifty thousand passwords would take a quarter of an hour.
async fn users(app: &App, args: &Args, progress: &ProgressBar) -> Result<(Actor, Vec<User>), InternalError> {
    let password_hash = app.passwords.hash(PASSWORD.into()).await.map_err(Unhashed::into_fault)?;
    let teachers = (args.courses / 20).max(4);
    let (mut admin, mut instructors) = (Actor::Anonymous, Vec::new());
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
        instructors.extend(made.into_iter().filter(|user| user.role == Role::Instructor));
    }
    instructors.sort_by_key(|user| user.id.uuid());
    Ok((admin, instructors))
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
async fn course(
    app: &App,
    instructor: &User,
    categories: &HashMap<&'static str, CategoryId>,
    number: usize,
) -> Result<(), InternalError> {
    let actor = actor(instructor);
    let outline = Outline::of(number);
    let input = CreateCourseInput {
        title: outline.title.clone(),
        slug: None,
        subtitle: outline.subtitle.clone(),
        description: outline.description.clone(),
        facts: facts(categories, number)?,
    };
    let course = catalog::create_course(app, &actor, input).await.map_err(explain)?;
    let last = outline.sections.len().saturating_sub(1);
    for (place, (title, lessons)) in outline.sections.into_iter().enumerate() {
        let input = CreateSectionInput { course_id: course.id, title };
        let (_, section) = catalog::create_section(app, &actor, input).await.map_err(explain)?;
        lessons_of(app, &actor, &section, lessons, place == last).await?;
    }
    let input = PublishCourseInput { course_id: course.id };
    catalog::publish_course(app, &actor, input).await.map_err(explain)?;
    Ok(())
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

async fn lessons_of(
    app: &App,
    actor: &Actor,
    section: &Section,
    lessons: Vec<(String, i32)>,
    keep_draft: bool,
) -> Result<(), InternalError> {
    let last = lessons.len().saturating_sub(1);
    for (place, (title, duration_seconds)) in lessons.into_iter().enumerate() {
        let input = CreateLessonInput { section_id: section.id, title, duration_seconds };
        let (_, lesson) = catalog::create_lesson(app, actor, input).await.map_err(explain)?;
        if !(keep_draft && place == last) {
            let input = PublishLessonInput { lesson_id: lesson.id };
            catalog::publish_lesson(app, actor, input).await.map_err(explain)?;
        }
    }
    Ok(())
}
