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

pub use command::{courses_of, import, invoice_file, my_data, receive};
pub use event::{
    OrderCanceled, OrderDisputed, OrderExpired, OrderFailed, OrderOpened, OrderPaid, OrderPlaced, OrderRefundFailed,
    OrderRefunded, OrderUnpaid,
};
pub(crate) use graphql::order_of_entitlement;
pub use graphql::{OrderObject, OrderSubscription, mutations, nodes, queries, viewer_fields};
pub use job::handlers;
pub use loader::OrderById;
pub use model::{
    Coupon, CouponId, DisputeStatus, Order, OrderId, OrderItemKind, OrderStatus, PaymentEventState, PaymentState,
    RefundState,
};
