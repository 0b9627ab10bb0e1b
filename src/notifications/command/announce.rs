//! Commands for announcements.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::create::create_in;
use crate::accounts::{self, UserId, viewer};
use crate::catalog::{self, CourseById};
use crate::channels::{ChannelById, FollowerCount};
use crate::entitlements;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::notifications::error;
use crate::notifications::event::NotificationsMarked;
use crate::notifications::model::{
    Announcement, AnnouncementId, Audience, AudienceInput, CancelAnnouncementInput, CreateAnnouncementInput, Facts,
    NewNotification, NotificationKind,
};
use crate::notifications::policy::can_announce;
use crate::notifications::query::announcement::{self as query, NewAnnouncement};
use crate::notifications::query::create;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::{jobs, outbox};

/// The job that publishes an announcement.
pub(crate) const PUBLISH: &str = "notifications.publish_announcement";

const LONGEST_TITLE: usize = 150;
const LONGEST_BODY: usize = 2000;
/// How far in the future an announcement may be scheduled.
const FURTHEST: TimeDelta = TimeDelta::days(366);
/// The number of announcements that a user writes within 24 hours.
const MOST_A_DAY: usize = 20;

/// The number of reports that are kept in one transaction.
const REPORTS: i64 = 20;

/// What [`create_announcement`] has done.
pub struct Announced {
    /// The announcement; `None` if the input was only checked.
    pub announcement: Option<Arc<Announcement>>,
    /// The number of users in the audience now.
    pub audience_size: i64,
}

/// Announces something, or only checks the input and counts the audience.
///
/// # Errors
/// The input is invalid; the actor may not announce anything to the audience, or has announced too much today.
pub async fn create_announcement(
    loaders: &Loaders,
    actor: &Actor,
    client: &Client,
    input: CreateAnnouncementInput,
) -> Result<Announced> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let now = app.clock.now();
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    let body = check.required_text("body", &input.body, LONGEST_BODY);
    let publish_at = input.publish_at.map_or(now, |time| time.0);
    if publish_at < now || publish_at > now + FURTHEST {
        check.error(UserErrorCode::OutOfRange, "publishAt", "This must be within the next year.");
    }
    if matches!(input.audience, AudienceInput::Everyone(false)) {
        check.error(UserErrorCode::Invalid, "audience", "everyone is true, or choose another audience.");
    }
    check.finish()?;
    let audience = Audience::from(&input.audience);
    if !may_announce(loaders, actor, audience).await? {
        return Err(error::no_such_audience());
    }
    let audience_size = size_of(loaders, audience).await?;
    if input.dry_run {
        return Ok(Announced { announcement: None, audience_size });
    }
    let made = app
        .db
        .transaction(async |tx| {
            let claimed =
                match input.once.claim::<Announcement>(tx, app, user.uuid(), "createAnnouncement", &input).await? {
                    Turn::Create(claimed) => claimed,
                    Turn::Repeat(id) => return query::lock(tx, id).await?.ok_or_else(gone),
                };
            admit(tx, app, user).await?;
            let new = NewAnnouncement {
                id: AnnouncementId::new(app.clock.uuid()),
                author_id: user,
                audience: &audience.to_string(),
                title: &title,
                body: &body,
                publish_at,
                created_at: now,
            };
            let made = query::insert(tx, &new).await?;
            claimed.keep(tx, made.id.uuid()).await?;
            let key = format!("{PUBLISH}/{}", made.id.uuid());
            jobs::enqueue_at(tx, &app.clock, PUBLISH, &json!({ "announcement": made.id }), &key, publish_at).await?;
            note(tx, app, actor, client, (Action::AnnouncementCreated, &made)).await?;
            Ok::<_, Error>(made)
        })
        .await?;
    Ok(Announced { announcement: Some(Arc::new(made)), audience_size })
}

