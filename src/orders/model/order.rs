//! Orders and their items, and the states of an order.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use super::CouponId;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::entitlements::EntitlementId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Entity, Id};
use crate::memberships::{ExtraHoursId, MembershipId, PeriodId};
use crate::platform::db::schema::{order_items, orders};
use crate::platform::db::stored_as_text;

/// An order's id: `order_01j…`.
pub type OrderId = Id<Order>;

/// An order. Amounts are in minor units of its currency.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// What people call it by.
    pub number: i64,
    /// The buyer.
    pub buyer_id: UserId,
    /// The state.
    pub status: OrderStatus,
    /// The buyer's country (ISO 3166-1, two letters).
    pub country: String,
    /// The currency.
    pub currency: CurrencyCode,
    /// What is paid for all items.
    pub total_minor: i64,
    /// What was refunded of it.
    pub refunded_minor: i64,
    /// Where the checkout leads back to; `None` for the app, in orders of earlier versions.
    pub return_url: Option<String>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it expires unless it is paid; `None` unless it is pending, and while its payment is processed.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// The coupon.
    pub coupon_id: Option<CouponId>,
    /// What the coupon took off the prices.
    pub discount_minor: i64,
    /// The tax in the total.
    pub tax_minor: i64,
    /// Whether the tax was in the prices already; otherwise it was added to them.
    pub tax_included: bool,
    /// Whom the invoice is for; `None` for the buyer's name.
    pub billing_name: Option<String>,
    /// The lines of the address on the invoice.
    pub billing_address: Option<String>,
    /// The buyer's tax number.
    pub billing_tax_id: Option<String>,
    /// The rate of the tax in hundredths of a percent.
    pub tax_rate: Option<i32>,
}

impl Entity for Order {
    const PREFIX: &'static str = "order";
}

impl Order {
    /// Whether the provider processes its payment: the buyer has done what they can, and the money is on its way.
    pub fn is_processing(&self) -> bool {
        self.status == OrderStatus::Pending && self.expires_at.is_none()
    }
}

/// The state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// It waits for its payment.
    Pending,
    /// It is paid, and what was bought is accessible.
    Paid,
    /// It is paid, and a part of the money was refunded.
    PartiallyRefunded,
    /// All of the money was refunded, or taken back by the buyer's bank.
    Refunded,
    /// The payment has failed.
    Failed,
    /// The buyer has canceled it before it was paid.
    Canceled,
    /// It was not paid in time.
    Expired,
}

stored_as_text!(OrderStatus {
    Pending = "PENDING",
    Paid = "PAID",
    PartiallyRefunded = "PARTIALLY_REFUNDED",
    Refunded = "REFUNDED",
    Failed = "FAILED",
    Canceled = "CANCELED",
    Expired = "EXPIRED",
});

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The money has arrived.
    Pay,
    /// The payment has failed for good.
    Fail,
    /// The buyer cancels.
    Cancel,
    /// The time to pay is over.
    Expire,
    /// A part of the money goes back, and a part of it stays.
    RefundPart,
    /// All of the money that was left goes back.
    RefundAll,
}

impl Step {
    /// All steps.
    const ALL: [Step; 6] = [Step::Pay, Step::Fail, Step::Cancel, Step::Expire, Step::RefundPart, Step::RefundAll];
}

impl OrderStatus {
    /// Returns the state after a step; `None` if the step is not possible.
    ///
    /// Money may arrive for an order that has ended without it.
    pub fn after(self, step: Step) -> Option<OrderStatus> {
        use OrderStatus::{Canceled, Expired, Failed, Paid, PartiallyRefunded, Pending, Refunded};
        match (self, step) {
            (Pending | Failed | Canceled | Expired, Step::Pay) => Some(Paid),
            (Pending, Step::Fail) => Some(Failed),
            (Pending, Step::Cancel) => Some(Canceled),
            (Pending, Step::Expire) => Some(Expired),
            (Paid | PartiallyRefunded, Step::RefundPart) => Some(PartiallyRefunded),
            (Paid | PartiallyRefunded, Step::RefundAll) => Some(Refunded),
            _ => None,
        }
    }

    /// Whether the order is paid, and not all of it is refunded.
    pub(crate) fn is_paid(self) -> bool {
        matches!(self, OrderStatus::Paid | OrderStatus::PartiallyRefunded)
    }

    /// Whether the order has ended without payment.
    pub(crate) fn is_unpaid_end(self) -> bool {
        matches!(self, OrderStatus::Failed | OrderStatus::Canceled | OrderStatus::Expired)
    }

    /// Returns the state in which a refund that has failed leaves an order of which `refunded` is refunded without it.
    pub(crate) fn without_refund(self, refunded: i64) -> OrderStatus {
        match self {
            OrderStatus::PartiallyRefunded | OrderStatus::Refunded if refunded > 0 => OrderStatus::PartiallyRefunded,
            OrderStatus::PartiallyRefunded | OrderStatus::Refunded => OrderStatus::Paid,
            other => other,
        }
    }

