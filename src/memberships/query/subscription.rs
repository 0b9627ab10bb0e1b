//! SQL for subscriptions at payment providers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::memberships::model::{
    PeriodId, PlanGateway, PlanPrice, PlanPriceId, PlanStatus, ProviderSubscription, SubscriptionState,
};
use crate::platform::db::schema::{membership_periods, plan_gateways, plan_prices, provider_subscriptions};
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::payments::Provider;

/// The number of rows in one batch of a sweep.
const BATCH: i64 = 100;

/// Returns a subscription; `None` if no checkout of this server is known to have started it.
///
/// # Errors
/// The database failed.
pub async fn subscription(
    conn: &mut AsyncPgConnection,
    provider: Provider,
    id: &str,
) -> QueryResult<Option<ProviderSubscription>> {
    let row = provider_subscriptions::table.find((provider, id)).select(ProviderSubscription::as_select());
    row.first(conn).await.optional()
}

/// Returns a batch of subscriptions about which the provider is to be asked, the longest due first.
///
/// # Errors
/// The database failed.
pub async fn subscriptions_to_ask(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> QueryResult<Vec<ProviderSubscription>> {
    provider_subscriptions::table
        .filter(provider_subscriptions::check_at.le(now))
        .filter(provider_subscriptions::state.ne(SubscriptionState::Ending))
        .order(provider_subscriptions::check_at)
        .limit(BATCH)
        .select(ProviderSubscription::as_select())
        .load(conn)
        .await
}

/// Returns a batch of subscriptions that the provider is to be told to end, the longest due first.
pub(crate) async fn to_end(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<ProviderSubscription>> {
    provider_subscriptions::table
        .filter(provider_subscriptions::check_at.le(now))
        .filter(provider_subscriptions::state.eq(SubscriptionState::Ending))
        .order(provider_subscriptions::check_at)
        .limit(BATCH)
        .select(ProviderSubscription::as_select())
        .load(conn)
        .await
}

/// Inserts a subscription; returns whether it is new.
pub(crate) async fn insert(tx: &mut Tx, new: &ProviderSubscription) -> QueryResult<bool> {
    let insert = diesel::insert_into(provider_subscriptions::table).values(new).on_conflict_do_nothing();
    Ok(insert.execute(tx.conn()).await? == 1)
}

/// Has the provider told to end a subscription, unless it has ended.
pub(crate) async fn set_ending(
    tx: &mut Tx,
    (provider, id): (Provider, &str),
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(provider_subscriptions::table.find((provider, id)))
        .filter(provider_subscriptions::state.eq(SubscriptionState::Active))
        .set((
            provider_subscriptions::state.eq(SubscriptionState::Ending),
            provider_subscriptions::check_at.eq(now),
            provider_subscriptions::attempts.eq(0),
        ))
        .execute(tx.conn())
        .await
}

/// Keeps that a subscription has ended; the provider is asked about it once more.
pub(crate) async fn set_ended(
    tx: &mut Tx,
    (provider, id): (Provider, &str),
    check_at: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(provider_subscriptions::table.find((provider, id)))
        .set((
            provider_subscriptions::state.eq(SubscriptionState::Ended),
            provider_subscriptions::check_at.eq(check_at),
            provider_subscriptions::attempts.eq(0),
        ))
        .execute(tx.conn())
        .await
}

/// Keeps that a subscription has charged, or was started: the provider is asked about it at a time.
pub(crate) async fn set_charged(
    tx: &mut Tx,
    (provider, id): (Provider, &str),
    check_at: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(provider_subscriptions::table.find((provider, id)))
        .filter(provider_subscriptions::state.eq(SubscriptionState::Active))
        .set((provider_subscriptions::check_at.eq(check_at), provider_subscriptions::attempts.eq(0)))
        .execute(tx.conn())
        .await
}

/// Keeps that the provider was asked about a subscription in this state that is still due, or told to end it, and when
/// that is done next.
pub(crate) async fn set_asked(
    tx: &mut Tx,
    ((provider, id), state): ((Provider, &str), SubscriptionState),
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(provider_subscriptions::table.find((provider, id)))
        .filter(provider_subscriptions::state.eq(state).and(provider_subscriptions::check_at.le(now)))
        .set((
            provider_subscriptions::check_at.eq(next),
            provider_subscriptions::attempts.eq(provider_subscriptions::attempts + 1),
        ))
        .execute(tx.conn())
        .await
}

/// Returns the id of a price at a provider where it is ready.
pub(crate) async fn plan_at(
    conn: &mut AsyncPgConnection,
    price: PlanPriceId,
    provider: Provider,
) -> QueryResult<Option<String>> {
    let id: Option<Option<String>> = plan_gateways::table
        .find((price, provider))
        .filter(plan_gateways::status.eq(PlanStatus::Active))
        .select(plan_gateways::external_id)
        .first(conn)
        .await
        .optional()?;
    Ok(id.flatten())
}

/// Returns the price of a period with its id at a provider; `None` if it has none there.
///
/// # Errors
/// The database failed.
pub async fn price_at(
    conn: &mut AsyncPgConnection,
    period: PeriodId,
    provider: Provider,
) -> QueryResult<Option<(PlanPrice, String)>> {
    let found: Option<(PlanPrice, PlanGateway)> = membership_periods::table
        .inner_join(plan_prices::table.inner_join(plan_gateways::table))
        .filter(membership_periods::id.eq(period).and(plan_gateways::provider.eq(provider)))
        .select((PlanPrice::as_select(), PlanGateway::as_select()))
        .first(conn)
        .await
        .optional()?;
    Ok(found.and_then(|(price, gateway)| Some((price, gateway.external_id?))))
}
