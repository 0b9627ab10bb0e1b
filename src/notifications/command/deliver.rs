//! Prepares what is due to be sent, and records what became of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::try_join_all;
use serde_json::json;
use uuid::Uuid;

use super::audience::audiences_of;
use super::render::render;
use super::walk::{SEND, has_mail};
use crate::accounts::{self, SessionId, User, UserById};
use crate::graphql::loaders::Loaders;
use crate::notifications::job;
use crate::notifications::loader::{NotificationFor, SettingsOf};
use crate::notifications::model::{
    Delivery, DeliveryChannel, Notification, Outcome, Parcel, PushSubscription, PushSubscriptionId, Text,
};
use crate::notifications::policy;
use crate::notifications::query::{delivery, push_subscription};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::mail::suppression;

/// The number of deliveries that are leased at once.
const LEASED: i64 = 64;
/// How long a lease lasts. What a node has leased at once is sent well within it; see `job/send.rs`.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// The number of attempts after which a delivery has failed.
const ATTEMPTS: i32 = 10;
/// The longest wait between attempts.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// What is sent to a user.
pub(crate) struct Ready {
    pub(crate) parcel: Parcel,
    pub user: Arc<User>,
    /// The device, unless it is sent by email.
    pub device: Option<PushSubscription>,
    /// At least one; several only in a digest.
    pub(crate) shown: Vec<(Arc<Notification>, Text)>,
}

/// Leases what is due to be sent, and reads what it says. What does not have to be sent anymore ends here: its user has
/// read it, may not see it, does not want it or cannot be reached. Returns `None` if nothing is due.
///
/// # Errors
/// The database failed. What was leased is due again after the lease.
pub(crate) async fn lease(app: &App) -> Result<Option<Vec<Ready>>, InternalError> {
    let now = app.clock.now();
    let lease = async |tx: &mut Tx| Ok::<_, InternalError>(delivery::lease(tx, now, now + LEASE, LEASED).await?);
    let leased = app.db.transaction(lease).await?;
    if leased.is_empty() {
        return Ok(None);
    }
    let loaders = Loaders::new(app.clone());
    let ids: Vec<Uuid> = leased.iter().map(|delivery| delivery.id).collect();
    let parcels = Parcel::group(leased);
    let read = try_join_all(parcels.into_iter().map(|parcel| read(&loaders, parcel))).await?;
    let (ready, suppressed) = reachable(app, read.into_iter().flatten().collect()).await?;
    let known: HashSet<Uuid> = ready.iter().chain(&suppressed).flat_map(Ready::ids).collect();
    let skipped: Vec<Uuid> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    let suppressed: Vec<Uuid> = suppressed.iter().flat_map(Ready::ids).collect();
    for (ended, outcome) in [(skipped, Outcome::Skipped), (suppressed, Outcome::Suppressed)] {
        if !ended.is_empty() {
            delivery::end(&mut app.db.write().await?, &ended, outcome, None, now).await?;
        }
    }
    Ok(Some(ready))
}

/// Reads what a parcel says; `None` if none of it has to be sent.
async fn read(loaders: &Loaders, parcel: Parcel) -> Result<Option<Ready>, InternalError> {
    let (id, user) = (parcel.id, parcel.user_id);
    let (row, settings) = tokio::try_join!(loaders.load(UserById(user)), loaders.load(SettingsOf(user)))?;
    let Some(row) = row else { return Ok(None) };
    let Some(actor) = accounts::actor_of(&row, loaders.app().clock.now()) else { return Ok(None) };
    let (audiences, settings) = (audiences_of(loaders, user).await?, settings.unwrap_or_default());
    let reading = parcel.deliveries.into_iter().map(async |delivery| {
        let key = NotificationFor { audiences: audiences.clone(), id: delivery.notification_id };
        let found = loaders.load(key).await?.filter(|shown| shown.read_at.is_none() && shown.archived_at.is_none());
        let Some(shown) = found else { return Ok(None) };
        let has_target = match delivery.channel {
            DeliveryChannel::Email => has_mail(shown.kind),
            DeliveryChannel::Push => delivery.push_subscription_id.is_some(),
        };
        if !has_target {
            return Ok(None);
        }
        // Whether it is shown was asked when it was loaded.
        if !policy::wants(&settings, shown.kind, job::default_of(shown.kind), delivery.channel) {
            return Ok(None);
        }
        let text = render(loaders, &actor, &shown).await?;
        Ok::<_, InternalError>(Some((delivery, (shown, text))))
    });
    let (deliveries, shown): (Vec<Delivery>, Vec<_>) = try_join_all(reading).await?.into_iter().flatten().unzip();
    let is_digest = parcel.is_digest;
    let parcel = Parcel { id, user_id: user, is_digest, deliveries };
    Ok((!shown.is_empty()).then_some(Ready { parcel, user: row, device: None, shown }))
}