    /// Returns the states that may come next, each once.
    pub fn next(self) -> Vec<OrderStatus> {
        let mut next: Vec<OrderStatus> = Step::ALL.into_iter().filter_map(|step| self.after(step)).collect();
        next.retain(|status| *status != self);
        next
    }
}

/// The id of an item of an order: `order_item_01j…`.
pub type OrderItemId = Id<OrderItem>;

/// An item of an order.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = order_items, check_for_backend(diesel::pg::Pg))]
pub struct OrderItem {
    /// The id.
    pub id: OrderItemId,
    /// The order.
    pub order_id: OrderId,
    /// What it is.
    pub kind: OrderItemKind,
    /// What it was called when it was ordered.
    pub title: String,
    /// The course; `None` once it is deleted.
    pub course_id: Option<CourseId>,
    /// What is paid for it: the price without the discount, with the tax.
    pub amount_minor: i64,
    /// What was refunded of it.
    pub refunded_minor: i64,
    /// Whether it is bought or being paid for.
    pub(crate) is_live: bool,
    /// The access that was bought.
    pub entitlement_id: Option<EntitlementId>,
    /// What the coupon took off the price.
    pub discount_minor: i64,
    /// The tax in the amount.
    pub tax_minor: i64,
    /// The membership.
    pub membership_id: Option<MembershipId>,
    /// The period of the membership that is paid for.
    pub membership_period_id: Option<PeriodId>,
    /// The extra hours.
    pub(crate) extra_hours_id: Option<ExtraHoursId>,
}

impl OrderItem {
    /// What is paid for it without tax that is added to prices, in minor units.
    pub(crate) fn net_minor(&self, order: &Order) -> i64 {
        self.amount_minor - if order.tax_included { 0 } else { self.tax_minor }
    }
}

impl Entity for OrderItem {
    const PREFIX: &'static str = "order_item";
}

/// What is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum OrderItemKind {
    /// Access to a course.
    Course,
    /// A course for another person, who claims it with a code.
    Gift,
    /// A donation of an amount that the buyer chooses. It gives no access.
    Donation,
    /// A period of a membership.
    Membership,
    /// Extra hours of live classes for a month.
    ExtraHours,
}

stored_as_text!(OrderItemKind {
    Course = "COURSE",
    Gift = "GIFT",
    Donation = "DONATION",
    Membership = "MEMBERSHIP",
    ExtraHours = "EXTRA_HOURS",
});

/// An order to insert, without its items.
#[derive(Insertable)]
#[diesel(table_name = orders)]
pub(crate) struct NewOrder<'a> {
    pub id: OrderId,
    pub buyer_id: UserId,
    pub status: OrderStatus,
    pub(crate) country: &'a str,
    pub currency: CurrencyCode,
    pub total_minor: i64,
    pub(crate) return_url: &'a str,
    pub created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub(crate) remind_at: Option<DateTime<Utc>>,
    pub coupon_id: Option<CouponId>,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub(crate) billing_name: Option<&'a str>,
    pub(crate) billing_address: Option<&'a str>,
    pub(crate) billing_tax_id: Option<&'a str>,
    pub(crate) tax_rate: Option<i32>,
}

/// An item to insert.
#[derive(Insertable)]
#[diesel(table_name = order_items)]
pub(crate) struct NewItem {
    pub id: OrderItemId,
    pub order_id: OrderId,
    pub buyer_id: UserId,
    pub position: i16,
    pub kind: OrderItemKind,
    pub title: String,
    pub course_id: Option<CourseId>,
    pub amount_minor: i64,
    pub(crate) is_live: bool,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub membership_id: Option<MembershipId>,
    pub membership_period_id: Option<PeriodId>,
    pub(crate) extra_hours_id: Option<ExtraHoursId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_takes_only_these_steps() {
        use OrderStatus::{Canceled, Expired, Failed, Paid, PartiallyRefunded, Pending, Refunded};
        // After Pay, Fail, Cancel, Expire, RefundPart, RefundAll.
        for (status, after) in [
            (Pending, [Some(Paid), Some(Failed), Some(Canceled), Some(Expired), None, None]),
            (Paid, [None, None, None, None, Some(PartiallyRefunded), Some(Refunded)]),
            (PartiallyRefunded, [None, None, None, None, Some(PartiallyRefunded), Some(Refunded)]),
            (Refunded, [None; 6]),
            (Failed, [Some(Paid), None, None, None, None, None]),
            (Canceled, [Some(Paid), None, None, None, None, None]),
            (Expired, [Some(Paid), None, None, None, None, None]),
        ] {
            assert_eq!(Step::ALL.map(|step| status.after(step)), after, "{status:?}");
        }
        assert_eq!(Pending.next(), [Paid, Failed, Canceled, Expired]);
        assert_eq!(PartiallyRefunded.next(), [Refunded]);
        assert_eq!(Refunded.next(), []);
    }
}
