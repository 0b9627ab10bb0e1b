//! Ends subscriptions at payment providers that are to charge nothing more.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use super::gateway::wait_after;
use crate::memberships::model::{Membership, ProviderSubscription, SubscriptionState};
use crate::memberships::query::subscription as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::payments;

/// The number of calls at a time.
const IN_FLIGHT: usize = 4;
/// When the provider is asked once more what a subscription has charged that was ended.
const ONCE_MORE: TimeDelta = TimeDelta::hours(1);

/// Has the subscription of a locked membership ended by a job, if it has one: the next period is paid in another way.
/// The caller writes the membership.
pub(crate) async fn release(tx: &mut Tx, app: &App, row: &mut Membership) -> Result<(), InternalError> {
    if let Some(id) = row.subscription_id.take()
        && let Some(provider) = row.provider.take()
    {
        query::set_ending(tx, (provider, &id), app.clock.now()).await?;
    }
    Ok(())
}

/// Tells the providers to end subscriptions, until they have: what fails is tried again after a minute, two, four and
/// so on, and at last every six hours.
///
/// # Errors
/// The database failed.
pub(crate) async fn end_subscriptions(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let due = query::to_end(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        jobs::do_all(stream::iter(due).map(|row| end_one(app, row)).buffer_unordered(IN_FLIGHT)).await?;
    }
    Ok(())
}

async fn end_one(app: &App, row: ProviderSubscription) -> Result<(), InternalError> {
    let ended = payments::end_subscription(app, row.provider, &row.external_id).await;
    if let Err(error) = &ended {
        tracing::warn!(%error, membership = %row.membership_id.uuid(), "a subscription could not be ended yet");
    }
    let (key, now) = ((row.provider, row.external_id.as_str()), app.clock.now());
    app.db
        .transaction(async |tx| {
            match &ended {
                Ok(()) => query::set_ended(tx, key, now + ONCE_MORE).await?,
                Err(_) => {
                    let next = Some(now + wait_after(row.attempts));
                    query::set_asked(tx, (key, SubscriptionState::Ending), next, now).await?
                }
            };
            Ok(())
        })
        .await
}
