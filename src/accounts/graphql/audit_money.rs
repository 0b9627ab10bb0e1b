//! The details of audit entries about money, in the schema.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The order that was refunded, or of which a part was.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditRefundDetails {
    /// The id of the order.
    order_id: ID,
    /// The reason.
    reason: String,
}

/// The event of a payment provider that was processed again.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditPaymentEventDetails {
    /// The id of the event.
    payment_event_id: ID,
}

/// The coupon that was created, changed or archived, with its terms afterwards.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditCouponDetails {
    /// The id of the coupon.
    coupon_id: ID,
    /// What buyers enter.
    code: String,
    /// From when on it is valid; null for at once.
    starts_at: Option<DateTime<Utc>>,
    /// Until when it is valid; null for no end.
    ends_at: Option<DateTime<Utc>>,
    /// The maximum number of orders with it; null for no limit.
    max_uses: Option<i32>,
    /// The maximum number of orders of a user with it; null for no limit.
    max_uses_per_user: Option<i32>,
}

/// The payout that was recorded, or the share that was changed.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEarningsDetails {
    /// The id of the channel.
    channel_id: ID,
    /// The month of the payout, such as `2026-11`; null of a share.
    month: Option<String>,
    /// The amount of the payout with its currency, such as `19.90 EUR`; null of a share.
    amount: Option<String>,
    /// What the bank calls the payout; null of a share.
    reference: Option<String>,
    /// The share in percent; null of a payout, and for the default.
    percent: Option<i32>,
}

/// What a price of a plan is on Google Play since then.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditPlayProductDetails {
    /// The id of the price.
    plan_price_id: ID,
    /// The id of the product; null for none.
    product_id: Option<String>,
    /// The id of its base plan; null for none.
    base_plan_id: Option<String>,
}
