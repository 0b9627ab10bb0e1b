//! What channels earn, and are paid.

use async_graphql::InputObject;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{self, BigInt, Text, Timestamptz};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Movement, OrderItemId};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::channels::ChannelId;
use crate::graphql::YearMonth;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::platform::db::schema::{ledger_entries, payouts};

/// Whose earnings a statement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::orders) enum Earner {
    /// A channel's.
    Channel(ChannelId),
    /// Those of all channels of a user, also of those that were deleted since.
    Owner(UserId),
}

/// What sales have brought channels in a currency. Amounts are in minor units, without taxes, after refunds.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Earned {
    #[diesel(sql_type = Text)]
    pub(in crate::orders) currency: CurrencyCode,
    /// What buyers have paid.
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) gross: i64,
    /// What of it is the channel's.
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) share: i64,
}

/// The same of one item.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct ItemEarned {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(in crate::orders) item_id: OrderItemId,
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) gross: i64,
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) share: i64,
}

/// What the school owes a channel, in minor units.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Owed {
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) amount: i64,
}

/// A line of a statement: what a payment, a refund or a dispute of an item has entered.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct EarningsLine {
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::orders) recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(in crate::orders) transaction_id: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(in crate::orders) item_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(in crate::orders) kind: Movement,
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) number: i64,
    #[diesel(sql_type = Text)]
    pub(in crate::orders) title: String,
    #[diesel(sql_type = Text)]
    pub(in crate::orders) currency: CurrencyCode,
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) gross: i64,
    #[diesel(sql_type = BigInt)]
    pub(in crate::orders) share: i64,
}

/// A filter for what a channel has sold; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SaleFilter {
    /// What was sold in this month.
    pub(in crate::orders) month: Option<YearMonth>,
    /// Sales of this course, also as gifts. Memberships are not found by it.
    pub(in crate::orders) course_id: Option<CourseId>,
    /// A number: sales of the order with it. Another text: sales of items whose title contains it; case is ignored. At most
    /// 100 characters.
    pub(in crate::orders) query: Option<String>,
}

/// The sales in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::orders) struct SaleWhich {
    /// The channel.
    pub(in crate::orders) channel: ChannelId,
    /// From the first time on and before the second one; `None` for always.
    pub(in crate::orders) within: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// A course.
    pub(in crate::orders) course: Option<CourseId>,
    /// The number of the order, or a part of the title of the item.
    pub(in crate::orders) query: Option<String>,
}

/// An item of a channel that was sold.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = ledger_entries, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Sale {
    /// The id of the entry.
    pub(in crate::orders) id: Uuid,
    pub(in crate::orders) item_id: Option<OrderItemId>,
    pub(in crate::orders) currency: CurrencyCode,
    pub(in crate::orders) recorded_at: DateTime<Utc>,
}

/// Money that was paid out to a channel.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = payouts, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Payout {
    pub(in crate::orders) id: Uuid,
    pub(in crate::orders) channel_id: ChannelId,
    /// The first day of the month that it is for.
    pub(in crate::orders) month: NaiveDate,
    /// The amount in minor units.
    pub(in crate::orders) amount_minor: i64,
    pub(in crate::orders) currency: CurrencyCode,
    /// What the bank calls it.
    pub(in crate::orders) reference: String,
    pub(in crate::orders) recorded_by: UserId,
    pub(in crate::orders) recorded_at: DateTime<Utc>,
}

/// The input of `recordPayout`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::orders) struct RecordPayoutInput {
    /// The channel, which may be deleted.
    pub(in crate::orders) channel_id: ChannelId,
    /// The month that it is for, which is over. There is one payout for a month in each currency.
    pub(in crate::orders) month: YearMonth,
    /// The amount, at most what the school owes the channel in this currency.
    pub(in crate::orders) amount: MoneyInput,
    /// What the bank calls the transfer, 1 to 200 characters.
    pub(in crate::orders) reference: String,
}

/// The input of `setChannelShare`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::orders) struct SetChannelShareInput {
    /// The channel.
    pub(in crate::orders) channel_id: ChannelId,
    /// What part of the sales that come is the channel's, in percent of the price without tax, 0 to 100; omit for the
    /// default of the server.
    pub(in crate::orders) percent: Option<i32>,
}
