//! What channels earn, in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::viewer;
use crate::channels::{Channel, ChannelId, ChannelObject, OwnedBy};
use crate::graphql::YearMonth;
use crate::graphql::context::{actor, app, client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::money::Money;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};
use crate::orders::loader::{EarnedBy, EarnedIn, ItemById, OrderById, PayoutsOf, SaleCount, SalePage};
use crate::orders::model::{
    Earned, Earner, OrderItem, OrderItemKind, Payout, RecordPayoutInput, Sale, SaleFilter, SetChannelShareInput,
};
use crate::orders::{command, error, policy};

const LIST: &str = "sales";

/// What a channel, or a user with all their channels, has earned in a month, in the schema.
pub struct EarningsStatement {
    earner: Earner,
    channels: Arc<Vec<ChannelId>>,
    month: YearMonth,
}

/// What the sales of a channel, or of all channels of a user, have brought in a month: payments, without refunds and
/// disputes of the same month, which may be of earlier sales.
#[Object]
impl EarningsStatement {
    /// The month.
    async fn month(&self) -> YearMonth {
        self.month
    }

    /// What buyers have paid, without taxes, one amount for each currency.
    async fn gross(&self, ctx: &Context<'_>) -> Result<SequentialList<Money>> {
        let earned = self.earned(ctx).await?;
        Ok(SequentialList(earned.iter().map(|row| Money::new(row.gross, row.currency)).collect()))
    }

    /// What of it is the channel's or the channels', one amount for each currency.
    async fn share(&self, ctx: &Context<'_>) -> Result<SequentialList<Money>> {
        let earned = self.earned(ctx).await?;
        Ok(SequentialList(earned.iter().map(|row| Money::new(row.share, row.currency)).collect()))
    }

    /// What was paid out for the month, one amount for each currency.
    async fn paid_out(&self, ctx: &Context<'_>) -> Result<SequentialList<Money>> {
        let payouts = self.payouts(ctx).await?;
        let sum = |rows: &[Payout]| {
            let currency = rows.first()?.currency;
            Some(Money::new(rows.iter().map(|row| row.amount_minor).sum(), currency))
        };
        let by_currency = payouts.chunk_by(|one, other| one.currency == other.currency);
        Ok(SequentialList(by_currency.filter_map(sum).collect()))
    }

    /// When the latest payout for the month was recorded; null if there is none.
    async fn paid_out_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let payouts = self.payouts(ctx).await?;
        Ok(payouts.iter().map(|payout| payout.recorded_at).max())
    }

    /// The statement with a line for each item that was sold or refunded (CSV). The URL works for an hour, for all who
    /// have it.
    async fn csv_url(&self, ctx: &Context<'_>) -> String {
        command::earnings_url(app(ctx), self.earner, self.month)
    }
}

impl EarningsStatement {
    fn of_channel(channel: ChannelId, month: YearMonth) -> EarningsStatement {
        EarningsStatement { earner: Earner::Channel(channel), channels: Arc::new(vec![channel]), month }
    }

    async fn earned(&self, ctx: &Context<'_>) -> Result<Arc<Vec<Earned>>> {
        Ok(loaders(ctx).load(EarnedIn(self.channels.clone(), self.month)).await?.unwrap_or_default())
    }

    async fn payouts(&self, ctx: &Context<'_>) -> Result<Arc<Vec<Payout>>> {
        Ok(loaders(ctx).load(PayoutsOf(self.channels.clone(), self.month)).await?.unwrap_or_default())
    }
}

/// Returns what a channel has earned in a month, to its owner and administrators.
///
/// # Errors
/// The viewer is neither.
pub(crate) fn channel_earnings(ctx: &Context<'_>, channel: &Channel, month: YearMonth) -> Result<EarningsStatement> {
    if !policy::can_see_earnings(within(ctx, Scope::ReadOrders), channel.owner_id) {
        return Err(error::earnings_forbidden());
    }
    Ok(EarningsStatement::of_channel(channel.id, month))
}

/// What the viewer earns.
#[derive(Default)]
pub(super) struct ViewerEarnings;

#[Object]
impl ViewerEarnings {
    /// What the sales of all channels that the user owns have brought them in a month, also of channels that were
    /// deleted since.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadOrders)",
        directive = scoped::apply(Role::Instructor, Scope::ReadOrders)
    )]
    async fn earnings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month.")] month: YearMonth,
    ) -> Result<Option<Sequential<EarningsStatement>>> {
        let owner = viewer(within(ctx, Scope::ReadOrders))?;
        let channels = loaders(ctx).load(OwnedBy(owner)).await?.unwrap_or_default();
        Ok(Some(Sequential(EarningsStatement { earner: Earner::Owner(owner), channels, month })))
    }
}

/// An item of a channel that was sold, in the schema.
#[derive(Clone)]
pub struct SaleObject(Arc<Sale>);

