//! Finds whom a notification is sent to by email and to devices.
//!
//! A job walks the audience of each event, in batches in the order of the users' ids. How far it has come is stored
//! with each batch, so that it goes on there when it is interrupted, and no user gets two deliveries of one event.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use crate::accounts::{self, User, UserById, UserId};
use crate::catalog::{self, CourseById};
use crate::graphql::loaders::Load;
use crate::notifications::job;
use crate::notifications::model::{
    Audience, DeliveryChannel, NewDelivery, NotificationKind, PushSubscription, Settings, Walk,
};
use crate::notifications::policy;
use crate::notifications::query::{announcement, delivery, push_subscription, setting};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::{channels, discussions, enrollments};

/// The job that walks.
pub(crate) const WALK: &str = "notifications.walk";
/// The job that sends.
pub(crate) const SEND: &str = "notifications.send";
/// The number of users in a batch.
pub(crate) const BATCH: i64 = 500;
/// The number of batches of one run, after which other jobs have their turn.
const BATCHES: usize = 20;

/// Walks the audience of an event, from where an earlier run has stopped.
///
/// # Errors
/// The database failed.
pub(crate) async fn walk(app: &App, event: Uuid) -> Result<(), InternalError> {
    app.db.transaction(async |tx| Ok::<_, InternalError>(delivery::begin_walk(tx, event).await?)).await?;
    for _ in 0..BATCHES {
        if !batch(app, event).await? {
            return Ok(());
        }
    }
    let found = delivery::walk(&mut *app.db.read().await?, event).await?;
    let Some(walk) = found else { return Ok(()) };
    let key = format!("{WALK}/{event}/{}", walk.position.uuid());
    let payload = json!({ "occurrence": event });
    app.db.transaction(async |tx| jobs::enqueue(tx, &app.clock, WALK, &payload, &key).await).await
}

/// Walks one batch; returns whether there are more.
async fn batch(app: &App, event: Uuid) -> Result<bool, InternalError> {
    let found = delivery::walk(&mut *app.db.write().await?.conn(), event).await?;
    let Some(walk) = found else { return Ok(false) };
    let (members, last) = match Audience::parse(&walk.audience) {
        Some(audience) => members(app, audience, walk.position).await?,
        // Only a newer version of the program knows this audience.
        None => (Vec::new(), None),
    };
    let (told, new) = deliveries(app, &walk, &members).await?;
    let new: Vec<(Uuid, NewDelivery)> = new.into_iter().map(|delivery| (app.clock.uuid(), delivery)).collect();
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            if !delivery::advance(tx, &walk, last, now).await? {
                return Ok::<_, InternalError>(());
            }
            if let Some(id) = walk.announcement() {
                announcement::add_delivered(tx, id, told).await?;
            }
            if delivery::insert(tx, &walk, &new, now).await? > 0 {
                let key = format!("{SEND}/{event}/{}", walk.position.uuid());
                jobs::enqueue(tx, &app.clock, SEND, &json!({}), &key).await?;
            }
            Ok(())
        })
        .await?;
    Ok(last.is_some())
}

/// Returns the next members of an audience after a user, and the last one that was looked at if there may be more.
async fn members(app: &App, audience: Audience, after: UserId) -> Result<(Vec<UserId>, Option<UserId>), InternalError> {
    let page = match audience {
        Audience::User(user) => return Ok((vec![user], None)),
        Audience::Team(course) => {
            let course = CourseById(course).load_one(app).await?;
            let team = match course {
                Some(course) => catalog::team_of(app, &course).await?,
                None => Vec::new(),
            };
            return Ok((team, None));
        }
        Audience::Course(course) => return enrollments::students_after(app, course, after, BATCH).await,
        Audience::Channel(channel) => channels::followers_after(app, channel, after, BATCH).await?,
        Audience::Question(question) => discussions::followers_after(app, question, after, BATCH).await?,
        Audience::Role(role) => accounts::users_after(app, Some(role), after, BATCH).await?,
        Audience::Everyone => accounts::users_after(app, None, after, BATCH).await?,
    };
    let last = page.last().copied();
    Ok((page, last))
}

/// How the members of a batch want to be told.
struct Members {
    people: HashMap<UserById, std::sync::Arc<User>>,
    settings: HashMap<UserId, Settings>,
    devices: HashMap<UserId, Vec<PushSubscription>>,
}

/// Returns how many of the members are shown the notification, and what is to be sent to those who want it.
async fn deliveries(app: &App, walk: &Walk, members: &[UserId]) -> Result<(i64, Vec<NewDelivery>), InternalError> {
    if members.is_empty() {
        return Ok((0, Vec::new()));
    }
    let keys: Vec<UserById> = members.iter().map(|id| UserById(*id)).collect();
    let people = UserById::load(app, &keys).await?;
    let mut conn = app.db.read().await?;
    let known = Members {
        people,
        settings: setting::of_users(&mut conn, members).await?,
        devices: push_subscription::of_users(&mut conn, members).await?,
    };
    let made: Vec<Vec<NewDelivery>> =
        members.iter().filter_map(|member| known.deliveries(app, walk, *member)).collect();
    Ok((i64::try_from(made.len()).unwrap_or(i64::MAX), made.into_iter().flatten().collect()))
}

impl Members {
    /// What is to be sent to a member; `None` if they are not shown the notification.
    fn deliveries(&self, app: &App, walk: &Walk, member: UserId) -> Option<Vec<NewDelivery>> {
        let now = app.clock.now();
        let person = self.people.get(&UserById(member))?;
        let none = Settings::default();
        let settings = self.settings.get(&member).unwrap_or(&none);
        let default = job::default_of(walk.kind);
        if !person.is_active(now)
            || walk.actor_id == Some(member)
            || !policy::is_shown(settings, walk.kind, default, &walk.mute_keys)
        {
            return None;
        }
        let wants = |channel| policy::wants(settings, walk.kind, default, channel);
        let new = |channel, subscription| NewDelivery {
            user_id: member,
            channel,
            subscription,
            slot: policy::slot(settings, person.zone(), channel, now),
        };
        let mut made = Vec::new();
        if has_mail(walk.kind) && wants(DeliveryChannel::Email) {
            made.push(new(DeliveryChannel::Email, None));
        }
        if wants(DeliveryChannel::Push) {
            let devices = self.devices.get(&member).into_iter().flatten();
            made.extend(devices.map(|device| new(DeliveryChannel::Push, Some(device.id))));
        }
        Some(made)
    }
}

/// Whether a kind is sent by email. The mails about the security of an account are those of `accounts`.
pub(crate) fn has_mail(kind: NotificationKind) -> bool {
    kind != NotificationKind::Security
}
