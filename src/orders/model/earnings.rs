//! What channels earn, and are paid.

use async_graphql::InputObject;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{self, BigInt, Text, Timestamptz};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::list::searched;
use super::{Movement, OrderItemId};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::channels::ChannelId;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Result, YearMonth};
use crate::platform::db::schema::{ledger_entries, payouts};

/// Whose earnings a statement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earner {
    /// A channel's.
    Channel(ChannelId),
    /// Those of all channels of a user, also of those that were deleted since.
    Owner(UserId),
}

/// What sales have brought channels in a currency. Amounts are in minor units, without taxes, after refunds.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct Earned {
    /// The currency.
    #[diesel(sql_type = Text)]
    pub currency: CurrencyCode,
    /// What buyers have paid.
    #[diesel(sql_type = BigInt)]
    pub gross: i64,
    /// What of it is the channel's.
    #[diesel(sql_type = BigInt)]
    pub share: i64,
}

/// The same of one item.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct ItemEarned {
    #[diesel(sql_type = sql_types::Uuid)]
    pub item_id: OrderItemId,
    #[diesel(sql_type = BigInt)]
    pub gross: i64,
    #[diesel(sql_type = BigInt)]
    pub share: i64,
}

/// What the school owes a channel, in minor units.
#[derive(Clone, Copy, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct Owed {
    #[diesel(sql_type = BigInt)]
    pub amount: i64,
}

/// A line of a statement: what a payment, a refund or a dispute of an item has entered.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct EarningsLine {
    /// When it was recorded.
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) transaction_id: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    pub item_id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: Movement,
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = Text)]
    pub title: String,
    /// The currency.
    #[diesel(sql_type = Text)]
    pub currency: CurrencyCode,
    #[diesel(sql_type = BigInt)]
    pub gross: i64,
    #[diesel(sql_type = BigInt)]
    pub share: i64,
}

/// A filter for what a channel has sold; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SaleFilter {
    /// What was sold in this month.
    pub month: Option<YearMonth>,
    /// Sales of this course, also as gifts. Memberships are not found by it.
    pub course_id: Option<CourseId>,
    /// A number: sales of the order with it. Another text: sales of items whose title contains it; case is ignored. At most
    /// 100 characters.
    pub query: Option<String>,
}

impl SaleFilter {
    /// Returns what of a channel is listed, with months in a time zone.
    ///
    /// # Errors
    /// The text is too long.
    pub fn which(self, zone: Tz, channel: ChannelId) -> Result<SaleWhich> {
        Ok(SaleWhich {
            channel,
            within: self.month.map(|month| month.bounds(zone)),
            course: self.course_id,
            query: searched("query", self.query)?,
        })
    }
}

/// The sales in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SaleWhich {
    /// The channel.
    pub channel: ChannelId,
    /// From the first time on and before the second one; `None` for always.
    pub within: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// A course.
    pub course: Option<CourseId>,
    /// The number of the order, or a part of the title of the item.
    pub query: Option<String>,
}

/// An item of a channel that was sold.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = ledger_entries, check_for_backend(diesel::pg::Pg))]
pub struct Sale {
    /// The id of the entry.
    pub id: Uuid,
    /// What was sold.
    pub item_id: Option<OrderItemId>,
    /// The currency.
    pub currency: CurrencyCode,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// Money that was paid out to a channel.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = payouts, check_for_backend(diesel::pg::Pg))]
pub struct Payout {
    /// The id.
    pub id: Uuid,
    pub(crate) channel_id: ChannelId,
    /// The first day of the month that it is for.
    pub month: NaiveDate,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: CurrencyCode,
    /// What the bank calls it.
    pub reference: String,
    pub(crate) recorded_by: UserId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// The input of `recordPayout`.
#[derive(Clone, Debug, InputObject)]
pub struct RecordPayoutInput {
    /// The channel, which may be deleted.
    pub(crate) channel_id: ChannelId,
    /// The month that it is for, which is over. There is one payout for a month in each currency.
    pub month: YearMonth,
    /// The amount, at most what the school owes the channel in this currency.
    pub amount: MoneyInput,
    /// What the bank calls the transfer, 1 to 200 characters.
    pub reference: String,
}

/// The input of `setChannelShare`.
#[derive(Clone, Debug, InputObject)]
pub struct SetChannelShareInput {
    /// The channel.
    pub(crate) channel_id: ChannelId,
    /// What part of the sales that come is the channel's, in percent of the price without tax, 0 to 100; omit for the
    /// default of the server.
    pub percent: Option<i32>,
}
