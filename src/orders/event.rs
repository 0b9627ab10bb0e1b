//! The events of orders. No field ends with `_id`: an event with `user_id` or `course_id` says that those have changed.

use serde::{Deserialize, Serialize};

use super::model::{DonationId, OrderId};
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// The topic of an order.
pub fn topic(order: OrderId) -> String {
    format!("order:{}", order.uuid())
}

/// Defines events that say no more than which order they are about.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub struct $name {
            /// The order.
            pub order: OrderId,
            /// Its buyer.
            pub buyer: UserId,
        }

        impl Event for $name {
            const KIND: &'static str = $kind;

            fn topics(&self) -> Vec<String> {
                vec![topic(self.order)]
            }
        }
    )*};
}

events! {
    /// An order was placed.
    OrderPlaced = "order_placed";
    /// The checkout of an order is open.
    OrderOpened = "order_opened";
    /// The provider processes the payment of an order: its money is on its way.
    OrderProcessing = "order_processing";
    /// An order was paid, and gives access.
    OrderPaid = "order_paid";
    /// The payment of an order has failed for good.
    OrderFailed = "order_failed";
    /// An order was canceled by its buyer.
    OrderCanceled = "order_canceled";
    /// An order was not paid in time.
    OrderExpired = "order_expired";
    /// An order is still not paid: the buyer is reminded, once.
    OrderUnpaid = "order_unpaid";
    /// A dispute about an order was opened, won or lost.
    OrderDisputed = "order_disputed";
    /// A gift of an order was claimed.
    GiftClaimed = "gift_claimed";
}

/// Money of an order goes back to the buyer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderRefunded {
    /// The order.
    pub order: OrderId,
    /// Its buyer.
    pub buyer: UserId,
    /// The id of the refund.
    pub refund: uuid::Uuid,
}

/// The provider has sent the money of a refund back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderRefundDone {
    /// The order.
    pub order: OrderId,
    /// Its buyer.
    pub buyer: UserId,
    /// The id of the refund.
    pub refund: uuid::Uuid,
}

impl Event for OrderRefundDone {
    const KIND: &'static str = "order_refund_done";

    fn topics(&self) -> Vec<String> {
        vec![topic(self.order)]
    }
}

/// A refund has failed: the money of the order is not refunded by it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderRefundFailed {
    /// The order.
    pub order: OrderId,
    /// Its buyer.
    pub buyer: UserId,
    /// The id of the refund.
    pub refund: uuid::Uuid,
}

impl Event for OrderRefundFailed {
    const KIND: &'static str = "order_refund_failed";

    fn topics(&self) -> Vec<String> {
        vec![topic(self.order)]
    }
}

impl Event for OrderRefunded {
    const KIND: &'static str = "order_refunded";

    fn topics(&self) -> Vec<String> {
        vec![topic(self.order)]
    }
}

/// Why a repeated donation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DonationEnd {
    /// The donor or an administrator has canceled it.
    Canceled,
    /// The first one was not paid.
    NotBegun,
    /// Too many in succession were not paid.
    Unpaid,
}

/// A repeated donation has ended. Those of a deleted account end without this: nobody is left to be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DonationEnded {
    /// The donation.
    pub donation: DonationId,
    /// The donor.
    pub donor: UserId,
    /// Why it has ended.
    pub why: DonationEnd,
}

impl Event for DonationEnded {
    const KIND: &'static str = "donation_ended";
}

/// What a subscriber reads of any of these events. Never recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderChanged {
    /// The order.
    pub order: OrderId,
}

impl Event for OrderChanged {
    const KIND: &'static str = "order_changed";
}
