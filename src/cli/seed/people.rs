//! The people of the demo school.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::content::bio;
use super::progress::Progress;
use super::words::person;
use super::{Args, PARALLEL, PASSWORD, picture};
use crate::accounts::{self, ImportedUser, User};
use crate::cli::explain;
use crate::media;
use crate::platform::App;
use crate::platform::auth::Role;
use crate::platform::internal_error::InternalError;
use crate::platform::throttle::Failure;

/// The number of users inserted in one transaction.
const CHUNK: usize = 1000;
/// The number of users with a picture and a bio, instructors first.
const PORTRAYED: usize = 60;
/// The smallest number of instructors, if there are enough users: one for each group of subjects.
const INSTRUCTORS: usize = 6;

/// The people of the demo school, in the order of their numbers.
pub(super) struct People {
    pub(super) admin: User,
    pub(super) instructors: Vec<User>,
    pub(super) students: Vec<User>,
}

/// Creates the users that are not there yet.
///
/// All share one password hash: hashing fifty thousand passwords would take a quarter of an hour.
pub(super) async fn import(app: &App, args: &Args, progress: &Progress) -> Result<People, InternalError> {
    progress.step("users", args.users)?;
    let password_hash = app.passwords.hash(PASSWORD.into()).await.map_err(Failure::into_internal)?;
    let numbers: Vec<usize> = (0..args.users).collect();
    let (mut admins, mut instructors, mut students) = (Vec::new(), Vec::new(), Vec::new());
    for chunk in numbers.chunks(CHUNK) {
        let people: Vec<ImportedUser> = chunk
            .iter()
            .map(|number| {
                let (name, email) = person(*number);
                ImportedUser { email, name, role: role(*number, args), password_hash: password_hash.clone() }
            })
            .collect();
        let imported = accounts::import(app, &people).await.map_err(explain)?;
        // By the plan, not by the stored role: an administrator may have changed that in a half-filled school.
        for (number, user) in chunk.iter().zip(imported) {
            match role(*number, args) {
                Role::Admin => admins.push(user),
                Role::Instructor => instructors.push(user),
                Role::Student => students.push(user),
            }
        }
        progress.done(chunk.len());
    }
    let admin = admins.pop().ok_or_else(|| InternalError::new("there is no administrator"))?;
    Ok(People { admin, instructors, students })
}

/// The three demo accounts come first, then the other instructors.
fn role(number: usize, args: &Args) -> Role {
    let instructors = (args.courses / 20).max(INSTRUCTORS);
    match number {
        0 => Role::Admin,
        1 => Role::Instructor,
        2 => Role::Student,
        number if number <= instructors + 1 => Role::Instructor,
        _ => Role::Student,
    }
}

/// Gives the first users pictures and bios.
pub(super) async fn portray(app: &App, people: &People, progress: &Progress) -> Result<(), InternalError> {
    let teachers = people.instructors.iter().enumerate().map(|(number, user)| (user, bio(Some(number))));
    let others = std::iter::once(&people.admin).chain(&people.students).map(|user| (user, bio(None)));
    let portrayed: Vec<(&User, &str)> = teachers.chain(others).take(PORTRAYED).collect();
    progress.step("portraits", portrayed.len())?;
    stream::iter(portrayed.into_iter().enumerate())
        .map(|(number, (user, bio))| async move {
            if user.avatar_id.is_none() {
                let file = media::import_image(app, user.id, "avatar.png", picture::person(number)).await?;
                accounts::import_bio(app, user.id, bio).await?;
                let shown = app.db.transaction(async |tx| media::set_avatar(tx, app, user.id, file).await);
                shown.await.map_err(explain)?;
            }
            progress.done(1);
            Ok(())
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}
