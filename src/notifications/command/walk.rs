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
use crate::notifications::policy::{self, Way};
use crate::notifications::query::{delivery, push_subscription, setting};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::{channels, discussions, enrollments};

/// The job that walks.
pub(in crate::notifications) const WALK: &str = "notifications.walk";
/// The job that sends.
pub(in crate::notifications) const SEND: &str = "notifications.send";
/// The number of users in a batch.
pub(in crate::notifications) const BATCH: i64 = 500;
/// The number of batches of one run, after which other jobs have their turn.
const BATCHES: usize = 20;

/// Walks the audience of an event, from where an earlier run has stopped.
///
/// # Errors
/// The database failed.
pub(in crate::notifications) async fn walk(app: &App, event: Uuid) -> Result<(), InternalError> {
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
    let new = deliveries(app, &walk, &members).await?;
    let new: Vec<(Uuid, NewDelivery)> = new.into_iter().map(|delivery| (app.clock.uuid(), delivery)).collect();
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            if !delivery::advance(tx, &walk, last, now).await? {
                return Ok::<_, InternalError>(());
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

/// Returns what is to be sent to those of the members who want it.
async fn deliveries(app: &App, walk: &Walk, members: &[UserId]) -> Result<Vec<NewDelivery>, InternalError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<UserById> = members.iter().map(|id| UserById(*id)).collect();
    let people = UserById::load(app, &keys).await?;
    let mut conn = app.db.read().await?;
    let known = Members {
        people,
        settings: setting::of_users(&mut conn, members).await?,
        devices: push_subscription::of_users(&mut conn, members).await?,
    };
    Ok(members.iter().flat_map(|member| known.deliveries(app, walk, *member)).collect())
}

impl Members {
    fn deliveries(&self, app: &App, walk: &Walk, member: UserId) -> Vec<NewDelivery> {
        let now = app.clock.now();
        let person = self.people.get(&UserById(member));
        let Some(person) = person.filter(|person| person.deleted_at.is_none() && !person.is_banned(now)) else {
            return Vec::new();
        };
        if walk.actor_id == Some(member) {
            return Vec::new();
        }
        let none = Settings::default();
        let settings = self.settings.get(&member).unwrap_or(&none);
        let wants = |way| policy::wants(settings, walk.kind, job::default_of(walk.kind), &walk.mute_keys, way);
        let new = |channel, subscription| NewDelivery {
            user_id: member,
            channel,
            subscription,
            slot: policy::slot(settings, person.zone(), channel, now),
        };
        let mut made = Vec::new();
        if has_mail(walk.kind) && wants(Way::Email) {
            made.push(new(DeliveryChannel::Email, None));
        }
        if wants(Way::Push) {
            let devices = self.devices.get(&member).into_iter().flatten();
            made.extend(devices.map(|device| new(DeliveryChannel::Push, Some(device.id))));
        }
        made
    }
}

/// Whether a kind is sent by email. The mails about the security of an account are those of `accounts`.
pub(in crate::notifications) fn has_mail(kind: NotificationKind) -> bool {
    kind != NotificationKind::Security
}
