//! Commands that grant, revoke and expire access, and enroll users.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{self, UserId, viewer};
use crate::catalog::{self, Course, CourseId, LessonId};
use crate::enrollments::error;
use crate::enrollments::model::{
    Certificate, EnrollInput, Enrollment, GrantCourseAccessInput, LessonState, RevokeCourseAccessInput,
};
use crate::enrollments::query::{certificate, enrollment, player, progress};
use crate::entitlements::{self, EndReason, Entitlement, EntitlementId, Given, NewEntitlement, Source, Target};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::export::{FETCH, items};
use crate::graphql::{Error, Result, Time};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;

/// The job that ends an entitlement when it expires.
pub(crate) const EXPIRE: &str = "enrollments.expire";

const LONGEST_REASON: usize = 500;

/// Grants a user access to a course.
///
/// An existing grant gets the new terms; granting the same terms again does nothing.
///
/// # Errors
/// The input is invalid; the actor is not an administrator.
pub async fn grant(app: &App, actor: &Actor, client: &Client, input: GrantCourseAccessInput) -> Result<Entitlement> {
    if !actor.has(Role::Admin) {
        return Err(error::only_administrators());
    }
    let now = app.clock.now();
    // The precision of the database, so that the same input again has the same terms.
    let expires_at = input.expires_at.map(|Time(at)| at.trunc_subsecs(6));
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
            let course = catalog::hold_course(tx, input.course_id).await?.ok_or_else(error::no_such_course)?;
            if !accounts::lock_user(tx, input.user_id).await? {
                return Err(error::no_such_user());
            }
            let new = NewEntitlement {
                user_id: input.user_id,
                target: Target::Course(course.id.uuid()),
                source: Source::Grant,
                expires_at,
                note: note.clone(),
                granted_by: actor.id().map(UserId::new),
            };
            let given = give(tx, app, new).await?;
            if given.changed {
                let details =
                    json!({ "course": course.id.encode(), "expiresAt": expires_at, "reason": given.row.note });
                let action = Action::CourseAccessGranted;
                record_action(tx, app, (actor, client), action, input.user_id, details).await?;
            }
            catalog::students_changed(tx, course.id, i32::from(given.first)).await?;
            Ok(given.row)
        })
        .await
}

/// Revokes what administrators have granted; access from other sources stays.
///
/// # Errors
/// The input is invalid; nothing was granted; the actor is not an administrator.
pub async fn revoke(app: &App, actor: &Actor, client: &Client, input: RevokeCourseAccessInput) -> Result<Entitlement> {
    if !actor.has(Role::Admin) {
        return Err(error::only_administrators());
    }
    let mut check = Check::new();
    let note = check.text("reason", &input.reason, LONGEST_REASON);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let course = catalog::hold_course(tx, input.course_id).await?.ok_or_else(error::no_such_course)?;
            accounts::lock_user(tx, input.user_id).await?;
            let open = entitlements::open(tx, input.user_id, Target::Course(course.id.uuid())).await?;
            let current = entitlements::end_expired(tx, app, open).await?;
            let granted = current.iter().find(|row| row.source == Source::Grant).ok_or_else(error::nothing_granted)?;
            let ended = entitlements::end(tx, app, granted, EndReason::Revoked).await?;
            let details = json!({ "course": course.id.encode(), "reason": note });
            let action = Action::CourseAccessRevoked;
            record_action(tx, app, (actor, client), action, input.user_id, details).await?;
            catalog::students_changed(tx, course.id, -i32::from(current.len() == 1)).await?;
            Ok(ended)
        })
        .await
}

/// Enrolls the actor in a free course. Enrolling again changes nothing.
///
/// # Errors
/// The course is not published, or not free; the actor is not signed in.
pub async fn enroll(app: &App, actor: &Actor, input: EnrollInput) -> Result<Entitlement> {
    let user_id = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let course = catalog::hold_course(tx, input.course_id).await?;
            // Drafts are not visible to students, and archived courses are closed for enrollment.
            let course = course.filter(|course| course.published_at.is_some()).ok_or_else(error::no_such_course)?;
            if course.price_minor > 0 {
                return Err(error::costs_money());
            }
            if !accounts::lock_user(tx, user_id).await? {
                return Err(Error::Unauthenticated("Sign in first.".into()));
            }
            let new = NewEntitlement {
                user_id,
                target: Target::Course(course.id.uuid()),
                source: Source::Free,
                expires_at: None,
                note: String::new(),
                granted_by: None,
            };
            let given = give(tx, app, new).await?;
            catalog::students_changed(tx, course.id, i32::from(given.first)).await?;
            Ok(given.row)
        })
        .await
}

/// Enrolls users in courses, in one transaction and without events. For the command line, where there is no actor.
///
/// In free courses this is as by [`enroll`], in others it is a grant of the administrator `granted_by`. Users who are
/// enrolled stay so.
///
/// # Errors
/// A user, a course or the administrator does not exist; the database failed.
pub async fn import(
    app: &App,
    granted_by: UserId,
    reason: &str,
    students: &[(UserId, &Course)],
) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let new = students.iter().map(|(user_id, course)| {
                let is_free = course.price_minor == 0;
                NewEntitlement {
                    user_id: *user_id,
                    target: Target::Course(course.id.uuid()),
                    source: if is_free { Source::Free } else { Source::Grant },
                    expires_at: None,
                    note: if is_free { String::new() } else { reason.to_owned() },
                    granted_by: (!is_free).then_some(granted_by),
                }
            });
            // In the order of their ids, so that two of these transactions cannot deadlock.
            let mut more: BTreeMap<Uuid, i32> = BTreeMap::new();
            for course in entitlements::import(tx, app, &new.collect::<Vec<_>>()).await? {
                *more.entry(course).or_default() += 1;
            }
            for (course, more) in more {
                catalog::students_changed(tx, CourseId::new(course), more).await?;
            }
            Ok(())
        })
        .await
}

