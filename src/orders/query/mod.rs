//! SQL for orders.

pub(super) mod coupon;
pub(super) mod donation;
pub(super) mod event;
pub(super) mod gift;
pub(super) mod invoice;
pub(super) mod ledger;
pub(super) mod list;
pub(super) mod order;
pub(super) mod payment;
pub(super) mod refund;
pub(super) mod tax;
