//! `lyceum seed`: a demo school.
//!
//! The content is deterministic: the same arguments produce the same titles, users, outlines and pictures. Each step is
//! one transaction that does nothing if its result is there, and the database remembers what is to be created: after an
//! interruption, the next `lyceum seed` or `lyceum serve --demo` completes the school.

mod clips;
mod content;
mod courses;
mod life;
mod live;
mod memberships;
mod orders;
mod people;
mod picture;
mod progress;
mod talk;
mod words;

use chrono::{DateTime, Utc};
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::courses::School;
use self::progress::Progress;
use crate::accounts::{self, User};
use crate::app::{self, Running};
use crate::catalog;
use crate::config::Config;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;
use crate::platform::seeding;

/// The password of every demo account.
pub const PASSWORD: &str = "learn-with-lyceum";
const ADMIN: &str = "admin@lyceum.example";
/// The number of pictures and courses created concurrently.
const PARALLEL: usize = 8;

/// How much demo content to create.
#[derive(ClapArgs, Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Args {
    /// Number of courses. A school that was begun keeps its numbers
    #[arg(long, default_value_t = 30)]
    pub courses: usize,
    /// Number of users, including the three demo accounts
    #[arg(long, default_value_t = 60)]
    pub users: usize,
}

impl Default for Args {
    fn default() -> Args {
        Args { courses: 30, users: 60 }
    }
}

/// The arguments of `seed`.
#[derive(ClapArgs, Clone, Copy, Debug)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    size: Args,
    /// Delete everything first: all data of the database, and all files of the school in the object store. Stop the
    /// server before. Refused in production, and if DATABASE_URL or S3_ENDPOINT is set, unless the database contains a
    /// demo school
    #[arg(long)]
    reset: bool,
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

pub(super) async fn run(config: Config, args: SeedArgs) -> Result<(), InternalError> {
    refuse_in_production(&config)?;
    let running = app::start(config).await?;
    let filled = seed(&running, args).await;
    let stopped = running.stop().await;
    filled?;
    println!("Sign in as {ADMIN}, instructor@lyceum.example or student@lyceum.example, password {PASSWORD}");
    stopped
}

async fn seed(running: &Running, args: SeedArgs) -> Result<(), InternalError> {
    let app = &running.app;
    running.prepare_database().await?;
    if args.reset {
        reset(running).await?;
    }
    match state(app).await? {
        State::Complete => Err(InternalError::new(
            "the demo school is there already; `lyceum seed --reset` deletes it and begins anew",
        )),
        State::Begun | State::Empty | State::Other => fill(app, &args.size).await,
    }
}

/// Deletes the data of the school, and creates the empty tables again.
async fn reset(running: &Running) -> Result<(), InternalError> {
    let app = &running.app;
    let is_private = app.config.database_url.is_none() && app.config.s3.is_none();
    if !running.owns_database() {
        return Err(InternalError::new("another lyceum process uses the database; stop it first"));
    }
    if !is_private && !matches!(state(app).await?, State::Begun | State::Complete) {
        return Err(InternalError::new(
            "the database contains no demo school and is not the embedded one; nothing is deleted. Empty it yourself",
        ));
    }
    let _locked = seeding::lock(&app.db).await?;
    eprintln!("Deleting all data of the school.");
    seeding::delete_everything(&mut app.db.write().await?).await?;
    // The folders of pictures, downloads and videos, and of unfinished uploads; and of what were avatars once.
    let mut deleted = 0;
    for folder in ["avatars/", "files/", "videos/", "uploads/"] {
        deleted += app.storage.delete_below(folder).await?;
    }
    eprintln!("The database is empty, and {deleted} objects are deleted.");
    running.prepare_database().await
}

/// How much of a demo school the database contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No users at all.
    Empty,
    /// A part of it.
    Begun,
    /// All of it.
    Complete,
    /// Another school.
    Other,
}

pub(super) async fn state(app: &App) -> Result<State, InternalError> {
    let mut conn = app.db.read().await?;
    Ok(match seeding::find(&mut conn).await? {
        Some(seeding) if seeding.ended_at.is_none() => State::Begun,
        Some(_) => State::Complete,
        // An earlier version of the program made one without a note.
        None if accounts::is_registered(&mut conn, ADMIN).await? => State::Complete,
        None if accounts::any_users(&mut conn).await? => State::Other,
        None => State::Empty,
    })
}

/// Fills the database with the demo school, or completes it. If it was begun, its earlier size stays.
///
/// # Errors
/// The database or the store failed, or the generated input is rejected, which is a bug.
pub async fn fill(app: &App, args: &Args) -> Result<(), InternalError> {
    let _locked = seeding::lock(&app.db).await?;
    let size = Args { courses: args.courses, users: args.users.max(3) };
    let begun = seeding::begin(&mut app.db.write().await?, &serde_json::to_value(size)?, app.clock.now()).await?;
    // Another process may have completed it while this one waited.
    if begun.ended_at.is_some() {
        return Ok(());
    }
    let size: Args = serde_json::from_value(begun.plan)?;
    let progress = Progress::new();
    let people = people::import(app, &size, &progress).await?;
    progress.step("clips", 1)?;
    let owner = people.instructors.first().ok_or_else(|| InternalError::new("there is no instructor"))?;
    let clips = clips::import(app, owner.id).await?;
    people::portray(app, &people, &progress).await?;
    let categories = courses::categories(app, &people.admin, &progress).await?;
    courses::channels(app, &people, &progress).await?;
    let school = School { people: &people, categories, clips, now: app.clock.now() };
    let courses = courses::import(app, &school, size.courses, &progress).await?;
    life::import(app, &people, &courses, &progress).await?;
    talk::import(app, &people, &courses, &progress).await?;
    orders::import(app, &people, &courses, &progress).await?;
    memberships::import(app, &people, &progress).await?;
    live::import(app, &people, &courses, &progress).await?;
    // So that lists by popularity and by rating are right at once.
    catalog::refresh_sort_keys(app).await?;
    seeding::end(&mut app.db.write().await?, app.clock.now()).await?;
    progress.finish();
    Ok(())
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
