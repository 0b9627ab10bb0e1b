//! What can be done with access.

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};

use super::event::{AccessEnded, AccessGranted};
use super::model::{
    Access, EndReason, EnrollInput, Entitlement, GrantCourseAccessInput, NewEntitlement, RevokeCourseAccessInput,
    Source,
};
use super::{error, policy, query};
use crate::accounts::{UserId, viewer};
use crate::catalog::{self, Course, CourseId, Lesson};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::export::{FETCH, items};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::fault::Fault;
use crate::platform::{jobs, outbox};

/// The job that ends what has expired in a course.
pub(super) const EXPIRE: &str = "enrollments.expire";

const LONGEST_REASON: usize = 500;

/// Gives a user access to a course. Whoever has been given it already gets the new end; the same terms again change
/// nothing.
///
/// # Errors
/// The input's mistakes; only administrators may.
pub(super) async fn grant(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: GrantCourseAccessInput,
) -> Result<Entitlement> {
    if !policy::can_administer(actor) {
        return Err(error::only_administrators());
    }
    let now = app.clock.now();
    // What the database keeps; the same input again is then the same grant.
    let expires_at = input.expires_at.map(|at| at.trunc_subsecs(6));
    let mut check = Check::new();
    let note = check.text("reason", &input.reason, LONGEST_REASON);
    if expires_at.is_some_and(|at| at <= now) {
        check.error(
            UserErrorCode::OutOfRange,
            "expiresAt",
            "Access ends in the future; without an end it is for good.",
        );
    }
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let course = catalog::lock_course(tx, input.course_id).await?.ok_or_else(error::no_such_course)?;
            if !query::hold_user(tx, input.user_id).await? {
                return Err(error::no_such_user());
            }
            let new = NewEntitlement {
                user_id: input.user_id,
                course_id: course.id,
                source: Source::Grant,
                expires_at,
                note,
                granted_by: actor.id().map(UserId::new),
            };
            let (granted, changed) = give(tx, app, new).await?;
            if changed {
                let details = json!({ "course": course.id.encode(), "expiresAt": expires_at, "reason": granted.note });
                let action = Action::CourseAccessGranted;
                note_action(tx, app, (actor, client), action, input.user_id, details).await?;
            }
            Ok(granted)
        })
        .await
}

/// Takes back what administrators have given; what comes from elsewhere stays.
///
/// # Errors
/// The input's mistakes; nothing was given; only administrators may.
pub(super) async fn revoke(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RevokeCourseAccessInput,
) -> Result<Entitlement> {
    if !policy::can_administer(actor) {
        return Err(error::only_administrators());
    }
    let mut check = Check::new();
    let note = check.text("reason", &input.reason, LONGEST_REASON);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let course = catalog::lock_course(tx, input.course_id).await?.ok_or_else(error::no_such_course)?;
            close_expired(tx, app, course.id, input.user_id).await?;
            let open = query::open(tx, input.user_id, course.id).await?;
            let granted = open.into_iter().find(|row| row.source == Source::Grant);
            let granted = granted.ok_or_else(error::nothing_granted)?;
            let ended = close(tx, app, course.id, granted, EndReason::Revoked).await?;
            let details = json!({ "course": course.id.encode(), "reason": note });
            let action = Action::CourseAccessRevoked;
            note_action(tx, app, (actor, client), action, input.user_id, details).await?;
            Ok(ended)
        })
        .await
}

/// Enrolls the actor in a course that costs nothing. Doing so again changes nothing.
///
/// # Errors
/// The course is not there for everybody, or costs something; nobody is signed in.
pub(super) async fn enroll(app: &App, actor: &Actor, input: EnrollInput) -> Result<Entitlement> {
    let user_id = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let course = catalog::lock_course(tx, input.course_id).await?;
            // A draft does not exist for students, and an archived course takes none.
            let course = course.filter(|course| course.published_at.is_some()).ok_or_else(error::no_such_course)?;
            if course.price_minor > 0 {
                return Err(error::costs_money());
            }
            if !query::hold_user(tx, user_id).await? {
                return Err(Error::Unauthenticated("Sign in first.".into()));
            }
            let new = NewEntitlement {
                user_id,
                course_id: course.id,
                source: Source::Free,
                expires_at: None,
                note: String::new(),
                granted_by: None,
            };
            Ok(give(tx, app, new).await?.0)
        })
        .await
}

/// Ends what has expired in a course: at once for the one whom a job was made for, and for everybody when it sweeps.
///
/// # Errors
/// The database failed.
pub(super) async fn expire(app: &App, course: CourseId, user: UserId) -> std::result::Result<(), Fault> {
    app.db
        .transaction(async |tx| match catalog::lock_course(tx, course).await? {
            Some(Course { id, .. }) => close_expired(tx, app, id, user).await,
            // Gone, and its lines were closed before.
            None => Ok(()),
        })
        .await
}

/// Ends whatever has expired and was not ended by a job of its own.
///
/// # Errors
/// The database failed.
pub(super) async fn expire_due(app: &App) -> std::result::Result<(), Fault> {
    let mut place = (uuid::Uuid::nil(), uuid::Uuid::nil());
    loop {
        let expired = query::expired(&mut *app.db.read().await?, app.clock.now(), place).await?;
        if expired.is_empty() {
            return Ok(());
        }
        for (course, user) in expired {
            let Some(course) = course else { continue };
            expire(app, course, user).await?;
            place = (course.uuid(), user.uuid());
        }
    }
}

