//! The command that gives a course to another instructor.

use serde_json::json;

use crate::accounts::{User, UserId, lock_user, user_by_id};
use crate::catalog::model::{Course, TransferCourseInput};
use crate::catalog::query::course as query;
use crate::catalog::{error, policy};
use crate::channels::{own_channel, teaches_in};
use crate::graphql::Result;
use crate::graphql::error::Edit;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::db::Tx;

/// Gives a course to another instructor, with its videos and files.
///
/// It stays in its channel if the new instructor teaches there; otherwise it moves to their default channel.
///
/// # Errors
/// The actor is not an administrator; there is no such course; the new instructor cannot teach.
pub async fn transfer_course(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: TransferCourseInput,
) -> Result<Edit<Course>> {
    if !policy::can_transfer(actor) {
        return Err(error::only_administrators_transfer());
    }
    app.db
        .transaction(async |tx| {
            let course = query::lock(tx, input.course_id).await?.ok_or_else(|| error::no_such("course"))?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            if course.instructor_id == input.instructor_id {
                return Ok(Edit::Saved(course));
            }
            let teacher = teacher(tx, app, input.instructor_id).await?;
            let channel = match course.channel_id {
                Some(channel) if teaches_in(tx, teacher.id, channel).await? => channel,
                _ => own_channel(tx, &app.clock, teacher.id).await?,
            };
            let moved = query::transfer(tx, course.id, (teacher.id, channel), app.clock.now()).await?;
            let details = json!({
                "courseId": course.id.encode(),
                "from": course.instructor_id.encode(),
                "to": teacher.id.encode(),
            });
            let (action, subject) = (Action::CourseTransferred, Some(teacher.id.uuid()));
            let entry = Entry { action, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(Edit::Saved(moved))
        })
        .await
}

/// Locks the new instructor, so that they stay one until the transaction ends.
async fn teacher(tx: &mut Tx, app: &App, id: UserId) -> Result<User> {
    lock_user(tx, id).await?;
    let user = user_by_id(tx, id).await?.filter(|user| user.role >= Role::Instructor);
    let user = user.ok_or_else(error::no_such_instructor)?;
    if user.is_banned(app.clock.now()) || user.deletion_due_at.is_some() {
        return Err(error::cannot_teach());
    }
    Ok(user)
}
