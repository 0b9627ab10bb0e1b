//! Orders and their payments.
//!
//! An order keeps the prices of what a user buys, is paid once at a provider ([`crate::platform::payments`]), and gives
//! access in the transaction in which it is paid. A course is never in two live orders of a user. What a provider tells
//! is stored before it is acknowledged, and may come twice, late, in any order, or before this server knows of its own
//! checkout; a job asks about all that is open. Money that arrives for an order that has ended pays for it after all,
//! or goes back by itself.

use crate as orders;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_channels as channels;
use lyceum_config as config;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_memberships as memberships;
use lyceum_platform as platform;

pub mod command;
pub mod error;
pub mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
pub mod query;

pub use command::{
    MembershipQuote, cancel_membership, change_membership, courses_of, earnings_file, import, import_membership,
    invoice_file, my_data, orders_file, quote_membership_change, receipt_of, receive, receive_play, receive_unread,
    sales_file,
};
pub use event::{
    DonationEnd, DonationEnded, GiftClaimed, OrderCanceled, OrderDisputed, OrderExpired, OrderFailed, OrderOpened,
    OrderPaid, OrderPlaced, OrderProcessing, OrderRefundDone, OrderRefundFailed, OrderRefunded, OrderUnpaid,
};
pub use job::{handlers, mails};
pub use loader::OrderById;
pub use model::{
    Account, Coupon, CouponId, DisputeStatus, Donation, DonationId, Movement, Order, OrderId, OrderItemKind,
    OrderStatus, PaymentEventProvider, PaymentEventState, PaymentState, Receipt, RefundState, SaleFilter,
};