/// Returns what can be sent: emails to addresses that work, and messages to devices whose sessions have not ended; and the
/// emails to addresses that do not work. Devices of ended sessions are deleted.
async fn reachable(app: &App, all: Vec<Ready>) -> Result<(Vec<Ready>, Vec<Ready>), InternalError> {
    let mails = all.iter().filter(|ready| ready.device_id().is_none());
    let addresses: Vec<String> = mails.map(|ready| ready.user.email.clone()).collect();
    let devices: Vec<Uuid> = all.iter().filter_map(Ready::device_id).map(|id| id.uuid()).collect();
    let mut conn = app.db.read().await?;
    let suppressed = suppression::suppressed(&mut conn, addresses.iter().map(String::as_str)).await?;
    let devices = push_subscription::by_ids(&mut conn, &devices).await?;
    drop(conn);
    let sessions: Vec<SessionId> = devices.iter().map(|device| device.session_id).collect();
    let live = accounts::live_sessions(app, &sessions).await?;
    let (devices, dead): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| live.contains(&device.session_id));
    for device in dead {
        push_subscription::drop_dead(&mut app.db.write().await?, device.id).await?;
    }
    let devices: HashMap<PushSubscriptionId, PushSubscription> =
        devices.into_iter().map(|device| (device.id, device)).collect();
    let kept = all.into_iter().filter_map(|ready| match ready.device_id() {
        Some(id) => Some(Ready { device: Some(devices.get(&id)?.clone()), ..ready }),
        None => Some(ready),
    });
    Ok(kept.partition(|ready| ready.device.is_some() || !suppressed.contains(&*ready.user.email)))
}

impl Ready {
    fn device_id(&self) -> Option<PushSubscriptionId> {
        self.parcel.deliveries.first()?.push_subscription_id
    }

    fn ids(&self) -> Vec<Uuid> {
        self.parcel.deliveries.iter().map(|delivery| delivery.id).collect()
    }
}

/// Records that something was sent.
///
/// # Errors
/// The database failed: it will be sent again, with the same id.
pub(crate) async fn sent(app: &App, ready: &Ready) -> Result<(), InternalError> {
    let now = app.clock.now();
    let mut writer = app.db.write().await?;
    delivery::end(&mut writer, &ready.ids(), Outcome::Sent, None, now).await?;
    if let Some(device) = &ready.device {
        push_subscription::used(&mut writer, device.id, now).await?;
    }
    Ok(())
}

/// Records that something could not be sent, and never will.
///
/// # Errors
/// The database failed.
pub(crate) async fn rejected(app: &App, ready: &Ready, error: &str) -> Result<(), InternalError> {
    let now = app.clock.now();
    delivery::end(&mut app.db.write().await?, &ready.ids(), Outcome::Failed, Some(error), now).await?;
    Ok(())
}

/// Plans another attempt, after the time that the service has stated or a growing one; gives up after the tenth.
///
/// # Errors
/// The database failed.
pub(crate) async fn postponed(
    app: &App,
    ready: &Ready,
    wait: Option<Duration>,
    error: &str,
) -> Result<(), InternalError> {
    let attempts = ready.parcel.deliveries.iter().map(|delivery| delivery.attempts).max().unwrap_or_default();
    if attempts >= ATTEMPTS {
        return rejected(app, ready, error).await;
    }
    let growing = TimeDelta::minutes(1 << attempts.clamp(1, 6)) / 2;
    let stated = wait.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default();
    let at = app.clock.now() + growing.max(stated).min(LONGEST_WAIT);
    delivery::retry(&mut app.db.write().await?, &ready.ids(), error, at).await?;
    Ok(())
}

/// Records that a device does not exist anymore, and deletes it. What else was to be sent to it ends when it is due.
///
/// # Errors
/// The database failed.
pub(crate) async fn device_gone(app: &App, ready: &Ready, id: PushSubscriptionId) -> Result<(), InternalError> {
    rejected(app, ready, "the device has unsubscribed").await?;
    push_subscription::drop_dead(&mut app.db.write().await?, id).await?;
    Ok(())
}

/// Enqueues another run of the job that sends.
///
/// # Errors
/// The database failed.
pub(crate) async fn send_more(app: &App) -> Result<(), InternalError> {
    let key = format!("{SEND}/{}", app.clock.uuid());
    app.db.transaction(async |tx| jobs::enqueue(tx, &app.clock, SEND, &json!({}), &key).await).await
}
