//! Commands for orders.
//!
//! What changes an order locks its courses (by id), its buyer, its coupon, the order and its payment, in this sequence
//! ([`hold::lock`]). No provider is called within a transaction.

mod cancel;
mod checkout;
mod coupon;
mod create;
mod dispute;
mod end;
mod export;
mod hold;
mod import;
mod inbox;
mod membership;
mod pay;
mod price;
mod reconcile;
mod refund;

pub(super) use cancel::{cancel_order, expire_orders, forget_user, remind};
pub(super) use coupon::{archive_coupon, create_coupon, update_coupon};
pub(super) use create::create_order;
pub use export::{courses_of, my_data};
pub use import::{import, import_membership};
pub use inbox::receive;
pub(super) use inbox::{PROCESS, process, replay};
pub(super) use membership::renew;
pub use membership::{MembershipQuote, cancel_membership, change_membership, quote_membership_change};
pub(super) use price::{Good, Quote, QuoteItem, quote_order};
pub(super) use reconcile::reconcile;
pub(super) use refund::{REFUND, refund_order, send_refund};
