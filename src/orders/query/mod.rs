//! SQL for orders.

pub mod coupon;
pub mod donation;
pub mod event;
pub mod gift;
pub mod invoice;
pub(crate) mod ledger;
pub mod list;
pub mod order;
pub mod payment;
pub mod refund;
pub mod tax;