/// An item of a channel that was sold. Who has bought it is not shown.
#[Object(name = "Sale")]
impl SaleObject {
    /// The number of the order.
    async fn order_number(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(item) = self.item(ctx).await? else { return Ok(None) };
        let order = loaders(ctx).load(OrderById(item.order_id)).await?;
        Ok(order.map(|order| order.number.to_string()))
    }

    /// What it is.
    async fn kind(&self, ctx: &Context<'_>) -> Result<Option<OrderItemKind>> {
        Ok(self.item(ctx).await?.map(|item| item.kind))
    }

    /// What it was called when it was sold.
    async fn title(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.item(ctx).await?.map(|item| item.title.clone()))
    }

    /// When it was paid.
    async fn sold_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }

    /// What the buyer has paid, without the tax, after refunds and while there is no dispute.
    async fn gross(&self, ctx: &Context<'_>) -> Result<Sequential<Money>> {
        let (gross, _) = self.earned(ctx).await?;
        Ok(Sequential(Money::new(gross, self.0.currency)))
    }

    /// What of it is the channel's.
    async fn share(&self, ctx: &Context<'_>) -> Result<Sequential<Money>> {
        let (_, share) = self.earned(ctx).await?;
        Ok(Sequential(Money::new(share, self.0.currency)))
    }
}

impl SaleObject {
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Arc<OrderItem>>> {
        match self.0.item_id {
            Some(id) => Ok(loaders(ctx).load(ItemById(id)).await?),
            None => Ok(None),
        }
    }

    /// What buyers have paid, and what of it is the channel's.
    async fn earned(&self, ctx: &Context<'_>) -> Result<(i64, i64)> {
        match self.0.item_id {
            Some(id) => Ok(loaders(ctx).load(EarnedBy(id)).await?.unwrap_or_default()),
            None => Ok((0, 0)),
        }
    }
}

/// Returns what a channel has sold, to its owner and administrators, latest first.
///
/// # Errors
/// The viewer is neither; the arguments are invalid.
pub(crate) async fn channel_sales(
    ctx: &Context<'_>,
    channel: &Channel,
    filter: SaleFilter,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<SaleObject>>>> {
    if !policy::can_see_earnings(within(ctx, Scope::ReadOrders), channel.owner_id) {
        return Err(error::earnings_forbidden());
    }
    let which = filter.which(app(ctx).config.time_zone, channel.id)?;
    let page = args.timed_page(LIST)?;
    let rows = loaders(ctx).load(SalePage(which.clone(), page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, SaleObject, |SaleObject(row)| {
        encode_cursor(LIST, &(row.recorded_at.timestamp_micros(), row.id))
    });
    if !wants_total(ctx) {
        return Ok(Some(Sequential(connection)));
    }
    let total = loaders(ctx).load(SaleCount(which)).await?.unwrap_or_default();
    Ok(Some(Sequential(connection.with_total(total))))
}

/// Returns the URL of a table of what a channel has sold, to its owner and administrators.
///
/// # Errors
/// The viewer is neither; the filter is invalid.
pub(crate) fn channel_sales_csv_url(
    ctx: &Context<'_>,
    channel: &Channel,
    filter: SaleFilter,
) -> Result<Option<String>> {
    let which = filter.which(app(ctx).config.time_zone, channel.id)?;
    command::sales_url(app(ctx), within(ctx, Scope::ReadOrders), channel.owner_id, &which).map(Some)
}

/// The payload of `recordPayout`.
#[derive(SimpleObject)]
struct RecordPayoutPayload {
    /// The statement of the month; null if there are `userErrors`.
    earnings_statement: Option<Sequential<EarningsStatement>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `setChannelShare`.
#[derive(SimpleObject)]
struct SetChannelSharePayload {
    /// The channel; null if there are `userErrors`.
    channel: Option<Sequential<ChannelObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of earnings.
#[derive(Default)]
pub(super) struct EarningsMutation;

#[Object]
impl EarningsMutation {
    /// Records that a channel was paid its share of a month. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn record_payout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payout.")] input: RecordPayoutInput,
    ) -> Result<Option<Sequential<RecordPayoutPayload>>> {
        let month = input.month;
        let recorded = command::record_payout(app(ctx), actor(ctx), client(ctx), input).await;
        let (channel, user_errors) = payload(recorded)?;
        let earnings_statement = channel.map(|channel| Sequential(EarningsStatement::of_channel(channel, month)));
        Ok(Some(Sequential(RecordPayoutPayload { earnings_statement, user_errors })))
    }

    /// Sets what part of its sales is a channel's. It is for payments that come; the audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn set_channel_share(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel and its share.")] input: SetChannelShareInput,
    ) -> Result<Option<Sequential<SetChannelSharePayload>>> {
        let changed = command::set_channel_share(app(ctx), actor(ctx), client(ctx), input).await;
        let (row, user_errors) = payload(changed)?;
        let channel = row.map(|row| Sequential(ChannelObject(Arc::new(row))));
        Ok(Some(Sequential(SetChannelSharePayload { channel, user_errors })))
    }
}