/// Ends an entitlement if it has expired.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire(app: &App, id: EntitlementId) -> std::result::Result<(), InternalError> {
    let Some(row) = entitlements::by_id(&mut *app.db.read().await?, id).await? else { return Ok(()) };
    end_one(app, row, EndReason::Expired, |row, now| row.has_expired(now)).await
}

/// Ends all expired entitlements that were not ended by their own job.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire_due(app: &App) -> std::result::Result<(), InternalError> {
    let mut after = (DateTime::<Utc>::MIN_UTC, Uuid::nil());
    loop {
        let expired = entitlements::expired(&mut *app.db.read().await?, app.clock.now(), after).await?;
        let Some(last) = expired.last() else { return Ok(()) };
        after = (last.expires_at.unwrap_or(after.0), last.id.uuid());
        for row in expired {
            end_one(app, row, EndReason::Expired, |row, now| row.has_expired(now)).await?;
        }
    }
}

/// Ends all access of a deleted user and removes their enrollments and players.
///
/// The entitlements stay, for statistics, and refer to an anonymous user.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    loop {
        let open = entitlements::open_of_user(&mut *app.db.read().await?, user).await?;
        if open.is_empty() {
            break;
        }
        for row in open {
            end_one(app, row, EndReason::AccountDeleted, |_, _| true).await?;
        }
    }
    app.db
        .transaction(async |tx| {
            player::forget_user(tx, user).await?;
            enrollment::forget_user(tx, user).await?;
            certificate::forget_user(tx, user).await?;
            entitlements::forget_notes(tx, user).await
        })
        .await
}

/// Ends an entitlement of any scope if it is still open and due.
async fn end_one(
    app: &App,
    row: Entitlement,
    reason: EndReason,
    is_due: fn(&Entitlement, DateTime<Utc>) -> bool,
) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let course = match row.course_id.map(CourseId::new) {
                Some(id) => catalog::hold_course(tx, id).await?.map(|course| course.id),
                None => None,
            };
            accounts::lock_user(tx, row.user_id).await?;
            // Read again under the lock: it may have been extended or ended since.
            let Some(target) = row.target() else { return Ok(()) };
            let open = entitlements::open(tx, row.user_id, target).await?;
            let due = open.iter().find(|open| open.id == row.id && is_due(open, app.clock.now()));
            let Some(due) = due else { return Ok(()) };
            entitlements::end(tx, app, due, reason).await?;
            match course {
                Some(course) => catalog::students_changed(tx, course, -i32::from(open.len() == 1)).await,
                None => Ok(()),
            }
        })
        .await
}

/// Returns the viewer's entitlements and enrollments, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let rows = entitlements::all_of(&mut conn, user, FETCH).await?;
    let learned = enrollment::latest_of(&mut conn, user, FETCH).await?;
    let watched = progress::latest_of(&mut conn, user, FETCH).await?;
    let certificates = certificate::latest_of(&mut conn, user, FETCH).await?;
    drop(conn);
    let row = |row: Entitlement| {
        json!({
            "id": row.id.encode(),
            "scope": row.scope,
            "course": row.course_id.map(|id| CourseId::new(id).encode()),
            "source": row.source,
            "startsAt": row.starts_at,
            "expiresAt": row.expires_at,
            "endedAt": row.ended_at,
            "endReason": row.end_reason,
        })
    };
    let learns = |row: Enrollment| {
        json!({
            "id": row.id.encode(),
            "course": row.course_id.encode(),
            "enrolledAt": row.since,
            "lastActivityAt": row.last_activity_at,
            "completedAt": row.completed_at,
            "watchedSeconds": row.watched_seconds,
        })
    };
    let certified = |row: Certificate| {
        json!({
            "id": row.id.encode(),
            "code": row.code,
            "holderName": row.holder_name,
            "courseTitle": row.course_title,
            "issuedAt": row.issued_at,
            "revokedAt": row.revoked_at,
            "isPublic": row.is_public,
        })
    };
    let progress = |(lesson, state): (LessonId, LessonState)| {
        json!({
            "lesson": lesson.encode(),
            "positionSeconds": state.position_seconds,
            "watchedSeconds": state.watched_seconds,
            "completedAt": state.completed_at,
            "updatedAt": state.updated_at,
        })
    };
    Ok(json!({
        "entitlements": items(rows.into_iter().map(row)),
        "enrollments": items(learned.into_iter().map(learns)),
        "certificates": items(certificates.into_iter().map(certified)),
        "progress": items(watched.into_iter().map(progress)),
    }))
}

/// Gives access and schedules its expiry.
async fn give(tx: &mut Tx, app: &App, new: NewEntitlement) -> std::result::Result<Given, InternalError> {
    let given = entitlements::give(tx, app, new).await?;
    if let Some(at) = given.row.expires_at.filter(|_| given.changed) {
        let key = format!("{EXPIRE}/{}@{}", given.row.id.uuid(), at.timestamp_micros());
        let payload = json!({ "entitlement_id": given.row.id });
        jobs::enqueue_at(tx, &app.clock, EXPIRE, &payload, &key, at).await?;
    }
    Ok(given)
}

async fn record_action(
    tx: &mut Tx,
    app: &App,
    (actor, client): (&Actor, &Client),
    action: Action,
    subject: UserId,
    details: Value,
) -> std::result::Result<(), InternalError> {
    let entry = Entry { action, actor: actor.id(), subject: Some(subject.uuid()), client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await
}
