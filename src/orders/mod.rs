//! Orders and their payments.
//!
//! An order keeps the prices of what a user buys, is paid once at a provider ([`crate::platform::payments`]), and gives
//! access in the transaction in which it is paid. A course is never in two live orders of a user. What a provider tells
//! is stored before it is acknowledged, and may come twice, late, in any order, or before this server knows of its own
//! checkout; a job asks about all that is open. Money that arrives for an order that has ended pays for it after all,
//! or goes back by itself.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{
    MembershipQuote, cancel_membership, change_membership, courses_of, earnings_file, import, import_membership,
    invoice_file, my_data, orders_file, quote_membership_change, receipt_of, receive, receive_play, receive_unread,
    sales_file,
};
pub use event::{
    DonationEnd, DonationEnded, GiftClaimed, OrderCanceled, OrderDisputed, OrderExpired, OrderFailed, OrderOpened,
    OrderPaid, OrderPlaced, OrderProcessing, OrderRefundDone, OrderRefundFailed, OrderRefunded, OrderUnpaid,
};
pub use graphql::{
    EarningsStatement, OrderObject, OrderSubscription, SaleObject, mutations, nodes, queries, viewer_fields,
};
pub(crate) use graphql::{
    channel_earnings, channel_sales, channel_sales_csv_url, checkout_of_period, order_of_entitlement, orders_of,
    orders_of_membership,
};
pub use job::{handlers, mails};
pub use loader::OrderById;
pub use model::{
    Account, Coupon, CouponId, DisputeStatus, Donation, DonationId, Movement, Order, OrderId, OrderItemKind,
    OrderStatus, PaymentEventProvider, PaymentEventState, PaymentState, Receipt, RefundState, SaleFilter,
};
