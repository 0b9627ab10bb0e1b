//! Orders in the schema.

mod coupon;
mod donation;
mod earnings;
mod gift;
mod list;
mod mutation;
mod order;
mod payment_event;
mod provider;
mod refund;
mod subscription;

use futures_util::FutureExt;

pub use earnings::{EarningsStatement, SaleObject};
pub(crate) use earnings::{channel_earnings, channel_sales, channel_sales_csv_url};
pub(crate) use list::{orders_of, orders_of_membership};
pub use order::OrderObject;
pub(crate) use order::{checkout_of_period, order_of_entitlement};
pub use subscription::OrderSubscription;

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| order::order_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| refund::refund_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| refund::dispute_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| gift::gift_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| donation::donation_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| coupon::coupon_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| payment_event::payment_event_node(ctx, id).boxed()),
    ]
}

/// The queries of orders.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(list::OrderQuery),
        Box::new(coupon::CouponQuery),
        Box::new(payment_event::PaymentEventQuery),
        Box::new(provider::ProviderQuery),
    ]
}

/// The orders, the repeated donations and the earnings of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(list::ViewerOrders), Box::new(donation::ViewerDonations), Box::new(earnings::ViewerEarnings)]
}

/// The mutations of orders.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::OrderMutation),
        Box::new(gift::GiftMutation),
        Box::new(donation::DonationMutation),
        Box::new(earnings::EarningsMutation),
        Box::new(coupon::CouponMutation),
        Box::new(payment_event::PaymentEventMutation),
    ]
}
