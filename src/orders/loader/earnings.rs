//! Loads what channels earn.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use crate::channels::ChannelId;
use crate::graphql::YearMonth;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::orders::model::{Earned, OrderItemId, Payout, Sale, SaleWhich};
use crate::orders::query::ledger;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// What the sales of channels have brought them in a month, by currency.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EarnedIn(pub Arc<Vec<ChannelId>>, pub YearMonth);

impl Load for EarnedIn {
    type Value = Arc<Vec<Earned>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, EarnedIn(channels, month)| {
            ledger::earned(conn, channels, month.bounds(app.config.time_zone)).map_ok(Arc::new).boxed()
        });
        read.await
    }
}

/// What channels were paid for a month, by currency.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PayoutsOf(pub Arc<Vec<ChannelId>>, pub YearMonth);

impl Load for PayoutsOf {
    type Value = Arc<Vec<Payout>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, PayoutsOf(channels, month)| {
            ledger::payouts_of(conn, channels, month.first_day()).map_ok(Arc::new).boxed()
        });
        read.await
    }
}

/// What the sale of an item has brought its channel: what was paid without the tax, and the channel's share.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EarnedBy(pub OrderItemId);

impl Load for EarnedBy {
    type Value = (i64, i64);

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, (i64, i64)>, InternalError> {
        let ids: Vec<OrderItemId> = keys.iter().map(|key| key.0).collect();
        let rows = ledger::earned_by_items(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (EarnedBy(row.item_id), (row.gross, row.share))).collect())
    }
}

/// A page of what a channel has sold, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SalePage(pub SaleWhich, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for SalePage {
    type Value = Vec<Arc<Sale>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app
            .db
            .read_each(keys, |conn, SalePage(which, page)| ledger::sales(conn, which, page).map_ok(shared).boxed());
        read.await
    }
}

/// The number of items that a channel has sold.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SaleCount(pub SaleWhich);

impl Load for SaleCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| ledger::sale_count(conn, &key.0).boxed()).await
    }
}