/// Ends all access of somebody who was deleted. The lines stay, for the statistics, and refer to a user without a name.
///
/// # Errors
/// The database failed.
pub(super) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), Fault> {
    let courses = query::courses_of(&mut *app.db.read().await?, user).await?;
    for course in courses.into_iter().flatten() {
        app.db
            .transaction(async |tx| {
                let Some(course) = catalog::lock_course(tx, course).await? else { return Ok(()) };
                for row in query::open(tx, user, course.id).await? {
                    close(tx, app, course.id, row, EndReason::AccountDeleted).await?;
                }
                Ok::<_, Fault>(())
            })
            .await?;
    }
    app.db.transaction(async |tx| Ok::<_, Fault>(query::forget_notes(tx, user).await.map(drop)?)).await
}

/// Whether an actor may see a lesson's content, or a course's as a whole, outside of a query: where an address that was
/// handed out is used. A query asks `lesson_access`, which batches.
///
/// # Errors
/// The database failed.
pub async fn access_for(
    app: &App,
    actor: &Actor,
    course: &Course,
    lesson: Option<&Lesson>,
) -> std::result::Result<Access, Fault> {
    let held = match actor.id().map(UserId::new) {
        Some(user) => query::held(&mut *app.db.read().await?, vec![user], vec![course.id]).await?,
        None => Vec::new(),
    };
    Ok(policy::access(actor, course, lesson, &held, app.clock.now()))
}

/// What the ledger holds on the viewer.
///
/// # Errors
/// Nobody is signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let rows = query::all_of(&mut *app.db.read().await?, viewer(actor)?, FETCH).await?;
    let row = |row: Entitlement| {
        json!({
            "id": row.id.encode(),
            "course": row.course_id.map(|id| id.encode()),
            "source": row.source,
            "startsAt": row.starts_at,
            "expiresAt": row.expires_at,
            "endedAt": row.ended_at,
            "endReason": row.end_reason,
        })
    };
    Ok(json!({ "entitlements": items(rows.into_iter().map(row)) }))
}

/// Opens a line of a source that is given once, or gives the open one its new terms; whether anything changed. The
/// course must be locked.
async fn give(tx: &mut Tx, app: &App, new: NewEntitlement) -> std::result::Result<(Entitlement, bool), Fault> {
    let (user, course, expires_at) = (new.user_id, new.course_id, new.expires_at);
    close_expired(tx, app, course, user).await?;
    let open = query::open(tx, user, course).await?;
    let row = match open.iter().find(|row| row.source == new.source) {
        Some(same) if same.expires_at == expires_at && same.note == new.note => return Ok((same.clone(), false)),
        Some(other) => query::change(tx, other.id, new).await?,
        None => query::insert(tx, &app.clock, new).await?,
    };
    if open.is_empty() {
        catalog::students_changed(tx, course, 1).await?;
    }
    if let Some(at) = expires_at {
        expire_at(tx, app, (course, user), at).await?;
    }
    let event =
        AccessGranted { entitlement_id: row.id, user_id: user, course_id: course, source: row.source, expires_at };
    outbox::record(tx, &app.clock, &event).await?;
    Ok((row, true))
}

async fn expire_at(
    tx: &mut Tx,
    app: &App,
    (course, user): (CourseId, UserId),
    at: DateTime<Utc>,
) -> std::result::Result<(), Fault> {
    let key = format!("{EXPIRE}/{}/{}@{}", course.uuid(), user.uuid(), at.timestamp_micros());
    jobs::enqueue_at(tx, &app.clock, EXPIRE, &json!({ "course_id": course, "user_id": user }), &key, at).await
}

/// Closes what somebody has open in a course and has expired. The course must be locked.
async fn close_expired(tx: &mut Tx, app: &App, course: CourseId, user: UserId) -> std::result::Result<(), Fault> {
    let now = app.clock.now();
    for row in query::open(tx, user, course).await? {
        if row.has_expired(now) {
            close(tx, app, course, row, EndReason::Expired).await?;
        }
    }
    Ok(())
}

/// Closes a line; whoever has no other one is no longer a student of the course, which must be locked.
async fn close(
    tx: &mut Tx,
    app: &App,
    course: CourseId,
    row: Entitlement,
    reason: EndReason,
) -> std::result::Result<Entitlement, Fault> {
    let ended = query::end(tx, row.id, reason, app.clock.now()).await?;
    if query::open(tx, ended.user_id, course).await?.is_empty() {
        catalog::students_changed(tx, course, -1).await?;
    }
    let event = AccessEnded {
        entitlement_id: ended.id,
        user_id: ended.user_id,
        course_id: course,
        source: ended.source,
        reason,
    };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(ended)
}

async fn note_action(
    tx: &mut Tx,
    app: &App,
    (actor, client): (&Actor, &Client),
    action: Action,
    subject: UserId,
    details: Value,
) -> std::result::Result<(), Fault> {
    let entry = Entry { action, actor: actor.id(), subject: Some(subject.uuid()), client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await
}
