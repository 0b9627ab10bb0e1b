//! Donations that are repeated, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::viewer;
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::money::Money;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};
use crate::orders::loader::{DonationById, DonationCount, DonationPage};
use crate::orders::model::{CancelDonationInput, Donation, DonationId, DonationStatus};
use crate::orders::{command, policy};

const LIST: &str = "donations";

/// A repeated donation in the schema.
#[derive(Clone)]
pub(super) struct DonationObject(Arc<Donation>);

/// A donation that is repeated each month: a `monthlyDonation` of an order. Each month is an order of its own.
#[Object(name = "Donation")]
impl DonationObject {
    /// The id of the donation.
    async fn id(&self) -> DonationId {
        self.0.id
    }

    /// What is donated each month.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.amount_minor, self.0.currency))
    }

    /// The state.
    async fn status(&self) -> DonationStatus {
        self.0.status()
    }

    /// Whether it is charged to what was paid with first. Otherwise each month is paid on a page: the `checkoutUrl` of
    /// its order, of which the donor is reminded.
    async fn is_charged(&self) -> bool {
        self.0.authorization_id.is_some()
    }

    /// When the next one is ordered; null while one waits for its payment, and after the end.
    async fn next_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_at
    }

    /// When it was ordered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the first one was paid; null until then.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended; null until then.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// Returns a donation to its donor and to administrators.
pub(super) async fn donation_node(ctx: &Context<'_>, id: DonationId) -> Result<Option<DonationObject>> {
    let row = loaders(ctx).load(DonationById(id)).await?;
    Ok(row.filter(|row| policy::can_see(within(ctx, Scope::ReadOrders), row.donor_id)).map(DonationObject))
}

/// The repeated donations of the viewer.
#[derive(Default)]
pub(super) struct ViewerDonations;

#[Object]
impl ViewerDonations {
    /// The user's repeated donations, latest first.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadOrders)",
        directive = scoped::apply(Role::Student, Scope::ReadOrders)
    )]
    async fn donations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<DonationObject>>>> {
        let user = viewer(within(ctx, Scope::ReadOrders))?;
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let rows = loaders(ctx).load(DonationPage(user, page.clone())).await?.unwrap_or_default();
        let cursor = |DonationObject(row): &DonationObject| {
            encode_cursor(LIST, &(row.created_at.timestamp_micros(), row.id.uuid()))
        };
        let connection = page.connection(rows, DonationObject, cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(DonationCount(user)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The payload of `cancelDonation`.
#[derive(SimpleObject)]
struct CancelDonationPayload {
    /// The donation; null if there are `userErrors`.
    donation: Option<Sequential<DonationObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of repeated donations.
#[derive(Default)]
pub(super) struct DonationMutation;

#[Object]
impl DonationMutation {
    /// Ends a repeated donation of the viewer; administrators may end any. What was paid stays so. Its order that waits
    /// for its payment is canceled, unless there is something else in it.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn cancel_donation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The donation to end.")] input: CancelDonationInput,
    ) -> Result<Option<Sequential<CancelDonationPayload>>> {
        let (row, user_errors) = payload(command::cancel_donation(app(ctx), actor(ctx), input).await)?;
        let donation = row.map(|row| Sequential(DonationObject(Arc::new(row))));
        Ok(Some(Sequential(CancelDonationPayload { donation, user_errors })))
    }
}
