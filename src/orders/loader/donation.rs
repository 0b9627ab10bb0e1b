//! Loads repeated donations.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::orders::model::{Donation, DonationId};
use crate::orders::query::donation;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One repeated donation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DonationById(pub DonationId);

impl Load for DonationById {
    type Value = Arc<Donation>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Donation>>, InternalError> {
        let ids: Vec<DonationId> = keys.iter().map(|key| key.0).collect();
        let rows = donation::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (DonationById(row.id), Arc::new(row))).collect())
    }
}

/// A page of a user's repeated donations, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DonationPage(pub UserId, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for DonationPage {
    type Value = Vec<Arc<Donation>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app
            .db
            .read_each(keys, |conn, DonationPage(user, page)| donation::page(conn, *user, page).map_ok(shared).boxed());
        read.await
    }
}

/// The number of a user's repeated donations.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DonationCount(pub UserId);

impl Load for DonationCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| donation::count(conn, key.0).boxed()).await
    }
}