/// Notes in the audit trail what was done to an announcement.
async fn note(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    client: &Client,
    (action, row): (Action, &Announcement),
) -> std::result::Result<(), InternalError> {
    let details = json!({ "announcementId": row.id.encode(), "title": row.title });
    let entry = Entry { action, actor: actor.id(), subject: Some(row.author_id.uuid()), client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await
}

/// Locks the author, who must not have announced too much today.
async fn admit(tx: &mut Tx, app: &App, user: UserId) -> Result<()> {
    if !accounts::lock_user(tx, user).await? {
        return Err(Error::Unauthenticated("The account was deleted.".into()));
    }
    // The ids sort by time.
    let day_ago = u64::try_from((app.clock.now() - TimeDelta::hours(24)).timestamp_millis()).unwrap_or_default();
    let since = uuid::Builder::from_unix_timestamp_millis(day_ago, &[0; 10]).into_uuid();
    if query::count_lately(tx, user, since, i64::try_from(MOST_A_DAY)?).await? >= MOST_A_DAY {
        return Err(error::announced_too_often(MOST_A_DAY));
    }
    Ok(())
}

/// Whether the actor may announce something to an audience, which must exist.
async fn may_announce(
    loaders: &Loaders,
    actor: &Actor,
    audience: Audience,
) -> std::result::Result<bool, InternalError> {
    let is_own = match audience {
        Audience::Course(id) => match loaders.load(CourseById(id)).await? {
            Some(course) => catalog::is_in_team(loaders, actor, &course).await?,
            None => return Ok(false),
        },
        Audience::Channel(id) => match loaders.load(ChannelById(id)).await? {
            Some(channel) => actor.is(channel.owner_id),
            None => return Ok(false),
        },
        Audience::User(_) | Audience::Team(_) | Audience::Question(_) | Audience::Role(_) | Audience::Everyone => false,
    };
    Ok(can_announce(actor, audience, is_own))
}

/// Returns about how many users are in an audience: of a course, those who have an entitlement to it.
pub async fn size_of(loaders: &Loaders, audience: Audience) -> std::result::Result<i64, InternalError> {
    let app = loaders.app();
    Ok(match audience {
        Audience::Course(id) => {
            let counts = entitlements::count_students(&mut *app.db.read().await?, &[id.uuid()]).await?;
            counts.get(&id.uuid()).copied().unwrap_or_default().into()
        }
        Audience::Channel(id) => loaders.load(FollowerCount(id)).await?.unwrap_or_default().into(),
        Audience::Role(role) => accounts::count_users(&mut *app.db.read().await?, Some(role)).await?,
        Audience::Everyone => accounts::count_users(&mut *app.db.read().await?, None).await?,
        Audience::User(_) | Audience::Team(_) | Audience::Question(_) => 1,
    })
}

/// Publishes an announcement that is due: one notification, however many users it reaches. Nothing if it was canceled or
/// published, or if its author may not announce it anymore.
///
/// # Errors
/// The database failed.
pub(crate) async fn publish_announcement(app: &App, id: AnnouncementId) -> std::result::Result<(), InternalError> {
    let loaders = Loaders::new(app.clone());
    let row = query::by_ids(&mut *app.db.read().await?, &[id]).await?.pop();
    let Some(Announcement { author_id, audience, .. }) = row else { return Ok(()) };
    let Some(audience) = Audience::parse(&audience) else { return Ok(()) };
    let Some(author) = accounts::actor_now(app, author_id, None).await? else { return Ok(()) };
    if !may_announce(&loaders, &author, audience).await? {
        return Ok(());
    }
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let row = query::lock(tx, id).await?;
            let due = row.filter(|row| row.canceled_at.is_none() && row.published_at.is_none());
            let Some(row) = due else { return Ok(()) };
            query::publish(tx, id, now).await?;
            create_in(tx, app, &notification(&row, audience)).await?;
            Ok(())
        })
        .await
}

fn notification(row: &Announcement, audience: Audience) -> NewNotification {
    let (subject, mute_keys) = match audience {
        Audience::Course(id) => (id.encode(), vec![audience]),
        Audience::Channel(id) => (id.encode(), vec![audience]),
        _ => (String::new(), Vec::new()),
    };
    NewNotification {
        kind: NotificationKind::Announcement,
        audience,
        group: row.id.uuid().to_string(),
        subject,
        mute_keys,
        actor: Some(row.author_id),
        occurrence: row.id.uuid().to_string(),
        facts: Facts { announcement: Some(row.id), ..Facts::default() },
    }
}

/// Cancels an announcement. One that is published is withdrawn: it is shown no longer.
///
/// # Errors
/// There is no such announcement; the actor is neither its author nor an administrator.
pub async fn cancel_announcement(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: CancelAnnouncementInput,
) -> Result<Arc<Announcement>> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let row = query::lock(tx, input.announcement_id).await?;
            let row = row.filter(|row| can_see(actor, row)).ok_or_else(error::no_such_announcement)?;
            if row.canceled_at.is_some() {
                return Ok(Arc::new(row));
            }
            if let (Some(_), Some(audience)) = (row.published_at, Audience::parse(&row.audience)) {
                // With the notification, the rows of what was sent are deleted.
                query::keep_reports(tx, &[row.id]).await?;
                let shown = notification(&row, audience);
                create::delete_group(tx, &row.audience, &shown.group_key()).await?;
                outbox::record(tx, &app.clock, &NotificationsMarked::of(audience)).await?;
            }
            let row = query::cancel(tx, row.id, now).await?;
            note(tx, app, actor, client, (Action::AnnouncementCanceled, &row)).await?;
            Ok(Arc::new(row))
        })
        .await
}

/// Keeps the reports of announcements whose deliveries are deleted soon: those that were published before `before`.
///
/// # Errors
/// The database failed.
pub(crate) async fn keep_reports(app: &App, before: DateTime<Utc>) -> std::result::Result<(), InternalError> {
    loop {
        let ids = query::without_report(&mut *app.db.read().await?, before, REPORTS).await?;
        if ids.is_empty() {
            return Ok(());
        }
        app.db.transaction(async |tx| Ok::<_, InternalError>(query::keep_reports(tx, &ids).await?)).await?;
    }
}

/// Whether the actor may see and cancel an announcement: its author and administrators may.
pub fn can_see(actor: &Actor, row: &Announcement) -> bool {
    actor.is(row.author_id) || actor.has(crate::platform::auth::Role::Admin)
}
